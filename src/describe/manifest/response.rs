//! A manifest on its way back.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG};
use http::response::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::super::document::NotDescribable;
use super::super::future::plain;
use super::super::headers;
use super::edit::{Undescribed, described};
use crate::config::{Core, Manifests};

/// What is done with a manifest.
pub(in super::super) struct ManifestPlan {
    pub(in super::super) core: Arc<Core>,
    pub(in super::super) settings: Manifests,
    pub(in super::super) path: String,
    /// The client's `If-None-Match`.
    pub(in super::super) known: Option<HeaderValue>,
}

/// Whether a response may be a manifest: JSON, or of no type at all.
pub(in super::super) fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(CONTENT_TYPE) else { return true };
    let Ok(kind) = kind.to_str() else { return false };
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind.ends_with("+json") || kind == "text/json"
}

/// The answer in place of the inner service's, whose whole body this is.
pub(in super::super) async fn respond(
    mut parts: Parts,
    plan: Box<ManifestPlan>,
    body: Bytes,
) -> Response<Bytes> {
    let edited = match std::str::from_utf8(&body) {
        Ok(text) => described(&plan.core, &plan.settings, text).await,
        Err(_) => Err(NotDescribable("it is no JSON").into()),
    };
    let body = match edited {
        Ok(None) => {
            let same = parts.headers.get(ETAG);
            if same.is_some_and(|tag| headers::is_known(plan.known.as_ref(), tag)) {
                return not_modified(parts);
            }
            return Response::from_parts(parts, body);
        }
        Ok(Some(edited)) => Bytes::from(edited),
        Err(Undescribed::Not(NotDescribable(reason))) => {
            crate::trace::undescribed(&plan.path, reason);
            return plain(StatusCode::BAD_GATEWAY);
        }
        Err(Undescribed::Later) => return plain(StatusCode::SERVICE_UNAVAILABLE),
    };
    headers::rewritten(&mut parts.headers);
    if let Some(tag) = headers::etag(&body) {
        let is_known = headers::is_known(plan.known.as_ref(), &tag);
        parts.headers.insert(ETAG, tag);
        if is_known {
            return not_modified(parts);
        }
    }
    Response::from_parts(parts, body)
}

fn not_modified(mut parts: Parts) -> Response<Bytes> {
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(http::header::CONTENT_LENGTH);
    Response::from_parts(parts, Bytes::new())
}
