//! A document on its way out, which is given back where nobody reads it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::room::{Sending, Share, locked};
use crate::catch::catch;

/// What is shorter is given back with its connection.
const SMALL: usize = 64 * 1024;

/// What is left of a document on its way out.
struct Rest {
    state: Mutex<State>,
}

struct State {
    chunks: VecDeque<Bytes>,
    read_at: Instant,
    share: Share,
}

impl Sending for Rest {
    fn stalled_for(&self, now: Instant) -> Option<Duration> {
        let state = locked(&self.state);
        let pause = now.saturating_duration_since(state.read_at);
        (!state.chunks.is_empty()).then_some(pause)
    }

    fn give_back(&self) {
        let mut state = locked(&self.state);
        state.chunks = VecDeque::new();
        state.share.shrink_to(0);
    }
}

/// A document in chunks, each of which is given back when it was sent.
pub(crate) struct Held {
    rest: Arc<Rest>,
    left: usize,
    /// Whether the chunks are parts of one piece of memory, which is free when the last was sent.
    of_one: bool,
}

impl Held {
    /// `share` is what the chunks use; those that are `of_one` piece of memory give it back together.
    pub(crate) fn new(chunks: Vec<Bytes>, of_one: bool, share: Share) -> Self {
        let left = chunks.iter().map(Bytes::len).sum();
        let room = Arc::clone(share.room());
        let state = State { chunks: chunks.into(), read_at: Instant::now(), share };
        let rest = Arc::new(Rest { state: Mutex::new(state) });
        if left > SMALL {
            let watched: Weak<Rest> = Arc::downgrade(&rest);
            room.watch(watched.clone());
            watch(watched, room.pause());
        }
        Self { rest, left, of_one }
    }

    /// How much is still to be sent.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// The next chunk; none at the end, and where it was given back: the response then breaks off.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        let mut state = locked(&self.rest.state);
        let chunk = state.chunks.pop_front()?;
        state.read_at = Instant::now();
        self.left -= chunk.len();
        if !self.of_one || self.left == 0 {
            state.share.shrink_to(self.left);
        }
        Some(chunk)
    }
}

/// Gives a document back of which nothing is read for too long. Without a runtime this waits for somebody
/// who needs the room.
fn watch(rest: Weak<Rest>, pause: Duration) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    runtime.spawn(async move {
        loop {
            // Without a timer it panics.
            let Ok(timer) = catch(|| Box::pin(tokio::time::sleep(pause))) else { return };
            timer.await;
            let Some(rest) = rest.upgrade() else { return };
            if rest.stalled_for(Instant::now()).is_some_and(|own| own >= pause) {
                return rest.give_back();
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Room;

    fn sent(room: &Arc<Room>, bytes: usize) -> Option<Held> {
        let mut share = room.share();
        let chunk = vec![0; bytes / 2];
        share.grow(bytes).then(|| Held::new(vec![chunk.clone().into(), chunk.into()], false, share))
    }

    const MINUTE: Duration = Duration::from_secs(60);
    /// As long as others have patience.
    const PATIENCE: Duration = Duration::from_secs(5);

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
