//! The threads that connections are served on.
//!
//! Each has a runtime of its own, and a connection stays where it is, as do those to the image server that
//! it uses: a tile that goes from one core to another finds nothing of what it needs in that core's cache.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

thread_local! {
    static NUMBER: Cell<usize> = const { Cell::new(0) };
}

/// The number of this thread among the workers; 0 also where there are none.
pub(crate) fn number() -> usize {
    NUMBER.get()
}

/// How many threads there are by default: one for each core that the process may use.
pub(crate) fn usual() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// A connection that was taken on another thread.
pub(crate) fn here(stream: TcpStream) -> io::Result<TcpStream> {
    TcpStream::from_std(stream.into_std()?)
}

/// They end when this is dropped, whatever they do.
pub(crate) struct Workers(Vec<Worker>);

struct Worker {
    runtime: Handle,
    connections: Arc<AtomicUsize>,
    _stop: oneshot::Sender<Infallible>,
}

impl Workers {
    /// So many threads. With none connections are served on the runtime of whoever takes them.
    pub(crate) fn new(threads: usize) -> io::Result<Self> {
        (0..threads).map(Worker::new).collect::<io::Result<_>>().map(Self)
    }

    /// Serves a connection on the thread that has the fewest.
    pub(crate) fn spawn(&self, serving: impl Future<Output = ()> + Send + 'static) {
        let fewest = self.0.iter().min_by_key(|own| own.connections.load(Ordering::Relaxed));
        let Some(worker) = fewest else {
            tokio::spawn(serving);
            return;
        };
        let counted = Counted::new(&worker.connections);
        worker.runtime.spawn(async move {
            let _counted = counted;
            serving.await;
        });
    }
}

impl Worker {
    fn new(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        thread::Builder::new().name(format!("connections-{number}")).spawn(move || {
            NUMBER.set(number);
            drop(runtime.block_on(stopped));
            runtime.shutdown_background();
        })?;
        Ok(Self { runtime: handle, connections: Arc::default(), _stop: stop })
    }
}

/// One of a thread's connections, until it ends.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(all: &Arc<AtomicUsize>) -> Self {
        all.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(all))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tokio::sync::{mpsc, watch};

    use super::*;

    /// Connections are shared out evenly, also when some have ended, and each stays on its thread.
    #[tokio::test]
    async fn who_has_the_fewest_gets_the_next() {
        let workers = Workers::new(3).unwrap();
        let (tell, mut told) = mpsc::unbounded_channel();
        let mut ends = Vec::new();
        for _ in 0..9 {
            let ((end, mut ended), tell) = (watch::channel(()), tell.clone());
            workers.spawn(async move {
                tell.send((number(), thread::current().id())).unwrap();
                drop(ended.changed().await);
                tell.send((number(), thread::current().id())).unwrap();
            });
            ends.push(end);
        }
        let mut threads = BTreeMap::<_, Vec<_>>::new();
        for _ in 0..9 {
            let (number, thread) = told.recv().await.unwrap();
            assert_ne!(thread, thread::current().id());
            threads.entry(number).or_default().push(thread);
        }
        assert_eq!(threads.keys().copied().collect::<Vec<_>>(), [0, 1, 2]);
        assert!(threads.values().all(|own| own.len() == 3 && own.iter().all(|one| *one == own[0])));
        drop(ends);
        for _ in 0..9 {
            let (number, thread) = told.recv().await.unwrap();
            assert_eq!(threads[&number][0], thread);
        }
        let count = |own: &Worker| own.connections.load(Ordering::Relaxed);
        while workers.0.iter().map(count).sum::<usize>() > 0 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn without_threads_it_is_the_caller_s() {
        let workers = Workers::new(0).unwrap();
        let (tell, told) = oneshot::channel();
        workers.spawn(async move { tell.send(thread::current().id()).unwrap() });
        assert_eq!(told.await.unwrap(), thread::current().id());
    }
}
