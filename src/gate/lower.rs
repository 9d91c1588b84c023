//! Lesser versions of what is denied.

use std::sync::Arc;

use http::request::Parts;

use super::decide::decide_and_wait;
use super::token_session::TokenSession;
use super::verdict::Verdict;
use crate::authorizer::{Decision, Denial};
use crate::clock::Timestamp;
use crate::core::Core;
use crate::resource::Resource;

impl Verdict {
    /// The denial, if it offers something in place of the resource.
    #[inline]
    pub(crate) fn with_substitutes(&self) -> Option<&Denial> {
        match &self.decision {
            Decision::Deny(denial) if !denial.substitutes().is_empty() => Some(denial),
            _ => None,
        }
    }
}

/// The first lesser version of a denied resource that this very user may see: decided on like the
/// resource itself.
pub(crate) async fn first_granted_sibling(
    core: &Arc<Core>,
    parts: &Parts,
    resource: &Resource<'_>,
    now: Timestamp,
    token: Option<&TokenSession<'static>>,
    verdict: &Verdict,
) -> Option<Resource<'static>> {
    for lower in verdict.with_substitutes()?.siblings(resource) {
        if decide_and_wait(core, parts, &lower, now, token.cloned()).await.decision.is_grant() {
            return Some(lower);
        }
    }
    None
}
