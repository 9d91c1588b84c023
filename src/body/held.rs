//! Documents in memory: bounded in sum, and given back where nobody reads.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::available_parallelism;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::catch::catch;

/// Who has not read for so long has to give way where others need the room.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is shorter is given back with its connection.
const SMALL: usize = 64 * 1024;

/// The memory that documents may use together.
pub(crate) struct Room {
    limit: usize,
    used: AtomicUsize,
    /// How long nothing of a document may be read.
    pause: Duration,
    /// Those on their way out.
    sending: Mutex<Vec<Weak<Sending>>>,
    /// Who writes one just now: what is written is not counted before it is whole, so it has to be little.
    turns: Arc<Semaphore>,
}

/// On half of the cores, rounded up: the others are for tiles.
fn at_a_time() -> usize {
    available_parallelism().map_or(1, usize::from).div_ceil(2)
}

impl Room {
    pub(crate) fn new(limit: usize, pause: Duration) -> Arc<Self> {
        let turns = Arc::new(Semaphore::new(at_a_time()));
        let (used, sending) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        Arc::new(Self { limit, used, pause, sending, turns })
    }

    /// One's turn to do something long, until it is dropped.
    pub(crate) async fn turn(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        Arc::clone(&self.turns).acquire_owned().await
    }

    /// Nothing yet, to grow.
    pub(crate) fn share(self: &Arc<Self>) -> Share {
        Share { room: Arc::clone(self), bytes: 0 }
    }

    fn take(&self, bytes: usize) -> bool {
        let fits = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.limit);
        let take = || self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits).is_ok();
        take() || (self.make_room(bytes) && take())
    }

    /// Takes away what nobody reads, what has waited longest first.
    fn make_room(&self, bytes: usize) -> bool {
        let now = Instant::now();
        let mut sending = locked(&self.sending);
        sending.retain(|own| own.strong_count() > 0);
        let mut stalled: Vec<_> = sending
            .iter()
            .filter_map(Weak::upgrade)
            .filter_map(|own| own.stalled_for(now, PATIENCE).map(|pause| (pause, own)))
            .collect();
        stalled.sort_by_key(|(pause, _)| std::cmp::Reverse(*pause));
        let enough = || self.used.load(Ordering::Acquire).saturating_add(bytes) <= self.limit;
        for (_, own) in &stalled {
            if enough() {
                break;
            }
            own.give_back();
        }
        enough()
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Room").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// What a document uses of the room. It is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    room: Arc<Room>,
    bytes: usize,
}

impl Share {
    /// Takes so many bytes more, if there is room for them.
    #[must_use]
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let fits = self.room.take(bytes);
        self.bytes += if fits { bytes } else { 0 };
        fits
    }

    pub(crate) fn room(&self) -> &Arc<Room> {
        &self.room
    }

    /// Gives back all but so many bytes.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        let less = self.bytes.saturating_sub(bytes);
        self.bytes -= less;
        self.room.used.fetch_sub(less, Ordering::AcqRel);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

/// A document on its way out.
struct Sending {
    state: Mutex<State>,
}

struct State {
    chunks: VecDeque<Bytes>,
    read_at: Instant,
    share: Share,
}

impl Sending {
    /// For how long nothing was read of it, if that is as long as this.
    fn stalled_for(&self, now: Instant, least: Duration) -> Option<Duration> {
        let state = locked(&self.state);
        let pause = now.saturating_duration_since(state.read_at);
        (!state.chunks.is_empty() && pause >= least).then_some(pause)
    }

    fn give_back(&self) {
        let mut state = locked(&self.state);
        state.chunks = VecDeque::new();
        state.share.shrink_to(0);
    }
}

/// A document in chunks, each of which is given back when it was sent.
pub(crate) struct Held {
    sending: Arc<Sending>,
    left: usize,
}

impl Held {
    /// `share` is what the chunks use.
    pub(crate) fn new(chunks: Vec<Bytes>, share: Share) -> Self {
        let left = chunks.iter().map(Bytes::len).sum();
        let room = Arc::clone(&share.room);
        let state = State { chunks: chunks.into(), read_at: Instant::now(), share };
        let sending = Arc::new(Sending { state: Mutex::new(state) });
        if left > SMALL {
            let mut all = locked(&room.sending);
            all.retain(|own| own.strong_count() > 0);
            all.push(Arc::downgrade(&sending));
            drop(all);
            watch(Arc::downgrade(&sending), room.pause);
        }
        Self { sending, left }
    }

    /// How much is still to be sent.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// The next chunk; none at the end, and where it was given back: the response then breaks off.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        let mut state = locked(&self.sending.state);
        let chunk = state.chunks.pop_front()?;
        state.read_at = Instant::now();
        self.left -= chunk.len();
        let left = self.left;
        state.share.shrink_to(left);
        Some(chunk)
    }
}

/// Gives a document back of which nothing is read for too long. Without a runtime this waits for somebody
/// who needs the room.
fn watch(sending: Weak<Sending>, pause: Duration) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    runtime.spawn(async move {
        loop {
            // Without a timer it panics.
            let Ok(timer) = catch(|| Box::pin(tokio::time::sleep(pause))) else { return };
            timer.await;
            let Some(sending) = sending.upgrade() else { return };
            if sending.stalled_for(Instant::now(), pause).is_some() {
                return sending.give_back();
            }
        }
    });
}

/// What panicked with it left it whole.
fn locked<T>(own: &Mutex<T>) -> MutexGuard<'_, T> {
    own.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(room: &Arc<Room>, bytes: usize) -> Option<Held> {
        let mut share = room.share();
        let chunk = vec![0; bytes / 2];
        share.grow(bytes).then(|| Held::new(vec![chunk.clone().into(), chunk.into()], share))
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn the_sum_is_bounded_and_given_back() {
        let room = Room::new(1 << 20, MINUTE);
        let used = || room.used.load(Ordering::Relaxed);
        let mut first = sent(&room, 512 << 10).unwrap();
        let second = sent(&room, 512 << 10).unwrap();
        assert!(sent(&room, 2).is_none(), "it is full, and nobody has stalled");
        assert_eq!(first.next().unwrap().len(), 256 << 10);
        assert_eq!(used(), 768 << 10);
        drop(second);
        assert_eq!(used(), 256 << 10);
        drop(first);
        assert_eq!(used(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_gives_way() {
        let room = Room::new(1 << 20, MINUTE);
        let mut stalled = sent(&room, 600 << 10).unwrap();
        tokio::time::sleep(PATIENCE).await;
        assert!(stalled.next().is_some(), "who reads a little has time again");
        assert!(sent(&room, 800 << 10).is_none());
        tokio::time::sleep(PATIENCE).await;
        let next = sent(&room, 800 << 10).unwrap();
        assert!(stalled.next().is_none() && stalled.left() > 0);
        drop(next);
        assert_eq!(room.used.load(Ordering::Relaxed), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_has_it_for_ever() {
        let room = Room::new(1 << 20, MINUTE);
        let mut stalled = sent(&room, 600 << 10).unwrap();
        tokio::time::sleep(MINUTE + Duration::from_secs(1)).await;
        assert_eq!(room.used.load(Ordering::Relaxed), 0);
        assert!(stalled.next().is_none() && stalled.left() > 0);
    }
}
