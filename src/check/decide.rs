//! What is done with a content request: known at once, or when what has to wait is there.

use std::sync::Arc;

use http::StatusCode;
use http::request::Parts;

use super::course::{Course, course, for_third_parties};
use super::{lower, refusal};
use crate::answer::BoxFuture;
use crate::aspect::Head;
use crate::clock::Timestamp;
use crate::core::Core;
use crate::gate::{Basis, Progress, Question, Verdict, Watch, finish_decision};
use crate::observe::Outcome;
use crate::resource::Resource;
use crate::respond::Sharing;

/// Keeps what is needed to wait.
#[inline(never)]
pub(super) fn later(
    core: &Arc<Core>,
    question: Question<'_>,
    progress: Progress<Verdict>,
    watch: Watch,
) -> BoxFuture<Course> {
    let (parts, resource) = (question.head.to_parts(), question.resource.clone().into_owned());
    Box::pin(finish(Arc::clone(core), parts, resource, question.now, progress, watch))
}

/// Whether the course hangs on more than the verdict: a lesser version, or whose page asks.
#[inline]
pub(super) fn has_to_wait(
    core: &Core,
    head: &Head<'_>,
    resource: &Resource<'_>,
    verdict: &Verdict,
) -> bool {
    match verdict.basis {
        Basis::Session { .. } => false,
        Basis::Open => core.shares() && core.must_look_for_viewer(head),
        Basis::NotEnough { .. } | Basis::Nobody(_) => lower::is_wanted(core, resource, verdict),
    }
}

/// A refusal at once, for the page whose scripts may read it.
pub(super) fn shared_refusal(
    core: &Core,
    head: &Head<'_>,
    basis: &Basis,
    course: Course,
) -> Course {
    match course {
        Course::Answer(_) if core.shares() => {
            let sharing = core.shares_what_rests_on(basis, head);
            course.shared(sharing.unwrap_or_else(|| core.shares_with_listed(head)))
        }
        course => course,
    }
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
    let sharing = if core.shares() {
        Some(match core.shares_what_rests_on(&verdict.basis, &Head::of_parts(&parts)) {
            Some(sharing) => sharing,
            None => core.shares_with(&parts, &resource, now).await,
        })
    } else {
        None
    };
    let shared = |course: Course, sharing: Option<Sharing>| match sharing {
        Some(sharing) => course.shared(sharing),
        None => course,
    };
    if lower::is_wanted(core, &resource, &verdict) {
        if let Some((location, sharing)) =
            lower::location(core, &parts, &resource, now, &verdict).await
        {
            watch.decided(core, &parts.uri, &resource, Outcome::Redirected, &verdict.basis);
            let head = Head::of_parts(&parts);
            let mut response = refusal::redirect(&location, StatusCode::FOUND, &head);
            for_third_parties(core, &head, &resource, &verdict.basis, &mut response);
            return shared(Course::Answer(response), sharing);
        }
    }
    let course = course(core, &Head::of_parts(&parts), &resource, &mut verdict, core.now(), watch);
    shared(course, sharing)
}
