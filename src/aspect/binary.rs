//! The binary form of what is sealed: fields behind their lengths, read in place.

use std::borrow::Cow;

use super::session::FieldError;
use crate::clock::Timestamp;

/// Longest text behind a length of one byte.
pub(crate) const LONGEST_TEXT: usize = 255;

/// Reads binary fields off the front of a slice.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

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

    /// The same as it stands there.
    fn short(&mut self) -> Option<&'a [u8]> {
        let length = self.byte()?;
        self.take(usize::from(length))
    }

    /// A list behind its length in two bytes.
    pub(super) fn list(&mut self) -> Option<List<'a>> {
        let length = u16::from_be_bytes(self.take(2)?.try_into().ok()?);
        let bytes = self.take(usize::from(length))?;
        Some(List { bytes: Cow::Borrowed(bytes) })
    }
}

/// Appends a text of up to 255 bytes behind its length; `None` if it is longer.
pub(crate) fn write_short_text(out: &mut Vec<u8>, text: &str) -> Option<()> {
    out.push(u8::try_from(text.len()).ok()?);
    out.extend_from_slice(text.as_bytes());
    Some(())
}

/// Strings of up to 255 bytes, each behind its length: read in place, without an allocation.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct List<'a> {
    bytes: Cow<'a, [u8]>,
}

impl List<'_> {
    pub(super) fn push(&mut self, text: &str) -> Result<(), FieldError> {
        let length = u8::try_from(text.len()).map_err(|_| FieldError { bytes: text.len() })?;
        let total = self.bytes.len() + 1 + text.len();
        if total > usize::from(u16::MAX) {
            return Err(FieldError { bytes: total });
        }
        let bytes = self.bytes.to_mut();
        bytes.push(length);
        bytes.extend_from_slice(text.as_bytes());
        Ok(())
    }

    /// Whether `text` is one of them.
    pub(super) fn contains(&self, text: &str) -> bool {
        let mut reader = Reader(&self.bytes);
        while let Some(own) = reader.short() {
            if own == text.as_bytes() {
                return true;
            }
        }
        false
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let mut reader = Reader(&self.bytes);
        std::iter::from_fn(move || reader.short_text())
    }

    pub(super) fn into_owned(self) -> List<'static> {
        List { bytes: Cow::Owned(self.bytes.into_owned()) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Appends it behind its length in two bytes.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let length = u16::try_from(self.bytes.len()).expect("checked by push");
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&self.bytes);
    }
}
