//! What a text is made of, in one word: most patterns that cannot fit are told by it.

/// One bit for each byte and each pair of bytes that stand beside each other, several of them to a bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks(u64);

impl Marks {
    /// Of a whole text.
    #[inline]
    pub(super) fn of_text(text: impl Iterator<Item = u8>) -> Self {
        let mut marks = Self::default();
        let mut before = None;
        for byte in text {
            marks.add(before, byte);
            before = Some(byte);
        }
        marks
    }

    /// Of what a text needs at the least to fit a pattern: the pattern's text between its stars.
    pub(super) fn of_pattern(pattern: &[u8]) -> Self {
        let pieces = pattern.split(|byte| *byte == b'*');
        pieces.fold(Self::default(), |marks, piece| {
            Self(marks.0 | Self::of_text(piece.iter().copied()).0)
        })
    }

    /// Whether all of these are among those of a text.
    #[inline]
    pub(super) fn are_among(self, text: Self) -> bool {
        self.0 & !text.0 == 0
    }

    #[inline]
    fn add(&mut self, before: Option<u8>, byte: u8) {
        self.0 |= 1 << (byte & 15);
        if let Some(before) = before {
            // 48 bits for pairs: by far the most of what tells texts apart.
            let pair = u32::from(before) * 31 + u32::from(byte);
            self.0 |= 1 << (16 + pair % 48);
        }
    }
}
