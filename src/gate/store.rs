//! The store of revocations: nothing of it takes longer than it may, or panics.

use super::limits;
use crate::answer::{Answer, BoxError};
use crate::clock::{SKEW, Timestamp};
use crate::core::Core;
use crate::revocation::Share;
use crate::session::SessionId;

impl Core {
    /// Revokes a session of the access cookie.
    pub(crate) async fn revoke(
        &self,
        share: Share<'_>,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), BoxError> {
        // A node whose clock is behind takes the cookie a little longer.
        let until = until.after(SKEW);
        match limits::catch(|| self.revocations.revoke_in(share, id, until, now))? {
            Answer::Now(outcome) => outcome,
            Answer::Later(outcome) => limits::within(self.limits.decision_time(), outcome).await,
        }
    }

    /// Claims an id for this request; false if another one has.
    pub(crate) async fn claim(
        &self,
        share: Share<'_>,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, BoxError> {
        // A node whose clock is behind takes it a little longer.
        let until = until.after(SKEW);
        match limits::catch(|| self.revocations.claim_in(share, id, until, now))? {
            Answer::Now(outcome) => outcome,
            Answer::Later(outcome) => limits::within(self.limits.decision_time(), outcome).await,
        }
    }

    /// The id for a new session of the access cookie.
    pub(crate) fn admit(&self, id: SessionId) -> Result<SessionId, BoxError> {
        limits::catch(|| self.revocations.admit(id))
    }

    /// The id of a session that is made now. A store that has meanwhile forgotten what it knew refuses
    /// those that it would have given, and says so: what is new belongs to its new life.
    pub(crate) async fn new_id(&self, now: Timestamp) -> Result<SessionId, BoxError> {
        let id = self.admit(SessionId::random()?)?;
        if self.is_revoked(id, now).await? {
            return self.admit(SessionId::random()?);
        }
        Ok(id)
    }

    /// Whether it is known without waiting that a session of the access cookie was revoked.
    pub(crate) fn is_known_revoked(&self, id: SessionId, now: Timestamp) -> bool {
        let known = limits::catch(|| self.revocations.is_revoked(id, now));
        matches!(known, Ok(Answer::Now(Ok(true))))
    }

    /// Whether a session of the access cookie was revoked; an error when it is not known.
    pub(crate) async fn is_revoked(&self, id: SessionId, now: Timestamp) -> Result<bool, BoxError> {
        match limits::catch(|| self.revocations.is_revoked(id, now))? {
            Answer::Now(outcome) => outcome,
            Answer::Later(outcome) => limits::within(self.limits.decision_time(), outcome).await,
        }
    }
}
