//! How often a client may get a password wrong.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wrong passwords for one name from one address within [`WINDOW`].
const MOST: u16 = 10;
const WINDOW: Duration = Duration::from_secs(600);

/// How many counters there are: in rows, in each of which a name and address have one.
const ROWS: usize = 4;
const IN_A_ROW: usize = 1 << 15;

/// Counts tries by name and address; an IPv6 client has a network of its own to choose from.
///
/// A try counts before the password is looked at, so that many at once are no more than one after the
/// other. By both: nobody is locked out by guesses at another name, nor by those of another address; and
/// a login of one's own takes nothing back of what was guessed at others.
///
/// The counters are a fixed number (a count-min sketch under a random key), so that nobody makes the
/// proxy forget guesses by making it remember others. A pair counts as what the lowest of its counters
/// has, which others share by chance: to lock somebody out by that takes more guesses in ten minutes
/// than passwords can be checked.
pub(super) struct Attempts {
    key: RandomState,
    begun: Instant,
    counters: Mutex<Box<[Counter]>>,
}

#[derive(Clone, Copy, Default)]
struct Counter {
    tries: u16,
    /// When the first of them was, in seconds.
    since: u32,
}

/// A try that was counted, until it is known whether it was wrong.
#[must_use]
pub(super) struct Try([Place; ROWS]);

#[derive(Clone, Copy)]
struct Place {
    index: usize,
    since: u32,
}

/// There were too many.
pub(super) struct TooMany;

impl Default for Attempts {
    fn default() -> Self {
        Self {
            key: RandomState::new(),
            begun: Instant::now(),
            counters: Mutex::new(vec![Counter::default(); ROWS * IN_A_ROW].into()),
        }
    }
}

impl Attempts {
    /// Counts a try of a client at a name of the login at this path, unless there were too many.
    pub(super) fn begin(
        &self,
        client: Option<IpAddr>,
        login: &str,
        name: &str,
    ) -> Result<Try, TooMany> {
        self.begin_at(client, (login, name), self.begun.elapsed())
    }

    fn begin_at(
        &self,
        client: Option<IpAddr>,
        name: (&str, &str),
        now: Duration,
    ) -> Result<Try, TooMany> {
        let now = u32::try_from(now.as_secs()).unwrap_or(u32::MAX);
        let client = client.map(network);
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let mut places = [Place { index: 0, since: 0 }; ROWS];
        let mut tries = u16::MAX;
        for (row, place) in places.iter_mut().enumerate() {
            let hash = self.key.hash_one((row, client, name));
            let index = row * IN_A_ROW + usize::try_from(hash).unwrap_or(0) % IN_A_ROW;
            let counter = &mut counters[index];
            if u64::from(now - counter.since.min(now)) >= WINDOW.as_secs() {
                *counter = Counter { tries: 0, since: now };
            }
            *place = Place { index, since: counter.since };
            tries = tries.min(counter.tries);
        }
        if tries >= MOST {
            return Err(TooMany);
        }
        for place in places {
            let counter = &mut counters[place.index];
            counter.tries = counter.tries.saturating_add(1);
        }
        Ok(Try(places))
    }

    /// A try was none: the password was right, or was not looked at. Those before it stay counted.
    pub(super) fn take_back(&self, Try(places): Try) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        for Place { index, since } in places {
            let counter = &mut counters[index];
            if counter.since == since {
                counter.tries = counter.tries.saturating_sub(1);
            }
        }
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

    const LOGIN: &str = "/auth/login";

    fn at(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    fn may_try(attempts: &Attempts, client: Option<IpAddr>, name: &str) -> bool {
        attempts.begin(client, LOGIN, name).map(|own| attempts.take_back(own)).is_ok()
    }

    /// LM-03: ten for a name and address, and nobody else pays for them.
    #[test]
    fn lm_03_the_limit_is_for_name_and_address() {
        let attempts = Attempts::default();
        for client in [at("192.0.2.1"), at("2001:db8::1"), None] {
            for _ in 0..MOST {
                assert!(attempts.begin(client, LOGIN, "ada").is_ok());
                // A good login of one's own in between.
                assert!(may_try(&attempts, client, "eve"));
            }
            assert!(attempts.begin(client, LOGIN, "ada").is_err());
            assert!(may_try(&attempts, client, "bob"), "another name");
            assert!(attempts.begin(client, "/auth/other/login", "ada").is_ok(), "another login");
        }
        assert!(!may_try(&attempts, at("2001:db8::2"), "ada"), "the same network");
        assert!(may_try(&attempts, at("2001:db8:0:1::1"), "ada"));
        assert!(may_try(&attempts, at("192.0.2.2"), "ada"), "another address");
    }

    #[test]
    fn after_ten_minutes_it_begins_anew() {
        let attempts = Attempts::default();
        let (start, client) = (Duration::from_secs(5000), at("192.0.2.1"));
        for _ in 0..MOST {
            assert!(attempts.begin_at(client, (LOGIN, "ada"), start).is_ok());
        }
        let late = start + WINDOW;
        assert!(attempts.begin_at(client, (LOGIN, "ada"), late - Duration::from_secs(1)).is_err());
        let Ok(again) = attempts.begin_at(client, (LOGIN, "ada"), late) else {
            panic!("it is over")
        };
        // What was begun before takes nothing back of what came after.
        let Ok(old) = attempts.begin_at(client, (LOGIN, "bob"), start) else { panic!("the first") };
        for _ in 0..MOST {
            assert!(attempts.begin_at(client, (LOGIN, "bob"), late).is_ok());
        }
        attempts.take_back(old);
        assert!(attempts.begin_at(client, (LOGIN, "bob"), late).is_err());
        attempts.take_back(again);
    }

    /// LM-03: however many others are counted, none is forgotten, and hardly anybody pays for them.
    #[test]
    fn lm_03_nobody_is_pushed_out() {
        let attempts = Attempts::default();
        for _ in 0..MOST {
            let _ = attempts.begin(at("192.0.2.1"), LOGIN, "ada");
        }
        // As many as can be checked in ten minutes, and more.
        for number in 0..60_000_u32 {
            let client = Some(std::net::Ipv4Addr::from_bits(number).into());
            let _ = attempts.begin(client, LOGIN, &format!("{number}"));
        }
        assert!(!may_try(&attempts, at("192.0.2.1"), "ada"));
        let others =
            (0..1000).filter(|own| may_try(&attempts, at("198.51.100.1"), &own.to_string()));
        assert_eq!(others.count(), 1000);
    }
}
