//! Lesser versions of what is denied.

use std::sync::Arc;

use http::request::Parts;

use super::decide::decide_and_wait;
use super::token_session::TokenSession;
use super::verdict::{Basis, Verdict};
use crate::authorizer::{Decision, Denial};
use crate::clock::Timestamp;
use crate::core::Core;
use crate::resource::Resource;

impl Lower {
    /// What the way there rests on: where everyone may see it, what denied the other.
    pub(crate) fn rests_on<'a>(&'a self, denied: &'a Verdict) -> &'a Basis {
        match self.basis {
            Basis::Open => &denied.basis,
            _ => &self.basis,
        }
    }
}

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

/// A lesser version that this user may see, and what that rests on.
pub(crate) struct Lower {
    pub(crate) resource: Resource<'static>,
    pub(crate) basis: Basis,
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
) -> Option<Lower> {
    for lower in verdict.with_substitutes()?.siblings(resource) {
        let Verdict { decision, basis, .. } =
            decide_and_wait(core, parts, &lower, now, token.cloned()).await;
        if decision.is_grant() {
            return Some(Lower { resource: lower, basis });
        }
    }
    None
}
