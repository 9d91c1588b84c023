//! The log, on standard error.

use std::io::IsTerminal;
use std::sync::OnceLock;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::reload::Handle;

use crate::config::{Log, LogFormat};

/// Puts another filter in the place of the one that the log began with.
static RELOAD: OnceLock<Box<dyn Fn(EnvFilter) + Send + Sync>> = OnceLock::new();

/// Begins to log. `RUST_LOG`, if it is set, takes the place of the configuration's filter.
pub fn begin(log: &Log) {
    let given = std::env::var("RUST_LOG").ok().filter(|text| !text.is_empty());
    let given = given.map(|text| EnvFilter::builder().parse(text));
    let unread = given.as_ref().and_then(|own| own.as_ref().err()).map(ToString::to_string);
    let given = given.and_then(Result::ok);
    let is_given = given.is_some();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(given.unwrap_or_else(|| EnvFilter::new(&log.filter)))
        .with_writer(std::io::stderr)
        // A file has no colours.
        .with_ansi(std::io::stderr().is_terminal());
    match log.format {
        LogFormat::Text => {
            let subscriber = subscriber.with_filter_reloading();
            let handle = subscriber.reload_handle();
            subscriber.init();
            keep(handle, is_given);
        }
        LogFormat::Json => {
            let subscriber = subscriber.json().flatten_event(true).with_filter_reloading();
            let handle = subscriber.reload_handle();
            subscriber.init();
            keep(handle, is_given);
        }
    }
    if let Some(error) = unread {
        tracing::warn!(error, "RUST_LOG is not understood: the filter of [log] counts");
    }
}

fn keep<S: 'static>(handle: Handle<EnvFilter, S>, is_given: bool) {
    if is_given {
        return;
    }
    let reload = move |filter| {
        if let Err(error) = handle.reload(filter) {
            tracing::warn!(%error, "the filter of [log] was not taken up");
        }
    };
    // A log begins once.
    drop(RELOAD.set(Box::new(reload)));
}

/// Goes by this filter from now on, unless `RUST_LOG` says another.
pub(crate) fn take(log: &Log) {
    if let Some(reload) = RELOAD.get() {
        reload(EnvFilter::new(&log.filter));
    }
}
