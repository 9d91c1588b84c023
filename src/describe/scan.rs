//! One walk over a text of JSON: where each value begins and ends.

use super::values::{LONGEST, Place, Span, Unread, Values};
use crate::body::Share;

/// A document with more values takes more memory than any is worth: real ones have one in every twenty bytes.
const MOST_VALUES: usize = 8 << 20;

/// The places of all values, each before what is in it, in the order of the text; `share` is what they use.
pub(super) fn values(text: &str, share: Option<&mut Share>) -> Result<Vec<Place>, Unread> {
    if text.len() > LONGEST {
        return Err(Unread::NoJson);
    }
    let usual = (text.len() / 24).max((text.len() / 12).min(512)) + 8;
    let mut values = Values::with_capacity(usual, share)?;
    match walk(Text { bytes: text.as_bytes(), at: 0 }, &mut values) {
        Some(()) => Ok(values.all),
        None if values.is_full => Err(Unread::NoRoom),
        None => Err(Unread::NoJson),
    }
}

/// An object or an array that is not closed.
#[derive(Clone, Copy)]
struct Open {
    index: usize,
    is_object: bool,
    /// Whether nothing stands in it yet.
    is_empty: bool,
}

/// Goes over the text once, however deep it is.
fn walk(mut text: Text<'_>, values: &mut Values<'_>) -> Option<()> {
    let mut open: Vec<Open> = Vec::with_capacity(8);
    let mut name = Span::default();
    loop {
        let byte = text.token()?;
        let (index, start) = (values.all.len(), text.place() - 1);
        let mut is_escaped = false;
        match byte {
            b'"' => is_escaped = text.string()?,
            b'{' | b'[' => open.push(Open { index, is_object: byte == b'{', is_empty: true }),
            b't' => text.word(b"rue")?,
            b'f' => text.word(b"alse")?,
            b'n' => text.word(b"ull")?,
            _ => text.number(byte)?,
        }
        if index >= MOST_VALUES {
            return None;
        }
        let next = u32::try_from(index + 1).ok()?;
        let own = Span::new(start, text.place(), is_escaped);
        values.push(Place { own, next, name })?;
        match text.behind_value(&mut values.all, &mut open)? {
            Behind::Value(of_next) => name = of_next,
            Behind::Nothing => return Some(()),
        }
    }
}

/// What stands behind a value: another one of this name, or nothing more.
enum Behind {
    Value(Span),
    Nothing,
}

/// A text as far as it was read.
struct Text<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Text<'_> {
    /// From behind a value up to the next one.
    #[inline]
    fn behind_value(&mut self, values: &mut [Place], open: &mut Vec<Open>) -> Option<Behind> {
        loop {
            let Some(own) = open.last_mut() else {
                let is_end = behind_space(Text { ..*self }) == self.bytes.len();
                return is_end.then_some(Behind::Nothing);
            };
            let mut byte = self.token()?;
            if byte == if own.is_object { b'}' } else { b']' } {
                let next = u32::try_from(values.len()).ok()?;
                let place = &mut values[own.index];
                place.own.end_at(self.place());
                place.next = next;
                open.pop();
                continue;
            }
            if own.is_empty {
                own.is_empty = false;
            } else {
                (byte == b',').then_some(())?;
                byte = self.token()?;
            }
            if own.is_object {
                return self.name(byte).map(Behind::Value);
            }
            // The value's own first byte.
            self.at -= 1;
            return Some(Behind::Value(Span::default()));
        }
    }

    /// A name that begins with this byte, up to its value.
    #[inline]
    fn name(&mut self, first: u8) -> Option<Span> {
        let start = self.place() - 1;
        (first == b'"').then_some(())?;
        let is_escaped = self.string()?;
        let end = self.place();
        (self.token()? == b':').then(|| Span::new(start, end, is_escaped))
    }

    /// What is behind the quotation mark of a string; whether there is an escape in it.
    #[inline]
    fn string(&mut self) -> Option<bool> {
        // Nearly every name ends within eight bytes.
        if let Some(eight) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk) {
            let end = self.at + plain_of_eight(*eight);
            if self.bytes.get(end) == Some(&b'"') {
                self.at = end + 1;
                return Some(false);
            }
        }
        let (end, is_escaped) = long_string(Text { ..*self })?;
        self.at = end;
        Some(is_escaped)
    }

    /// What is behind the first byte of a number.
    #[inline]
    fn number(&mut self, first: u8) -> Option<()> {
        let mut behind = match if first == b'-' { self.next()? } else { first } {
            b'0' => self.peek(),
            b'1'..=b'9' => self.more_digits(),
            _ => return None,
        };
        if behind == Some(b'.') {
            self.at += 1;
            self.digits()?;
            behind = self.peek();
        }
        if matches!(behind, Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Some(())
    }

    #[inline]
    fn digits(&mut self) -> Option<()> {
        let before = self.at;
        self.more_digits();
        (self.at > before).then_some(())
    }

    /// What stands behind them is told.
    #[inline]
    fn more_digits(&mut self) -> Option<u8> {
        loop {
            let byte = self.peek();
            if !byte.is_some_and(|byte| byte.is_ascii_digit()) {
                return byte;
            }
            self.at += 1;
        }
    }

    #[inline]
    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.bytes[self.at..].starts_with(word).then_some(())?;
        self.at += word.len();
        Some(())
    }

    /// The next byte that is no white space.
    #[inline]
    fn token(&mut self) -> Option<u8> {
        let byte = self.next()?;
        // Nearly always nothing stands between.
        if byte > b' ' {
            return Some(byte);
        }
        self.at = behind_space(Text { bytes: self.bytes, at: self.at - 1 });
        self.next()
    }

    #[inline]
    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Where it is. That the text is not too long was looked at before.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the length of the text fits")]
    fn place(&self) -> u32 {
        self.at as u32
    }
}

/// Where the white space ends. Given a copy, as this is called rarely: who calls it keeps its place at hand.
#[inline(never)]
fn behind_space(mut text: Text<'_>) -> usize {
    while matches!(text.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        text.at += 1;
    }
    text.at
}

/// Where a string ends, and whether there is an escape in it; the same of the copy.
#[inline(never)]
fn long_string(mut text: Text<'_>) -> Option<(usize, bool)> {
    let mut is_escaped = false;
    loop {
        text.at += plain_length(text.bytes.get(text.at..)?);
        match text.next()? {
            b'"' => return Some((text.at, is_escaped)),
            b'\\' => {
                is_escaped = true;
                match text.next()? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' => {
                        let digits = text.bytes.get(text.at..text.at + 4)?;
                        digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                        text.at += 4;
                    }
                    _ => return None,
                }
            }
            _ => return None,
        }
    }
}

/// How many bytes stand in a string as they are, before a quotation mark, a backslash or a control character.
#[inline]
fn plain_length(bytes: &[u8]) -> usize {
    let mut plain = 0;
    // Eight at once: whichever is the first, it is told exactly.
    while let Some(eight) = bytes[plain..].first_chunk() {
        let of_eight = plain_of_eight(*eight);
        plain += of_eight;
        if of_eight < 8 {
            return plain;
        }
    }
    let ends = |byte: &u8| *byte < b' ' || matches!(byte, b'"' | b'\\');
    plain + bytes[plain..].iter().position(ends).unwrap_or(bytes.len() - plain)
}

/// The same of eight bytes: all of them at the most.
#[inline]
const fn plain_of_eight(eight: [u8; 8]) -> usize {
    ends_plain(u64::from_le_bytes(eight)).trailing_zeros() as usize / 8
}

/// The upper bit of each of eight bytes that may not stand in a string as it is. Above the lowest of them
/// others may be told of, too: a borrow may have reached them.
#[inline]
const fn ends_plain(eight: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const UPPER: u64 = ONES << 7;
    const fn less(eight: u64, than: u8) -> u64 {
        eight.wrapping_sub(ONES * than as u64) & !eight
    }
    let quotes = less(eight ^ (ONES * b'"' as u64), 1);
    let backslashes = less(eight ^ (ONES * b'\\' as u64), 1);
    (quotes | backslashes | less(eight, b' ')) & UPPER
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight at once say what one by one says, whatever stands before and behind.
    #[test]
    fn where_a_string_s_plain_part_ends() {
        let ends = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
        for byte in 0..=u8::MAX {
            for other in [b'a', b' ', b'!', b'#', b'[', b']', 0x7f, 0x80, 0xa2, 0xdc, 0xff] {
                for at in 0..20 {
                    let mut bytes = [other; 20];
                    bytes[at] = byte;
                    for behind in [other, byte, b'"', 0] {
                        bytes[19] = behind;
                        for length in at..=20 {
                            let bytes = &bytes[..length];
                            let expected = bytes.iter().position(ends).unwrap_or(length);
                            assert_eq!(plain_length(bytes), expected, "{bytes:?}");
                        }
                    }
                }
            }
        }
    }
}
