//! Content below a signed location.

use std::sync::Arc;

use http::request::Parts;
use http::{Method, StatusCode};

use super::active::{self, Still};
use super::course::{Course, is_read};
use super::private::{Care, Private};
use super::proofs::{Granted, Refused};
use super::refusal;
use crate::answer::Answer;
use crate::aspect::Head;
use crate::authorizer::Decision;
use crate::core::{Core, Found};
use crate::gate::{Basis, Watch};
use crate::observe::Place;
use crate::resource::{Refusal, Resource, ResourceKind};
use crate::respond;
use crate::signed::{self, Located, no_referrer};

/// What is done with a request whose path held `capability`; `head` is what it is without.
pub(super) fn course(core: &Arc<Core>, head: &Head<'_>, capability: String) -> Answer<Course> {
    let watch = Watch::begin(core, Place::SignedLocation);
    if *head.method() == Method::OPTIONS {
        return Answer::Now(Course::Answer(respond::preflight(head.headers())));
    }
    let why = match core.find(head.uri().path()) {
        Found::Resource(_) if !is_read(head.method()) => {
            return Answer::Now(Course::Answer(respond::method_not_allowed("GET, HEAD, OPTIONS")));
        }
        Found::Resource(resource)
            if active::is_service_worker(&resource, head.headers())
                && core.keeps_still(&resource) =>
        {
            return Answer::Now(unreferred(Course::Answer(refusal::service_worker())));
        }
        Found::Resource(resource) => {
            let (core, parts) = (Arc::clone(core), head.to_parts());
            let resource = resource.into_owned();
            return Answer::later(decide(core, capability, parts, resource, watch));
        }
        Found::Refused(why) => why,
        // One location is not below another.
        Found::Public | Found::Signed(_) => Refusal::Unknown,
    };
    watch.refused(core, head.uri().path(), why);
    let refusal = Refused::mark(core, why.status(), why.into(), None, refusal::path(why, head));
    Answer::Now(unreferred(Course::Answer(refusal)))
}

async fn decide(
    core: Arc<Core>,
    capability: String,
    parts: Parts,
    resource: Resource<'static>,
    watch: Watch,
) -> Course {
    let whole = resource.to_whole().into_owned();
    let located = signed::decide(&core, &capability, &resource, &whole, core.now()).await;
    let Located { mut verdict, remaining } = located;
    let outcome = (&verdict.decision).into();
    watch.decided(&core, &parts.uri, &resource, outcome, &verdict.basis);
    let head = Head::of_parts(&parts);
    unreferred(match &verdict.decision {
        Decision::Grant | Decision::Signed(_) => {
            if matches!(resource.kind(), ResourceKind::ImageService) {
                // The base URI of an image service leads to its description (Image API 3.0 §2).
                let path = format!("{}/{capability}{}", core.endpoints.signed(), whole.path());
                let info = core.public_url.join(&format!("{path}/info.json"));
                return unreferred(Course::Answer(refusal::redirect(
                    &info,
                    StatusCode::SEE_OTHER,
                    &head,
                )));
            }
            let session = match &mut verdict.basis {
                Basis::Session { session, .. } => session.take(),
                _ => None,
            };
            let granted = core.hands_session_on.then(|| Granted::to(session));
            let kept = Care::new(Some(Private::until(remaining)), Still::of(&core, &resource));
            Course::Forward(kept, granted)
        }
        Decision::Redirect(location) => {
            let location = location.to_string();
            Course::Answer(refusal::redirect(&location, StatusCode::FOUND, &head))
        }
        Decision::Deny(denial) => {
            let refusal = refusal::denied(denial, &head, &core.texts);
            let (status, reason) = (denial.http_status(), verdict.basis.reason());
            Course::Answer(Refused::mark(&core, status, reason, Some(&resource), refusal))
        }
    })
}

/// Whatever is shown, its address is told to nobody.
fn unreferred(course: Course) -> Course {
    match course {
        Course::Forward(mut kept, granted) => {
            kept.tell_no_referrer();
            Course::Forward(kept, granted)
        }
        Course::Answer(mut response) => {
            no_referrer(response.headers_mut());
            Course::Answer(response)
        }
    }
}
