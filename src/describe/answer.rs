//! Answers in place of a description.

use bytes::Bytes;
use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use super::described::Described;
use super::headers;
use crate::respond;

/// A status and its name.
pub(super) fn plain(status: StatusCode) -> Response<Bytes> {
    let mut response = respond::text(status, "text/plain; charset=utf-8", format!("{status}\n"));
    respond::allow_any_origin(response.headers_mut());
    response
}

/// A protected resource whose description would lack its services is worse than none.
pub(super) fn undescribed(described: &Described, reason: &'static str) -> Response<Bytes> {
    if described.core.sites.is_new_at(&described.path, reason) {
        crate::trace::undescribed(&described.path, reason);
    }
    plain(StatusCode::BAD_GATEWAY)
}

/// There is no room for one more document now.
pub(super) fn busy(described: &Described) -> Response<Bytes> {
    let reason = "there is no memory for it now: see Limits::max_described_bytes_at_once";
    if described.core.sites.is_new_at(&described.path, reason) {
        crate::trace::undescribed(&described.path, reason);
    }
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

/// Leads to the description of a lesser version, which stays on this origin, so that a token goes along
/// (1.0 §3.2).
pub(super) fn lower(location: &str) -> Response<Bytes> {
    let mut response = respond::empty(StatusCode::FOUND);
    match HeaderValue::try_from(location) {
        Ok(location) => response.headers_mut().insert(LOCATION, location),
        Err(_) => return plain(StatusCode::INTERNAL_SERVER_ERROR),
    };
    respond::allow_any_origin(response.headers_mut());
    headers::gated(response.headers_mut(), false);
    response
}
