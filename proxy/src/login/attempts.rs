//! How often a client may get a password wrong.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wrong passwords for one name from one address within ten minutes, of which each has counters of its
/// own, and the one that has begun.
const MOST: u16 = 10;
const MINUTES: usize = 11;

/// How many counters a minute has: in rows, in each of which a name and address have one.
const ROWS: usize = 4;
const IN_A_ROW: usize = 1 << 15;
const IN_A_MINUTE: usize = ROWS * IN_A_ROW;

/// Counts tries by name and address; an IPv6 client has a network of its own to choose from.
///
/// A try counts before the password is looked at, so that many at once are no more than one after the
/// other. By both: nobody is locked out by guesses at another name, nor by those of another address; and
/// a login of one's own takes nothing back of what was guessed at others.
///
/// The counters are a fixed number (a count-min sketch under a random key), and all of a minute are
/// cleared together, so that nobody makes the proxy forget guesses by making it remember others. A pair
/// counts as what the lowest of its counters has, which others share by chance: to lock somebody out by
/// that takes more guesses in ten minutes than passwords can be checked.
pub(super) struct Attempts {
    key: RandomState,
    begun: Instant,
    counted: Mutex<Counted>,
}

struct Counted {
    tries: Box<[u8]>,
    /// The minute that was counted in last.
    minute: usize,
}

/// A try that was counted, until it is known whether it was wrong.
#[must_use]
pub(super) struct Try {
    minute: usize,
    places: [usize; ROWS],
}

/// There were too many.
pub(super) struct TooMany;

impl Default for Attempts {
    fn default() -> Self {
        let tries = vec![0; MINUTES * IN_A_MINUTE].into();
        Self {
            key: RandomState::new(),
            begun: Instant::now(),
            counted: Mutex::new(Counted { tries, minute: 0 }),
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
        since: Duration,
    ) -> Result<Try, TooMany> {
        let minute = usize::try_from(since.as_secs() / 60).unwrap_or(usize::MAX);
        let client = client.map(network);
        let mut row = 0;
        let places = [(); ROWS].map(|()| {
            let hash = self.key.hash_one((row, client, name));
            let place = row * IN_A_ROW + usize::try_from(hash % IN_A_ROW as u64).unwrap_or(0);
            row += 1;
            place
        });
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.come_to(minute);
        if places.iter().all(|place| counted.at(*place) >= MOST) {
            return Err(TooMany);
        }
        let minute = counted.minute;
        for place in places {
            let tries = counted.tries_in(minute, place);
            *tries = tries.saturating_add(1);
        }
        Ok(Try { minute, places })
    }

    /// A try was none: the password was right, or was not looked at. Those before it stay counted.
    pub(super) fn take_back(&self, Try { minute, places }: Try) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.minute - minute < MINUTES {
            for place in places {
                let tries = counted.tries_in(minute, place);
                *tries = tries.saturating_sub(1);
            }
        }
    }
}

impl Counted {
    /// Forgets what is too old.
    fn come_to(&mut self, minute: usize) {
        let passed = minute.saturating_sub(self.minute).min(MINUTES);
        for new in 1..=passed {
            let start = (self.minute + new) % MINUTES * IN_A_MINUTE;
            self.tries[start..start + IN_A_MINUTE].fill(0);
        }
        self.minute = self.minute.max(minute);
    }

    fn tries_in(&mut self, minute: usize, place: usize) -> &mut u8 {
        &mut self.tries[minute % MINUTES * IN_A_MINUTE + place]
    }

    /// Of all minutes that count.
    fn at(&self, place: usize) -> u16 {
        self.tries.iter().skip(place).step_by(IN_A_MINUTE).map(|own| u16::from(*own)).sum()
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

    #[allow(clippy::unnecessary_wraps, reason = "as the client of a request")]
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
        let at_second = Duration::from_secs;
        let client = at("192.0.2.1");
        let begin = |name, second| attempts.begin_at(client, (LOGIN, name), at_second(second));
        for _ in 0..MOST {
            assert!(begin("ada", 5030).is_ok());
        }
        for second in [5030, 5031, 5100, 5500, 5629] {
            assert!(begin("ada", second).is_err(), "{second}");
        }
        // At the latest after eleven.
        assert!(begin("ada", 5030 + 660).is_ok());
        // What was begun before takes nothing back of what came after.
        let Ok(old) = begin("bob", 10_000) else { panic!("the first") };
        for _ in 0..MOST {
            assert!(begin("bob", 20_000).is_ok());
        }
        attempts.take_back(old);
        assert!(begin("bob", 20_000).is_err());
        // Whatever others begin meanwhile, and when.
        for number in 0..50_000_u32 {
            let client = Some(std::net::Ipv4Addr::from_bits(number).into());
            let _ = attempts.begin_at(
                client,
                (LOGIN, "x"),
                at_second(20_000 + u64::from(number) / 100),
            );
        }
        assert!(begin("bob", 20_500).is_err());
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
