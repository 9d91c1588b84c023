//! What time it is: a clock that tests can set.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How far the clocks of two nodes may differ.
pub(crate) const SKEW: Duration = Duration::from_secs(5);

/// A moment, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment `millis` milliseconds after the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// This moment moved forward; stops at the end of time instead of wrapping.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// Whether it is more than so many milliseconds behind another.
    #[inline]
    pub(crate) fn is_later_by_more_than(self, millis: u64, other: Self) -> bool {
        self.0 > other.0.saturating_add(millis)
    }

    /// How long from now until this moment; zero when it is past.
    #[must_use]
    pub fn remaining(self, now: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(now.0))
    }
}

/// Tells the time to every layer.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::clock::{Clock, SystemClock, Timestamp};
///
/// assert!(SystemClock.now() > Timestamp::from_millis(0));
/// ```
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

/// The machine's own clock; the default.
///
/// On Linux and Android it is `CLOCK_REALTIME_COARSE` (`clock_gettime(2)`), which is quicker to read and
/// behind the precise one by at most a tick of the kernel, usually 1 to 10 milliseconds. Elsewhere, and
/// where that clock is refused, it is [`SystemTime`]. A clock before 1970 reads as the epoch: every
/// session then looks future-dated and is refused, which is the safe side.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[inline]
    fn now(&self) -> Timestamp {
        kept_ready().unwrap_or_else(precise)
    }
}

/// The time as the kernel keeps it ready. Filters of system calls and emulated kernels may refuse it.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[inline]
fn kept_ready() -> Option<Timestamp> {
    use rustix::time::{ClockId, DynamicClockId, clock_gettime_dynamic};

    let now = clock_gettime_dynamic(DynamicClockId::Known(ClockId::RealtimeCoarse)).ok()?;
    let seconds = u64::try_from(now.tv_sec).ok()?;
    let millis = u64::try_from(now.tv_nsec / 1_000_000).ok()?;
    Some(Timestamp(seconds.saturating_mul(1000).saturating_add(millis)))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn kept_ready() -> Option<Timestamp> {
    None
}

/// The time to the millisecond.
#[cold]
fn precise() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = since.as_secs().saturating_mul(1000);
    Timestamp(millis.saturating_add(u64::from(since.subsec_millis())))
}

/// A clock that stands still until it is told to move, for tests.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use tower_iiif_auth::clock::{Clock, SetClock, Timestamp};
///
/// let clock = SetClock::at(Timestamp::from_millis(1_000));
/// clock.advance(Duration::from_secs(2));
/// assert_eq!(clock.now().as_millis(), 3_000);
/// ```
#[derive(Clone, Debug)]
pub struct SetClock(Arc<AtomicU64>);

impl SetClock {
    /// A clock that shows `moment`.
    #[must_use]
    pub fn at(moment: Timestamp) -> Self {
        Self(Arc::new(AtomicU64::new(moment.0)))
    }

    /// Moves every clone of this clock forward.
    pub fn advance(&self, duration: Duration) {
        let now = self.now().after(duration);
        self.0.store(now.0, Ordering::SeqCst);
    }

    /// Sets every clone of this clock, also backwards.
    pub fn set(&self, moment: Timestamp) {
        self.0.store(moment.0, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes compare each other's times.
    #[test]
    fn both_ways_to_read_the_clock_agree() {
        let second = Duration::from_secs(1);
        for _ in 0..1000 {
            let (now, other) = (SystemClock.now(), precise());
            assert!(now <= other.after(second) && other <= now.after(second), "{now:?} {other:?}");
        }
        assert_eq!(kept_ready().is_some(), cfg!(any(target_os = "linux", target_os = "android")));
        let of_std = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        assert!(of_std.abs_diff(u128::from(SystemClock.now().as_millis())) < 1000);
    }
}
