//! What answers browsers: a few refusals, the layers, and behind them logins and the image server.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use tower::ServiceExt;
use tower_iiif_auth::IiifAuth;
use tower_iiif_auth::aspect::{Head, PeerAddr, TrustedProxies};
use tower_iiif_auth::stack::Stack;
use tower_layer::Layer;
use tower_service::Service;

use crate::access_log::Entry;
use crate::body::{Body, boxed, plain};
use crate::config::{AccessLog, Config};
use crate::forward::{self, Forward};
use crate::login::{Counters, Logins};
use crate::metrics::Metrics;
use crate::refusals::Refusals;
use crate::routes::{Public, Routes};
use crate::said::shown;
use crate::server::Handler;

pub(crate) struct Proxy {
    stack: Stack<Site>,
    auth: IiifAuth,
    routes: Arc<Routes>,
    metrics: Arc<Metrics>,
    trusted_proxies: TrustedProxies,
    refusals: Arc<Refusals>,
    log: AccessLog,
    /// Whether a front that nobody listed was told of.
    told: AtomicBool,
}

impl Proxy {
    /// Says once that a front is not listed.
    fn look_for_fronts(&self, head: &Head<'_>) {
        if !self.told.load(Ordering::Relaxed)
            && self.trusted_proxies.is_unlisted_front(head)
            && !self.told.swap(true, Ordering::Relaxed)
        {
            let peer = head.extensions().get::<PeerAddr>().map(|peer| peer.0);
            tracing::warn!(
                peer = peer.map(tracing::field::display),
                "a peer that is not in trusted_proxies sends forwarding headers: if it is your front, \
                 list it, or all its clients are one for the limit of wrong passwords and for the log, \
                 and none of them is in a reading room"
            );
        }
    }

    pub(crate) fn new(
        config: &Config,
        auth: &IiifAuth,
        routes: &Arc<Routes>,
        (metrics, counters, refusals): (&Arc<Metrics>, &Arc<Counters>, &Arc<Refusals>),
    ) -> Self {
        let told = (Arc::clone(metrics), Arc::clone(refusals));
        let forward = Forward::new(config, Arc::clone(routes), auth.clone(), told);
        let logins = Logins::new(config, Arc::clone(metrics), Arc::clone(counters));
        let site = Site {
            forward: Arc::new(forward),
            logins: Arc::new(logins),
            routes: Arc::clone(routes),
            refusals: Arc::clone(refusals),
        };
        Self {
            stack: auth.layer().layer(site),
            auth: auth.clone(),
            routes: Arc::clone(routes),
            metrics: Arc::clone(metrics),
            trusted_proxies: config.trusted_proxies.clone(),
            refusals: Arc::clone(refusals),
            log: config.log.access,
            told: AtomicBool::new(false),
        }
    }
}

impl Handler for Proxy {
    async fn handle(
        self: Arc<Self>,
        mut request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Response<Body> {
        request.extensions_mut().insert(PeerAddr(peer.ip()));
        self.metrics.begun();
        self.look_for_fronts(&Head::of(&request));
        let path = request.uri().path();
        let entry = Entry {
            method: request.method().clone(),
            // What opens a signed location is nobody else's.
            path: shown(&self.auth.path_without_capability(path)).into_owned(),
            version: request.version(),
            route: self.routes.name_of(path).to_owned(),
            client: self.trusted_proxies.client(&Head::of(&request)),
            log: self.log,
            metrics: Arc::clone(&self.metrics),
            begun: Instant::now(),
        };
        let response = match refusal(&request) {
            Some((refusal, reason)) => {
                self.refusals.say(&entry.path, refusal.status(), reason);
                refusal
            }
            None => match self.stack.clone().oneshot(request).await {
                Ok(response) => response.map(boxed),
                Err(never) => match never {},
            },
        };
        if response.status() == StatusCode::METHOD_NOT_ALLOWED {
            self.refusals.say(&entry.path, response.status(), "method");
        }
        entry.follow(response)
    }
}

/// What is refused whatever its path, and why.
fn refusal(request: &Request<Incoming>) -> Option<(Response<Body>, &'static str)> {
    let headers = request.headers();
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let (length, another) = (lengths.next(), lengths.next());
    let is_number = |length: &HeaderValue| {
        !length.is_empty() && length.as_bytes().iter().all(u8::is_ascii_digit)
    };
    // Of HTTP/1 they do not come so far.
    if another.is_some() || !length.is_none_or(is_number) {
        let text = "The length can be read in two ways.\n";
        return Some((plain(StatusCode::BAD_REQUEST, text), "two lengths"));
    }
    // HTTP/2 ends a body without one. To the image server it would go on in chunks.
    let endless = length.is_none()
        && !request.body().is_end_stream()
        && !forward::has_no_body(request.method());
    if endless || headers.contains_key(TRANSFER_ENCODING) {
        let text = "Send a request's body with its length, not in chunks.\n";
        let mut refusal = plain(StatusCode::LENGTH_REQUIRED, text);
        if request.version() < Version::HTTP_2 {
            // What comes behind was not looked at.
            refusal.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        return Some((refusal, "a body without a length"));
    }
    let known = !matches!(*request.method(), Method::CONNECT | Method::TRACE);
    (!known).then(|| (plain(StatusCode::METHOD_NOT_ALLOWED, "Not by this method.\n"), "method"))
}

/// What lies behind the layers.
#[derive(Clone)]
pub(crate) struct Site {
    forward: Arc<Forward>,
    logins: Arc<Logins>,
    routes: Arc<Routes>,
    refusals: Arc<Refusals>,
}

impl Service<Request<Incoming>> for Site {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let Self { forward, logins, routes, refusals } = self.clone();
        Box::pin(async move {
            let path = request.uri().path();
            if let Some(login) = logins.at(path) {
                return Ok(logins.answer(login, request).await);
            }
            // Nothing reaches the image server but what lies below a base, or is listed.
            let public = match routes.base_of(path) {
                Some(_) => Public::Open { pass_query: false },
                None => routes.public(path),
            };
            Ok(match public {
                Public::Open { .. } => forward.answer(request).await,
                Public::Ambiguous => {
                    refusals.say(path, StatusCode::BAD_REQUEST, "ambiguous_path");
                    let text = "This path can be read in more than one way.\n";
                    plain(StatusCode::BAD_REQUEST, text)
                }
                Public::Closed => {
                    refusals.say(path, StatusCode::NOT_FOUND, "unknown_path");
                    plain(StatusCode::NOT_FOUND, "There is no such resource.\n")
                }
            })
        })
    }
}
