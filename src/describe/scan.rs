//! One walk over a text of JSON: where each value begins and ends.

/// The places of all values, each before what is in it, in the order of the text. `None` for what
/// `JSON.parse` does not read.
pub(super) fn values(text: &str) -> Option<Vec<Place>> {
    u32::try_from(text.len()).ok()?;
    let values = Vec::with_capacity((text.len() / 24).max((text.len() / 8).min(512)) + 8);
    let mut scanner = Scanner { bytes: text.as_bytes(), at: 0, values, open: Vec::new() };
    scanner.document()?;
    Some(scanner.values)
}

/// Where a value stands. A text is shorter than 4 GiB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) start: u32,
    pub(super) end: u32,
    /// The first value that is no longer in this one.
    pub(super) next: u32,
    /// Its name; of no length where it has none.
    pub(super) name: Quoted,
    /// Whether it is a string with an escape in it.
    pub(super) is_escaped: bool,
}

/// A string with its quotation marks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Quoted {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) is_escaped: bool,
}

/// A document with more values takes more memory than any is worth: each takes 36 bytes, and real ones have
/// one in every twenty.
const MOST_VALUES: usize = 8 << 20;

/// What may not stand in a string as it is.
const ENDS_PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table
};

/// Goes over the text once, however deep it is.
struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    values: Vec<Place>,
    /// The objects and arrays that are not closed.
    open: Vec<usize>,
}

impl Scanner<'_> {
    fn document(&mut self) -> Option<()> {
        self.space();
        self.value(Quoted::default())?;
        while let Some(&open) = self.open.last() {
            self.space();
            let is_object = self.bytes[self.values[open].start as usize] == b'{';
            if self.peek() == Some(if is_object { b'}' } else { b']' }) {
                self.at += 1;
                self.open.pop();
                self.values[open].end = self.place();
                self.values[open].next = u32::try_from(self.values.len()).ok()?;
                continue;
            }
            if self.values.len() > open + 1 {
                self.expect(b',')?;
                self.space();
            }
            let name = if is_object { self.name()? } else { Quoted::default() };
            self.value(name)?;
        }
        self.space();
        (self.at == self.bytes.len()).then_some(())
    }

    fn name(&mut self) -> Option<Quoted> {
        let start = self.place();
        let is_escaped = self.string()?;
        let name = Quoted { start, end: self.place(), is_escaped };
        self.space();
        self.expect(b':')?;
        self.space();
        Some(name)
    }

    /// A value, or the beginning of one that holds others.
    fn value(&mut self, name: Quoted) -> Option<()> {
        let (index, start) = (self.values.len(), self.place());
        let mut is_escaped = false;
        match self.peek()? {
            b'{' | b'[' => {
                self.at += 1;
                self.open.push(index);
            }
            b'"' => is_escaped = self.string()?,
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'n' => self.word(b"null")?,
            _ => self.number()?,
        }
        if index >= MOST_VALUES {
            return None;
        }
        let next = u32::try_from(index + 1).ok()?;
        self.values.push(Place { start, end: self.place(), next, name, is_escaped });
        Some(())
    }

    /// Whether there is an escape in it.
    fn string(&mut self) -> Option<bool> {
        self.expect(b'"')?;
        let mut is_escaped = false;
        loop {
            let rest = self.bytes.get(self.at..)?;
            let plain = rest.iter().position(|byte| ENDS_PLAIN[usize::from(*byte)])?;
            let byte = rest[plain];
            self.at += plain + 1;
            match byte {
                b'"' => return Some(is_escaped),
                b'\\' => {
                    is_escaped = true;
                    let escape = self.peek()?;
                    self.at += 1;
                    match escape {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                        b'u' => {
                            let digits = self.bytes.get(self.at..self.at + 4)?;
                            digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                            self.at += 4;
                        }
                        _ => return None,
                    }
                }
                _ => return None,
            }
        }
    }

    fn number(&mut self) -> Option<()> {
        self.at += usize::from(self.peek() == Some(b'-'));
        match self.peek()? {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let before = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > before).then_some(())
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.bytes[self.at..].starts_with(word).then_some(())?;
        self.at += word.len();
        Some(())
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then_some(())?;
        self.at += 1;
        Some(())
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Where it is. That the text is not too long was looked at before.
    #[allow(clippy::cast_possible_truncation, reason = "the length of the text fits")]
    fn place(&self) -> u32 {
        self.at as u32
    }
}
