//! Storage Access Headers: a browser that holds the user's permission is told to use it.
//!
//! The permission itself comes from elsewhere: a prompt that the user answered in a visible frame,
//! such as the grant page. What the headers say is no reason to let anybody in; it only
//! decides whether the browser is asked to come again with its cookies.

use http::header::{ORIGIN, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::protocol::Origin;

const SEC_FETCH_STORAGE_ACCESS: HeaderName = HeaderName::from_static("sec-fetch-storage-access");
const ACTIVATE_STORAGE_ACCESS: HeaderName = HeaderName::from_static("activate-storage-access");

/// What a browser says of its cookies in a request from another site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StorageAccess {
    /// It has the permission to send them, and did not: it may be told to.
    Inactive,
    /// It sends them.
    Active,
    /// It has no permission, or says nothing.
    None,
}

pub(crate) fn of(headers: &HeaderMap) -> StorageAccess {
    let mut values = headers.get_all(SEC_FETCH_STORAGE_ACCESS).iter();
    match (values.next().map(HeaderValue::as_bytes), values.next()) {
        (Some(b"inactive"), None) => StorageAccess::Inactive,
        (Some(b"active"), None) => StorageAccess::Active,
        _ => StorageAccess::None,
    }
}

/// Says that the answer depends on what the browser says.
pub(crate) fn vary(is_on: bool, response: &mut HeaderMap) {
    if is_on {
        response.append(VARY, HeaderValue::from_static("Sec-Fetch-Storage-Access"));
    }
}

/// Asks a browser that lacks a cookie and has the permission to come again with it.
pub(crate) fn offer_retry(is_on: bool, request: &HeaderMap, response: &mut HeaderMap) {
    if !is_on || of(request) != StorageAccess::Inactive {
        return;
    }
    let Some(origin) = only_origin(request) else { return };
    let retry = format!("retry; allowed-origin=\"{origin}\"");
    if let Ok(retry) = HeaderValue::try_from(retry) {
        response.insert(ACTIVATE_STORAGE_ACCESS, retry);
        response.append(VARY, HeaderValue::from_static("Origin"));
    }
}

/// Lets the document in a frame use the cookies, too.
pub(crate) fn load(is_on: bool, request: &HeaderMap, response: &mut HeaderMap) {
    if is_on && of(request) == StorageAccess::Active {
        response.insert(ACTIVATE_STORAGE_ACCESS, HeaderValue::from_static("load"));
    }
}

/// The one origin that a request names, if it is spelled as browsers do.
pub(crate) fn only_origin(headers: &HeaderMap) -> Option<Origin> {
    let mut values = headers.get_all(ORIGIN).iter();
    let text = values.next()?.to_str().ok()?;
    let origin: Origin = text.parse().ok()?;
    (values.next().is_none() && origin.as_str() == text).then_some(origin)
}
