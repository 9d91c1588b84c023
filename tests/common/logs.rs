//! Everything that is logged on this thread, down to the finest level.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

/// What was written since [`record`].
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Dropped in this order, which is the reverse of how they were made.
struct Guard<F, S> {
    _first: F,
    _second: S,
}

/// Records until the guard is dropped.
#[must_use]
pub fn record() -> (Log, impl Sized) {
    let log = Log::default();
    let subscriber = |log: Log| {
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(log)
            .finish()
    };
    // While there is only one subscriber, `tracing` asks the default of whichever thread comes to
    // an event first whether anybody listens, and other tests' threads have none.
    let second = subscriber(Log::default()).set_default();
    let first = subscriber(log.clone()).set_default();
    (log, Guard { _first: first, _second: second })
}
