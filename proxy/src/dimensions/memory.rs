//! Sizes that were told, bounded in number and bytes.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How many images are remembered, with how many bytes of paths, and for how long.
const CAPACITY: usize = 10_000;
const MOST_BYTES: usize = 4 << 20;
pub(super) const LIFETIME: Duration = Duration::from_secs(3600);

/// How long it is remembered that an image's size is not to be had.
pub(super) const UNKNOWN_LIFETIME: Duration = Duration::from_secs(60);

/// What is remembered, bounded by number and bytes: strangers choose the paths.
#[derive(Default)]
pub(super) struct Memory {
    images: HashMap<String, Known>,
    bytes: usize,
}

impl Memory {
    /// What is known of an image, unless that is too long ago.
    pub(super) fn get(&self, path: &str) -> Option<Known> {
        self.images.get(path).filter(|own| Instant::now() < own.until).copied()
    }

    pub(super) fn keep(&mut self, path: &str, known: Known) {
        if self.images.len() >= CAPACITY || self.bytes + path.len() > MOST_BYTES {
            let now = Instant::now();
            self.images.retain(|_, own| now < own.until);
            self.bytes = self.images.keys().map(String::len).sum();
        }
        if self.images.len() >= CAPACITY || self.bytes + path.len() > MOST_BYTES {
            *self = Self::default();
        }
        if let Some(own) = self.images.get_mut(path) {
            *own = known;
        } else if path.len() <= MOST_BYTES {
            self.bytes += path.len();
            self.images.insert(path.to_owned(), known);
        }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) size: Option<(u32, u32)>,
    pub(super) until: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LM-04: what is remembered is bounded by bytes, too.
    #[test]
    fn lm_04_the_memory_is_bounded_by_bytes() {
        let mut memory = Memory::default();
        let known = |seconds| Known {
            size: Some((1, 1)),
            until: Instant::now() + Duration::from_secs(seconds),
        };
        for number in 0..3000 {
            memory.keep(&format!("{number:_>26000}"), known(60));
            let bytes: usize = memory.images.keys().map(String::len).sum();
            assert!(bytes == memory.bytes && bytes <= MOST_BYTES, "{bytes}");
        }
        memory.keep("a", known(60));
        memory.keep("a", known(60));
        assert!(memory.images.contains_key("a"));
        for number in 0..2 * CAPACITY {
            memory.keep(&number.to_string(), known(60));
            assert!(memory.images.len() <= CAPACITY);
        }
    }
}
