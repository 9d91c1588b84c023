//! Where a request comes from and what it is for, as far as browsers say: what a cookie alone does
//! not tell. (W3C Fetch Metadata Request Headers.)
//!
//! Every browser of today says it. A client that does not is no browser, and cannot be tricked into
//! anything.

use http::HeaderMap;
use http::header::ORIGIN;

use crate::config::Core;

/// Whether a request was made by a page of this very origin, or by no browser.
pub(crate) fn is_made_here(core: &Core, headers: &HeaderMap) -> bool {
    match (headers.get("sec-fetch-site"), headers.get(ORIGIN)) {
        (Some(site), _) => site.as_bytes() == b"same-origin",
        (None, Some(origin)) => origin.as_bytes() == core.public_url.origin().as_str().as_bytes(),
        (None, None) => true,
    }
}

/// Whether a request loads a page into a tab: not an image, frame or script of another page.
pub(crate) fn is_opened_in_tab(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-dest").is_none_or(|destination| destination.as_bytes() == b"document")
}
