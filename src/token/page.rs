//! The page that posts one message to the viewer.

use std::sync::LazyLock;

use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::config::Core;
use crate::hand_off;
use crate::page::{csp_hash, json_for_script};
use crate::protocol::{Family, Origin};
use crate::respond;

/// The one script; the message stands beside it as data, so that the bytes under the hash in the
/// content security policy never change.
const SCRIPT: &str = include_str!("post_message.js");

/// The script that waits for a code first.
const AWAIT: &str = include_str!("../hand_off/await.js");

/// What the script finds in the page.
#[derive(Serialize)]
struct Post<'a> {
    #[serde(rename = "targetOrigin")]
    target_origin: &'a str,
    message: &'a RawValue,
}

/// HTTP 200, whatever the message says (2.0 §4.3).
pub(super) fn message(origin: &Origin, message: &RawValue) -> Response<Bytes> {
    let post = Post { target_origin: origin.as_str(), message };
    let json = serde_json::to_string(&post).expect("strings and maps with text keys are JSON");
    let json = json_for_script(&json);
    page(StatusCode::OK, frame(&json, SCRIPT))
}

/// The same for a viewer whose user may be on the way: the message is posted if no code comes.
pub(super) fn waiting(
    core: &Core,
    family: Family,
    message_id: &str,
    origin: &Origin,
    message: &RawValue,
) -> Response<Bytes> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Waiting<'a> {
        target_origin: &'a str,
        message: &'a RawValue,
        wait_ms: u32,
        redeem: &'a str,
        request: Request<'a>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Request<'a> {
        family: &'static str,
        origin: &'a str,
        message_id: &'a str,
    }
    let origin = origin.as_str();
    let family = match family {
        Family::V2 => "2",
        Family::V1 => "1",
        Family::V09 => "0",
    };
    let waiting = Waiting {
        target_origin: origin,
        message,
        wait_ms: hand_off::WAIT_MS,
        redeem: &core.public_url.browser_path(&core.redeem_path),
        request: Request { family, origin, message_id },
    };
    let json = serde_json::to_string(&waiting).expect("strings and maps with text keys are JSON");
    let mut response = page(StatusCode::OK, frame(&json_for_script(&json), AWAIT));
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, WAITING_POLICY.clone());
    response
}

fn frame(json: &str, script: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Access token</title>\
         </head><body><script type=\"application/json\" id=\"post\">{json}</script>\
         <script>{script}</script></body></html>"
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

static WAITING_POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let policy = format!(
        "default-src 'none'; script-src {}; connect-src 'self'; base-uri 'none'",
        csp_hash(AWAIT)
    );
    HeaderValue::try_from(policy).expect("a hash is visible ASCII")
});

static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let policy = format!("default-src 'none'; script-src {}; base-uri 'none'", csp_hash(SCRIPT));
    HeaderValue::try_from(policy).expect("a hash is visible ASCII")
});
