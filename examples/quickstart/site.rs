//! The page at `/`, as it stands in the folder `page`.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;

/// Only what comes from this server may run, be shown or be framed.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      media-src 'self' blob:; connect-src 'self'; frame-src 'self'; object-src 'self'; base-uri 'none'";

macro_rules! file {
    ($name:literal) => {
        ($name, include_str!(concat!("page/", $name)))
    };
}

const FILES: &[(&str, &str)] = &[
    file!("ask.js"),
    file!("cards.js"),
    file!("families.js"),
    file!("file.js"),
    file!("flow.js"),
    file!("hands.js"),
    file!("icon.js"),
    file!("icon.svg"),
    file!("json.js"),
    file!("log.js"),
    file!("login.css"),
    file!("logout.js"),
    file!("manifest.js"),
    file!("page.css"),
    file!("page.js"),
    file!("panel.js"),
    file!("report.js"),
    file!("services.js"),
    file!("status.js"),
    file!("stream.js"),
    file!("text.js"),
    file!("tiles.js"),
    file!("token-frame.js"),
    file!("tokens.js"),
    file!("view.js"),
    file!("viewer.js"),
    file!("window.js"),
];

pub(crate) fn routes(public_url: &str) -> Router {
    let public_url = public_url.to_owned();
    Router::new()
        .route("/", get(move |headers: HeaderMap| async move { index(&public_url, &headers) }))
        .route("/page/{name}", get(file))
}

/// The page; under another name of this machine, the way to the public one, as the page may only
/// talk to the origin that its documents name.
fn index(public_url: &str, headers: &HeaderMap) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let public_host = public_url.split_once("://").map_or("", |(_, rest)| rest);
    let other_name = ["127.0.0.1", "[::1]", "localhost"]
        .iter()
        .any(|name| host.starts_with(name) && public_host.starts_with("localhost"));
    if other_name && host != public_host {
        return Redirect::temporary(&format!("{public_url}/")).into_response();
    }
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-cache"),
        (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
    ];
    (headers, Html(include_str!("page/index.html"))).into_response()
}

async fn file(Path(name): Path<String>) -> Response {
    let Some((name, text)) = FILES.iter().find(|(own, _)| *own == name) else {
        return (StatusCode::NOT_FOUND, "There is no such file.\n").into_response();
    };
    let content_type = match name.rsplit_once('.') {
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        _ => "image/svg+xml",
    };
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, *text).into_response()
}
