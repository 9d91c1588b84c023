//! A document on its way out, which is given back where nobody reads it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::room::Share;
use crate::catch::catch;

/// What is shorter is given back with its connection.
const SMALL: usize = 64 * 1024;

/// A document on its way out.
pub(super) struct Sending {
    state: Mutex<State>,
}

struct State {
    chunks: VecDeque<Bytes>,
    read_at: Instant,
    share: Share,
}

impl Sending {
    /// For how long nothing was read of it, if that is as long as this.
    pub(super) fn stalled_for(&self, now: Instant, least: Duration) -> Option<Duration> {
        let state = locked(&self.state);
        let pause = now.saturating_duration_since(state.read_at);
        (!state.chunks.is_empty() && pause >= least).then_some(pause)
    }

    pub(super) fn give_back(&self) {
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
        let room = Arc::clone(share.room());
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
pub(super) fn locked<T>(own: &Mutex<T>) -> MutexGuard<'_, T> {
    own.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Room;
    use crate::body::room::PATIENCE;

    fn sent(room: &Arc<Room>, bytes: usize) -> Option<Held> {
        let mut share = room.share();
        let chunk = vec![0; bytes / 2];
        share.grow(bytes).then(|| Held::new(vec![chunk.clone().into(), chunk.into()], share))
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn the_sum_is_bounded_and_given_back() {
        let room = Room::new(1 << 20, MINUTE);
        let used = || room.used();
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
        assert_eq!(room.used(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_has_it_for_ever() {
        let room = Room::new(1 << 20, MINUTE);
        let mut stalled = sent(&room, 600 << 10).unwrap();
        tokio::time::sleep(MINUTE + Duration::from_secs(1)).await;
        assert_eq!(room.used(), 0);
        assert!(stalled.next().is_none() && stalled.left() > 0);
    }
}
