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
pub mod log;
mod login;
mod metrics;
mod proxy;
mod routes;
mod server;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower_iiif_auth::revocation::Redis;

use admin::Admin;
use body::BoxError;
use config::{Config, Mistake};
use forward_auth::Answers;
pub use login::hash as hash_password;
use metrics::Metrics;
use proxy::Proxy;
use routes::Routes;

/// A proxy that has its ports and its store.
#[derive(Debug)]
pub struct Server {
    config: Config,
    proxy: TcpListener,
    forward_auth: Option<TcpListener>,
    admin: Option<TcpListener>,
    store: Option<Redis>,
}

impl Server {
    /// Takes the configuration's ports, and connects to its store.
    ///
    /// # Errors
    ///
    /// When one is not to be had; the message names it.
    pub async fn bind(config: Config) -> Result<Self, BoxError> {
        let store = match &config.store {
            Some(own) => Some(own.connect().await.map_err(|error| format!("[store]: {error}"))?),
            None => None,
        };
        let proxy = listen(config.listen).await?;
        let forward_auth = match &config.forward_auth {
            Some(own) => Some(listen(own.listen).await?),
            None => None,
        };
        let admin = match config.admin {
            Some(own) => Some(listen(own).await?),
            None => None,
        };
        Ok(Self { config, proxy, forward_auth, admin, store })
    }

    /// Where browsers are answered.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.proxy.local_addr()
    }

    /// Where nginx is answered.
    #[must_use]
    pub fn forward_auth_address(&self) -> Option<SocketAddr> {
        self.forward_auth.as_ref()?.local_addr().ok()
    }

    /// Where operators are answered.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref()?.local_addr().ok()
    }

    /// Answers requests until `stop` comes, then those that are begun.
    ///
    /// # Errors
    ///
    /// When the layers cannot be built: the system gives no random bytes.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), BoxError> {
        let Self { config, proxy, forward_auth, admin, store } = self;
        for Mistake { line, message } in &config.warnings {
            tracing::warn!(line, "{message}");
        }
        let metrics = Arc::new(Metrics::new());
        let counts = Arc::clone(&metrics);
        let auth = config.auth(store, move |seen| counts.decided(seen))?;
        for warning in auth.warnings() {
            tracing::warn!("{warning}");
        }
        let routes = Arc::new(Routes::new(&config)?);
        let (stopping, stopped) = watch::channel(false);
        let grace = config.shutdown_timeout;
        let mut tasks = JoinSet::new();

        let own = Arc::new(Proxy::new(&config, &auth, &routes, &metrics));
        tasks.spawn(server::serve(proxy, own, stopped.clone(), grace));
        if let (Some(listener), Some(config)) = (forward_auth, config.forward_auth.clone()) {
            let own = Answers::new(config, &auth, Arc::clone(&routes), Arc::clone(&metrics));
            tasks.spawn(server::serve(listener, Arc::new(own), stopped.clone(), grace));
        }
        if let Some(listener) = admin {
            let own = Arc::new(Admin(Arc::clone(&metrics)));
            tasks.spawn(server::serve(listener, own, stopped, grace));
        }

        stop.await;
        tracing::info!("stopping: requests that are begun come to their end");
        let _ = stopping.send(true);
        while tasks.join_next().await.is_some() {}
        Ok(())
    }
}

async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))
}
