//! Takes up a configuration whose files have changed. One that is wrong is not taken, and why is said.

use std::collections::HashMap;
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

/// What no file looks like.
const UNREAD: Look = Some((SystemTime::UNIX_EPOCH, u64::MAX, u64::MAX));

/// How much behind the clock a file's times may be.
const BEHIND: Duration = Duration::from_millis(20);

/// The files of a configuration, and how they looked when it was read.
struct Watched {
    paths: Vec<PathBuf>,
    read: Vec<Look>,
    last: Vec<Look>,
}

impl Watched {
    /// Those of a configuration that was read from this time on. How they looked before is known of some; of
    /// another that has changed since it is not known whether that was read.
    fn new(paths: Vec<PathBuf>, before: &HashMap<PathBuf, Look>, begun: SystemTime) -> Self {
        let read = paths.iter().map(|path| match before.get(path) {
            Some(look) => *look,
            None if has_changed_since(path, begun) => UNREAD,
            None => look(path),
        });
        let read: Vec<_> = read.collect();
        Self { last: read.clone(), paths, read }
    }

    fn looks(&self) -> Vec<Look> {
        self.paths.iter().map(|path| look(path)).collect()
    }

    /// How each looks now.
    fn by_path(&self) -> HashMap<PathBuf, Look> {
        self.paths.iter().cloned().zip(self.looks()).collect()
    }

    /// Whether a file differs from what was read, and is as it was a moment ago: nobody is writing it.
    fn have_changed(&mut self) -> bool {
        let now = self.looks();
        let settled = now == self.last;
        self.last = now;
        settled && self.last != self.read
    }
}

fn look(path: &Path) -> Look {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
}

/// Whether a file was written, or put in its place, since then.
fn has_changed_since(path: &Path, begun: SystemTime) -> bool {
    let Ok(metadata) = std::fs::metadata(path) else { return false };
    let seconds = u64::try_from(metadata.ctime()).unwrap_or(0);
    let nanoseconds = u32::try_from(metadata.ctime_nsec()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds) + BEHIND >= begun
}

/// What counts for the life of the process, as operators call it, with what was said of it.
struct Lasting(Vec<(&'static str, String)>);

impl Lasting {
    fn of(config: &Config) -> Self {
        let redirect = config.tls.as_ref().and_then(|own| own.redirect_from);
        let fronts = config.forward_auth.as_ref().map(|own| own.listen);
        Self(vec![
            ("listen", config.listen.to_string()),
            ("whether there is a [tls]", config.tls.is_some().to_string()),
            ("redirect_from of [tls]", format!("{redirect:?}")),
            ("listen of [forward_auth]", format!("{fronts:?}")),
            ("listen of [admin]", format!("{:?}", config.admin)),
            ("[store]", format!("{:?}", config.store_as_given)),
            ("format of [log]", format!("{:?}", config.log.format)),
            ("shutdown_delay", format!("{:?}", config.shutdown_delay)),
            ("shutdown_timeout", format!("{:?}", config.shutdown_timeout)),
        ])
    }

    /// What another configuration says otherwise.
    fn others(&self, config: &Config) -> Vec<&'static str> {
        let other = Self::of(config).0;
        let changed = self.0.iter().zip(&other).filter(|(own, other)| own.1 != other.1);
        changed.map(|(own, _)| own.0).collect()
    }
}

/// Looks again and again; returns only where there is no file.
pub(crate) async fn forever(config: Config, live: Arc<Live>) {
    let Some(file) = config.file.clone() else { return };
    let lasting = Lasting::of(&config);
    let mut interval = config.reload_interval;
    let mut watched = Watched::new(all(&file, &config.files), &HashMap::new(), config.read_at);
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
        // Whatever changes from now on may have been read or not.
        let (before, begun) = (watched.by_path(), SystemTime::now());
        // It looks at files, and builds what may be large.
        let (own_file, own_live) = (file.clone(), Arc::clone(&live));
        let taken = tokio::task::spawn_blocking(move || take(&own_file, &own_live)).await;
        match taken {
            Ok(Ok(config)) => {
                let others = lasting.others(&config);
                if !others.is_empty() {
                    let what = others.join(", ");
                    tracing::warn!(what, "these have changed, and count from the next start");
                }
                crate::log::take(&config.log);
                interval = config.reload_interval;
                watched = Watched::new(all(&file, &config.files), &before, begun);
            }
            Ok(Err(files)) => watched = Watched::new(all(&file, &files), &before, begun),
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
