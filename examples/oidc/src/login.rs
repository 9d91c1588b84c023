//! The login: to the provider, and back with a grant.

use std::sync::Arc;

use axum::extract::{Form, Query, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};
use serde::Deserialize;
use tower_iiif_auth::access::{AccessDeclined, AccessFlow, AccessGrant, AccessTab};

use crate::pending::Logins;
use crate::provider::{LoginError, Provider};
use crate::settings::CALLBACK;

pub(crate) struct Desk {
    pub(crate) provider: Provider,
    /// The roles that count here. Others would only make the cookie too large.
    pub(crate) roles: Vec<String>,
    /// Whether browsers come by https.
    pub(crate) secure: bool,
}

type Shared = State<Arc<Desk>>;

pub(crate) fn routes(desk: Desk) -> Router {
    Router::new()
        .route("/auth/login", get(open).post(choose))
        .route(CALLBACK, get(back))
        .with_state(Arc::new(desk))
}

/// A viewer opened the access service: on to the provider, unless the user is in already.
async fn open(desk: Shared, headers: HeaderMap, flow: Option<Extension<AccessFlow>>) -> Response {
    match flow {
        Some(flow) if flow.session().is_some() => page(
            StatusCode::OK,
            "You are logged in already",
            "<form method=\"post\"><button name=\"as\" value=\"before\">Continue</button> \
             <button name=\"as\" value=\"other\">Log in as somebody else</button></form>",
        ),
        flow => to_provider(&desk, &headers, flow, false).await,
    }
}

#[derive(Deserialize)]
struct Choice {
    r#as: String,
}

async fn choose(
    desk: Shared,
    headers: HeaderMap,
    flow: Option<Extension<AccessFlow>>,
    Form(choice): Form<Choice>,
) -> Response {
    match &*choice.r#as {
        "before" => Extension(AccessGrant::current_session()).into_response(),
        _ => to_provider(&desk, &headers, flow, true).await,
    }
}

async fn to_provider(
    desk: &Desk,
    headers: &HeaderMap,
    flow: Option<Extension<AccessFlow>>,
    again: bool,
) -> Response {
    let (url, mut login) = desk.provider.begin(again).await;
    // Several tabs may be at the provider: each comes back for the viewer that opened it.
    login.tab = flow.and_then(|flow| Some(flow.tab()?.as_str().to_owned()));
    let mut logins = Logins::read(headers, desk.secure);
    logins.begin(login);
    remember(desk, &logins, Redirect::to(url.as_str()).into_response())
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

async fn back(
    desk: Shared,
    headers: HeaderMap,
    query: Result<Query<Return>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let Ok(Query(query)) = query else { return not_ours("the answer cannot be read") };
    let mut logins = Logins::read(&headers, desk.secure);
    let Some(login) = logins.take(&query.state) else {
        return not_ours("it did not begin in this browser");
    };
    let tab = login.tab.clone().map(AccessTab::from).map(Extension);
    let answer = match query {
        Return { iss: Some(iss), .. } if !desk.provider.is_issuer(&iss) => {
            not_ours("another provider answered")
        }
        Return { error: Some(error), .. } => refused_there(&error),
        Return { code: Some(code), .. } => match desk.provider.redeem(code, login).await {
            Ok(user) => {
                let counts = |role: &String| desk.roles.contains(role);
                let roles = user.roles.into_iter().filter(counts);
                Extension(AccessGrant::to(user.subject).roles(roles)).into_response()
            }
            Err(LoginError::Refused(why)) => not_ours(&why),
            Err(LoginError::Unavailable(why)) => unavailable(&why),
        },
        Return { code: None, .. } => not_ours("the answer cannot be read"),
    };
    // Whatever came of it: no return fits a login twice.
    remember(&desk, &logins, (tab, answer).into_response())
}

/// The provider says why there is no user. What it says is anybody's text: none of it is shown.
fn refused_there(error: &str) -> Response {
    match error {
        // The user gave up: the tab closes, and the viewer goes on.
        "access_denied" => Extension(AccessDeclined).into_response(),
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

fn not_ours(why: &str) -> Response {
    tracing::info!(why, "login refused");
    page(
        StatusCode::FORBIDDEN,
        "This login cannot be finished",
        "<p>It began elsewhere, was used before, or took too long. \
         Please close this page and log in again from the viewer.</p>",
    )
}

fn unavailable(why: &str) -> Response {
    tracing::error!(why, "login unavailable");
    let mut response = page(
        StatusCode::SERVICE_UNAVAILABLE,
        "The login service cannot be reached",
        "<p>Please close this page and try again in a few minutes.</p>",
    );
    response.headers_mut().insert(RETRY_AFTER, 120.into());
    response
}

fn remember(desk: &Desk, logins: &Logins, mut response: Response) -> Response {
    if let Some(cookie) = logins.set(desk.secure) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

fn page(status: StatusCode, heading: &str, text: &'static str) -> Response {
    // No form-action: Chromium holds the way on to the provider to it, too.
    let policy = "default-src 'none'; base-uri 'none'";
    let html = format!("<!doctype html><title>{heading}</title><h1>{heading}</h1>{text}");
    (status, [(CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response()
}
