//! IIIF authorization in front of an image server that is already there.
//!
//! A request comes to a [`Server`], is looked at by the layers of
//! `tower-iiif-auth`, and goes on to the image server or to a login of the proxy's own.

mod access_log;
mod admin;
mod body;
pub mod config;
mod dimensions;
mod forward;
mod forward_auth;
mod live;
pub mod log;
mod login;
mod metrics;
pub mod probe;
mod proxy;
mod refusals;
mod reload;
mod rights;
mod routes;
mod said;
mod server;
mod upstream;
mod workers;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower_iiif_auth::revocation::{InMemory, Revocations};

use admin::Admin;
use body::BoxError;
use config::{Config, Mistake};
use live::{Browsers, Fronts, Live, Shared};
pub use login::hash as hash_password;
use metrics::Metrics;
use server::Listening;
use workers::Workers;

/// A proxy that has its ports and its store.
pub struct Server {
    config: Config,
    proxy: TcpListener,
    redirect: Option<TcpListener>,
    forward_auth: Option<TcpListener>,
    admin: Option<TcpListener>,
    store: Arc<dyn Revocations>,
    threads: usize,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Server {
    /// Takes the configuration's ports, and connects to its store.
    ///
    /// # Errors
    ///
    /// When one is not to be had; the message names it.
    pub async fn bind(config: Config) -> Result<Self, BoxError> {
        let store: Arc<dyn Revocations> = match &config.store {
            Some(own) => {
                Arc::new(own.connect().await.map_err(|error| format!("[store]: {error}"))?)
            }
            None => Arc::new(InMemory::new()?),
        };
        let proxy = listen(config.listen).await?;
        let redirect = match config.tls.as_ref().and_then(|own| own.redirect_from) {
            Some(own) => Some(listen(own).await?),
            None => None,
        };
        let forward_auth = match &config.forward_auth {
            Some(own) => Some(listen(own.listen).await?),
            None => None,
        };
        let admin = match config.admin {
            Some(own) => Some(listen(own).await?),
            None => None,
        };
        Ok(Self { config, proxy, redirect, forward_auth, admin, store, threads: 0 })
    }

    /// Serves connections on threads of their own, one for each core. Otherwise it does so on the runtime
    /// that [`run`](Self::run) is called on.
    #[must_use]
    pub fn on_own_threads(mut self) -> Self {
        self.threads = workers::usual();
        self
    }

    /// Where browsers are answered.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.proxy.local_addr()
    }

    /// Where plain http is sent on to https.
    #[must_use]
    pub fn redirect_address(&self) -> Option<SocketAddr> {
        self.redirect.as_ref()?.local_addr().ok()
    }

    /// Where a front is answered.
    #[must_use]
    pub fn forward_auth_address(&self) -> Option<SocketAddr> {
        self.forward_auth.as_ref()?.local_addr().ok()
    }

    /// Where operators are answered.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref()?.local_addr().ok()
    }

    /// Answers requests until `stop` comes, then those that are begun. A configuration that was loaded
    /// from a file is taken up anew when a file of it changes, and on `SIGHUP`.
    ///
    /// # Errors
    ///
    /// When the layers cannot be built, as the system gives no random bytes, or it gives no threads.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), BoxError> {
        let Self { config, proxy, redirect, forward_auth, admin, store, threads } = self;
        warn_of(&config);
        let (grace, delay) = (config.shutdown_timeout, config.shutdown_delay);
        let shared = Shared::new(Arc::new(Metrics::new()), store);
        let live = Arc::new(Live::new(&config, shared)?);
        let (stopping, stopped) = watch::channel(false);
        let workers = Arc::new(Workers::new(threads)?);
        let listening = |tls| Listening {
            live: Arc::clone(&live),
            workers: Arc::clone(&workers),
            tls,
            stop: stopped.clone(),
            grace,
        };
        let mut tasks = JoinSet::new();
        let ends_tls = config.tls.is_some();
        let browsers = Arc::new(Browsers(Arc::clone(&live)));
        tasks.spawn(server::serve(proxy, browsers, listening(ends_tls)));
        if let Some(listener) = redirect {
            let own = Arc::new(live::Redirect(Arc::clone(&live)));
            tasks.spawn(server::serve(listener, own, listening(false)));
        }
        if let Some(listener) = forward_auth {
            let own = Arc::new(Fronts(Arc::clone(&live)));
            tasks.spawn(server::serve(listener, own, listening(false)));
        }
        if let Some(listener) = admin {
            let own = Arc::new(Admin(Arc::clone(&live)));
            tasks.spawn(server::serve(listener, own, listening(false)));
        }
        let reloading = tokio::spawn(reload::forever(config, Arc::clone(&live)));

        stop.await;
        reloading.abort();
        live.stop();
        if delay > Duration::ZERO {
            tracing::info!("stopping: /readyz says so, and connections are still taken");
            tokio::time::sleep(delay).await;
        }
        tracing::info!("stopping: requests that are begun come to their end");
        let _ = stopping.send(true);
        while tasks.join_next().await.is_some() {}
        Ok(())
    }
}

fn warn_of(config: &Config) {
    for Mistake { line, message } in &config.warnings {
        tracing::warn!(line, "{message}");
    }
}

async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))
}
