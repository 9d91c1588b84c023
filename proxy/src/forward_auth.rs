//! nginx keeps serving tiles and asks here, with `auth_request`, whether it may.
//!
//! Such set-ups are usually broken by a path that is read in two ways: nginx decodes `%2F`, folds
//! `//` and `..`, and serves another file than was decided on. So the answer is yes only for
//!
//! - a listed peer, which passes on the request's URI as it came in (`$request_uri`, not `$uri`),
//! - a path of an image or file below a base, in the one form that the base knows,
//! - a path that nginx's decoding leaves as it is (unless `allow_escapes` is set), and no query,
//! - GET and HEAD.
//!
//! Everything else is 401 or 403. nginx then sends the request through the proxy, which answers it in
//! full: refusals, `info.json`, preflights, and those images whose identifier needs escapes.

use std::borrow::Cow;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{CACHE_CONTROL, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use tower::ServiceExt;
use tower_iiif_auth::IiifAuth;
use tower_iiif_auth::aspect::PeerAddr;
use tower_iiif_auth::check::Check;
use tower_layer::Layer;
use tower_service::Service;

use crate::body::{Body, empty};
use crate::config::{ForwardAuth, Kind};
use crate::metrics::Metrics;
use crate::routes::Routes;
use crate::said::{Once, shown};
use crate::server::Handler;

const ORIGINAL_METHOD: HeaderName = HeaderName::from_static("x-original-method");
const PATH: HeaderName = HeaderName::from_static("x-iiif-path");

pub(crate) struct Answers {
    config: ForwardAuth,
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
        Self { config, check, routes, metrics, said: Once::default() }
    }

    async fn decide(&self, mut request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
        if !self.config.peers.contains(peer.ip()) {
            tracing::warn!(%peer, "auth_request of a peer that is not listed");
            return no(StatusCode::FORBIDDEN);
        }
        let mut methods = request.headers().get_all(ORIGINAL_METHOD).iter();
        let is_read = match (methods.next(), methods.next()) {
            (None, _) => true,
            (Some(method), None) => {
                [Method::GET, Method::HEAD].iter().any(|read| method == read.as_str())
            }
            _ => false,
        };
        let served = if is_read { self.can_be_served(request.uri()) } else { Err("method") };
        if let Err(reason) = served {
            self.say(&request, reason);
            return no(StatusCode::FORBIDDEN);
        }
        // What was decided on, and not how it was spelled.
        let path = HeaderValue::from_str(&self.canonical(request.uri().path()));
        *request.method_mut() = Method::GET;
        request.extensions_mut().insert(PeerAddr(peer.ip()));
        let decided = match self.check.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let granted = decided.extensions().get::<Granted>().is_some();
        match (decided.status(), path) {
            (StatusCode::OK, Ok(path)) if granted => {
                let mut response = decided.map(|_| empty());
                let headers = response.headers_mut();
                // What is open to everyone keeps what nginx says of it.
                if !headers.contains_key(VARY) {
                    headers.remove(CACHE_CONTROL);
                }
                in_one_line(headers, &VARY);
                headers.insert(PATH, path);
                response
            }
            (StatusCode::UNAUTHORIZED, _) => no(StatusCode::UNAUTHORIZED),
            _ => no(StatusCode::FORBIDDEN),
        }
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
        if let Some(header) = other.filter(|own| self.said.first(own)) {
            tracing::warn!(
                header,
                "forward auth is asked by a front that names the path in a header, which is not believed: \
                 only the path of the question counts, as nginx's auth_request has it with $request_uri"
            );
        }
        let path = request.uri().path();
        if self.said.first((path, reason)) {
            let path = &*shown(path);
            tracing::info!(target: "refused", path, reason, "forward auth: this is never a yes");
        }
    }

    /// Whether nginx could serve it: what nginx takes it for is what is decided on.
    fn can_be_served(&self, uri: &Uri) -> Result<(), &'static str> {
        let path = uri.path();
        let Some((base, _)) = self.routes.base_of(path) else { return Err("below no base") };
        let is_content = match base.kind {
            // Identifier, region, size, rotation, quality and format: descriptions are the proxy's.
            Kind::Images(_) => base.image(path).is_some_and(|own| own.image().is_some()),
            Kind::Files(_) => true,
        };
        let same_when_decoded =
            self.config.allow_escapes || !path.contains('%') && !self.canonical(path).contains('%');
        match (is_content, same_when_decoded, uri.query()) {
            (false, ..) => Err("no tile and no file"),
            (_, false, _) => Err("escapes"),
            (_, _, Some(_)) => Err("query"),
            (true, true, None) => Ok(()),
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
