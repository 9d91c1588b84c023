//! Headers around a document that is rewritten.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, ETAG,
    IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, LAST_MODIFIED,
    RANGE, TRANSFER_ENCODING, VARY, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::respond;

/// Asks the inner service for the whole document, plain: what browsers know of an earlier one is
/// about the rewritten document, not about the inner service's.
pub(super) fn ask_plainly(headers: &mut HeaderMap) -> Option<HeaderValue> {
    let known = headers.remove(IF_NONE_MATCH);
    for name in [RANGE, IF_RANGE, IF_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE] {
        headers.remove(name);
    }
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    known
}

/// What is true of the inner document and not of the rewritten one.
const OF_THE_OLD_BODY: [HeaderName; 11] = [
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
    CONTENT_ENCODING,
    ETAG,
    LAST_MODIFIED,
    ACCEPT_RANGES,
    WWW_AUTHENTICATE,
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// Fits the headers to the rewritten document: private, to be asked again, readable from anywhere.
pub(super) fn rewritten(headers: &mut HeaderMap) {
    for name in OF_THE_OLD_BODY {
        headers.remove(name);
    }
    respond::tell_caches_nothing_else(headers);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    respond::allow_any_origin(headers);
}

/// Says that the answer depends on who asks, and that a refusal is not to be kept.
pub(super) fn gated(headers: &mut HeaderMap, granted: bool) {
    headers.append(VARY, HeaderValue::from_static("Authorization, Cookie"));
    if !granted {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// Lets viewers read a document that is passed on as it is, and browsers ask for no password.
pub(super) fn readable(headers: &mut HeaderMap) {
    headers.remove(WWW_AUTHENTICATE);
    respond::allow_any_origin(headers);
}

/// An entity tag of the bytes sent: it changes with the inner document and with the configuration.
pub(super) fn etag(body: &[u8]) -> Option<HeaderValue> {
    let digest = ring::digest::digest(&ring::digest::SHA256, body);
    let tag = URL_SAFE_NO_PAD.encode(&digest.as_ref()[..18]);
    HeaderValue::try_from(format!("\"{tag}\"")).ok()
}

/// Whether the client has this very document already (RFC 9110 §13.1.2).
pub(super) fn is_known(known: Option<&HeaderValue>, tag: &HeaderValue) -> bool {
    let (Some(Ok(known)), Ok(tag)) = (known.map(HeaderValue::to_str), tag.to_str()) else {
        return false;
    };
    known.split(',').any(|own| {
        let own = own.trim();
        own == "*" || own.strip_prefix("W/").unwrap_or(own) == tag
    })
}
