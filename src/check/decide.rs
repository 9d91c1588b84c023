//! What is done with a content request: known at once, or when what has to wait is there.

use std::sync::Arc;

use http::StatusCode;
use http::request::Parts;

use super::course::{Course, course, for_third_parties};
use super::private::Care;
use super::proofs::Refused;
use super::{lower, refusal, unasked};
use crate::answer::{Answer, BoxFuture};
use crate::aspect::Head;
use crate::clock::Timestamp;
use crate::core::{Core, Found};
use crate::gate::{Progress, Question, Verdict, Watch, finish_decision};
use crate::observe::{Outcome, Place};
use crate::resource::Resource;

/// Asks the four questions of a request, as far as it needs them.
#[inline]
pub(super) fn decide(core: &Arc<Core>, head: &Head<'_>) -> Answer<Course> {
    let path = head.uri().path();
    let watch = Watch::begin(core, Place::Content);
    let resource = match core.find(path) {
        Found::Public => return Answer::Now(Course::Forward(Care::default(), None)),
        Found::Refused(why) => {
            watch.refused(core, path, why);
            let refusal = refusal::path(why, head);
            let refusal = Refused::mark(why.status(), why.into(), None, refusal);
            return Answer::Now(Course::Answer(refusal));
        }
        Found::Resource(resource) => resource,
    };
    if let Some(course) = unasked::course(core, head, &resource) {
        return Answer::Now(course);
    }
    let now = core.now();
    let question = Question { head: *head, resource: &resource, now, token: None };
    match core.decide(&question) {
        Progress::Done(mut verdict) if !lower::is_wanted(core, &resource, &verdict) => {
            Answer::Now(course(core, head, &resource, &mut verdict, now, watch))
        }
        progress => Answer::Later(later(core, question, progress, watch)),
    }
}

/// Keeps what is needed to wait.
#[inline(never)]
fn later(
    core: &Arc<Core>,
    question: Question<'_>,
    progress: Progress<Verdict>,
    watch: Watch,
) -> BoxFuture<Course> {
    let (parts, resource) = (question.head.to_parts(), question.resource.clone().into_owned());
    Box::pin(finish(Arc::clone(core), parts, resource, question.now, progress, watch))
}

/// Waits for the decision, and for those on lesser versions.
async fn finish(
    core: Arc<Core>,
    parts: Parts,
    resource: Resource<'static>,
    now: Timestamp,
    progress: Progress<Verdict>,
    watch: Watch,
) -> Course {
    let core = &core;
    let mut verdict = match progress {
        Progress::Done(verdict) => verdict,
        Progress::Waiting(pending) => {
            let (parts, resource) = (parts.clone(), resource.clone());
            finish_decision(Arc::clone(core), parts, resource, now, None, pending).await
        }
    };
    if lower::is_wanted(core, &resource, &verdict) {
        if let Some(location) = lower::location(core, &parts, &resource, now, &verdict).await {
            watch.decided(core, &parts.uri, &resource, Outcome::Redirected, &verdict.basis);
            let head = Head::of_parts(&parts);
            let mut response = refusal::redirect(&location, StatusCode::FOUND, &head);
            for_third_parties(core, &head, &resource, &verdict.basis, &mut response);
            return Course::Answer(response);
        }
    }
    course(core, &Head::of_parts(&parts), &resource, &mut verdict, core.now(), watch)
}
