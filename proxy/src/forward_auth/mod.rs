//! A front keeps serving tiles and asks here whether it may: nginx with `auth_request`, Traefik with
//! `ForwardAuth`, Caddy with `forward_auth`, Envoy with `ext_authz`.
//!
//! Such set-ups are usually broken by a path that is read in two ways: nginx decodes `%2F`, folds
//! `//` and `..`, and serves another file than was decided on. So the answer is yes only for
//!
//! - a listed peer, which passes on the request's URI as it came in (of nginx `$request_uri`, not `$uri`),
//!   in the way that the front does whose name stands in the configuration,
//! - a path of an image or file below a base, in the one form that the base knows,
//! - a path that decoding leaves as it is (unless `allow_escapes` is set), and no query,
//! - GET and HEAD.
//!
//! All else is no. nginx makes an answer of its own of that: it is to send the request through the proxy, which
//! answers it in full. The others hand the answer on as it is, so that it is the one that the proxy itself
//! would give.

mod asked;

use std::borrow::Cow;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use tower::ServiceExt;
use tower_iiif_auth::IiifAuth;
use tower_iiif_auth::aspect::PeerAddr;
use tower_iiif_auth::check::Check;
use tower_layer::Layer;
use tower_service::Service;

use crate::body::{Body, boxed, empty, plain};
use crate::config::{ForwardAuth, Front, Kind};
use crate::metrics::Metrics;
use crate::routes::Routes;
use crate::said::{Once, shown};
use crate::server::Handler;

const PATH: HeaderName = HeaderName::from_static("x-iiif-path");

pub(crate) struct Answers {
    config: ForwardAuth,
    auth: IiifAuth,
    check: Check<Yes>,
    routes: Arc<Routes>,
    metrics: Arc<Metrics>,
    said: Once,
}

impl Answers {
    pub(crate) fn new(
        config: ForwardAuth,
        auth: &IiifAuth,
        routes: Arc<Routes>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let max_age = config.max_age.map(|age| format!("max-age={}", age.as_secs()));
        let max_age = max_age.and_then(|text| HeaderValue::try_from(text).ok());
        let check = auth.check().layer(Yes { max_age });
        Self { config, auth: auth.clone(), check, routes, metrics, said: Once::default() }
    }

    async fn decide(&self, mut request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
        if !self.config.peers.contains(peer.ip()) {
            tracing::warn!(%peer, "forward auth: a peer that is not listed asks");
            return no(StatusCode::FORBIDDEN);
        }
        let asked = asked::reading(&self.config.front, &request);
        let uri = match asked.and_then(|uri| self.can_be_served(&uri).map(|()| uri)) {
            Ok(uri) => uri,
            Err(reason) => {
                self.say(&request, reason);
                return self.never();
            }
        };
        // What was decided on, and not how it was spelled.
        let path = HeaderValue::from_str(&self.canonical(uri.path()));
        // A HEAD that a front asks about is not one of its own.
        *request.method_mut() = Method::GET;
        *request.uri_mut() = uri;
        request.extensions_mut().insert(PeerAddr(peer.ip()));
        let decided = match self.check.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let granted = decided.extensions().get::<Granted>().is_some();
        match (decided.status(), path) {
            (StatusCode::OK, Ok(path)) if granted => yes(decided.map(|_| empty()), path),
            // Whatever it is, to a front a success would be a yes.
            (status, _) if status.is_success() => self.never(),
            (StatusCode::UNAUTHORIZED, _) if self.asks_again() => no(StatusCode::UNAUTHORIZED),
            _ if self.asks_again() => no(StatusCode::FORBIDDEN),
            _ => self.in_full(decided.map(boxed)),
        }
    }

    /// A no as the proxy itself gives it.
    fn in_full(&self, mut response: Response<Body>) -> Response<Body> {
        if matches!(self.config.front, Front::Envoy { .. }) && response.status().is_server_error() {
            // To Envoy that is no answer at all, for which it may have been told to let requests through.
            *response.status_mut() = StatusCode::FORBIDDEN;
        }
        response
    }

    /// Whether the front sends what it may not serve through the proxy.
    fn asks_again(&self) -> bool {
        matches!(self.config.front, Front::Nginx)
    }

    /// What is no in any case: the proxy answers it, where it is asked itself.
    fn never(&self) -> Response<Body> {
        if self.asks_again() {
            return no(StatusCode::FORBIDDEN);
        }
        let text = "This is not served here. Its address may have to be written in another way.\n";
        let mut response = plain(StatusCode::FORBIDDEN, text);
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        response
    }

    /// The one spelling of a path of images; of all else the path as it is.
    fn canonical<'p>(&self, path: &'p str) -> Cow<'p, str> {
        let image = self.routes.base_of(path).and_then(|(base, _)| base.image(path));
        image.map_or(Cow::Borrowed(path), |image| Cow::Owned(image.request_path()))
    }

    /// Why there never is a yes: once for a path, and once for a front that asks in other words.
    fn say(&self, request: &Request<Incoming>, reason: &'static str) {
        let other = ["x-forwarded-uri", "x-original-url", "x-original-uri", "x-rewrite-url"];
        let other = other.into_iter().find(|name| request.headers().contains_key(*name));
        let is_asked_by_path = !matches!(self.config.front, Front::Traefik | Front::Caddy);
        if let Some(header) = other.filter(|own| is_asked_by_path && self.said.first(own)) {
            tracing::warn!(
                header,
                "forward auth is asked by a front that names the path in a header, which is not believed: \
                 only the path of the question counts, as nginx's auth_request has it with $request_uri; \
                 of Traefik and Caddy with front = \"traefik\" or \"caddy\" in [forward_auth]"
            );
        }
        let path = match &self.config.front {
            Front::Nginx => Some(request.uri().path()),
            Front::Traefik | Front::Caddy => forwarded_path(request.headers()),
            Front::Envoy { path_prefix } => request.uri().path().strip_prefix(&**path_prefix),
        };
        // What opens a signed location is nobody else's; and what is no path may hold anything.
        let path = path.filter(|path| path.starts_with('/'));
        let path = path.map_or(Cow::Borrowed(""), |own| self.auth.path_without_capability(own));
        if self.said.first((&path, reason)) {
            let path = &*shown(&path);
            tracing::info!(target: "refused", path, reason, "forward auth: this is never a yes");
        }
    }

    /// Whether a front could serve it: what it takes it for is what is decided on.
    fn can_be_served(&self, uri: &Uri) -> Result<(), &'static str> {
        let path = uri.path();
        let Some((base, _)) = self.routes.base_of(path) else { return Err("below no base") };
        let is_content = match base.kind {
            // Identifier, region, size, rotation, quality and format: descriptions are the proxy's.
            Kind::Images(_) => base.image(path).is_some_and(|own| own.image().is_some()),
            Kind::Files(_) => true,
        };
        let canonical = self.canonical(path);
        let is_plain = !path.contains('%') && !canonical.contains('%');
        // nginx is told which spelling to serve; the others hand on the one that came.
        let is_the_one = self.asks_again() || *canonical == *path;
        // And its query, which the base may want.
        let passes_query = base.pass_query && !self.asks_again();
        match uri.query() {
            _ if !is_content => Err("no tile and no file"),
            _ if !is_plain && !self.config.allow_escapes => Err("escapes"),
            _ if !is_the_one => Err("spelling"),
            Some(_) if !passes_query => Err("query"),
            _ => Ok(()),
        }
    }
}

impl Handler for Answers {
    async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Response<Body> {
        let response = self.decide(request, peer).await;
        self.metrics.forward_auth(response.status());
        response
    }
}

/// A yes, with what the front has to pass on.
fn yes(mut response: Response<Body>, path: HeaderValue) -> Response<Body> {
    let headers = response.headers_mut();
    // What is open to everyone keeps what the image server says of it.
    let is_ours = |own: &HeaderValue| {
        own.to_str().is_ok_and(|own| own.contains("private") || own.contains("no-store"))
    };
    if !headers.get(CACHE_CONTROL).is_some_and(is_ours) {
        headers.remove(CACHE_CONTROL);
    }
    in_one_line(headers, &VARY);
    headers.insert(PATH, path);
    response
}

/// What a front was asked for, as far as one says so in a header.
fn forwarded_path(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-forwarded-uri")?.to_str().ok()?.split(['?', '#']).next()
}

/// nginx hands on one line of a header: several would lose all but the first.
fn in_one_line(headers: &mut HeaderMap, name: &HeaderName) {
    let values: Vec<_> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    if values.len() > 1 {
        if let Ok(joined) = HeaderValue::from_bytes(&values.join(&b", "[..])) {
            headers.insert(name, joined);
        }
    }
}

fn no(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(empty());
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What the checker lets through.
#[derive(Clone)]
struct Yes {
    max_age: Option<HeaderValue>,
}

/// The mark of an answer that came from behind the checker.
#[derive(Clone, Copy)]
struct Granted;

impl Service<Request<Incoming>> for Yes {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Incoming>) -> Self::Future {
        let mut response = Response::new(empty());
        response.extensions_mut().insert(Granted);
        if let Some(max_age) = &self.max_age {
            response.headers_mut().insert(CACHE_CONTROL, max_age.clone());
        }
        ready(Ok(response))
    }
}
