//! Where a request comes from and what it is for, as far as browsers say: what a cookie alone does
//! not tell. (W3C Fetch Metadata Request Headers.)
//!
//! Every browser of today says it. A client that does not is none, and can not be tricked into
//! anything.

use http::HeaderMap;
use http::header::{ORIGIN, REFERER};

use crate::config::Core;
use crate::protocol::Origin;

/// Whether a request was made by a page of this very origin, or by no browser.
pub(crate) fn is_made_here(core: &Core, headers: &HeaderMap) -> bool {
    match (headers.get("sec-fetch-site"), headers.get(ORIGIN)) {
        (Some(site), _) => site.as_bytes() == b"same-origin",
        (None, Some(origin)) => origin.as_bytes() == core.public_url.origin().as_str().as_bytes(),
        (None, None) => true,
    }
}

/// Whether a browser says that a request was made by a page of this very origin. A client that says
/// nothing is not believed: what it asks for is undone by no later question to the user.
pub(crate) fn is_said_to_be_made_here(core: &Core, headers: &HeaderMap) -> bool {
    let says = headers.contains_key("sec-fetch-site") || headers.contains_key(ORIGIN);
    says && is_made_here(core, headers)
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
