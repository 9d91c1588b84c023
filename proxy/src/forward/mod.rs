//! To the image server and back, streamed in both directions.

mod cookies;
mod description;
mod idle;
mod names;
mod patience;
mod request;
mod response;

use std::error::Error as _;
use std::io;
use std::sync::Arc;

use http::{HeaderName, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower_iiif_auth::IiifAuth;
use tower_iiif_auth::aspect::TrustedProxies;
use tower_iiif_auth::check::keep_still;
use tower_iiif_auth::resource::Pattern;
use url::Url;

use crate::body::{Body, boxed, empty, plain};
use crate::config::{Base, Config, LoginKind, Upstream};
use crate::metrics::{Fault, Metrics};
use crate::routes::Routes;
use crate::server::BUFFER;
use idle::Idle;
use patience::{LastSent, Over};
pub(crate) use request::has_no_body;

/// Forwards what the layers let through.
pub(crate) struct Forward {
    client: Client<HttpConnector, Body>,
    /// Each request of it has a connection of its own.
    fresh: Client<HttpConnector, Body>,
    upstream: Upstream,
    routes: Arc<Routes>,
    auth: IiifAuth,
    trusted_proxies: TrustedProxies,
    /// The configuration's identity headers, which clients cannot send on.
    claims: Vec<HeaderName>,
    active_paths: Vec<Pattern>,
    metrics: Arc<Metrics>,
}

impl Forward {
    pub(crate) fn new(
        config: &Config,
        routes: Arc<Routes>,
        auth: IiifAuth,
        metrics: Arc<Metrics>,
    ) -> Self {
        let upstream = config.upstream.clone();
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(upstream.connect_timeout));
        connector.set_nodelay(true);
        let client = |kept| {
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(upstream.keep_alive)
                .pool_max_idle_per_host(kept)
                .http1_max_buf_size(BUFFER)
                .build(connector.clone())
        };
        let (client, fresh) = (client(64), client(0));
        let sign_on = config.logins.iter().flat_map(|login| match &login.kind {
            LoginKind::SingleSignOn { names, .. } => names.clone(),
            LoginKind::Form(_) => Vec::new(),
        });
        let told = [upstream.user_header.clone(), upstream.roles_header.clone()];
        let claims = told.into_iter().flatten().chain(sign_on).collect();
        let trusted_proxies = config.trusted_proxies.clone();
        let active_paths = config.active_paths.clone();
        Self {
            client,
            fresh,
            upstream,
            routes,
            auth,
            trusted_proxies,
            claims,
            active_paths,
            metrics,
        }
    }

    /// The image server's answer, or why there is none.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (mut head, body) = request.into_parts();
        let base = self.routes.base_of(head.uri.path()).map(|(base, _)| base);
        // Below a base the layers see to it.
        let still = base.is_none() && !self.may_run(head.uri.path());
        if still && head.headers.contains_key("service-worker") {
            return plain(StatusCode::FORBIDDEN, "No script of this place is a service worker.\n");
        }
        if let Some(response) = description::base_uri(&self.routes, head.uri.path()) {
            return response;
        }
        let ids = description::ids(&self.routes, head.uri.path());
        if ids.is_some() {
            description::ask_for_all(&mut head);
        }
        let method = head.method.clone();
        if let Err(error) = request::prepare(self, &mut head) {
            tracing::error!(%error, "a request cannot be put into words for the image server");
            return self.failed(Fault::Answer);
        }
        let sent = LastSent::now();
        let body = if has_no_body(&head.method) {
            empty()
        } else {
            let sent = sent.clone();
            boxed(Idle::new(body, self.upstream.idle_timeout).map_frame(move |frame| {
                sent.again();
                frame
            }))
        };
        let Ok(url) = Url::parse(&head.uri.to_string()) else {
            return plain(StatusCode::BAD_REQUEST, "This is no path.\n");
        };
        let asked = Asked { url, base };
        let again = can_be_asked_again(&head).then(|| head.clone());
        let answer = self.client.request(Request::from_parts(head, body));
        let mut answered = sent.patient(self.upstream.header_timeout, answer).await;
        if let (Ok(Err(error)), Some(head)) = (&answered, again) {
            if was_closed(error) {
                tracing::debug!(%error, "the image server closed the connection: asked again");
                let answer = self.fresh.request(Request::from_parts(head, empty()));
                answered = sent.patient(self.upstream.header_timeout, answer).await;
            }
        }
        let response = match answered {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                let fault = fault_of(&error);
                let cause = error.source().map(ToString::to_string).unwrap_or_default();
                tracing::warn!(%error, cause, "the image server gave no answer");
                return self.failed(fault);
            }
            Err(Over) => {
                tracing::warn!("the image server did not answer within header_timeout");
                return self.failed(Fault::HeaderTimeout);
            }
        };
        let (mut head, body) = response.into_parts();
        if let Err(reason) = response::prepare(self, &asked, &mut head) {
            tracing::warn!(reason, "the image server's answer is not passed on");
            return self.failed(Fault::Answer);
        }
        let body = Idle::new(body, self.upstream.idle_timeout);
        let body = match ids.filter(|_| head.status == StatusCode::OK) {
            None => boxed(body),
            Some(ids) => match description::put_right(&ids, &method, &mut head, body).await {
                Ok(body) => boxed(Full::new(body).map_err(|never| match never {})),
                Err(reason) => {
                    tracing::warn!(reason, "the image server's answer is not passed on");
                    return self.failed(Fault::Answer);
                }
            },
        };
        let mut response = Response::from_parts(head, body);
        if still {
            keep_still(&mut response);
        }
        response
    }

    /// Whether the pages at a public path may run as pages of this site.
    fn may_run(&self, path: &str) -> bool {
        self.active_paths.iter().any(|own| own.matches(path))
    }

    fn failed(&self, fault: Fault) -> Response<Body> {
        self.metrics.upstream_failed(fault);
        match fault {
            Fault::ConnectTimeout | Fault::HeaderTimeout => {
                plain(StatusCode::GATEWAY_TIMEOUT, "The image server takes too long.\n")
            }
            Fault::Connect => {
                plain(StatusCode::BAD_GATEWAY, "The image server cannot be reached.\n")
            }
            Fault::Answer => {
                plain(StatusCode::BAD_GATEWAY, "The image server's answer is no good.\n")
            }
        }
    }
}

/// What the image server was asked for.
struct Asked<'r> {
    url: Url,
    base: Option<&'r Base>,
}

/// Whether nothing comes of it if the image server gets it twice (RFC 9110 §9.2.2), and nothing of its
/// body is gone.
fn can_be_asked_again(head: &http::request::Parts) -> bool {
    matches!(head.method, Method::GET | Method::HEAD)
}

/// Whether the connection ended before an answer: most often one that was kept, and that the image
/// server closed as the request came in.
fn was_closed(error: &Error) -> bool {
    if error.is_connect() {
        return false;
    }
    let mut cause = error.source();
    while let Some(error) = cause {
        let closed = error
            .downcast_ref::<hyper::Error>()
            .is_some_and(|own| own.is_incomplete_message() || own.is_canceled() || own.is_closed());
        let broken = error.downcast_ref::<io::Error>().is_some_and(|own| {
            use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected};
            matches!(own.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected)
        });
        if closed || broken {
            return true;
        }
        cause = error.source();
    }
    false
}

fn fault_of(error: &Error) -> Fault {
    if !error.is_connect() {
        return Fault::Answer;
    }
    let mut cause = error.source();
    while let Some(error) = cause {
        let timed_out = error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::TimedOut);
        if timed_out {
            return Fault::ConnectTimeout;
        }
        cause = error.source();
    }
    Fault::Connect
}
