//! What is said once: strangers choose paths, and a log is not theirs to fill.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// How many things are remembered at the most. Who pushes one out only makes it be said again.
const PLACES: usize = 1 << 12;

/// Remembers what was said, in a table of fixed size, without a lock.
pub(crate) struct Once {
    key: RandomState,
    begun: Instant,
    said: Box<[AtomicU64]>,
}

impl Default for Once {
    fn default() -> Self {
        let said = (0..PLACES).map(|_| AtomicU64::new(0)).collect();
        Self { key: RandomState::new(), begun: Instant::now(), said }
    }
}

impl Once {
    /// Whether this was not said yet.
    pub(crate) fn first(&self, what: impl std::hash::Hash) -> bool {
        let hash = self.key.hash_one(what) | 1;
        #[allow(clippy::cast_possible_truncation, reason = "what is left tells places apart")]
        let place = &self.said[(hash >> 1) as usize % PLACES];
        place.swap(hash, Ordering::Relaxed) != hash
    }

    /// Whether this was not said in these ten minutes: what comes and goes is said when it comes again.
    pub(crate) fn first_lately(&self, what: impl std::hash::Hash) -> bool {
        self.first((what, self.begun.elapsed().as_secs() / 600))
    }
}

/// The longest path in the log, in bytes.
const LONGEST_PATH: usize = 512;

/// A path as it is logged: strangers choose how long it is.
pub(crate) fn shown(path: &str) -> Cow<'_, str> {
    if path.len() <= LONGEST_PATH {
        return Cow::Borrowed(path);
    }
    let end = (0..=LONGEST_PATH).rev().find(|end| path.is_char_boundary(*end)).unwrap_or(0);
    Cow::Owned(format!("{}…", &path[..end]))
}

#[cfg(test)]
mod tests {
    use super::Once;

    #[test]
    fn a_thing_is_said_once() {
        let once = Once::default();
        assert!(once.first("/a") && !once.first("/a") && once.first("/b") && !once.first("/b"));
        // However many there are, what is remembered is bounded.
        let first = (0..100_000).filter(|number| once.first(number)).count();
        assert_eq!(first, 100_000);
    }
}
