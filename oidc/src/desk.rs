//! The login: to the provider, and back with a grant.

use std::sync::Arc;

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, RETRY_AFTER, SET_COOKIE,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde::Deserialize;
use tower_iiif_auth::access::{AccessDeclined, AccessFlow, AccessGrant, AccessTab};

use crate::errors::LoginError;
use crate::pending::Logins;
use crate::provider::Provider;
use crate::roles::Roles;

/// Where users are sent to the provider, and come back.
#[derive(Debug)]
pub struct Desk {
    /// Who knows them.
    pub provider: Arc<Provider>,
    /// What their roles become here.
    pub roles: Roles,
    /// Whether browsers come by https.
    pub secure: bool,
}

#[derive(Deserialize)]
struct Choice {
    r#as: String,
}

/// What the provider sends back with the user. Nothing else in the query counts, and whatever stands
/// twice is refused.
#[derive(Deserialize)]
struct Return {
    state: String,
    code: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

impl Desk {
    /// A viewer opened the access service: on to the provider, unless the user is in already.
    pub async fn open(&self, headers: &HeaderMap, flow: Option<&AccessFlow>) -> Response<String> {
        // Whatever a page embeds from here is no login of its reader's.
        if said(headers, "sec-fetch-dest").is_some_and(|own| own != "document") {
            return page(
                StatusCode::FORBIDDEN,
                "A login needs a tab",
                "<p>Please log in from the viewer.</p>",
            );
        }
        match flow {
            Some(flow) if flow.session().is_some() => page(
                StatusCode::OK,
                "You are logged in already",
                "<form method=\"post\"><button name=\"as\" value=\"before\">Continue</button> \
                 <button name=\"as\" value=\"other\">Log in as somebody else</button></form>",
            ),
            flow => self.to_provider(headers, flow, false).await,
        }
    }

    /// The form of [`open`](Self::open) was sent: who is in stays, or is somebody else.
    pub async fn choose(
        &self,
        headers: &HeaderMap,
        flow: Option<&AccessFlow>,
        form: &[u8],
    ) -> Response<String> {
        if said(headers, "sec-fetch-site").is_some_and(|own| own != "same-origin" && own != "none")
        {
            return not_ours("another site sent the form");
        }
        match serde_urlencoded::from_bytes::<Choice>(form) {
            Ok(choice) if choice.r#as == "before" => with(AccessGrant::current_session()),
            Ok(choice) if choice.r#as == "other" => self.to_provider(headers, flow, true).await,
            _ => not_ours("the form cannot be read"),
        }
    }

    async fn to_provider(
        &self,
        headers: &HeaderMap,
        flow: Option<&AccessFlow>,
        again: bool,
    ) -> Response<String> {
        let (url, mut login) = match self.provider.begin(again).await {
            Ok(begun) => begun,
            Err(error) => return unavailable(&error.to_string()),
        };
        // Several tabs may be at the provider: each comes back for the viewer that opened it.
        login.tab = flow.and_then(|flow| Some(flow.tab()?.as_str().to_owned()));
        let mut response = Response::new(String::new());
        *response.status_mut() = StatusCode::SEE_OTHER;
        let Ok(location) = HeaderValue::try_from(url.as_str()) else {
            return unavailable("the provider's authorization endpoint is no URL");
        };
        response.headers_mut().insert(LOCATION, location);
        for cookie in Logins::read(headers, self.secure).begin(&login) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }

    /// The provider sends the user back, with this query.
    pub async fn back(&self, headers: &HeaderMap, query: Option<&str>) -> Response<String> {
        let query = serde_urlencoded::from_str::<Return>(query.unwrap_or_default());
        let Ok(query) = query else { return not_ours("the answer cannot be read") };
        let Some((login, ended)) = Logins::read(headers, self.secure).take(&query.state) else {
            return not_ours("it did not begin in this browser");
        };
        let tab = login.tab.clone().map(AccessTab::from);
        let mut answer = match query {
            Return { iss: Some(iss), .. } if !self.provider.is_issuer(&iss) => {
                not_ours("another provider answered")
            }
            Return { error: Some(error), .. } => refused_there(&error),
            Return { code: Some(code), .. } => match self.provider.redeem(code, login).await {
                Ok(user) => {
                    let told = user.roles.len();
                    let roles = self.roles.of(user.roles);
                    if told > 0 && roles.is_empty() {
                        self.provider.warn_once(
                            "no role that the provider names counts here: no rule asks for one",
                        );
                    }
                    with(AccessGrant::to(user.subject).roles(roles))
                }
                Err(LoginError::Refused(why)) => not_ours(&why),
                Err(LoginError::Unavailable(why)) => unavailable(&why),
            },
            Return { code: None, .. } => not_ours("the answer cannot be read"),
        };
        if let Some(tab) = tab {
            answer.extensions_mut().insert(tab);
        }
        // Whatever came of it: no return fits a login twice.
        if let Some(ended) = ended {
            answer.headers_mut().append(SET_COOKIE, ended);
        }
        answer
    }
}

/// What a browser says of its request.
fn said<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).map(|own| own.to_str().unwrap_or_default())
}

/// The provider says why there is no user. What it says is anybody's text: none of it is shown.
fn refused_there(error: &str) -> Response<String> {
    match error {
        // The user gave up: the tab closes, and the viewer goes on.
        "access_denied" => with(AccessDeclined),
        "server_error" | "temporarily_unavailable" => unavailable("the provider has an error"),
        _ => {
            tracing::warn!("the provider refuses the login request: look at its registration");
            page(
                StatusCode::FORBIDDEN,
                "The login service refused",
                "<p>You were not logged in. Please tell the library.</p>",
            )
        }
    }
}

fn not_ours(why: &str) -> Response<String> {
    tracing::info!(why, "login refused");
    page(
        StatusCode::FORBIDDEN,
        "This login cannot be finished",
        "<p>It began elsewhere, was used before, or took too long. \
         Please close this page and log in again from the viewer.</p>",
    )
}

fn unavailable(why: &str) -> Response<String> {
    tracing::error!(why, "login unavailable");
    let mut response = page(
        StatusCode::SERVICE_UNAVAILABLE,
        "The login service cannot be reached",
        "<p>Please close this page and try again in a few minutes.</p>",
    );
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("120"));
    response
}

/// A word to the layers, which write the page.
fn with(word: impl Clone + Send + Sync + 'static) -> Response<String> {
    let mut response = Response::new(String::new());
    response.extensions_mut().insert(word);
    response
}

fn page(status: StatusCode, heading: &str, text: &'static str) -> Response<String> {
    let html = format!("<!doctype html><title>{heading}</title><h1>{heading}</h1>{text}");
    let mut response = Response::new(html);
    *response.status_mut() = status;
    for (name, value) in [
        // No form-action: Chromium holds the way on to the provider to it, too.
        (CONTENT_SECURITY_POLICY, "default-src 'none'; base-uri 'none'"),
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
