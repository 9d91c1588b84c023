//! Takes up a configuration whose files have changed. One that is wrong is not taken, and why is said.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::signal::unix::{SignalKind, signal};

use crate::body::BoxError;
use crate::config::{Config, Mistakes};
use crate::live::Live;
use crate::warn_of;

/// What a file looks like from outside: another is written in its place, or it is written anew.
type Look = Option<(SystemTime, u64, u64)>;

/// The files of a configuration, and how they looked when it was read.
struct Watched {
    paths: Vec<PathBuf>,
    read: Vec<Look>,
    last: Vec<Look>,
}

impl Watched {
    fn new(paths: Vec<PathBuf>) -> Self {
        let read = looks(&paths);
        Self { last: read.clone(), paths, read }
    }

    /// Whether a file differs from what was read, and is as it was a moment ago: nobody is writing it.
    fn have_changed(&mut self) -> bool {
        let now = looks(&self.paths);
        let settled = now == self.last;
        self.last = now;
        settled && self.last != self.read
    }
}

fn looks(paths: &[PathBuf]) -> Vec<Look> {
    let look = |path: &PathBuf| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
    };
    paths.iter().map(look).collect()
}

/// Where listeners and what else lasts for the life of the process was given.
#[derive(PartialEq, Eq)]
struct Fixed {
    addresses: Vec<Option<std::net::SocketAddr>>,
    ends_tls: bool,
    has_store: bool,
}

impl Fixed {
    fn of(config: &Config) -> Self {
        let redirect = config.tls.as_ref().and_then(|own| own.redirect_from);
        let fronts = config.forward_auth.as_ref().map(|own| own.listen);
        Self {
            addresses: vec![Some(config.listen), redirect, fronts, config.admin],
            ends_tls: config.tls.is_some(),
            has_store: config.store.is_some(),
        }
    }
}

/// Looks again and again; returns only where there is no file.
pub(crate) async fn forever(config: Config, live: Arc<Live>) {
    let Some(file) = config.file.clone() else { return };
    let fixed = Fixed::of(&config);
    let mut interval = config.reload_interval;
    let mut watched = Watched::new(all(&file, &config.files));
    drop(config);
    let mut hang_up = match signal(SignalKind::hangup()) {
        Ok(signal) => Some(signal),
        Err(error) => {
            tracing::warn!(%error, "SIGHUP is not heard");
            None
        }
    };
    loop {
        let asked = async {
            match &mut hang_up {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        let waited = async {
            if interval.is_zero() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(interval.min(Duration::from_secs(3600))).await;
        };
        tokio::select! {
            _ = asked => {}
            () = waited => if !watched.have_changed() { continue },
        }
        // It looks at files, and builds what may be large.
        let (own_file, own_live) = (file.clone(), Arc::clone(&live));
        let taken = tokio::task::spawn_blocking(move || take(&own_file, &own_live)).await;
        match taken {
            Ok(Ok(config)) => {
                if Fixed::of(&config) != fixed {
                    tracing::warn!(
                        "addresses to listen on, whether there is [tls], and [store] count from the next start"
                    );
                }
                interval = config.reload_interval;
                watched = Watched::new(all(&file, &config.files));
            }
            Ok(Err(files)) => watched = Watched::new(all(&file, &files)),
            Err(error) => tracing::error!(%error, "the configuration was not read"),
        }
    }
}

fn all(file: &Path, more: &[PathBuf]) -> Vec<PathBuf> {
    let mut all = vec![file.to_owned()];
    all.extend(more.iter().cloned());
    all
}

/// Reads the file, and lets it answer from now on. Otherwise the files that a mistake may be in.
fn take(file: &Path, live: &Live) -> Result<Config, Vec<PathBuf>> {
    let taken = Config::load(file).and_then(|config| {
        live.take(&config)?;
        Ok(config)
    });
    match taken {
        Ok(config) => {
            live.shared.metrics.reloaded(true);
            tracing::info!(file = %file.display(), "the configuration was taken up");
            warn_of(&config);
            Ok(config)
        }
        Err(error) => {
            live.shared.metrics.reloaded(false);
            Err(refused(file, &error))
        }
    }
}

fn refused(file: &Path, error: &BoxError) -> Vec<PathBuf> {
    let file = file.display();
    tracing::error!(%file, "the configuration was not taken up, and the one before stays");
    let Some(mistakes) = error.downcast_ref::<Mistakes>() else {
        tracing::error!(%file, "{error}");
        return Vec::new();
    };
    for mistake in mistakes.iter() {
        tracing::error!(%file, line = mistake.line, "{}", mistake.message);
    }
    mistakes.files().to_vec()
}
