//! The cookies of a realm, one after the other.

use super::cause::Cause;
use crate::aspect::{AspectError, BoundCookie, Chosen, FoundSession, Head};
use crate::core::CandidateId;
use crate::session::Session;

/// The cookies to go on with when a session turns out to be revoked, or is not the only one.
pub(super) struct Next {
    /// The realm's access cookie.
    pub(super) candidate: CandidateId,
    /// How many of its values are done with.
    pub(super) skip: usize,
    /// What is lacking if none of the others is good.
    pub(super) lacks: AspectError,
    /// The one that counts, unless another one is there.
    pub(super) chosen: Chosen,
    /// Whether the one that is looked up is alone, and whether it is of the partition.
    is_alone: bool,
    is_partitioned: bool,
}

impl Next {
    pub(super) fn first(candidate: CandidateId) -> Self {
        Self {
            candidate,
            skip: 0,
            lacks: AspectError::Missing,
            chosen: Chosen::default(),
            is_alone: true,
            is_partitioned: false,
        }
    }

    /// Takes a live one in, of several cookies.
    #[cold]
    pub(super) fn weigh(
        &mut self,
        session: Session<'_>,
        cookie: &BoundCookie,
        head: &Head<'_>,
    ) -> Result<(), AspectError> {
        if cookie.are_too_many(head.headers()) {
            return Err(AspectError::Invalid);
        }
        self.chosen.take_in(session, self.is_partitioned)
    }

    /// Goes on behind this one.
    #[inline]
    pub(super) fn go_behind(&mut self, found: &FoundSession) {
        self.skip = found.index + 1;
        self.is_alone = found.is_alone;
        self.is_partitioned = found.is_partitioned();
    }

    /// Whether a live one is the session, without a look at others.
    #[inline]
    pub(super) fn is_done(&self) -> bool {
        self.is_alone && self.chosen.is_none()
    }

    /// What comes of it when there is no further one, for this reason.
    pub(super) fn end(self, error: AspectError) -> Result<Session<'static>, Cause> {
        self.chosen.into_session().ok_or_else(|| self.lacks.or_better(error).into())
    }
}
