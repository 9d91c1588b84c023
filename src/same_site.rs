//! Whether a request comes from this very site: what a cookie alone does not tell.

use http::HeaderMap;
use http::header::ORIGIN;

use crate::config::Core;

/// Whether a request that changes something was made by a page of this site, or by no browser.
///
/// Every browser of today says where such a request comes from, in one header or the other; a
/// client that sends neither is no browser and can not be tricked into anything.
pub(crate) fn is_made_here(core: &Core, headers: &HeaderMap) -> bool {
    match (headers.get("sec-fetch-site"), headers.get(ORIGIN)) {
        (Some(site), _) => site.as_bytes() == b"same-origin",
        (None, Some(origin)) => origin.as_bytes() == core.public_url.origin().as_str().as_bytes(),
        (None, None) => true,
    }
}
