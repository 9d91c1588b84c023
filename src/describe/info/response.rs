//! An `info.json` on its way back.

use bytes::Bytes;
use http::header::ETAG;
use http::response::Parts;
use http::{Response, StatusCode};

use super::super::answer::undescribed;
use super::super::headers;
use super::super::plan::Rewrite;
use super::document::edited;

/// The answer in place of the inner service's, whose whole body this is.
pub(in super::super) fn respond(
    mut parts: Parts,
    rewrite: Rewrite,
    body: &Bytes,
) -> Response<Bytes> {
    let Rewrite { described, services, in_flow, status, gated, known } = rewrite;
    let Some(body) = edited(body, services, in_flow) else {
        return undescribed(&described, "it is no JSON object");
    };
    let body = Bytes::from(body);
    parts.status = status;
    headers::rewritten(&mut parts.headers);
    if gated {
        headers::gated(&mut parts.headers, status == StatusCode::OK);
    }
    if status != StatusCode::OK {
        return Response::from_parts(parts, body);
    }
    if let Some(tag) = headers::etag(&body) {
        if headers::is_known(known.as_ref(), &tag) {
            parts.status = StatusCode::NOT_MODIFIED;
            parts.headers.insert(ETAG, tag);
            return Response::from_parts(parts, Bytes::new());
        }
        parts.headers.insert(ETAG, tag);
    }
    Response::from_parts(parts, body)
}
