//! The memory that documents use together: bounded in sum.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{AcquireError, Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use crate::answer::Answer;
use crate::catch::catch;

/// Who has not read for so long has to give way where others need the room.
const PATIENCE: Duration = Duration::from_secs(5);

/// So long a document waits for room: longer than others have patience.
const WAIT: Duration = Duration::from_secs(10);

/// So often who waits looks for those who do not read.
const LOOK: Duration = Duration::from_millis(500);

/// A document on its way out.
pub(super) trait Sending: Send + Sync {
    /// For how long nothing was read of it, if there is something to read.
    fn stalled_for(&self, now: Instant) -> Option<Duration>;
    /// Breaks it off.
    fn give_back(&self);
}

/// This part of the room is for documents that do not say how long they are, and for short ones.
const KEPT_FREE: usize = 8;

/// The memory that documents may use together.
pub(crate) struct Room {
    limit: usize,
    used: AtomicUsize,
    /// How long nothing of a document may be read.
    pause: Duration,
    sending: Mutex<Vec<Weak<dyn Sending>>>,
    /// Who reads or writes one just now: not all that this takes is counted, so it has to be few.
    turns: Arc<Semaphore>,
    /// Held by the one that waits for room: the others stand behind it.
    door: tokio::sync::Mutex<()>,
    given_back: Notify,
}

/// On half of the cores, rounded up: the others are for tiles.
fn at_a_time() -> usize {
    available_parallelism().map_or(1, usize::from).div_ceil(2)
}

impl Room {
    pub(crate) fn new(limit: usize, pause: Duration) -> Arc<Self> {
        Arc::new(Self {
            limit,
            used: AtomicUsize::new(0),
            pause,
            sending: Mutex::new(Vec::new()),
            turns: Arc::new(Semaphore::new(at_a_time())),
            door: tokio::sync::Mutex::new(()),
            given_back: Notify::new(),
        })
    }

    /// One's turn to do something long, until it is dropped.
    pub(crate) async fn turn(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        Arc::clone(&self.turns).acquire_owned().await
    }

    /// Nothing yet, to grow.
    pub(crate) fn share(self: &Arc<Self>) -> Share {
        Share { room: Arc::clone(self), taken: 0, used: 0 }
    }

    /// A share that can grow to so many bytes, or to half of all that there are, as soon as there is room for it.
    /// `None` if there was none for long, or for now where there is no timer to wait by.
    pub(crate) fn enter(self: &Arc<Self>, bytes: usize) -> Answer<Option<Share>> {
        let (bytes, mut share) = (bytes.min(self.limit / 2), self.share());
        // Who waits comes first.
        if self.door.try_lock().is_ok_and(|_first| share.reserve_at_once(bytes)) {
            return Answer::Now(Some(share));
        }
        let can_wait = Handle::try_current().is_ok() && catch(|| drop(sleep(WAIT))).is_ok();
        if !can_wait {
            return Answer::Now(share.reserve_at_once(bytes).then_some(share));
        }
        Answer::later(async move { timeout(WAIT, share.wait(bytes)).await.ok() })
    }

    /// What may have to give way.
    pub(super) fn watch(&self, document: Weak<dyn Sending>) {
        let mut sending = locked(&self.sending);
        sending.retain(|own| own.strong_count() > 0);
        sending.push(document);
    }

    /// How long nothing of a document may be read.
    pub(super) fn pause(&self) -> Duration {
        self.pause
    }

    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Takes so many bytes, if so many of all are left then.
    fn take(&self, bytes: usize, left: usize) -> bool {
        let most = self.limit - left;
        let fits = |used: usize| used.checked_add(bytes).filter(|used| *used <= most);
        self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits).is_ok()
    }

    fn give_back(&self, bytes: usize) {
        if bytes > 0 {
            self.used.fetch_sub(bytes, Ordering::AcqRel);
            self.given_back.notify_one();
        }
    }

    /// Takes away what nobody reads, what has waited longest first, until so much is free.
    fn take_away(&self, bytes: usize) {
        let now = Instant::now();
        let all: Vec<_> = locked(&self.sending).iter().filter_map(Weak::upgrade).collect();
        let mut stalled: Vec<_> = all
            .iter()
            .filter_map(|own| own.stalled_for(now).map(|pause| (pause, own)))
            .filter(|(pause, _)| *pause >= PATIENCE)
            .collect();
        stalled.sort_by_key(|(pause, _)| std::cmp::Reverse(*pause));
        for (_, own) in &stalled {
            if self.used.load(Ordering::Acquire).saturating_add(bytes) <= self.limit {
                break;
            }
            own.give_back();
        }
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Room").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// What a document uses of the room, and may use. It is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    room: Arc<Room>,
    taken: usize,
    used: usize,
}

impl Share {
    /// Uses so many bytes more, if there is room for them.
    #[must_use]
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let Some(used) = self.used.checked_add(bytes) else { return false };
        let more = used.saturating_sub(self.taken);
        let fits = more == 0 || self.take(more, 0) || self.make_room(more, 0);
        self.used = if fits { used } else { self.used };
        fits
    }

    /// Uses so many bytes, if there is room for them, and gives all others back.
    #[must_use]
    pub(crate) fn resize(&mut self, bytes: usize) -> bool {
        if let Some(more) = bytes.checked_sub(self.used) {
            if !self.grow(more) {
                return false;
            }
        }
        self.shrink_to(bytes);
        true
    }

    /// Gives back all but so many bytes.
    pub(super) fn shrink_to(&mut self, bytes: usize) {
        self.used = self.used.min(bytes);
        let less = self.taken - self.used;
        self.taken = self.used;
        self.room.give_back(less);
    }

    /// What it may use and does not, for something else.
    pub(crate) fn split(&mut self) -> Self {
        let rest = self.taken - self.used;
        self.taken = self.used;
        Self { room: Arc::clone(&self.room), taken: rest, used: 0 }
    }

    pub(crate) fn room(&self) -> &Arc<Room> {
        &self.room
    }

    fn take(&mut self, bytes: usize, left: usize) -> bool {
        let fits = self.room.take(bytes, left);
        self.taken += if fits { bytes } else { 0 };
        fits
    }

    /// The same, where others may have to give way.
    #[cold]
    fn make_room(&mut self, bytes: usize, left: usize) -> bool {
        self.room.take_away(bytes.saturating_add(left));
        self.take(bytes, left)
    }

    /// What is taken before it is used leaves room for what nobody could announce.
    fn reserve(&mut self, bytes: usize) -> bool {
        let left = self.room.limit / KEPT_FREE;
        self.take(bytes, left)
    }

    /// The same, where others may have to give way.
    fn reserve_at_once(&mut self, bytes: usize) -> bool {
        let left = self.room.limit / KEPT_FREE;
        self.take(bytes, left) || self.make_room(bytes, left)
    }

    /// Behind those who wait already.
    async fn wait(mut self, bytes: usize) -> Self {
        let room = Arc::clone(&self.room);
        let _first = room.door.lock().await;
        let mut looked = Instant::now();
        while !self.reserve(bytes) {
            let _ = timeout(LOOK, room.given_back.notified()).await;
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                if self.reserve_at_once(bytes) {
                    break;
                }
            }
        }
        self
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

/// What panicked with it left it whole.
pub(super) fn locked<T>(own: &Mutex<T>) -> MutexGuard<'_, T> {
    own.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// One after the other as there is room, whoever came first before the others, and nobody waits for ever.
    #[tokio::test(start_paused = true)]
    async fn they_come_in_as_there_is_room() {
        let room = Room::new(100, MINUTE);
        let enter = |bytes| {
            let Answer::Later(share) = room.enter(bytes) else { panic!("{bytes} at once") };
            tokio::spawn(share)
        };
        let Answer::Now(Some(first)) = room.enter(45) else { panic!("there is room") };
        let second = enter(48);
        tokio::task::yield_now().await;
        let third = enter(30);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(
            !second.is_finished() && !third.is_finished(),
            "it would fit, and is not the first"
        );
        drop(first);
        let second = second.await.unwrap().unwrap();
        let third = third.await.unwrap().unwrap();
        assert_eq!(room.used(), 78);
        let mut short = room.share();
        assert!(short.grow(22) && !short.grow(1), "what is short waits for nobody");
        let late = enter(1000);
        assert!(late.await.unwrap().is_none(), "they are still there");
        drop((second, third, short));
        assert_eq!(room.used(), 0);
        assert!(matches!(room.enter(1000), Answer::Now(Some(all)) if all.taken == 50));
    }

    /// One of which nobody reads anything.
    struct Stalled {
        since: Instant,
        share: Mutex<Option<Share>>,
    }

    impl Sending for Stalled {
        fn stalled_for(&self, now: Instant) -> Option<Duration> {
            Some(now - self.since)
        }

        fn give_back(&self) {
            drop(locked(&self.share).take());
        }
    }

    /// Who stalls gives way to who waits, and who went away while it waited holds nobody up.
    #[tokio::test(start_paused = true)]
    async fn who_waits_has_the_room_of_who_does_not_read() {
        let room = Room::new(1 << 20, MINUTE);
        let mut share = room.share();
        assert!(share.grow(1 << 20));
        let stalled = Stalled { since: Instant::now(), share: Mutex::new(Some(share)) };
        let stalled = Arc::new(stalled);
        room.watch(Arc::downgrade(&(Arc::clone(&stalled) as Arc<dyn Sending>)));
        let Answer::Later(gone) = room.enter(1 << 20) else { panic!("there is none") };
        let gone = tokio::spawn(gone);
        let Answer::Later(entered) = room.enter(1 << 20) else { panic!("there is none") };
        tokio::task::yield_now().await;
        gone.abort();
        assert!(entered.await.is_some());
        assert!((PATIENCE..WAIT).contains(&stalled.since.elapsed()));
    }

    #[test]
    fn shares_are_split_and_resized() {
        let room = Room::new(100, MINUTE);
        let Answer::Now(Some(mut share)) = room.enter(50) else { panic!("there is room") };
        assert!(share.grow(20));
        let mut rest = share.split();
        assert!(rest.grow(40), "more than it had");
        assert_eq!((room.used(), share.taken, rest.taken), (60, 20, 40));
        assert!(share.grow(40) && !rest.grow(1) && !rest.resize(41));
        assert!(rest.resize(10) && share.resize(90) && !share.grow(1));
        drop((share, rest));
        assert_eq!(room.used(), 0);
        // Without a timer nobody waits.
        let most = (room.enter(50), room.enter(38));
        assert!(matches!(most, (Answer::Now(Some(_)), Answer::Now(Some(_)))));
        assert!(matches!(room.enter(1), Answer::Now(None)));
    }
}
