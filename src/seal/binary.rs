//! The binary form of what is sealed: fields behind their lengths, read in place.

use crate::clock::Timestamp;

/// Longest text behind a length of one byte.
pub(crate) const LONGEST_TEXT: usize = 255;

/// Reads binary fields off the front of a slice.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    #[inline]
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    pub(crate) fn timestamp(&mut self) -> Option<Timestamp> {
        let bytes = self.take(8)?.try_into().ok()?;
        Some(Timestamp::from_millis(u64::from_be_bytes(bytes)))
    }

    /// A text of up to 255 bytes behind its length.
    pub(crate) fn short_text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.short()?).ok()
    }

    /// Each of the texts of up to 255 bytes that are left.
    pub(crate) fn short_texts(mut self) -> impl Iterator<Item = &'a str> {
        std::iter::from_fn(move || self.short_text())
    }

    /// One of them as it stands there.
    #[inline]
    pub(crate) fn short(&mut self) -> Option<&'a [u8]> {
        let length = self.byte()?;
        self.take(usize::from(length))
    }

    /// A list behind its length in two bytes.
    #[inline]
    pub(crate) fn list(&mut self) -> Option<&'a [u8]> {
        let length = u16::from_be_bytes(self.take(2)?.try_into().ok()?);
        self.take(usize::from(length))
    }
}

/// Appends a text of up to 255 bytes behind its length; `None` if it is longer.
pub(crate) fn write_short_text(out: &mut Vec<u8>, text: &str) -> Option<()> {
    out.push(u8::try_from(text.len()).ok()?);
    out.extend_from_slice(text.as_bytes());
    Some(())
}
