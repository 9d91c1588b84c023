//! What is said once of each path, in memory that does not grow.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// Of so many paths, in sets of a few, it is known that something was said: those that share a set are all kept until
/// there are more.
const SETS: usize = 256;
const IN_A_SET: usize = 4;

/// The last paths of which something was said. One that is pushed out by another is told of again:
/// whoever asks for many paths makes more lines and silences none.
pub(crate) struct SaidOnce {
    sets: Box<[[AtomicU64; IN_A_SET]]>,
    /// Nobody outside knows which paths share a set.
    hasher: RandomState,
}

impl SaidOnce {
    pub(crate) fn new() -> Self {
        let sets = (0..SETS).map(|_| [const { AtomicU64::new(0) }; IN_A_SET]).collect();
        Self { sets, hasher: RandomState::new() }
    }

    /// Whether this was not said of this path, as far as it is known; it is from now on. Two spellings are
    /// one path.
    pub(crate) fn is_new(&self, path: &str, what: &'static str) -> bool {
        let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        // No path is known as zero, which stands where there was none.
        let mark = self.hasher.hash_one((&*path, what)).max(1);
        let index = |of: u64, many: usize| usize::try_from(of % many as u64).unwrap_or_default();
        let set = &self.sets[index(mark, SETS)];
        let known = |mark| set.iter().position(|own| own.load(Ordering::Relaxed) == mark);
        if known(mark).is_some() {
            return false;
        }
        let place = known(0).unwrap_or_else(|| index(mark >> 32, IN_A_SET));
        // Two may say it at the same time: then it is said twice.
        set[place].store(mark, Ordering::Relaxed);
        true
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
        assert_eq!(said.sets.len() * IN_A_SET, 1024);
    }

    /// A few paths at a time do not push each other out.
    #[test]
    fn few_are_all_known() {
        for _ in 0..100 {
            let said = SaidOnce::new();
            let paths: Vec<_> = (0..12).map(|number| format!("/manifests/{number}")).collect();
            assert!(paths.iter().all(|path| said.is_new(path, "a")));
            assert!(paths.iter().all(|path| !said.is_new(path, "a")));
        }
    }
}
