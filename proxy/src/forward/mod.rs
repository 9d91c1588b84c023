//! To the image server and back, streamed in both directions.

mod cookies;
mod description;
mod idle;
mod names;
mod patience;
mod request;
mod response;

use std::sync::Arc;

use http::{HeaderName, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tower_iiif_auth::IiifAuth;
use tower_iiif_auth::aspect::TrustedProxies;
use tower_iiif_auth::check::keep_still;
use tower_iiif_auth::resource::Pattern;

use crate::body::{Body, boxed, plain};
use crate::config::{Base, Config, LoginKind, Upstream};
use crate::metrics::{Fault, Metrics};
use crate::refusals::Refusals;
use crate::routes::Routes;
use crate::said::{Once, shown};
use crate::upstream::{Answer, Servers};
use description::PutRight;
use idle::Idle;
use patience::{LastSent, Over};
pub(crate) use request::has_no_body;
use response::Prepared;

/// Forwards what the layers let through.
pub(crate) struct Forward {
    upstreams: Vec<Arc<Servers>>,
    routes: Arc<Routes>,
    auth: IiifAuth,
    trusted_proxies: TrustedProxies,
    /// The configuration's identity headers, which clients cannot send on.
    claims: Vec<HeaderName>,
    active_paths: Vec<Pattern>,
    metrics: Arc<Metrics>,
    refusals: Arc<Refusals>,
    said: Once,
}

impl Forward {
    pub(crate) fn new(
        config: &Config,
        routes: Arc<Routes>,
        auth: IiifAuth,
        (metrics, refusals): (Arc<Metrics>, Arc<Refusals>),
    ) -> Self {
        let sign_on = config.logins.iter().flat_map(|login| match &login.kind {
            LoginKind::SingleSignOn { names, .. } => names.clone(),
            LoginKind::Form(_) | LoginKind::OpenId { .. } => Vec::new(),
        });
        let told = config.upstreams.iter();
        let told = told.flat_map(|own| [own.user_header.clone(), own.roles_header.clone()]);
        let claims = told.flatten().chain(sign_on).collect();
        let trusted_proxies = config.trusted_proxies.clone();
        let active_paths = config.active_paths.clone();
        let upstreams = config.servers.clone();
        Self {
            upstreams,
            routes,
            auth,
            trusted_proxies,
            claims,
            active_paths,
            metrics,
            refusals,
            said: Once::default(),
        }
    }

    /// The image server's answer, or why there is none.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (mut head, body) = request.into_parts();
        let path = head.uri.path();
        let base = self.routes.base_of(path).map(|(base, _)| base);
        let Some(servers) = self.upstreams.get(self.routes.upstream_of(path)) else {
            return self.failed(Fault::Answer);
        };
        // Below a base the layers see to it.
        let still = base.is_none() && !self.may_run(path);
        if still && head.headers.contains_key("service-worker") {
            self.refusals.say(path, StatusCode::FORBIDDEN, "service worker");
            return plain(StatusCode::FORBIDDEN, "No script of this place is a service worker.\n");
        }
        if let Some(response) = description::base_uri(&self.routes, path) {
            return response;
        }
        let ids = description::ids(&self.routes, path);
        if ids.is_some() {
            description::ask_for_all(&mut head);
        }
        let method = head.method.clone();
        let Answer { response, asked } = match self.ask(servers, &mut head, body).await {
            Ok(answer) => answer,
            Err(response) => return response,
        };
        let asked = Asked { uri: asked, base, servers };
        let path = head.uri.path();
        let (mut answer, body) = response.into_parts();
        match response::prepare(self, &asked, &mut answer) {
            Err(reason) => return self.withheld(path, reason),
            Ok(Prepared { forged: true }) => {
                self.say(path, "it set a cookie under a name of the proxy's, which was taken out");
            }
            Ok(Prepared { forged: false }) => {}
        }
        if answer.status.is_server_error() {
            self.say_status(path, answer.status);
        }
        let body = Idle::new(body, servers.upstream.idle_timeout);
        let body = match ids.filter(|_| answer.status == StatusCode::OK) {
            None => boxed(body),
            Some(ids) => match description::put_right(&ids, &method, &mut answer, body).await {
                Ok(PutRight { document, is_told }) => {
                    if !is_told {
                        self.say(path, description::NOT_TOLD);
                    }
                    boxed(Full::new(document).map_err(|never| match never {}))
                }
                Err(reason) => return self.withheld(path, reason),
            },
        };
        let mut response = Response::from_parts(answer, body);
        if still {
            keep_still(&mut response);
        }
        response
    }

    /// Puts the request into the proxy's words, and asks.
    async fn ask(
        &self,
        servers: &Servers,
        head: &mut http::request::Parts,
        body: Incoming,
    ) -> Result<Answer, Response<Body>> {
        let Upstream { header_timeout, idle_timeout, .. } = servers.upstream;
        let target = request::prepare(self, &servers.upstream, head).map_err(|error| {
            tracing::error!(%error, "a request cannot be put into words for the image server");
            self.failed(Fault::Answer)
        })?;
        let sent = LastSent::now();
        let body = (!has_no_body(&head.method)).then(|| {
            let sent = sent.clone();
            boxed(Idle::new(body, idle_timeout).map_frame(move |frame| {
                sent.again();
                frame
            }))
        });
        match sent.patient(header_timeout, servers.send(head, &target, body)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(unanswered)) => {
                self.say_unanswered(head.uri.path(), &unanswered.why);
                Err(self.failed(unanswered.fault))
            }
            Err(Over) => {
                self.say_unanswered(head.uri.path(), "it took longer than header_timeout");
                Err(self.failed(Fault::HeaderTimeout))
            }
        }
    }

    /// Says why there was no answer: once a path and reason in ten minutes, as what is down comes up again.
    fn say_unanswered(&self, path: &str, why: &str) {
        if self.said.first_lately((path, why)) {
            tracing::warn!(path = &*shown(path), why, "the image server gave no answer");
        }
    }

    /// Says that the image server has a fault of its own.
    fn say_status(&self, path: &str, status: StatusCode) {
        if self.said.first_lately((path, status)) {
            let (path, status) = (&*shown(path), status.as_u16());
            tracing::warn!(path, status, "the image server answers with an error");
        }
    }

    /// Says what was odd of an answer, once a path.
    fn say(&self, path: &str, what: &'static str) {
        if self.said.first((path, what)) {
            tracing::warn!(path = &*shown(path), what, "the image server's answer is odd");
        }
    }

    /// An answer that is not passed on.
    fn withheld(&self, path: &str, reason: &'static str) -> Response<Body> {
        if self.said.first((path, reason)) {
            let path = &*shown(path);
            tracing::warn!(path, reason, "the image server's answer is not passed on");
        }
        self.failed(Fault::Answer)
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
    uri: Uri,
    base: Option<&'r Base>,
    servers: &'r Servers,
}
