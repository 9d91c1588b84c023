//! The page that posts one message to the viewer.

use std::sync::LazyLock;

use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use super::message::Posted;
use crate::page::{DataPage, csp_hash, unseen};
use crate::protocol::Origin;
use crate::respond;

const TITLE: &str = "Access token";

/// The one script; the message stands beside it as data, so that the bytes under the hash in the
/// content security policy never change.
const SCRIPT: &str = include_str!("post_message.js");

/// What the script finds in the page.
#[derive(Serialize)]
struct Post<'a> {
    #[serde(rename = "targetOrigin")]
    target_origin: &'a str,
    message: &'a Posted<'a>,
}

/// HTTP 200, whatever the message says (2.0 §4.3).
pub(super) fn message(origin: &Origin, message: &Posted<'_>) -> Response<Bytes> {
    page(StatusCode::OK, PAGE.with(&Post { target_origin: origin.as_str(), message }))
}

/// HTTP 400 without a script and without a byte of the request: there is nobody to post to.
pub(super) fn no_target() -> Response<Bytes> {
    let body = "<p>The origin parameter has to name the viewer’s origin, once.</p>";
    page(StatusCode::BAD_REQUEST, unseen(TITLE, body))
}

/// An empty page with the headers of the others, for HEAD: no token is made.
pub(super) fn head() -> Response<Bytes> {
    page(StatusCode::OK, "")
}

/// Framed by any viewer, and nothing but its own script allowed in it.
fn page(status: StatusCode, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = respond::text(status, "text/html; charset=utf-8", body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

static PAGE: LazyLock<DataPage> =
    LazyLock::new(|| DataPage::new(TITLE, "post", &format!("<script>{SCRIPT}</script>")));

static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let policy = format!("default-src 'none'; script-src {}; base-uri 'none'", csp_hash(SCRIPT));
    HeaderValue::try_from(policy).expect("a hash is visible ASCII")
});
