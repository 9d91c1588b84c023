//! What time it is: where the clock is set back, nothing comes back to life.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::catch::catch;
use crate::clock::SKEW;
use crate::clock::{Clock, Timestamp};
use crate::core::Core;

/// The clock, and what it has shown already.
pub(super) struct Time {
    clock: Arc<dyn Clock>,
    /// The latest moment that was told, in milliseconds.
    latest: AtomicU64,
    /// The moment that the clock was set back to last. What began before it is over.
    began: AtomicU64,
    /// Taken to notice that the clock was set back, and for nothing else.
    turns: Mutex<()>,
}

impl Time {
    pub(super) fn of(clock: Arc<dyn Clock>) -> Self {
        Self { clock, latest: AtomicU64::new(0), began: AtomicU64::new(0), turns: Mutex::new(()) }
    }

    /// The latest moment that was told, this one perhaps.
    #[inline]
    fn latest(&self, shown: Timestamp) -> Timestamp {
        let latest = self.latest.load(Ordering::Acquire);
        if latest < shown.as_millis() {
            self.latest.fetch_max(shown.as_millis(), Ordering::AcqRel);
            return shown;
        }
        Timestamp::from_millis(latest)
    }
}

impl Core {
    /// The present moment.
    ///
    /// Where the clock goes back by no more than those of two nodes may differ, time stands still until
    /// the clock is there again. Where it goes back further, time goes with it, or a moment years ahead
    /// would end every session at once; and all sessions of before are over. Which of them had ended by
    /// the time that was shown meanwhile nobody knows: what has ended need not be remembered.
    #[inline]
    pub(crate) fn now(&self) -> Timestamp {
        let shown = self.time.clock.now();
        let latest = self.time.latest(shown);
        if latest == shown { shown } else { self.now_after(latest) }
    }

    /// The present moment, while the clock shows one before the latest.
    #[cold]
    #[inline(never)]
    fn now_after(&self, latest: Timestamp) -> Timestamp {
        // Read again: since the first time this thread may have stood still while others went on.
        if self.time.clock.now().after(SKEW) >= latest {
            return latest;
        }
        // Nothing of ours panics while it is held.
        let _turn = self.time.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = self.time.clock.now();
        let latest = self.time.latest(shown);
        if shown.after(SKEW) >= latest {
            return latest;
        }
        crate::trace::clock_went_back(latest.remaining(shown));
        if let Err(panic) = catch(|| self.revocations.clock_went_back()) {
            crate::trace::failure("revocation store", &panic);
        }
        let began = shown.after(Duration::from_millis(1));
        self.time.began.store(began.as_millis(), Ordering::Release);
        self.time.latest.store(began.as_millis(), Ordering::Release);
        began
    }

    /// Whether something that began at this moment is over, as the clock was set back since.
    #[inline]
    pub(crate) fn is_of_before(&self, moment: Timestamp) -> bool {
        moment.as_millis() < self.time.began.load(Ordering::Acquire)
    }
}
