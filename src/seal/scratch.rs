//! Room to open values in.

use std::rc::Rc;

use super::recalling::LONGEST_PAYLOAD;

/// What a sealed value of 512 characters needs.
const STACK: usize = 384;

/// Room to open a value in: on the stack for all but unusually large ones. It is cleared where something is
/// opened; what the thread recalls is lent, as nearly every tile's cookie is.
pub(crate) struct Scratch {
    recalled: Option<Rc<[u8; LONGEST_PAYLOAD]>>,
    stack: Option<[u8; STACK]>,
    heap: Vec<u8>,
}

impl Scratch {
    #[inline]
    pub(crate) fn new() -> Self {
        Self { recalled: None, stack: None, heap: Vec::new() }
    }

    /// Room for so many bytes.
    #[inline]
    pub(super) fn room(&mut self, length: usize) -> &mut [u8] {
        self.recalled = None;
        if length > STACK {
            self.stack = None;
            self.heap.clear();
            self.heap.resize(length, 0);
            return &mut self.heap;
        }
        &mut self.stack.get_or_insert([0; STACK])[..length]
    }

    /// What is recalled in place of what was opened.
    #[inline]
    pub(super) fn lend(&mut self, recalled: &Rc<[u8; LONGEST_PAYLOAD]>) {
        self.recalled = Some(Rc::clone(recalled));
    }

    /// What was opened at `(start, length)`.
    #[inline]
    pub(crate) fn at(&self, (start, length): (usize, usize)) -> &[u8] {
        let bytes = match (&self.recalled, &self.stack) {
            (Some(recalled), _) => &recalled[..],
            (None, Some(stack)) => &stack[..],
            (None, None) => &self.heap,
        };
        &bytes[start..start + length]
    }
}
