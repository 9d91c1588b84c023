//! The store of revocations: nothing of it takes longer than it may, or panics.

use super::limits;
use crate::answer::{Answer, BoxError};
use crate::clock::{SKEW, Timestamp};
use crate::core::Core;
use crate::revocation::Share;
use crate::session::{Era, Session, SessionId, SessionKey};

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

    /// Whether a session of the access cookie has ended before its time, as far as that is known without
    /// waiting.
    pub(crate) fn is_known_ended(&self, session: &SessionKey<'_>, now: Timestamp) -> Option<bool> {
        match limits::catch(|| self.revocations.is_ended(session, now)) {
            Ok(Answer::Now(Ok(is_ended))) => Some(is_ended),
            _ => None,
        }
    }

    /// Whether a session of the access cookie has ended before its time; an error when it is not known.
    pub(crate) async fn is_ended(
        &self,
        realm: &str,
        session: &Session<'_>,
        now: Timestamp,
    ) -> Result<bool, BoxError> {
        let asked = {
            let key = SessionKey::new(realm, session);
            limits::catch(|| self.revocations.is_ended(&key, now))?
        };
        match asked {
            Answer::Now(outcome) => outcome,
            Answer::Later(outcome) => limits::within(self.limits.decision_time(), outcome).await,
        }
    }

    /// Ends every session of a subject in a realm.
    pub(crate) async fn end_subject(
        &self,
        realm: &str,
        subject: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), BoxError> {
        let (era, until) = (Era::random()?, until.after(SKEW));
        match limits::catch(|| self.revocations.end_subject(realm, subject, era, until, now))? {
            Answer::Now(outcome) => outcome,
            Answer::Later(outcome) => limits::within(self.limits.decision_time(), outcome).await,
        }
    }

    /// The era in which a session of this subject begins now.
    pub(crate) async fn era_of(
        &self,
        realm: &str,
        subject: &str,
        now: Timestamp,
    ) -> Result<Era, BoxError> {
        // Nobody in particular has no sessions to be ended all at once.
        if subject.is_empty() {
            return Ok(Era::FIRST);
        }
        match limits::catch(|| self.revocations.era_of(realm, subject, now))? {
            Answer::Now(outcome) => outcome,
            Answer::Later(outcome) => limits::within(self.limits.decision_time(), outcome).await,
        }
    }

    /// Whether an id was revoked; an error when it is not known.
    async fn is_revoked(&self, id: SessionId, now: Timestamp) -> Result<bool, BoxError> {
        match limits::catch(|| self.revocations.is_revoked(id, now))? {
            Answer::Now(outcome) => outcome,
            Answer::Later(outcome) => limits::within(self.limits.decision_time(), outcome).await,
        }
    }
}
