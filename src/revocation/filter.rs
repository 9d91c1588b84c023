//! Whether an id may be among many, told by one look.

use std::hash::{BuildHasher, BuildHasherDefault};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use super::hasher::OfRandomId;
use crate::aspect::SessionId;

/// How many of the ids that were added fall on each of many places: an id whose place is empty is not
/// among them. Nearly every request asks for an id that is not, and a full table takes long to say so.
pub(super) struct Filter {
    /// Made for the first id: most processes never need it.
    places: OnceLock<Box<[AtomicU8]>>,
}

/// Places for each id, so that at most a fifth of those asked for in vain fall on one that is taken.
const ROOM: usize = 4;
const FEWEST: usize = 1 << 10;
/// Of a byte each.
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
    // Their number is a power of two.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "all but the lowest bits are cut off anyway"
    )]
    let index = hash as usize & (places.len() - 1);
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

    #[test]
    fn a_place_that_lost_count_stays_taken() {
        let filter = Filter::new();
        let id = SessionId::random().unwrap();
        (0..300).for_each(|_| filter.add(id, 0));
        (0..300).for_each(|_| filter.remove(id));
        assert!(filter.may_contain(id));
    }
}
