//! Everything that is logged on this thread, down to the finest level.
//!
//! `tracing` keeps for each event whether anybody listens, as the thread sees it that comes to the
//! event first. A subscriber of one thread's own therefore comes too late, or loses the race: so one
//! listens for the whole process, from before the first event of any test, and asks each time whether
//! this thread records.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Once;

use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::prelude::*;

thread_local! {
    static RECORDED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

static ONCE: Once = Once::new();

/// Nobody is to listen in this process, where it matters what a server costs whose logs are off.
pub fn stay_deaf() {
    ONCE.call_once(|| {});
}

/// Every fixture calls it, and nothing happens before there is a fixture.
pub fn listen() {
    ONCE.call_once(|| {
        let this_thread_records = dynamic_filter_fn(|_, _| RECORDED.with_borrow(Option::is_some));
        let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(ThisThread);
        tracing_subscriber::registry().with(layer.with_filter(this_thread_records)).init();
    });
}

/// What was written since [`record`], until it is dropped.
pub struct Log(());

/// Records what this thread logs.
#[must_use]
pub fn record() -> Log {
    listen();
    let before = RECORDED.replace(Some(Vec::new()));
    assert!(before.is_none(), "one record at a time");
    Log(())
}

impl Log {
    #[allow(clippy::unused_self, reason = "there is a text for as long as there is this")]
    pub fn text(&self) -> String {
        RECORDED.with_borrow(|recorded| {
            String::from_utf8(recorded.clone().expect("it goes on until this is dropped")).unwrap()
        })
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        RECORDED.take();
    }
}

struct ThisThread;

impl Write for ThisThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        RECORDED.with_borrow_mut(|recorded| recorded.iter_mut().for_each(|own| own.extend(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for ThisThread {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}
