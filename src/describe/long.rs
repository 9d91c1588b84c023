//! Long work beside the runtime's workers, so that tiles do not wait for it.

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::answer::BoxError;
use crate::body::Room;

/// A document of so many bytes is read and written in about a hundred microseconds.
const LONG: usize = 32 * 1024;

/// Whether a document of so many bytes is one.
pub(super) fn is_long(bytes: usize) -> bool {
    bytes >= LONG
}

/// Does `work` on a document of so many bytes: here, or in its turn on a thread for what takes long. Without a
/// tokio runtime it is done here.
///
/// # Errors
///
/// If it panicked, or the runtime ends.
pub(super) async fn off_worker<T: Send + 'static>(
    room: &Room,
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, BoxError> {
    if !is_long(bytes) || Handle::try_current().is_err() {
        return Ok(work());
    }
    let turn = room.turn().await?;
    let work = move || {
        let _turn = turn;
        work()
    };
    spawn_blocking(work).await.map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread::{self, available_parallelism};
    use std::time::Duration;

    use super::*;

    fn room() -> Arc<Room> {
        Room::new(1 << 20, Duration::from_secs(60))
    }

    /// However many want something long, few do it at a time; what is short waits for nobody.
    #[tokio::test]
    async fn long_work_takes_turns() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let room = room();
        let all: Vec<_> = (0..32)
            .map(|_| {
                let (now, most, room) = (Arc::clone(&now), Arc::clone(&most), Arc::clone(&room));
                let work = move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    thread::sleep(Duration::from_millis(2));
                    now.fetch_sub(1, Ordering::SeqCst);
                    thread::current().id()
                };
                tokio::spawn(async move { off_worker(&room, LONG, work).await })
            })
            .collect();
        let here = off_worker(&room, LONG - 1, || thread::current().id()).await.unwrap();
        assert_eq!(here, thread::current().id());
        for one in all {
            assert_ne!(one.await.unwrap().unwrap(), here);
        }
        let cores = available_parallelism().unwrap().get();
        let most = most.load(Ordering::SeqCst);
        assert!((1..=cores.div_ceil(2)).contains(&most), "{most} at a time");
    }

    /// Whoever goes away while it waits takes no turn, and a panic gives its turn back.
    #[tokio::test]
    async fn turns_are_given_back() {
        let room = room();
        for _ in 0..64 {
            let panicked = off_worker(&room, LONG, || panic!("in the test")).await;
            let _: BoxError = panicked.map(|never: ()| never).unwrap_err();
            drop(off_worker(&room, LONG, || ()));
        }
        off_worker(&room, LONG, || ()).await.unwrap();
    }
}
