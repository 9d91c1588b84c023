//! Where the values of a text of JSON stand.

use crate::body::Share;

/// Why there are no places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is what `JSON.parse` does not read, or has more values than any document.
    NoJson,
    /// There is no memory for them now.
    NoRoom,
}

/// Where a value stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) own: Span,
    /// The first value that is no longer in this one.
    pub(super) next: u32,
    /// Its name, a string; of no length where it has none.
    pub(super) name: Span,
}

/// Where a value or a name begins and ends, strings with their quotation marks, and whether it is a string with
/// an escape in it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    start: u32,
    /// The upper bit tells of the escape: there are as many as values.
    end: u32,
}

const ESCAPED: u32 = 1 << 31;

/// The longest text whose places leave that bit alone.
pub(super) const LONGEST: usize = ESCAPED as usize - 1;

impl Span {
    #[inline]
    pub(super) fn new(start: u32, end: u32, is_escaped: bool) -> Self {
        Self { start, end: end | if is_escaped { ESCAPED } else { 0 } }
    }

    /// Where it ends is known later.
    #[inline]
    pub(super) fn end_at(&mut self, end: u32) {
        self.end = end;
    }

    #[inline]
    pub(super) fn start(self) -> usize {
        self.start as usize
    }

    #[inline]
    pub(super) fn end(self) -> usize {
        (self.end & !ESCAPED) as usize
    }

    #[inline]
    pub(super) fn length(self) -> usize {
        self.end() - self.start()
    }

    #[inline]
    pub(super) fn is_escaped(self) -> bool {
        self.end >= ESCAPED
    }
}

/// The places of the values that were read, and what they use of the room, where that is counted.
pub(super) struct Values<'s> {
    pub(super) all: Vec<Place>,
    share: Option<&'s mut Share>,
    /// Whether there was no room for more.
    pub(super) is_full: bool,
}

impl<'s> Values<'s> {
    /// None yet, with room for so many.
    pub(super) fn with_capacity(many: usize, share: Option<&'s mut Share>) -> Result<Self, Unread> {
        let mut values = Self { all: Vec::new(), share, is_full: false };
        values.reserve(many).map(|()| values).ok_or(Unread::NoRoom)
    }

    /// `None` if there is no room for more.
    #[inline]
    pub(super) fn push(&mut self, place: Place) -> Option<()> {
        if self.all.len() == self.all.capacity() {
            self.reserve(self.all.len() / 2 + 1)?;
        }
        self.all.push(place);
        Some(())
    }

    #[cold]
    fn reserve(&mut self, more: usize) -> Option<()> {
        let bytes = more * size_of::<Place>();
        if self.share.as_mut().is_some_and(|share| !share.grow(bytes)) {
            self.is_full = true;
            return None;
        }
        self.all.reserve_exact(more);
        Some(())
    }
}
