//! A manifest on its way back.

use std::sync::Arc;

use bytes::Bytes;
use http::header::ETAG;
use http::response::Parts;
use http::{HeaderValue, Response, StatusCode};

use super::super::answer::{plain, undescribed};
use super::super::described::Described;
use super::super::edit::NotDescribable;
use super::super::{headers, json};
use super::edit::{Outcome, Taken, Undescribed, described};
use crate::config::Manifests;
use crate::core::Core;
use crate::resource::Resource;

/// What is done with a manifest.
pub(in super::super) struct ManifestPlan {
    pub(in super::super) described: Described,
    pub(in super::super) settings: Manifests,
    /// The client's `If-None-Match`.
    pub(in super::super) known: Option<HeaderValue>,
}

impl ManifestPlan {
    /// `resource`: what its path names, if it names one.
    pub(in super::super) fn new(
        core: &Arc<Core>,
        settings: &Manifests,
        path: &str,
        resource: Option<&Resource<'_>>,
    ) -> Self {
        let base = resource.map(|resource| resource.base().to_owned());
        let described = Described { core: Arc::clone(core), path: path.to_owned(), base };
        Self { described, settings: settings.clone(), known: None }
    }
}

/// The answer in place of the inner service's, whose whole body this is.
pub(in super::super) async fn respond(
    mut parts: Parts,
    plan: Box<ManifestPlan>,
    body: Bytes,
) -> Response<Bytes> {
    let Described { core, path, .. } = &plan.described;
    let text = json::decode(&body);
    let outcome = match described(core, &plan.settings, &text, Taken::Manifests).await {
        Ok(outcome) => outcome,
        // A page, a picture's bytes without a type: nothing that a viewer reads as a manifest.
        Err(Undescribed::NoJson) if !headers::says_json(&parts.headers) => Outcome::default(),
        Err(Undescribed::NoJson) => return undescribed(&plan.described, "it is no JSON"),
        Err(Undescribed::Not(NotDescribable(reason))) => {
            return undescribed(&plan.described, reason);
        }
        Err(Undescribed::Later(error)) => {
            crate::trace::failure("authorizer", &error);
            return plain(StatusCode::SERVICE_UNAVAILABLE);
        }
    };
    if let Some(first) = outcome.left_out.first() {
        if core.sites.misplaced().is_new(path) {
            let reason = first.reason().as_str();
            crate::trace::misplaced(path, first.id(), reason, outcome.left_out.len());
        }
    }
    let Some(edited) = outcome.text else {
        let same = parts.headers.get(ETAG);
        if same.is_some_and(|tag| headers::is_known(plan.known.as_ref(), tag)) {
            return not_modified(parts);
        }
        return Response::from_parts(parts, body);
    };
    let body = Bytes::from(edited);
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
