//! What a node remembers of a store, to tell one that went back.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::life::{Known, Life};

/// How many of the entries that it stored last a node remembers. What a server has, it has from the
/// beginning on, so that the last one tells of all; those that are stored together have no order.
const PROOFS: usize = 4;

/// How much earlier than the store a node lets go of an entry.
const MARGIN: Duration = Duration::from_secs(2);

/// What a node remembers.
#[derive(Default)]
pub(super) struct Memory(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    known: Option<Known>,
    proofs: VecDeque<Proof>,
    /// The life that the nodes have still to confirm, and since when it has been seen.
    awaited: Option<(String, Instant)>,
}

struct Proof {
    generation: u64,
    key: String,
    /// When it ends in the store, or a little before.
    end: Instant,
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Remembered> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn known(&self) -> Option<Known> {
        self.lock().known.clone()
    }

    /// The keys that have to be there.
    pub(super) fn proofs(&self) -> Vec<String> {
        let now = Instant::now();
        let mut remembered = self.lock();
        remembered.proofs.retain(|proof| proof.end > now);
        let Some(known) = &remembered.known else { return Vec::new() };
        let of_this_life = |proof: &&Proof| proof.generation == known.generation;
        remembered.proofs.iter().filter(of_this_life).map(|proof| proof.key.clone()).collect()
    }

    /// An entry was stored in a life, to be kept for `millis`.
    pub(super) fn stored(&self, generation: u64, key: String, asked: Instant, millis: u64) {
        let life = Duration::from_millis(millis).saturating_sub(MARGIN);
        let Some(end) = asked.checked_add(life).filter(|_| !life.is_zero()) else { return };
        let mut remembered = self.lock();
        remembered.proofs.push_back(Proof { generation, key, end });
        if remembered.proofs.len() > PROOFS {
            remembered.proofs.pop_front();
        }
    }

    /// The store took this life, with this node's beat.
    pub(super) fn took(&self, life: &Life, beat: u64) {
        let mut remembered = self.lock();
        remembered.awaited = None;
        let Life { mark, generation, ref origin, .. } = *life;
        match &mut remembered.known {
            // Of those that come at the same time the later one counts.
            Some(known) if known.generation > generation => {}
            Some(known) if known.generation == generation && known.mark == mark => {
                known.beat = known.beat.max(beat);
                known.origin.clone_from(origin);
            }
            known => *known = Some(Known { mark, generation, origin: origin.clone(), beat }),
        }
    }

    /// Whether the life that was last seen awaits nodes.
    pub(super) fn is_waiting(&self) -> bool {
        self.lock().awaited.is_some()
    }

    /// How long this life has been awaiting nodes, as far as was seen.
    pub(super) fn waited(&self, life: Option<&Life>) -> Duration {
        let mut remembered = self.lock();
        let Some(life) = life.filter(|life| life.is_awaited()) else {
            remembered.awaited = None;
            return Duration::ZERO;
        };
        let head = life.head();
        match &remembered.awaited {
            Some((known, since)) if *known == head => since.elapsed(),
            _ => {
                remembered.awaited = Some((head, Instant::now()));
                Duration::ZERO
            }
        }
    }
}
