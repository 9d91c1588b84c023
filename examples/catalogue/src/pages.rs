//! The catalogue's own pages: a menu that says who is in, a list that says what the visitor may see.

use axum::Extension;
use axum::extract::{Form, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tower_iiif_auth::IiifAuth;
use tower_iiif_auth::access::{AccessFlow, AccessGrant};
use tower_iiif_auth::aspect::Head;
use tower_iiif_auth::find_session::LiveSession;

use crate::database::{Database, Item};
use crate::rights::Forget;

/// What handlers need.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) auth: IiifAuth,
    pub(crate) database: Database,
    pub(crate) forget: Forget,
}

pub(crate) async fn list(
    State(site): State<Site>,
    live: Option<Extension<LiveSession>>,
    request: Request,
) -> Result<Response, Unavailable> {
    let mut rows = Vec::new();
    for item in site.database.items().await? {
        let mark = mark(&site, &item, Head::of(&request)).await;
        let Item { identifier, title, .. } = &item;
        let title = escaped(title);
        rows.push(format!("<li><a href=\"/items/{}\">{title}</a> {mark}", encoded(identifier)));
    }
    let rows = rows.concat();
    let menu = menu(&site, live.as_deref(), "/").await?;
    Ok(page(&format!("{menu}<h1>The catalogue</h1><ul>{rows}</ul>")))
}

pub(crate) async fn item(
    State(site): State<Site>,
    Path(identifier): Path<String>,
    live: Option<Extension<LiveSession>>,
    request: Request,
) -> Result<Response, Unavailable> {
    let Some(item) = site.database.item(&identifier).await? else {
        return Ok((StatusCode::NOT_FOUND, Html("There is no such item.")).into_response());
    };
    let mark = mark(&site, &item, Head::of(&request)).await;
    let path = encoded(&identifier);
    let menu = menu(&site, live.as_deref(), &format!("/items/{path}")).await?;
    let title = escaped(&item.title);
    Ok(page(&format!(
        "{menu}<h1>{title}</h1><p>{mark}\
         <p><img alt=\"\" src=\"/iiif/3/{path}/full/!400,400/0/default.jpg\">\
         <p><a href=\"/auth/terms/accept?return_to=/items/{path}\">Accept the terms of use</a>"
    )))
}

/// What the checker would say to a tile of this visitor's.
async fn mark(site: &Site, item: &Item, head: Head<'_>) -> &'static str {
    let path = format!("/iiif/3/{}", encoded(&item.identifier));
    if site.auth.decide(head, &path).await.is_grant() { "(open to you)" } else { "(closed)" }
}

/// "Log in" leads back to the page that the user is on, and so does "Log out".
async fn menu(site: &Site, live: Option<&LiveSession>, here: &str) -> Result<String, Unavailable> {
    let back = encoded(here);
    let Some(session) = live.map(LiveSession::session) else {
        return Ok(format!("<nav><a href=\"/auth/login?return_to={back}\">Log in</a></nav>"));
    };
    let name = site.database.user(session.subject()).await?.unwrap_or_default();
    let admin = if session.has_role("staff") { "<a href=\"/admin\">Admin</a> " } else { "" };
    Ok(format!(
        "<nav>You are {}. {admin}<form method=\"post\" action=\"/logout?to={back}\">\
         <button>Log out</button></form></nav>",
        escaped(&name)
    ))
}

const FORM: &str = "<form method=\"post\"><input name=\"name\" placeholder=\"Name\" autofocus> \
    <input name=\"password\" type=\"password\" placeholder=\"Password\"> <button>Log in</button></form>\
    <p>Accounts to try: ada / ada, a member, and grace / grace, of the staff.</p>";

/// The page that a viewer opens, and the menu.
pub(crate) async fn login_form(flow: Option<Extension<AccessFlow>>) -> Html<String> {
    // An origin holds no character that HTML would read.
    let viewer = flow.as_ref().and_then(|flow| flow.viewer());
    let to = viewer.map_or_else(String::new, |viewer| format!(" to continue to {viewer}"));
    Html(format!("<h1>Log in{to}</h1>{FORM}"))
}

#[derive(Deserialize)]
pub(crate) struct Credentials {
    name: String,
    password: String,
}

/// The layers close the tab that a viewer opened, and lead back to where the menu was.
pub(crate) async fn log_in(
    State(site): State<Site>,
    Form(given): Form<Credentials>,
) -> Result<Response, Unavailable> {
    Ok(match site.database.log_in(&given.name, given.password).await? {
        Some(user) => {
            let grant = AccessGrant::to(user.id.to_string()).role(user.role);
            Extension(grant).into_response()
        }
        None => (StatusCode::FORBIDDEN, Html(FORM)).into_response(),
    })
}

#[derive(Deserialize)]
pub(crate) struct To {
    #[serde(default)]
    to: String,
}

/// A logout in a handler of the application's own.
pub(crate) async fn log_out(
    State(site): State<Site>,
    Query(query): Query<To>,
    request: Request,
) -> Response {
    let logged_out = site.auth.log_out_of("", Head::of(&request)).await;
    // Back to an item, and nowhere else.
    let item = query.to.strip_prefix("/items/").map(|item| format!("/items/{}", encoded(item)));
    let mut response = Redirect::to(item.as_deref().unwrap_or("/")).into_response();
    logged_out.set_cookies(response.headers_mut());
    if logged_out.outcome().is_err() {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE; // copies of the cookie live on
    }
    response
}

/// A page of the catalogue's: what it shows hangs on who is in.
pub(crate) fn page(body: &str) -> Response {
    let body =
        Html(format!("<!doctype html><meta charset=\"utf-8\"><title>Catalogue</title>{body}"));
    ([("cache-control", "private, no-store")], body).into_response()
}

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The database cannot be asked.
pub(crate) struct Unavailable;

impl<E: Into<tower_iiif_auth::BoxError>> From<E> for Unavailable {
    fn from(error: E) -> Self {
        eprintln!("error: {}", error.into());
        Self
    }
}

impl IntoResponse for Unavailable {
    fn into_response(self) -> Response {
        (StatusCode::SERVICE_UNAVAILABLE, "Please try again later.\n").into_response()
    }
}
