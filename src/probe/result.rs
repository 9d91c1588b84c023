//! From a verdict to an `AuthProbeResult2`.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, VARY};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use serde_json::value::{RawValue, to_raw_value};

use super::location;
use crate::authorizer::{Decision, Denial, Remedy, Substitute, Target};
use crate::clock::Timestamp;
use crate::config::Texts;
use crate::core::Core;
use crate::describe::description;
use crate::gate::{TokenSession, Verdict, decide_and_wait};
use crate::protocol::v2::probe_result::DeniedStatus;
use crate::protocol::v2::{ContentResource, ProbeResult};
use crate::resource::{Refusal, Resource};
use crate::respond;

/// The result of a verdict without substitutes, as it is written.
pub(super) fn plain(
    core: &Core,
    resource: &Resource<'_>,
    verdict: Verdict,
    location: Option<ContentResource>,
) -> Bytes {
    if let Some(location) = location {
        return ProbeResult::Redirected { location }.write();
    }
    let result = match verdict.decision {
        Decision::Grant | Decision::Signed(_) => return GRANTED.clone(),
        Decision::Deny(denial) if denial.text().is_none() => {
            return core.probe_denials.get(denial.status());
        }
        Decision::Deny(denial) => denied(&denial, &core.texts, Vec::new()),
        Decision::Redirect(location) => ProbeResult::Redirected {
            location: ContentResource {
                id: location.to_string(),
                // The same as the original's, as the specification demands.
                kind: resource.content_type().to_owned(),
                label: None,
                service: Vec::new(),
            },
        },
    };
    result.write()
}

/// The result of a verdict, with those substitutes that this very user may see.
pub(super) async fn with_substitutes(
    core: &Arc<Core>,
    parts: Parts,
    resource: &Resource<'static>,
    now: Timestamp,
    token: Option<TokenSession<'static>>,
    verdict: Verdict,
) -> Bytes {
    let Some(denial) = verdict.with_substitutes() else {
        let location = location::signed(core, resource, &verdict, token.as_ref(), now);
        return plain(core, resource, verdict, location);
    };
    let mut offered = Vec::new();
    for substitute in denial.substitutes() {
        let content = match &substitute.target {
            Target::Elsewhere(uri) => ContentResource {
                id: uri.to_string(),
                kind: resource.content_type().to_owned(),
                label: substitute.label.clone(),
                service: Vec::new(),
            },
            Target::SameBase(identifier) => {
                let sibling = resource.sibling(identifier).into_owned();
                // The same decision: may this very user see it?
                let verdict = decide_and_wait(core, &parts, &sibling, now, token.clone()).await;
                if let Some(located) =
                    location::signed(core, &sibling, &verdict, token.as_ref(), now)
                {
                    offered.push(ContentResource { label: substitute.label.clone(), ..located });
                    continue;
                }
                let decision = verdict.decision;
                if matches!(&decision, Decision::Deny(denial) if denial.remedy() == Remedy::Absent)
                {
                    continue; // That there is such a resource is not told.
                }
                let sibling = sibling.through(verdict.services.as_ref());
                match describe(core, &sibling, substitute, decision.is_grant()) {
                    Some(content) => content,
                    None => continue,
                }
            }
        };
        offered.push(content);
    }
    denied(denial, &core.texts, offered).write()
}

/// The result for a path that names no resource: HTTP 200 as always (2.0 §5.2).
pub(super) fn refused(core: &Core, refusal: Refusal) -> Bytes {
    core.probe_denials.get(match refusal {
        Refusal::Ambiguous | Refusal::TooLong => DeniedStatus::BadRequest,
        Refusal::Unknown | Refusal::Shape => DeniedStatus::NotFound,
        Refusal::Unavailable => DeniedStatus::Unavailable,
    })
}

pub(super) fn respond(method: &Method, result: Bytes) -> Response<Bytes> {
    let mut response = Response::new(result);
    *response.headers_mut() = HEADERS.clone();
    respond::for_method(method, response)
}

/// The headers of every result: to copy them costs less than to put them together.
static HEADERS: LazyLock<HeaderMap> = LazyLock::new(|| {
    let mut response = respond::text(StatusCode::OK, "application/json", Bytes::new());
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(VARY, HeaderValue::from_static("Authorization, Cookie"));
    respond::allow_any_origin(headers);
    response.into_parts().0.headers
});

/// The same for every resource.
static GRANTED: LazyLock<Bytes> = LazyLock::new(|| ProbeResult::Granted.write());

fn denied(denial: &Denial, texts: &Texts, substitutes: Vec<ContentResource>) -> ProbeResult {
    let message = texts.of(denial).clone();
    ProbeResult::Denied { status: denial.status(), message, substitutes }
}

/// What is said of a substitute. One that this user may not see either declares its own probe, so
/// that the user can climb the tiers one by one (2.0 §7.1).
fn describe(
    core: &Core,
    resource: &Resource<'_>,
    substitute: &Substitute,
    granted: bool,
) -> Option<ContentResource> {
    let mut service = Vec::new();
    let probe = (!granted).then(|| description::probe_in_result(core, resource)).flatten();
    let own = core.public_url.join(&resource.path());
    let id = if resource.is_image_service() {
        let probes: Vec<&RawValue> = probe.iter().map(|probe| &**probe).collect();
        service.push(to_raw_value(&description::ImageService::new(&own, &probes)).ok()?);
        format!("{own}/full/max/0/default.jpg")
    } else {
        if !granted {
            service.push(probe?);
        }
        own
    };
    let kind = resource.content_type().to_owned();
    Some(ContentResource { id, kind, label: substitute.label.clone(), service })
}
