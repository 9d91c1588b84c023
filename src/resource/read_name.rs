//! Identifiers that this thread has read.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Refusal;
use super::part::Part;

/// What an identifier is that had to be decoded.
#[derive(Debug)]
pub(super) struct ReadName {
    /// As rules see it.
    pub(super) identifier: Box<str>,
    pub(super) part: Part,
    /// As the server is asked for it, where rules see another one.
    pub(super) read: Option<Box<str>>,
}

/// Reads identifiers, and recalls what it read: all tiles of a picture come with the same one.
///
/// What an identifier is rests on its text and the dialect alone, so that nothing recalled can become untrue.
/// Each thread recalls for itself, without a lock, in a table of fixed size. A name whose place is taken
/// replaces the one there; a long one is not kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct NameReader {
    /// Tells the names of one dialect from those of others.
    id: u64,
}

/// How many names a thread recalls: with the longest ones some 100 KB.
const PLACES: usize = 64;
const _: () = assert!(PLACES.is_power_of_two());
/// Longest text of an identifier that is kept, in bytes.
const LONGEST: usize = 512;

struct Recalled {
    reader: u64,
    written: Box<str>,
    name: Arc<ReadName>,
}

thread_local! {
    /// Empty until the first name.
    static NAMES: RefCell<Vec<Option<Recalled>>> = const { RefCell::new(Vec::new()) };
}

impl NameReader {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { id: NEXT.fetch_add(1, Ordering::Relaxed) }
    }

    /// What `written` is to `read`, which has to be the same for the life of this reader.
    ///
    /// # Errors
    ///
    /// Those of `read`, which are not recalled.
    #[inline]
    pub(super) fn read(
        self,
        written: &str,
        read: impl FnOnce() -> Result<ReadName, Refusal>,
    ) -> Result<Arc<ReadName>, Refusal> {
        match self.recall(written) {
            Some(name) => Ok(name),
            None => Ok(self.keep(written, Arc::new(read()?))),
        }
    }

    #[inline]
    fn recall(self, written: &str) -> Option<Arc<ReadName>> {
        // A thread that ends has no table any more.
        let recalled = NAMES.try_with(|names| {
            let names = names.try_borrow().ok()?;
            let recalled = names.get(place(written))?.as_ref()?;
            let same = recalled.reader == self.id && *recalled.written == *written;
            same.then(|| Arc::clone(&recalled.name))
        });
        recalled.ok().flatten()
    }

    fn keep(self, written: &str, name: Arc<ReadName>) -> Arc<ReadName> {
        if written.len() <= LONGEST {
            let _ = NAMES.try_with(|names| {
                let Ok(mut names) = names.try_borrow_mut() else { return };
                if names.is_empty() {
                    names.resize_with(PLACES, || None);
                }
                let (reader, name) = (self.id, Arc::clone(&name));
                names[place(written)] = Some(Recalled { reader, written: written.into(), name });
            });
        }
        name
    }
}

/// Where in the table a name belongs: by its length and its end, in which the pictures of a work differ.
#[inline]
fn place(written: &str) -> usize {
    let bytes = written.as_bytes();
    let end = bytes.last_chunk::<8>().map_or(0, |end| u64::from_le_bytes(*end));
    let spread = (end ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(spread >> (64 - PLACES.trailing_zeros())).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(identifier: &str) -> ReadName {
        ReadName { identifier: identifier.into(), part: Part::default(), read: None }
    }

    #[test]
    fn a_name_is_read_once_by_each_reader() {
        let (one, other) = (NameReader::new(), NameReader::new());
        let unread = || Err(Refusal::Unavailable);
        assert_eq!(&*one.read("a%2Fb", || Ok(name("a/b"))).unwrap().identifier, "a/b");
        assert_eq!(&*one.read("a%2Fb", unread).unwrap().identifier, "a/b");
        assert_eq!(other.read("a%2Fb", unread).unwrap_err(), Refusal::Unavailable);
        assert_eq!(&*other.read("a%2Fb", || Ok(name("other"))).unwrap().identifier, "other");
        assert_eq!(one.read("a%2Fc", unread).unwrap_err(), Refusal::Unavailable);
    }

    #[test]
    fn what_is_refused_and_what_is_long_is_read_again() {
        let reader = NameReader::new();
        assert_eq!(
            reader.read("a%2F", || Err(Refusal::Ambiguous)).unwrap_err(),
            Refusal::Ambiguous
        );
        assert_eq!(&*reader.read("a%2F", || Ok(name("a"))).unwrap().identifier, "a");
        let long = "%20".repeat(LONGEST);
        assert_eq!(&*reader.read(&long, || Ok(name("long"))).unwrap().identifier, "long");
        assert!(reader.read(&long, || Err(Refusal::Ambiguous)).is_err());
    }

    #[test]
    fn many_names_take_each_other_s_places() {
        let reader = NameReader::new();
        for round in 0..2 {
            for number in 0..1000 {
                let text = format!("a%2F{number}");
                let read = reader.read(&text, || Ok(name(&text))).unwrap();
                assert_eq!(*read.identifier, *text, "{round}");
            }
        }
    }
}
