//! Finding an id among many.

use std::hash::Hasher;

/// Hashes ids by folding them: they are random, or the application's own, and never a stranger's
/// choice, for they come out of sealed values.
#[derive(Clone, Debug, Default)]
pub(super) struct OfRandomId(u64);

impl Hasher for OfRandomId {
    fn write(&mut self, bytes: &[u8]) {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0.rotate_left(29) ^ u64::from_le_bytes(word)).wrapping_mul(ODD);
        }
    }

    fn write_usize(&mut self, _: usize) {
        // The length, which is always the same.
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}
