//! What answers requests just now. Another configuration takes its place between two requests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use http::header::{LOCATION, STRICT_TRANSPORT_SECURITY};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use rustls::ServerConfig;
use tower_iiif_auth::ConfigWarning;
use tower_iiif_auth::revocation::Revocations;

use crate::body::{Body, BoxError, plain};
use crate::config::Config;
use crate::forward_auth::Answers;
use crate::login::Counters;
use crate::metrics::Metrics;
use crate::proxy::Proxy;
use crate::refusals::Refusals;
use crate::routes::Routes;
use crate::server::Handler;
use crate::upstream::Servers;

/// What outlives a configuration: whoever is in stays in, and whoever guesses has guessed.
pub(crate) struct Shared {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) store: Arc<dyn Revocations>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) refusals: Arc<Refusals>,
    stopping: AtomicBool,
}

impl Shared {
    pub(crate) fn new(metrics: Arc<Metrics>, store: Arc<dyn Revocations>) -> Self {
        Self {
            metrics,
            store,
            counters: Arc::default(),
            refusals: Arc::default(),
            stopping: AtomicBool::new(false),
        }
    }
}

/// What one configuration comes to.
pub(crate) struct Built {
    proxy: Arc<Proxy>,
    fronts: Option<Arc<Answers>>,
    pub(crate) upstreams: Vec<Arc<Servers>>,
    tls: Option<Arc<ServerConfig>>,
    hsts: Option<HeaderValue>,
    public_url: String,
    write_timeout: Duration,
}

pub(crate) struct Live {
    pub(crate) shared: Shared,
    built: ArcSwap<Built>,
}

impl Live {
    pub(crate) fn new(config: &Config, shared: Shared) -> Result<Self, BoxError> {
        let built = build(config, &shared)?;
        Ok(Self { shared, built: ArcSwap::from_pointee(built) })
    }

    /// Takes another configuration for what comes from now on. Requests that are begun end as they began.
    pub(crate) fn take(&self, config: &Config) -> Result<(), BoxError> {
        self.built.store(Arc::new(build(config, &self.shared)?));
        Ok(())
    }

    pub(crate) fn built(&self) -> Arc<Built> {
        self.built.load_full()
    }

    /// By which certificate a new connection is greeted.
    pub(crate) fn tls(&self) -> Option<Arc<ServerConfig>> {
        self.built.load().tls.clone()
    }

    pub(crate) fn write_timeout(&self) -> Duration {
        self.built.load().write_timeout
    }

    pub(crate) fn stop(&self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.shared.stopping.load(Ordering::Relaxed)
    }
}

fn build(config: &Config, shared: &Shared) -> Result<Built, BoxError> {
    let (counts, refusals) = (Arc::clone(&shared.metrics), Arc::clone(&shared.refusals));
    let said = Arc::clone(&refusals);
    let auth = config.auth(Arc::clone(&shared.store), move |seen| {
        counts.decided(seen);
        refusals.look_at(seen);
    })?;
    // The others stand among those of the file.
    for warning in auth.warnings().iter().filter(|own| **own == ConfigWarning::PlainHttp) {
        tracing::warn!("{warning}");
    }
    let routes = Arc::new(Routes::new(config)?);
    let shared = (&shared.metrics, &shared.counters, &said);
    let proxy = Proxy::new(config, &auth, &routes, shared);
    let metrics = shared.0;
    let fronts = config
        .forward_auth
        .clone()
        .map(|own| Arc::new(Answers::new(own, &auth, Arc::clone(&routes), Arc::clone(metrics))));
    let hsts = config.tls.as_ref().and_then(|own| own.hsts);
    let hsts = hsts.map(|own| HeaderValue::try_from(format!("max-age={}", own.as_secs())));
    Ok(Built {
        proxy: Arc::new(proxy),
        fronts,
        upstreams: config.servers.clone(),
        tls: config.tls.as_ref().map(|own| Arc::clone(&own.server)),
        hsts: hsts.transpose()?,
        public_url: config.public_url.clone(),
        write_timeout: config.write_timeout,
    })
}

/// Answers browsers.
pub(crate) struct Browsers(pub(crate) Arc<Live>);

impl Handler for Browsers {
    async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Response<Body> {
        let built = self.0.built();
        let mut response = Arc::clone(&built.proxy).handle(request, peer).await;
        if let Some(hsts) = &built.hsts {
            response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, hsts.clone());
        }
        response
    }
}

/// Answers a front that asks whether it may.
pub(crate) struct Fronts(pub(crate) Arc<Live>);

impl Handler for Fronts {
    async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Response<Body> {
        match &self.0.built().fronts {
            Some(fronts) => Arc::clone(fronts).handle(request, peer).await,
            None => plain(StatusCode::FORBIDDEN, ""),
        }
    }
}

/// Sends plain http on to https.
pub(crate) struct Redirect(pub(crate) Arc<Live>);

impl Handler for Redirect {
    async fn handle(self: Arc<Self>, request: Request<Incoming>, _: SocketAddr) -> Response<Body> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            // Its body has crossed the network in the clear already.
            return plain(StatusCode::FORBIDDEN, "By https only.\n");
        }
        let target = request.uri().path_and_query().map_or("/", |own| own.as_str());
        let target = if target.starts_with('/') { target } else { "/" };
        let location = format!("{}{target}", self.0.built().public_url);
        match HeaderValue::try_from(location) {
            Ok(location) => {
                let mut response = plain(StatusCode::PERMANENT_REDIRECT, "By https.\n");
                response.headers_mut().insert(LOCATION, location);
                response
            }
            Err(_) => plain(StatusCode::BAD_REQUEST, "This is no path.\n"),
        }
    }
}
