//! Whether the layers are where they have to be.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use tower_service::Service;

use crate::core::{BoundAccess, BoundClients, BoundRealm, Core, Found};
use crate::iiif_auth::IiifAuth;
use crate::resource::ResourceKind;
use crate::walk::{Seen, Station, Walk};

/// Walks an application with requests of its own, and tells what nobody answers or decides on.
///
/// It sends reads alone, as nobody in particular, and a HEAD where a GET would have an effect: to each service,
/// to a picture or file below each base, to its description, and to a manifest. Each layer notes that it was
/// come by, and with which path. So it needs the application in its own process, layers and all.
///
/// # Example
///
/// See the [module](crate::testing).
#[derive(Clone, Debug)]
#[must_use = "nothing is checked until it is run"]
pub struct SelfCheck {
    core: Arc<Core>,
    paths: Vec<String>,
}

/// What is not as it has to be. Its text says what to change.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// A request does not come by a layer.
    Missing {
        /// What makes the layer: `check()` for example.
        layer: &'static str,
        /// What was asked for.
        path: String,
        /// What was answered.
        status: StatusCode,
    },
    /// A layer sees another path than the one that was asked for.
    Stripped {
        /// What makes the layer.
        layer: &'static str,
        /// What was asked for.
        path: String,
        /// What the layer sees.
        seen: String,
    },
    /// The description is made inside of the checker, and would be kept from whom it is for.
    Inside {
        /// What was asked for.
        path: String,
    },
    /// The application has no page at the path of its access service.
    NoPage {
        /// The path.
        path: String,
        /// What was answered.
        status: StatusCode,
    },
}

/// What is asked for, and by which layers it has to come.
struct Step {
    method: Method,
    path: String,
    stations: &'static [Station],
    /// Whether the application has to answer.
    is_page: bool,
}

impl SelfCheck {
    /// The check of this configuration.
    pub fn of(auth: &IiifAuth) -> Self {
        Self { core: Arc::clone(&auth.core), paths: Vec::new() }
    }

    /// Asks for this path, too, which lies below a base: for a map of the application's own, or where routes
    /// are for certain names only. Of other bases a path is made up.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.paths.push(path.into());
        self
    }

    /// Walks through `service`: the application with its layers. `body` makes empty bodies: `Body::empty` with
    /// axum.
    pub async fn run<S, ReqBody, ResBody>(
        &self,
        mut service: S,
        body: impl Fn() -> ReqBody,
    ) -> Vec<Finding>
    where
        S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    {
        let mut findings = Vec::new();
        for step in self.steps() {
            let walk = Walk::default();
            let mut request = Request::new(body());
            *request.method_mut() = step.method.clone();
            let Ok(uri) = step.path.parse() else { continue };
            *request.uri_mut() = uri;
            request.extensions_mut().insert(walk.clone());
            // What fails was not answered.
            let ready = poll_fn(|cx| service.poll_ready(cx)).await;
            let status = match ready {
                Ok(()) => service.call(request).await.map(|response| response.status()),
                Err(error) => Err(error),
            };
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            self.look(&step, status, &walk.seen(), &mut findings);
        }
        findings
    }

    fn look(&self, step: &Step, status: StatusCode, seen: &[Seen], findings: &mut Vec<Finding>) {
        let own = Arc::as_ptr(&self.core).addr();
        let path = || step.path.clone();
        let seen: Vec<_> = seen.iter().filter(|seen| seen.core == own).collect();
        for station in step.stations {
            let layer = name(*station);
            let at: Vec<_> = seen.iter().filter(|seen| seen.station == *station).collect();
            if at.iter().any(|seen| seen.path == step.path) {
                continue;
            }
            findings.push(match at.first() {
                Some(other) => Finding::Stripped { layer, path: path(), seen: other.path.clone() },
                None => Finding::Missing { layer, path: path(), status },
            });
        }
        let place = |station| seen.iter().position(|seen| seen.station == station);
        if let (Some(check), Some(describe)) = (place(Station::Check), place(Station::Describe)) {
            if check < describe && step.stations.contains(&Station::Describe) {
                findings.push(Finding::Inside { path: path() });
            }
        }
        let is_nothing = matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
        if step.is_page && is_nothing {
            findings.push(Finding::NoPage { path: path(), status });
        }
    }

    fn steps(&self) -> Vec<Step> {
        let core = &self.core;
        let mut steps = Vec::new();
        let mut step = |method, path: &str, stations, is_page| {
            steps.push(Step { method, path: path.to_owned(), stations, is_page });
        };
        for map in core.sites.maps() {
            let base = map.base();
            let mut own = self.paths.iter().filter(|path| path.starts_with(&format!("{base}/")));
            let info = format!("{base}/self-check/info.json");
            let is_image = matches!(core.find(&info), Found::Resource(found)
                if matches!(found.kind(), ResourceKind::ImageInformation));
            if is_image {
                // What nobody may know of is answered by the describer.
                step(Method::GET, &info, &[Station::Describe], false);
                let tile = format!("{base}/self-check/full/max/0/default.jpg");
                step(Method::GET, &tile, &[Station::Check], false);
            } else if own.next().is_none() {
                step(Method::GET, &format!("{base}/self-check"), &[Station::Check], false);
            }
            let probe = format!("{}{base}/self-check", core.endpoints.probe());
            step(Method::GET, &probe, &[Station::Probe], false);
        }
        for path in &self.paths {
            step(Method::GET, path, &[Station::Check], false);
        }
        for manifests in core.sites.manifests() {
            let path = manifests.paths.as_str();
            let path = if path.contains('*') {
                path.replace('*', "self-check")
            } else {
                format!("{path}/self-check")
            };
            step(Method::GET, &path, &[Station::Describe], false);
        }
        for realm in core.realms.iter() {
            step(Method::HEAD, realm.token_path(), &[Station::Token], false);
            if let Some(path) = realm.logout_path() {
                step(Method::HEAD, path, &[Station::Logout], false);
            }
            if let Some(path) = realm.clients().map(BoundClients::path) {
                step(Method::GET, path, &[Station::ClientIdentity], false);
            }
        }
        if core.realms.iter().any(|realm: &BoundRealm| realm.cookie().is_some()) {
            step(Method::GET, core.endpoints.continuing(), &[Station::SetAccessCookie], false);
        }
        for access in core.access.iter() {
            let is_page = BoundAccess::is_applications(access);
            // A kiosk grants by a GET.
            let method = if is_page { Method::GET } else { Method::HEAD };
            if let Some(path) = access.path() {
                step(method, path, &[Station::SetAccessCookie], is_page);
            }
        }
        steps
    }
}

fn name(station: Station) -> &'static str {
    match station {
        Station::Probe => "probe()",
        Station::Token => "token()",
        Station::ClientIdentity => "client_identity()",
        Station::Logout => "logout()",
        Station::SetAccessCookie => "set_access_cookie()",
        Station::Describe => "describe()",
        Station::Check => "check()",
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { layer: layer @ "check()", path, status } => write!(
                f,
                "{path} is answered with {status} without a decision: put auth.{layer} around this route"
            ),
            Self::Missing { layer: layer @ "describe()", path, .. } => write!(
                f,
                "{path} gets no services: put auth.{layer} around this route, outside of auth.check()"
            ),
            Self::Missing { layer, path, status } => write!(
                f,
                "{path} is no service, and is answered with {status}: put auth.services(), of which \
                 auth.{layer} is one, around the whole router, its fallback included (with axum: \
                 `.layer(…)` on the outermost router, behind its routes)"
            ),
            Self::Stripped { layer, path, seen } => write!(
                f,
                "auth.{layer} sees {seen} in place of {path}: put it around Router::nest, and not inside, \
                 where the prefix is taken away"
            ),
            Self::Inside { path } => write!(
                f,
                "{path} is described inside of the checker: put auth.describe() outside of auth.check() \
                 (with axum the one that is added later)"
            ),
            Self::NoPage { path, status } => write!(
                f,
                "the login at {path} is answered with {status}: the application has to answer there, inside \
                 of the layers, or say another AccessService::path(…)"
            ),
        }
    }
}

/// As its text, so that a test that fails says what to change.
impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
