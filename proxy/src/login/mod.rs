//! The proxy's own logins: a form with a file of users, or a single sign-on in front.

mod attempts;
mod page;
mod password;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use iiif_auth_oidc::{Desk, Roles};
use serde::Deserialize;
use tower_iiif_auth::Answer;
use tower_iiif_auth::access::{AccessDeclined, AccessFlow, AccessGrant};
use tower_iiif_auth::aspect::{AuthorizingAspect, Head, TrustedHeader, TrustedProxies};
use tower_iiif_auth::clock::{Clock, SystemClock};

use crate::body::{Body, boxed, empty, plain};
use crate::config::{Config, FormTexts, Login, LoginKind, Users};
use crate::metrics::{LoginOutcome, Metrics};
use attempts::Attempts;
use password::Passwords;
pub use password::hash;

/// The longest form, in bytes.
const LONGEST_FORM: usize = 8 << 10;

pub(crate) struct Logins {
    by_path: HashMap<String, Place>,
    trusted_proxies: TrustedProxies,
    /// How long a form may take to come in.
    form_timeout: Duration,
    texts: FormTexts,
    counters: Arc<Counters>,
    metrics: Arc<Metrics>,
}

/// What was tried, and what is being checked: the same under each configuration.
#[derive(Default)]
pub(crate) struct Counters {
    attempts: Attempts,
    passwords: Passwords,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    username: String,
    password: String,
    action: String,
}

/// A login of the proxy's, and what becomes of roles that others name.
pub(crate) struct Entry {
    login: Login,
    roles: Roles,
    desk: Option<Desk>,
}

/// A path of a login.
pub(crate) struct Place {
    entry: Arc<Entry>,
    /// Whether a provider sends users back to it.
    is_callback: bool,
}

impl Logins {
    pub(crate) fn new(config: &Config, metrics: Arc<Metrics>, counters: Arc<Counters>) -> Self {
        let mut by_path = HashMap::new();
        for login in &config.logins {
            let counting = config.counting_roles.clone();
            let roles = Roles { counting, renamed: login.renamed.clone() };
            let secure = config.public_url.starts_with("https:");
            let (desk, callback) = match &login.kind {
                LoginKind::OpenId { provider, callback } => {
                    let (provider, roles) = (Arc::clone(provider), roles.clone());
                    (Some(Desk { provider, roles, secure }), Some(callback.clone()))
                }
                LoginKind::Form(_) | LoginKind::SingleSignOn { .. } => (None, None),
            };
            let entry = Arc::new(Entry { login: login.clone(), roles, desk });
            if let Some(callback) = callback {
                let place = Place { entry: Arc::clone(&entry), is_callback: true };
                by_path.insert(callback, place);
            }
            by_path.insert(login.path.clone(), Place { entry, is_callback: false });
        }
        let (trusted_proxies, form_timeout) = (config.trusted_proxies.clone(), config.form_timeout);
        let texts = config.form_texts.clone();
        Self { by_path, trusted_proxies, form_timeout, texts, counters, metrics }
    }

    /// The login at a path, which may have the digit of an older family behind it.
    pub(crate) fn at(&self, path: &str) -> Option<&Place> {
        let plain = path.strip_suffix("/1").or_else(|| path.strip_suffix("/0"));
        self.by_path.get(path).or_else(|| self.by_path.get(plain?))
    }

    pub(crate) async fn answer(&self, place: &Place, request: Request<Incoming>) -> Response<Body> {
        let Entry { login, roles, desk } = &*place.entry;
        if let Some(desk) = desk {
            return self.at_provider(desk, place.is_callback, request).await;
        }
        match (&login.kind, request.method()) {
            (LoginKind::Form(_), &Method::GET | &Method::HEAD) => {
                self.form(login, request.headers(), flow(&request), None)
            }
            (LoginKind::Form(users), &Method::POST) => self.submitted(login, users, request).await,
            (LoginKind::SingleSignOn { header, .. }, &Method::GET | &Method::POST) => {
                self.signed_on(header, roles, &request)
            }
            _ => plain(StatusCode::METHOD_NOT_ALLOWED, "Not by this method.\n"),
        }
    }

    fn form(
        &self,
        login: &Login,
        headers: &HeaderMap,
        flow: Option<&AccessFlow>,
        fault: Option<page::Fault>,
    ) -> Response<Body> {
        page::Page { login, texts: &self.texts, flow, fault }.answer(headers)
    }

    /// On the way to an `OpenID` provider, and back.
    async fn at_provider(
        &self,
        desk: &Desk,
        is_callback: bool,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let (head, body) = request.into_parts();
        let flow = head.extensions.get();
        let answer = match (is_callback, &head.method) {
            (false, &Method::GET | &Method::HEAD) => desk.open(&head.headers, flow).await,
            (false, &Method::POST) => {
                let body = Limited::new(body, LONGEST_FORM).collect();
                let Ok(Ok(body)) = tokio::time::timeout(self.form_timeout, body).await else {
                    return plain(StatusCode::BAD_REQUEST, "The form could not be read.\n");
                };
                desk.choose(&head.headers, flow, &body.to_bytes()).await
            }
            (true, &Method::GET | &Method::HEAD) => {
                desk.back(&head.headers, head.uri.query()).await
            }
            _ => return plain(StatusCode::METHOD_NOT_ALLOWED, "Not by this method.\n"),
        };
        let words = answer.extensions();
        if is_callback {
            self.metrics.login(if words.get::<AccessGrant>().is_some() {
                LoginOutcome::Granted
            } else if words.get::<AccessDeclined>().is_some() {
                LoginOutcome::Declined
            } else {
                LoginOutcome::Nobody
            });
        }
        answer.map(|text| boxed(Full::from(text)))
    }

    async fn submitted(
        &self,
        login: &Login,
        users: &Arc<Users>,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let client = self.trusted_proxies.client(&Head::of(&request));
        let (head, body) = request.into_parts();
        let body = Limited::new(body, LONGEST_FORM).collect();
        let Ok(Ok(body)) = tokio::time::timeout(self.form_timeout, body).await else {
            return plain(StatusCode::BAD_REQUEST, "The form could not be read.\n");
        };
        let fields =
            serde_urlencoded::from_bytes(&body.to_bytes()).unwrap_or_else(|_| Fields::default());
        match fields.action.as_str() {
            "cancel" => {
                self.metrics.login(LoginOutcome::Declined);
                return with(AccessDeclined);
            }
            "continue" => return with(AccessGrant::current_session()),
            _ => {}
        }
        let flow = head.extensions.get();
        let name = fields.username.trim().to_owned();
        let Ok(counted) = self.counters.attempts.begin(client, &login.path, &name) else {
            self.metrics.login(LoginOutcome::Limited);
            tracing::warn!(
                client = client.map(tracing::field::display),
                "too many wrong passwords"
            );
            let mut response = self.form(login, &head.headers, flow, Some(page::Fault::TooMany));
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("600"));
            return response;
        };
        match self.counters.passwords.check(Arc::clone(users), name.clone(), fields.password).await
        {
            Ok(Some(user)) => {
                self.metrics.login(LoginOutcome::Granted);
                self.counters.attempts.take_back(counted);
                with(AccessGrant::to(name).roles(user.roles))
            }
            Ok(None) => {
                self.metrics.login(LoginOutcome::Wrong);
                tracing::info!(client = client.map(tracing::field::display), "a wrong password");
                self.form(login, &head.headers, flow, Some(page::Fault::Wrong))
            }
            Err(password::Busy) => {
                self.counters.attempts.take_back(counted);
                tracing::warn!("more logins at once than passwords are checked: told to try again");
                let fault = Some(page::Fault::Busy);
                self.form(login, &head.headers, flow, fault)
            }
        }
    }

    /// The single sign-on has let this request through, or it would name nobody.
    fn signed_on(
        &self,
        header: &TrustedHeader,
        roles: &Roles,
        request: &Request<Incoming>,
    ) -> Response<Body> {
        if let Answer::Now(Ok(session)) = header.read(&Head::of(request), SystemClock.now()) {
            self.metrics.login(LoginOutcome::Granted);
            let roles = roles.of(session.roles().map(str::to_owned).collect());
            return with(AccessGrant::to(session.subject()).roles(roles));
        }
        self.metrics.login(LoginOutcome::Nobody);
        tracing::warn!("the single sign-on named nobody, or was no listed peer");
        plain(StatusCode::FORBIDDEN, "The single sign-on named nobody.\n")
    }
}

fn flow(request: &Request<Incoming>) -> Option<&AccessFlow> {
    request.extensions().get()
}

/// A word to the layers, which write the page.
fn with(word: impl Clone + Send + Sync + 'static) -> Response<Body> {
    let mut response = Response::new(empty());
    response.extensions_mut().insert(word);
    response
}
