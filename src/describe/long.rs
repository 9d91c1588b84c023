//! Long work on threads that give way to the runtime's workers, so that tiles do not wait for it.

use std::sync::LazyLock;
use std::sync::mpsc::sync_channel;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::spawn_blocking;

use crate::answer::BoxError;
use crate::body::Room;
use crate::catch::catch;

/// A document of so many bytes is read and written in about a hundred microseconds.
const LONG: usize = 32 * 1024;

/// Whether a document of so many bytes is one.
pub(super) fn is_long(bytes: usize) -> bool {
    bytes >= LONG
}

/// Does `work` on a document of so many bytes: here, or in its turn on a thread for what takes long. Without a
/// tokio runtime it is done here: no worker is there to be kept.
///
/// # Errors
///
/// If it panicked on a thread, none could be had, or the runtime ends.
pub(super) async fn off_worker<T: Send + 'static>(
    room: &Room,
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, BoxError> {
    if !is_long(bytes) {
        return Ok(work());
    }
    let (Some(threads), Ok(runtime)) = (THREADS.as_ref(), Handle::try_current()) else {
        return Ok(work());
    };
    let turn = room.turn().await?;
    let (done, wait) = sync_channel(1);
    let work = move || {
        // Whatever it starts is the application's runtime's.
        let _runtime = runtime.enter();
        // Who waits is gone if that ends.
        let _ = done.send(catch(work));
    };
    // One of the application's own threads waits, so that its runtime knows of the work: where a test has paused
    // its clock, that goes on pausing. It has the turn, which so is given back where no thread could be had.
    let waiting = spawn_blocking(move || {
        let _turn = turn;
        catch(|| threads.spawn_blocking(work))?;
        wait.recv()?
    });
    waiting.await?
}

/// Threads of their own, as one that has given way cannot take its priority back, and the application's
/// threads for blocking work decode its tiles. They stay for a while: tiles felt it where one was started for
/// each document. Of this runtime nothing else is used: it is driven by nobody.
static THREADS: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    Builder::new_current_thread()
        .thread_name("iiif-describe")
        .max_blocking_threads(available_parallelism().map_or(1, usize::from))
        .on_thread_start(give_way)
        .build()
        .ok()
});

/// Whoever else of this process has something to do comes first: a core that is wanted by one other is left to it
/// for all but a thirtieth of the time.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn give_way() {
    // On Linux it is this thread's alone. Where it is refused, the thread is as good as others.
    let _ = rustix::process::nice(15);
}

/// Elsewhere a priority is the whole process's.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn give_way() {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
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

    /// Its threads give way, and those that the application knows do not.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn long_work_gives_way() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let here = nice();
        let there = off_worker(&room(), LONG, nice).await.unwrap();
        assert_eq!(there, (here + 15).min(19));
        assert_eq!(spawn_blocking(nice).await.unwrap(), here);
        assert_eq!(nice(), here);
    }

    /// What it starts is the application's runtime's.
    #[tokio::test]
    async fn it_knows_the_runtime() {
        let work = || Handle::current().spawn(async { 7 });
        let started = off_worker(&room(), LONG, work).await.unwrap();
        assert_eq!(started.await.unwrap(), 7);
    }

    #[test]
    fn without_a_runtime_it_is_done_here() {
        let room = room();
        let mut work = std::pin::pin!(off_worker(&room, LONG, || thread::current().id()));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        let std::task::Poll::Ready(Ok(there)) = work.as_mut().poll(&mut cx) else {
            panic!("it waits");
        };
        assert_eq!(there, thread::current().id());
    }
}
