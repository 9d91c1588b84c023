//! Grants under a signed location.

use std::fmt;

use super::{AccessRequest, Answer, Authorizer, BoxError, Decision};
use crate::resource::Pattern;

/// That a grant is to be had under a signed location. An [`AccessRequest`] with a session gives one, and
/// nothing else: what is open to everyone needs no location of its own.
///
/// See [`Decision::Signed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedLocation(());

impl AccessRequest<'_> {
    /// What a grant to this request's session may be answered with in place of [`Decision::Grant`]; `None`
    /// for nobody.
    ///
    /// # Example
    ///
    /// ```
    /// use tower_iiif_auth::authorizer::{AccessRequest, Decision, Denial};
    ///
    /// fn rule(request: &AccessRequest<'_>) -> Decision {
    ///     match request.signed_location() {
    ///         // Recordings are for native players, too, which have no cookie of ours.
    ///         Some(signed) if request.has_role("reader") && request.identifier().ends_with(".mp3") => {
    ///             Decision::Signed(signed)
    ///         }
    ///         Some(_) if request.has_role("reader") => Decision::Grant,
    ///         _ => Denial::login().into(),
    ///     }
    /// }
    /// # let _ = rule;
    /// ```
    #[must_use]
    pub fn signed_location(&self) -> Option<SignedLocation> {
        self.session().map(|_| SignedLocation(()))
    }
}

/// Grants under signed locations what an authorizer grants to a session: made by
/// [`Authorizer::signed_locations`].
pub struct SignedLocations<A> {
    authorizer: A,
    /// Empty for all.
    only: Vec<Pattern>,
}

impl<A> SignedLocations<A> {
    pub(super) fn new(authorizer: A) -> Self {
        Self { authorizer, only: Vec::new() }
    }

    /// Only what one of these patterns [covers](Pattern::covers): identifiers or, with a slash at the
    /// beginning, paths. Default: everything. A grant of another resource stays a plain one.
    #[must_use]
    pub fn only<P: Into<Pattern>>(mut self, patterns: impl IntoIterator<Item = P>) -> Self {
        self.only.extend(patterns.into_iter().map(Into::into));
        self
    }

    fn signed(&self, request: &AccessRequest<'_>) -> Option<SignedLocation> {
        let covers = |pattern: &Pattern| pattern.covers(request.resource());
        let meant = self.only.is_empty() || self.only.iter().any(covers);
        request.signed_location().filter(|_| meant)
    }
}

impl<A: Authorizer> Authorizer for SignedLocations<A> {
    fn authorize(&self, request: &AccessRequest<'_>) -> Answer<Result<Decision, BoxError>> {
        let Some(signed) = self.signed(request) else { return self.authorizer.authorize(request) };
        match self.authorizer.authorize(request) {
            Answer::Now(outcome) => Answer::Now(outcome.map(|decision| decision.under(signed))),
            Answer::Later(outcome) => {
                Answer::later(async move { outcome.await.map(|decision| decision.under(signed)) })
            }
        }
    }

    fn authorize_all(
        &self,
        requests: &[AccessRequest<'_>],
    ) -> Answer<Vec<Result<Decision, BoxError>>> {
        let signed: Vec<_> = requests.iter().map(|request| self.signed(request)).collect();
        let under = |outcomes: Vec<Result<Decision, BoxError>>| {
            let all = outcomes.into_iter().zip(signed);
            let under = |decision: Decision, signed| match signed {
                Some(signed) => decision.under(signed),
                None => decision,
            };
            all.map(|(outcome, signed)| outcome.map(|own| under(own, signed))).collect()
        };
        match self.authorizer.authorize_all(requests) {
            Answer::Now(outcomes) => Answer::Now(under(outcomes)),
            Answer::Later(outcomes) => Answer::later(async move { under(outcomes.await) }),
        }
    }
}

impl<A: fmt::Debug> fmt::Debug for SignedLocations<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedLocations")
            .field("authorizer", &self.authorizer)
            .field("only", &self.only)
            .finish()
    }
}
