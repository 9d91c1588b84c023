//! What this thread opened before.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use constant_time_eq::constant_time_eq;

use super::sealer::OVERHEAD;
use super::{Scratch, SealError, Sealer};

/// A [`Sealer`] that recalls what it opened: all tiles of a page come with the same cookie, and all
/// probes with the same token.
///
/// A sealed value and its payload belong together for as long as the keys do, so that nothing recalled
/// can become untrue. What may change is no part of it and is asked every time: whether the session has
/// ended or was revoked, and what it may see.
///
/// Each thread recalls for itself, without a lock, in a table of fixed size. A value whose place is
/// taken replaces the one there; an unusually large one is not kept.
#[derive(Clone, Debug)]
pub(crate) struct RecallingSealer {
    sealer: Sealer,
    /// Tells its values in the table from those of others.
    id: u64,
}

/// How many values a thread recalls. The table takes 118 KB.
const PLACES: usize = 128;
const _: () = assert!(PLACES.is_power_of_two());
/// Longest value that is kept, in bytes: a session with some twenty short roles.
const LONGEST: usize = 512;
pub(super) const LONGEST_PAYLOAD: usize = LONGEST / 4 * 3 - OVERHEAD;

thread_local! {
    /// Empty until the first good value.
    static OPENED: RefCell<Vec<Opened>> = const { RefCell::new(Vec::new()) };
}

struct Opened {
    /// Of the sealer that opened it.
    sealer: u64,
    length: u16,
    payload_length: u16,
    text: [u8; LONGEST],
    /// Lent while it is looked at.
    payload: Rc<[u8; LONGEST_PAYLOAD]>,
}

impl RecallingSealer {
    pub(crate) fn new(sealer: Sealer) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self { sealer, id: NEXT.fetch_add(1, Ordering::Relaxed) }
    }

    /// As [`Sealer::seal`].
    pub(crate) fn seal(&self, payload: &[u8]) -> Result<String, SealError> {
        self.sealer.seal(payload)
    }

    /// As [`Sealer::open`].
    #[inline]
    pub(crate) fn open(
        &self,
        text: &[u8],
        scratch: &mut Scratch,
    ) -> Result<(usize, usize), SealError> {
        match self.recall(text, scratch) {
            Some(payload) => Ok(payload),
            None => self.open_anew(text, scratch),
        }
    }

    #[inline(never)]
    fn open_anew(&self, text: &[u8], scratch: &mut Scratch) -> Result<(usize, usize), SealError> {
        let payload = self.sealer.open(text, scratch)?;
        self.keep(text, scratch.at(payload));
        Ok(payload)
    }

    #[inline]
    fn recall(&self, text: &[u8], scratch: &mut Scratch) -> Option<(usize, usize)> {
        let place = place(text)?;
        // A thread that ends has no table any more.
        let recalled = OPENED.try_with(|table| {
            let table = table.try_borrow().ok()?;
            let opened = table.get(place)?;
            let length = usize::from(opened.length);
            if opened.sealer != self.id || length != text.len() {
                return None;
            }
            // Where a guess goes wrong is not to be told by the time that this takes.
            if !constant_time_eq(&opened.text[..length], text) {
                return None;
            }
            scratch.lend(&opened.payload);
            Some((0, usize::from(opened.payload_length)))
        });
        recalled.ok().flatten()
    }

    fn keep(&self, text: &[u8], payload: &[u8]) {
        let Some(place) = place(text) else { return };
        let lengths = (u16::try_from(text.len()), u16::try_from(payload.len()));
        let (Ok(length), Ok(payload_length)) = lengths else { return };
        if text.len() > LONGEST || payload.len() > LONGEST_PAYLOAD {
            return;
        }
        let _ = OPENED.try_with(|table| {
            let Ok(mut table) = table.try_borrow_mut() else { return };
            if table.is_empty() {
                table.resize_with(PLACES, Opened::nothing);
            }
            let opened = &mut table[place];
            // Somebody further out on this thread is looking at it: it stays.
            let Some(room) = Rc::get_mut(&mut opened.payload) else { return };
            // Nobody's, until all of it is written.
            opened.sealer = NOBODY;
            opened.text[..text.len()].copy_from_slice(text);
            room[..payload.len()].copy_from_slice(payload);
            (opened.length, opened.payload_length) = (length, payload_length);
            opened.sealer = self.id;
        });
    }
}

/// No sealer has this id.
const NOBODY: u64 = 0;

impl Opened {
    fn nothing() -> Self {
        Self {
            sealer: NOBODY,
            length: 0,
            payload_length: 0,
            text: [0; LONGEST],
            payload: Rc::new([0; LONGEST_PAYLOAD]),
        }
    }
}

/// Where in the table a value belongs: by four characters of its tag, which are as good as random.
#[inline]
fn place(text: &[u8]) -> Option<usize> {
    let (_, end) = text.split_last_chunk::<8>()?;
    let [a, b, c, d, ..] = *end;
    let spread = u32::from_le_bytes([a, b, c, d]).wrapping_mul(0x9e37_79b1);
    Some((spread >> (32 - PLACES.trailing_zeros())) as usize)
}

#[cfg(test)]
mod tests {
    use super::super::{Keyring, Purpose};
    use super::*;

    fn sealer(seed: u8, context: &str) -> RecallingSealer {
        sealer_for(Purpose::Cookie, seed, context)
    }

    fn sealer_for(purpose: Purpose, seed: u8, context: &str) -> RecallingSealer {
        let key: Vec<u8> = (0..32).map(|i: u8| i.wrapping_mul(37).wrapping_add(seed)).collect();
        RecallingSealer::new(Keyring::from_bytes(&key).unwrap().sealer(purpose, context))
    }

    fn open(sealer: &RecallingSealer, text: &str) -> Result<Vec<u8>, SealError> {
        let mut scratch = Scratch::new();
        let found = sealer.open(text.as_bytes(), &mut scratch)?;
        Ok(scratch.at(found).to_vec())
    }

    fn recalls(sealer: &RecallingSealer, text: &str) -> bool {
        sealer.recall(text.as_bytes(), &mut Scratch::new()).is_some()
    }

    #[test]
    fn what_is_recalled_is_what_was_opened() {
        let sealer = sealer(1, "c");
        for size in [0, 1, 2, 100, LONGEST_PAYLOAD - 1, LONGEST_PAYLOAD, LONGEST_PAYLOAD + 1, 4000]
        {
            let payload: Vec<u8> = (0..size).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let text = sealer.seal(&payload).unwrap();
            assert!(!recalls(&sealer, &text));
            assert_eq!(open(&sealer, &text), Ok(payload.clone()));
            assert_eq!(recalls(&sealer, &text), size <= LONGEST_PAYLOAD, "{size}");
            assert_eq!(open(&sealer, &text), Ok(payload));
        }
    }

    /// CR-01, CR-02: what is nearly the value is not it, also when it is recalled.
    #[test]
    fn nothing_else_is_taken_for_it() {
        let sealer = sealer(1, "c");
        let text = sealer.seal(b"payload of 20 bytes!").unwrap();
        open(&sealer, &text).unwrap();
        for at in 0..text.len() {
            for other in ["A", "B", "_", "=", "\0"] {
                let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
                assert_eq!(open(&sealer, &changed).is_ok(), changed == text, "{at} {other:?}");
            }
            assert!(open(&sealer, &text[..at]).is_err() && open(&sealer, &text[at + 1..]).is_err());
        }
        for added in ["A", "=", " ", "AAAA", ";"] {
            assert!(open(&sealer, &format!("{text}{added}")).is_err(), "{added:?}");
        }
        assert!(recalls(&sealer, &text), "what is refused takes nobody's place");
    }

    /// CR-04: another realm, another keyring, another purpose.
    #[test]
    fn others_do_not_recall_it() {
        let own = sealer(1, "c");
        let text = own.seal(b"x").unwrap();
        open(&own, &text).unwrap();
        assert!(recalls(&own.clone(), &text), "a clone has the same keys");
        for other in [sealer(1, "d"), sealer(2, "c"), sealer_for(Purpose::Token, 1, "c")] {
            assert!(!recalls(&other, &text));
            assert!(open(&other, &text).is_err());
        }
        let same_keys = sealer(1, "c");
        assert!(!recalls(&same_keys, &text));
        assert!(open(&same_keys, &text).is_ok());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert!(!recalls(&own, &text), "another thread");
                assert!(open(&own, &text).is_ok() && recalls(&own, &text));
            });
        });
    }

    /// A request may bring several values, which are opened in one place.
    #[test]
    fn one_scratch_for_small_and_large() {
        let sealer = sealer(1, "c");
        let value = |byte: u8, size| {
            let payload = vec![byte; size];
            (sealer.seal(&payload).unwrap(), payload)
        };
        // The last two are never recalled; one of them is too large for the stack.
        let values = [value(1, 10), value(2, 300), value(3, LONGEST_PAYLOAD + 1), value(4, 3000)];
        let mut scratch = Scratch::new();
        for _ in 0..3 {
            for (text, payload) in values.iter().chain(values.iter().rev()) {
                let found = sealer.open(text.as_bytes(), &mut scratch).unwrap();
                assert_eq!(scratch.at(found), payload);
                assert!(sealer.open(b"junk", &mut scratch).is_err());
            }
        }
    }

    /// What is lent stays as it is, whatever else is opened on this thread meanwhile.
    #[test]
    fn what_is_lent_is_not_written_over() {
        let sealer = sealer(1, "c");
        let (text, mut others) = (sealer.seal(b"lent").unwrap(), Vec::new());
        open(&sealer, &text).unwrap();
        let mut scratch = Scratch::new();
        let found = sealer.open(text.as_bytes(), &mut scratch).unwrap();
        for number in 0..8 * PLACES {
            let payload = number.to_string().into_bytes();
            let other = sealer.seal(&payload).unwrap();
            assert_eq!(open(&sealer, &other).as_ref(), Ok(&payload));
            others.push((other, payload));
            assert_eq!(scratch.at(found), b"lent");
        }
        assert!(recalls(&sealer, &text), "its place was not given away");
        // And is again when it was given back.
        drop(scratch);
        for (other, payload) in &others {
            assert_eq!(open(&sealer, other).as_ref(), Ok(payload));
        }
        assert!(!recalls(&sealer, &text));
        assert_eq!(open(&sealer, &text).unwrap(), b"lent");
    }

    #[test]
    fn more_values_than_places() {
        let sealer = sealer(1, "c");
        let values: Vec<_> = (0..3 * PLACES)
            .map(|number| {
                let payload = number.to_string().into_bytes();
                (sealer.seal(&payload).unwrap(), payload)
            })
            .collect();
        for _ in 0..2 {
            for (text, payload) in &values {
                assert_eq!(open(&sealer, text).as_ref(), Ok(payload));
                assert!(recalls(&sealer, text));
            }
        }
        let kept = values.iter().filter(|(text, _)| recalls(&sealer, text)).count();
        assert!(kept > PLACES / 2 && kept <= PLACES, "{kept}");
        OPENED.with_borrow(|table| assert_eq!(table.len(), PLACES));
    }

    #[test]
    fn debug_shows_nothing() {
        let sealer = sealer(1, "c");
        let text = sealer.seal(b"secret").unwrap();
        open(&sealer, &text).unwrap();
        let shown = format!("{sealer:?}");
        assert!(shown.contains("redacted") && !shown.contains("secret") && !shown.contains(&text));
    }
}
