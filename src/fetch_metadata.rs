//! Where a request comes from and what it is for, as far as browsers say: what a cookie alone does
//! not tell. (W3C Fetch Metadata Request Headers.)
//!
//! Every browser of today says it. A client that does not is no browser, and cannot be tricked into
//! anything.

use bytes::Bytes;
use http::header::{ORIGIN, REFERER};
use http::{HeaderMap, Response, StatusCode};

use crate::protocol::Origin;
use crate::respond;

/// Whether a request was made by a page of this very origin, or by no browser.
pub(crate) fn is_made_here(own: &Origin, headers: &HeaderMap) -> bool {
    match (headers.get("sec-fetch-site"), headers.get(ORIGIN)) {
        (Some(site), _) => site.as_bytes() == b"same-origin",
        (None, Some(origin)) => origin.as_bytes() == own.as_str().as_bytes(),
        (None, None) => true,
    }
}

/// Whether a browser says that a request was made by a page of this very origin. A client that says
/// nothing is not believed: what it asks for is undone by no later question to the user.
pub(crate) fn is_said_to_be_made_here(own: &Origin, headers: &HeaderMap) -> bool {
    let says = headers.contains_key("sec-fetch-site") || headers.contains_key(ORIGIN);
    says && is_made_here(own, headers)
}

/// The origin of the page that a request came from, by its `Referer`.
pub(crate) fn referring_origin(headers: &HeaderMap) -> Option<Origin> {
    let referer = headers.get(REFERER)?.to_str().ok()?;
    let (scheme, rest) = referer.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    format!("{scheme}://{authority}").parse().ok()
}

/// Whether a request loads a page into a tab: not an image, frame or script of another page.
pub(crate) fn is_opened_in_tab(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-dest").is_none_or(|destination| destination.as_bytes() == b"document")
}

/// Whether a request was made in case the user goes there: a prefetch, a prerendered page, a preview.
/// Nobody has gone anywhere yet, so that nothing may come of it.
///
/// `Sec-Purpose` is there for nothing else (Fetch, "The `Sec-Purpose` header"), whatever it says. The
/// others are what browsers sent before it.
pub(crate) fn is_speculative(headers: &HeaderMap) -> bool {
    const PURPOSES: [&str; 3] = ["prefetch", "prerender", "preview"];
    let is_purpose =
        |word: &[u8]| PURPOSES.iter().any(|own| word.eq_ignore_ascii_case(own.as_bytes()));
    let says = |name| {
        let values = headers.get_all(name).iter().map(http::HeaderValue::as_bytes);
        values.flat_map(|value| value.split(|byte| !byte.is_ascii_alphanumeric())).any(is_purpose)
    };
    headers.contains_key("sec-purpose") || ["purpose", "x-purpose", "x-moz"].into_iter().any(says)
}

/// Whether a request loads a frame, which a page that is prerendered may do.
pub(crate) fn is_framed(headers: &HeaderMap) -> bool {
    let destination = headers.get("sec-fetch-dest").map(http::HeaderValue::as_bytes);
    matches!(destination, Some(b"iframe" | b"frame" | b"fencedframe"))
}

/// The answer to a speculative request: browsers throw it away, and load again when the user goes
/// there.
pub(crate) fn not_yet() -> Response<Bytes> {
    respond::empty(StatusCode::SERVICE_UNAVAILABLE)
}
