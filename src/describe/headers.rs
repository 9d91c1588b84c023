//! Headers around a document that is rewritten.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_MATCH,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::edit::Finished;
use crate::media_type::MediaType;
use crate::respond;

/// Asks the inner service for the whole document, plain: what browsers know of an earlier one is
/// about the rewritten document, not about the inner service's.
pub(super) fn ask_plainly(headers: &mut HeaderMap) -> Option<HeaderValue> {
    // Nearly always none is there, and a look at each costs less than to look for each.
    if !headers.keys().any(is_condition) {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        return None;
    }
    let known = headers.remove(IF_NONE_MATCH);
    for name in [RANGE, IF_RANGE, IF_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE] {
        headers.remove(name);
    }
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    known
}

/// Whether a header asks for a part of a document, or only where it is another one.
fn is_condition(name: &HeaderName) -> bool {
    *name == IF_NONE_MATCH
        || *name == RANGE
        || *name == IF_RANGE
        || *name == IF_MATCH
        || *name == IF_MODIFIED_SINCE
        || *name == IF_UNMODIFIED_SINCE
}

/// What is true of the inner document and not of the rewritten one.
fn is_of_the_old_body(name: &str) -> bool {
    matches!(
        name,
        "content-length"
            | "content-range"
            | "age"
            | "location"
            | "refresh"
            | "trailer"
            | "transfer-encoding"
            | "content-encoding"
            | "etag"
            | "last-modified"
            | "accept-ranges"
            | "www-authenticate"
            | "content-md5"
            | "digest"
            | "content-digest"
            | "repr-digest"
            | "signature"
            | "signature-input"
    )
}

/// Orders to a web server in front to send something else in place of this body.
fn is_order(name: &str) -> bool {
    name.starts_with("x-")
        && ["x-accel-", "x-sendfile", "x-lighttpd-send", "x-litespeed-location", "x-reproxy-"]
            .iter()
            .any(|order| name.starts_with(order))
}

/// Fits the headers to the rewritten document: private, to be asked again, readable from anywhere. `tag` is its
/// own.
pub(super) fn rewritten(headers: &mut HeaderMap, tag: Option<HeaderValue>) {
    let has_tag = tag.is_some();
    if let Some(tag) = tag {
        headers.insert(ETAG, tag);
    }
    respond::remove_all(headers, |name| {
        is_of_the_old_body(name) && !(has_tag && name == "etag")
            || is_order(name)
            || respond::is_for_caches(name)
            || name == "access-control-allow-credentials"
    });
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !(says_plain_json(headers) || says_json(headers) && is_utf8(headers)) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
}

/// Whether a response says what nearly every description does, once and without parameters.
fn says_plain_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    types.next().is_some_and(|own| own == "application/json") && types.next().is_none()
}

/// Whether the one type that a response names, if it names any, is one of JSON.
pub(super) fn says_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    match (types.next(), types.next()) {
        (None, _) => true,
        (Some(one), None) => MediaType::of(one).is_some_and(MediaType::is_json),
        (Some(_), Some(_)) => false,
    }
}

/// Whether a type is named, and no other encoding than what is sent.
fn is_utf8(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|own| {
        let own = own.as_bytes().to_ascii_lowercase();
        let charset = own.windows(8).position(|part| part == b"charset=");
        charset.is_none_or(|at| {
            let value = own[at + 8..].trim_ascii().strip_prefix(b"\"").unwrap_or(&own[at + 8..]);
            value.starts_with(b"utf-8") || value.starts_with(b"utf8")
        })
    })
}

/// Says that the answer depends on who asks, and that a refusal is not to be kept.
pub(super) fn gated(headers: &mut HeaderMap, granted: bool) {
    headers.append(VARY, HeaderValue::from_static("Authorization, Cookie"));
    if !granted {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// An entity tag of a described document, told from what it is made of before it is written: it changes
/// with the inner document, with the configuration and with what everybody may see.
///
/// All nodes have to come to the same one. Nobody gains by two documents with one tag: it is compared
/// for one URI, in the private cache of the browser that asks, so that a quick hash does.
pub(super) fn etag(document: &Finished<'_>) -> Option<HeaderValue> {
    let mut hasher = Xxh3::new();
    document.edits_and_text(|part| hasher.update(part));
    tag(hasher.digest128())
}

/// The same of a document that is written already, from its bytes: of what is short that costs less.
pub(super) fn etag_of(bytes: &[u8]) -> Option<HeaderValue> {
    tag(xxh3_128(bytes))
}

fn tag(hash: u128) -> Option<HeaderValue> {
    // Its 22 characters between quotation marks.
    let mut tag = String::with_capacity(24);
    tag.push('"');
    URL_SAFE_NO_PAD.encode_string(hash.to_be_bytes(), &mut tag);
    tag.push('"');
    HeaderValue::try_from(tag).ok()
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
