//! Answers in place of a description.

use bytes::Bytes;
use http::header::LOCATION;
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
    crate::trace::undescribed(&described.path, reason);
    plain(StatusCode::BAD_GATEWAY)
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
