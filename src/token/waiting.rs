//! The token service's page for a viewer whose user may be on the way.

use std::sync::LazyLock;

use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use super::message::Posted;
use crate::core::Core;
use crate::page::{csp_hash, data, unseen};
use crate::protocol::{Family, Origin};
use crate::respond;

/// How long the token frame waits for a code, in milliseconds. Universal Viewer gives up after 5000.
const WAIT_MS: u32 = 2500;

/// The script that waits for a code first.
const AWAIT: &str = include_str!("await.js");

/// What the script finds in the page.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Waiting<'a> {
    target_origin: &'a str,
    message: &'a Posted<'a>,
    wait_ms: u32,
    redeem: &'a str,
    request: Request<'a>,
}

/// What it redeems a code with.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    family: char,
    origin: &'a str,
    message_id: &'a str,
}

/// A page that posts the message if no code comes.
pub(super) fn page(
    core: &Core,
    family: Family,
    message_id: &str,
    origin: &Origin,
    message: &Posted<'_>,
) -> Response<Bytes> {
    let origin = origin.as_str();
    let waiting = Waiting {
        target_origin: origin,
        message,
        wait_ms: WAIT_MS,
        redeem: &core.public_url.browser_path(core.endpoints.redeem()),
        request: Request { family: family.digit(), origin, message_id },
    };
    let body = format!("{}<script>{AWAIT}</script>", data("post", &waiting));
    let body = unseen("Access token", &body);
    let mut response = respond::text(StatusCode::OK, "text/html; charset=utf-8", body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let policy = format!(
        "default-src 'none'; script-src {}; connect-src 'self'; base-uri 'none'",
        csp_hash(AWAIT)
    );
    HeaderValue::try_from(policy).expect("a hash is visible ASCII")
});
