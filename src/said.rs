//! What is said once of each path, in memory that does not grow.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// Of so many paths it is known that something was said.
const KNOWN: usize = 1024;

/// The last paths of which something was said. One that is pushed out by another is told of again:
/// whoever asks for many paths makes more lines and silences none.
pub(crate) struct SaidOnce {
    paths: Box<[AtomicU64]>,
    /// Nobody outside knows which paths share a place.
    hasher: RandomState,
}

impl SaidOnce {
    pub(crate) fn new() -> Self {
        let paths = (0..KNOWN).map(|_| AtomicU64::new(0)).collect();
        Self { paths, hasher: RandomState::new() }
    }

    /// Whether this was not said of this path, as far as it is known; it is from now on. Two spellings are
    /// one path.
    pub(crate) fn is_new(&self, path: &str, what: &'static str) -> bool {
        let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        // No path is known as zero, which stands where there was none.
        let mark = self.hasher.hash_one((&*path, what)).max(1);
        let place = usize::try_from(mark % KNOWN as u64).unwrap_or_default();
        self.paths.get(place).is_none_or(|own| own.swap(mark, Ordering::Relaxed) != mark)
    }
}

impl fmt::Debug for SaidOnce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SaidOnce").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DS-04: once a path, and never not at all.
    #[test]
    fn once_a_path() {
        let said = SaidOnce::new();
        assert!(said.is_new("/manifests/1", "a"));
        assert!(!said.is_new("/manifests/1", "a") && !said.is_new("/manifests/%31", "a"));
        assert!(said.is_new("/manifests/1", "b") && !said.is_new("/manifests/1", "b"));
        assert!((0..100_000).all(|number| said.is_new(&format!("/manifests/other-{number}"), "a")));
        assert_eq!(said.paths.len(), KNOWN);
    }
}
