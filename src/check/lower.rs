//! The same part of a lesser version, where a base redirects content (0.9.2 §3.6).

use std::sync::Arc;

use http::request::Parts;

use crate::aspect::Head;
use crate::clock::Timestamp;
use crate::core::Core;
use crate::gate::{Verdict, first_granted_sibling};
use crate::resource::{Resource, ResourceKind};
use crate::respond::Sharing;

/// Whether a lesser version may stand in for what the verdict denies.
#[inline]
pub(super) fn is_wanted(core: &Core, resource: &Resource<'_>, verdict: &Verdict) -> bool {
    verdict.with_substitutes().is_some()
        && matches!(resource.kind(), ResourceKind::Image(_))
        && core.families_of(resource).redirects_content()
}

/// Where the first lesser version is that this user may see, and whose scripts may be led there.
pub(super) async fn location(
    core: &Arc<Core>,
    parts: &Parts,
    resource: &Resource<'_>,
    now: Timestamp,
    verdict: &Verdict,
) -> Option<(String, Option<Sharing>)> {
    let lower = first_granted_sibling(core, parts, resource, now, None, verdict).await?;
    let sharing = core
        .shares()
        .then(|| core.shares_what_rests_on(lower.rests_on(verdict), &Head::of_parts(parts)));
    let path = lower.resource.same_part_as(resource).request_path();
    Some((core.public_url.join(&path), sharing.flatten()))
}
