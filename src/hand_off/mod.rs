//! The hand-off: a login goes from the tab into the viewer's page where cookies do not.
//!
//! Tab and token frame are of one origin. They can talk to each other although the browser keeps
//! their cookies apart:
//!
//! 1. A click in the tab opens a small helper window (`open.js`) and posts its form: on a page of ours, or on the
//!    application's login where that has the script. Then the helper sends the form on our page by itself.
//! 2. The answer makes the session, and holds a code: good once, for a minute, for one viewer.
//! 3. The helper takes the code from the tab, closes it, and looks for the token service's frame in
//!    the viewer (`carry.js`), which waits for it (`token/await.js`).
//! 4. The frame redeems the code for a cookie in the viewer's partition (`token/redeem.rs`), and asks for its
//!    token anew.
//!
//! The viewer never sees the code.

mod code;

use std::sync::LazyLock;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_FRAME_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

pub(crate) use code::{Code, issue, open};

use crate::core::Core;
use crate::page::{csp_hash, keep_opener, unseen};
use crate::respond;
use crate::storage_access::{self, StorageAccess};

const CARRY: &str = include_str!("carry.js");
const OPEN: &str = include_str!("open.js");

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// Whether a code may come for a token request that was refused: only where an access cookie would
/// have helped, and the browser keeps it back.
pub(crate) fn may_come(core: &Core, headers: &HeaderMap, lacks_cookie: bool) -> bool {
    let kept_back = match storage_access::of(headers) {
        StorageAccess::Active => false,
        // It will come again with its cookies.
        StorageAccess::Inactive => !core.third_party.storage_access,
        StorageAccess::None => true,
    };
    core.third_party.hand_off && lacks_cookie && kept_back
}

/// The script that opens the helper window, for the application's own login.
pub(crate) fn script() -> Response<Bytes> {
    let mut response = respond::text(StatusCode::OK, "text/javascript; charset=utf-8", OPEN);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    // For pages of this site.
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    response
}

/// The helper window: a page without a word.
pub(crate) fn helper() -> Response<Bytes> {
    let body = unseen("…", &format!("<script>{CARRY}</script>"));
    let mut response = respond::text(StatusCode::OK, "text/html; charset=utf-8", body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    keep_opener(headers);
    response
}

static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let policy = format!(
        "default-src 'none'; script-src {}; frame-ancestors 'none'; base-uri 'none'",
        csp_hash(CARRY)
    );
    HeaderValue::try_from(policy).expect("a hash is visible ASCII")
});
