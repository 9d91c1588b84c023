//! An inner body that is looked at while it passes.

use bytes::Bytes;

/// Looks at each part; `false` ends the body there, so that what is to be left out does not go out.
pub(crate) type Look = Box<dyn FnMut(&[u8]) -> bool + Send + Sync>;

/// What came before, and what looks at the rest.
pub(crate) struct Watched {
    pub(super) before: Option<Bytes>,
    look: Look,
    pub(super) is_over: bool,
}

impl Watched {
    pub(crate) fn new(before: Bytes, look: Look) -> Self {
        Self { before: Some(before).filter(|before| !before.is_empty()), look, is_over: false }
    }

    pub(super) fn may_pass(&mut self, part: &[u8]) -> bool {
        self.is_over = self.is_over || !(self.look)(part);
        !self.is_over
    }
}
