//! Requests for content whose answer rests on no decision.

use http::{Method, StatusCode};

use super::active::{self, Still};
use super::course::{Course, is_read};
use super::private::Care;
use super::refusal;
use crate::aspect::Head;
use crate::core::Core;
use crate::resource::{Resource, ResourceKind};
use crate::respond;

/// What is done with such a request, if it is one.
#[inline]
pub(super) fn course(core: &Core, head: &Head<'_>, resource: &Resource<'_>) -> Option<Course> {
    // Nearly every request is of this kind.
    let is_tile = matches!(resource.kind(), ResourceKind::Image(_));
    if is_tile && *head.method() == Method::GET { None } else { of_others(core, head, resource) }
}

#[inline(never)]
fn of_others(core: &Core, head: &Head<'_>, resource: &Resource<'_>) -> Option<Course> {
    if *head.method() == Method::OPTIONS {
        // Answered without asking, and never passed on: a preflight carries no credentials.
        let mut response = respond::preflight(head.headers());
        if core.shares() {
            core.shares_preflight(head).apply(response.headers_mut());
        }
        return Some(Course::Answer(response));
    }
    if matches!(resource.kind(), ResourceKind::ImageInformation) {
        // Descriptions are for everyone (2.0 §2.1); only reading them is.
        return Some(if is_read(head.method()) {
            Course::Forward(Care::new(None, Still::of(core, resource)), None)
        } else {
            Course::Answer(respond::method_not_allowed("GET, HEAD, OPTIONS"))
        });
    }
    if active::is_service_worker(resource, head.headers()) && core.keeps_still(resource) {
        return Some(Course::Answer(refusal::service_worker()));
    }
    if matches!(resource.kind(), ResourceKind::ImageService)
        && ends_like_a_description(resource.identifier())
    {
        // A server that decodes first takes its base URI for another's description.
        return Some(Course::Answer(if is_read(head.method()) {
            let info = core.public_url.join(&format!("{}/info.json", resource.path()));
            refusal::redirect(&info, StatusCode::SEE_OTHER, head)
        } else {
            respond::method_not_allowed("GET, HEAD, OPTIONS")
        }));
    }
    None
}

fn ends_like_a_description(identifier: &str) -> bool {
    identifier.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case("info.json"))
}
