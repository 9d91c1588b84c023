//! What a server listens on, waits for, logs and stores.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use super::network::{self, ForwardAuth, Log};
use super::parse;
use super::section::Section;
use super::store::{self, Store};
use super::tls::{self, Tls};

/// What a server listens on and waits for.
pub(super) struct Operation {
    pub(super) listen: Option<SocketAddr>,
    pub(super) tls: Option<Tls>,
    pub(super) shutdown_timeout: Duration,
    pub(super) shutdown_delay: Duration,
    pub(super) reload_interval: Duration,
    pub(super) write_timeout: Duration,
    pub(super) store: Option<Store>,
    pub(super) forward_auth: Option<ForwardAuth>,
    pub(super) admin: Option<SocketAddr>,
    pub(super) log: Log,
}

impl Operation {
    pub(super) fn read(section: &mut Section<'_, '_>, folder: &Path) -> Self {
        let listen = network::listen(section);
        let mut duration = |key, default: u64, parse: fn(&str) -> Result<Duration, String>| {
            let found = section.parsed(key, parse);
            found.map_or(Duration::from_secs(default), |found| found.value)
        };
        let shutdown_timeout = duration("shutdown_timeout", 30, parse::duration);
        let shutdown_delay = duration("shutdown_delay", 0, parse::duration_or_none);
        let reload_interval = duration("reload_interval", 2, parse::duration_or_none);
        let write_timeout = duration("write_timeout", 60, parse::duration);
        let tls = section.section("tls").and_then(|own| tls::read(own, folder));
        let store = section.section("store").map(|own| store::read(own, folder));
        let forward_auth = section.section("forward_auth").and_then(network::forward_auth);
        let admin = section.section("admin").and_then(|mut admin| {
            let listen = network::listen(&mut admin);
            admin.finish();
            listen
        });
        let log = section.section("log").map(network::log).unwrap_or_default();
        Self {
            listen,
            tls,
            shutdown_timeout,
            shutdown_delay,
            reload_interval,
            write_timeout,
            store,
            forward_auth,
            admin,
            log,
        }
    }
}

/// What stands in `[store]`, the files included that it names, in a form that shows nothing of it: to tell
/// whether it has changed.
pub(super) fn store_as_given(text: &str, folder: &Path) -> Option<u64> {
    let file: toml::Table = toml::from_str(text).ok()?;
    let mut hasher = DefaultHasher::new();
    look(file.get("store")?, folder, &mut hasher);
    Some(hasher.finish())
}

fn look(value: &toml::Value, folder: &Path, hasher: &mut DefaultHasher) {
    let Some(table) = value.as_table() else {
        return format!("{value:?}").hash(hasher);
    };
    // In whatever order they were written.
    let table: BTreeMap<_, _> = table.iter().collect();
    for (key, value) in table {
        key.hash(hasher);
        look(value, folder, hasher);
        if let Some(name) = value.as_str().filter(|_| key.ends_with("_file")) {
            std::fs::read(folder.join(name)).ok().hash(hasher);
        }
    }
}
