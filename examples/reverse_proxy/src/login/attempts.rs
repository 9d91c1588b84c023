//! How often a client may get a password wrong.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wrong passwords from one address within [`WINDOW`].
const MOST: u32 = 10;
const WINDOW: Duration = Duration::from_secs(600);

/// How many addresses are remembered.
const CAPACITY: usize = 20_000;

/// Counts wrong passwords by address; an IPv6 client has a network of its own to choose from.
#[derive(Default)]
pub(super) struct Attempts(Mutex<HashMap<Option<IpAddr>, Count>>);

struct Count {
    wrong: u32,
    since: Instant,
}

impl Attempts {
    pub(super) fn may_try(&self, client: Option<IpAddr>) -> bool {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.get(&client.map(network));
        count.is_none_or(|count| count.wrong < MOST || count.since.elapsed() >= WINDOW)
    }

    pub(super) fn wrong(&self, client: Option<IpAddr>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= CAPACITY {
            counts.retain(|_, count| count.since.elapsed() < WINDOW);
        }
        if counts.len() >= CAPACITY {
            // All of them within ten minutes: an attack from everywhere. The least guilty are forgotten.
            counts.retain(|_, count| count.wrong > MOST / 2);
        }
        let fresh = || Count { wrong: 0, since: Instant::now() };
        let count = counts.entry(client.map(network)).or_insert_with(fresh);
        if count.since.elapsed() >= WINDOW {
            *count = fresh();
        }
        count.wrong += 1;
    }

    pub(super) fn right(&self, client: Option<IpAddr>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.remove(&client.map(network));
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_ten_wrong_ones_an_address_has_to_wait() {
        let attempts = Attempts::default();
        let at = |text: &str| Some(text.parse().unwrap());
        for client in [at("192.0.2.1"), at("2001:db8::1"), None] {
            for _ in 0..MOST {
                assert!(attempts.may_try(client));
                attempts.wrong(client);
            }
            assert!(!attempts.may_try(client));
        }
        assert!(!attempts.may_try(at("2001:db8::2")), "the same network");
        assert!(attempts.may_try(at("2001:db8:0:1::1")) && attempts.may_try(at("192.0.2.2")));
        attempts.right(at("192.0.2.1"));
        assert!(attempts.may_try(at("192.0.2.1")));
    }

    #[test]
    fn memory_is_bounded() {
        let attempts = Attempts::default();
        for number in 0..u32::try_from(CAPACITY).unwrap() + 10 {
            attempts.wrong(Some(std::net::Ipv4Addr::from_bits(number).into()));
        }
        assert!(attempts.0.lock().unwrap().len() <= CAPACITY);
    }
}
