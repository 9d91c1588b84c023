//! Where a session comes from.

use crate::core::{CandidateId, Candidates, Core};

/// Where sessions are looked for, in this order: the access token of a probe request, then each aspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Token,
    Aspect(CandidateId),
}

impl Source {
    /// The one that is looked at first.
    #[inline]
    pub(super) fn first(has_token: bool, candidates: &Candidates) -> Option<Self> {
        if has_token { Some(Self::Token) } else { candidates.first().map(Self::Aspect) }
    }

    /// The one that is looked at behind this one.
    #[inline]
    pub(super) fn behind(self, candidates: &Candidates) -> Option<Self> {
        let next = match self {
            Self::Token => candidates.first(),
            Self::Aspect(id) => candidates.behind(id),
        };
        next.map(Self::Aspect)
    }

    /// Its name, as operators read it.
    pub(super) fn name(self, core: &Core) -> &str {
        match self {
            Self::Token => "access token",
            Self::Aspect(id) => core.candidates[id].name(),
        }
    }
}
