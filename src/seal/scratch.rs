//! Room to open values in.

/// What a sealed value of 512 characters needs: it is cleared for every tile.
const STACK: usize = 384;

/// Room to open a value in: on the stack for all but unusually large ones.
pub(crate) struct Scratch {
    stack: [u8; STACK],
    heap: Vec<u8>,
}

impl Scratch {
    #[inline]
    pub(crate) fn new() -> Self {
        Self { stack: [0; STACK], heap: Vec::new() }
    }

    #[inline]
    pub(super) fn room(&mut self, length: usize) -> &mut [u8] {
        self.heap.clear();
        if length > self.stack.len() {
            self.heap.resize(length, 0);
            return &mut self.heap;
        }
        &mut self.stack[..length]
    }

    /// What was opened at `(start, length)`.
    #[inline]
    pub(crate) fn at(&self, (start, length): (usize, usize)) -> &[u8] {
        let bytes = if self.heap.is_empty() { &self.stack[..] } else { &self.heap };
        &bytes[start..start + length]
    }
}
