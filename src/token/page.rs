//! The page that posts one message to the viewer.

use std::sync::LazyLock;

use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use crate::page::{csp_hash, json_for_script};
use crate::protocol::Origin;
use crate::respond;

/// The one script; the message stands beside it as data, so that the bytes under the hash in the
/// content security policy never change.
const SCRIPT: &str = include_str!("post_message.js");

/// What the script finds in the page.
#[derive(Serialize)]
struct Post<'a, M> {
    #[serde(rename = "targetOrigin")]
    target_origin: &'a str,
    message: &'a M,
}

/// HTTP 200, whatever the message says (2.0 §4.3).
pub(super) fn message(origin: &Origin, message: &impl Serialize) -> Response<Bytes> {
    let post = Post { target_origin: origin.as_str(), message };
    let json = serde_json::to_string(&post).expect("strings and maps with text keys are JSON");
    let json = json_for_script(&json);
    page(
        StatusCode::OK,
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Access token</title>\
         </head><body><script type=\"application/json\" id=\"post\">{json}</script>\
         <script>{SCRIPT}</script></body></html>"
        ),
    )
}

/// HTTP 400 without a script and without a byte of the request: there is nobody to post to.
pub(super) fn no_target() -> Response<Bytes> {
    page(
        StatusCode::BAD_REQUEST,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Access token</title>\
         </head><body><p>The origin parameter has to name the viewer’s origin, once.</p></body></html>",
    )
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

static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let policy = format!("default-src 'none'; script-src {}; base-uri 'none'", csp_hash(SCRIPT));
    HeaderValue::try_from(policy).expect("a hash is visible ASCII")
});
