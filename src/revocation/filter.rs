//! Whether an id may be among many, told by one look.

use std::hash::{BuildHasher, BuildHasherDefault};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use super::hasher::OfRandomId;
use crate::session::SessionId;

/// Counts, for each of many places, the added ids that fall on it: an id whose place is empty was never
/// added. Nearly every request asks for such an id, and a full table takes long to say so.
pub(super) struct Filter {
    /// Made for the first id: most processes never need it.
    places: OnceLock<Box<[AtomicU8]>>,
}

/// Places for each id: of those asked for in vain some 22 in 100 fall on one that is taken when all that
/// may be are there, more where [`MOST`] limits their number.
const ROOM: usize = 4;
const FEWEST: usize = 1 << 10;
/// 16 MB, a byte each.
const MOST: usize = 1 << 24;

impl Filter {
    pub(super) fn new() -> Self {
        Self { places: OnceLock::new() }
    }

    /// False only if the id was not added.
    #[inline]
    pub(super) fn may_contain(&self, id: SessionId) -> bool {
        let taken = |places| place(places, id).load(Ordering::Acquire) != 0;
        self.places.get().is_some_and(|places| taken(places))
    }

    /// Adds an id; `most` ids are expected. Callers take turns.
    pub(super) fn add(&self, id: SessionId, most: usize) {
        let places = self.places.get_or_init(|| {
            let wanted = most.saturating_mul(ROOM).clamp(FEWEST, MOST).next_power_of_two();
            (0..wanted).map(|_| AtomicU8::new(0)).collect()
        });
        let place = place(places, id);
        place.store(place.load(Ordering::Acquire).saturating_add(1), Ordering::Release);
    }

    /// Takes an id that was added away. Callers take turns.
    pub(super) fn remove(&self, id: SessionId) {
        let Some(places) = self.places.get() else { return };
        let place = place(places, id);
        // A place that is full has lost count, and stays: that costs a look at the table, no more.
        match place.load(Ordering::Acquire) {
            0 | u8::MAX => {}
            count => place.store(count - 1, Ordering::Release),
        }
    }
}

#[inline]
fn place(places: &[AtomicU8], id: SessionId) -> &AtomicU8 {
    let hash = BuildHasherDefault::<OfRandomId>::default().hash_one(id);
    // Their number is a power of two, and the upper bits are those that all of the id has a part in.
    #[allow(clippy::cast_possible_truncation, reason = "at most 24 bits are left")]
    let index = (hash >> (u64::BITS - places.len().trailing_zeros())) as usize;
    &places[index]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_never_missed() {
        let filter = Filter::new();
        let ids: Vec<_> = (0..5000).map(|_| SessionId::random().unwrap()).collect();
        assert!(ids.iter().all(|id| !filter.may_contain(*id)));
        // More than it was made for.
        let (added, others) = ids.split_at(2500);
        for id in added {
            filter.add(*id, 1000);
        }
        assert!(added.iter().all(|id| filter.may_contain(*id)));
        let in_vain = others.iter().filter(|id| filter.may_contain(**id)).count();
        assert!(in_vain < 2000, "{in_vain} of 2500, 1142 expected");
        let (gone, left) = added.split_at(1500);
        for id in gone {
            filter.remove(*id);
        }
        assert!(left.iter().all(|id| filter.may_contain(*id)));
        for id in left {
            filter.remove(*id);
        }
        assert!(ids.iter().all(|id| !filter.may_contain(*id)), "as it was");
    }

    /// Ids of an application's own may be numbers in a row.
    #[test]
    fn ids_in_a_row_fall_on_places_of_their_own() {
        let filter = Filter::new();
        let numbered = |number: u64| {
            let mut bytes = [7; 16];
            bytes[8..].copy_from_slice(&number.to_be_bytes());
            SessionId::from_bytes(bytes)
        };
        for number in 0..256 {
            filter.add(numbered(number), 256);
        }
        let places = filter.places.get().unwrap();
        let taken = places.iter().filter(|place| place.load(Ordering::Acquire) != 0).count();
        assert_eq!(taken, 256);
    }

    #[test]
    fn a_place_that_lost_count_stays_taken() {
        let filter = Filter::new();
        let id = SessionId::random().unwrap();
        (0..300).for_each(|_| filter.add(id, 0));
        (0..300).for_each(|_| filter.remove(id));
        assert!(filter.may_contain(id));
    }
}
