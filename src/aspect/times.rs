//! How long the sessions of an access cookie last.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::session::{Session, SessionBuilder, SessionError};

/// How long sessions last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// From the login on, or from the last renewal.
    pub(crate) lifetime: Duration,
    /// How long after its beginning a session may be renewed, where it is.
    pub(super) renewed_up_to: Option<Duration>,
    /// How long any session may last.
    pub(crate) longest: Duration,
    /// The same in milliseconds.
    pub(crate) longest_millis: u64,
}

impl Times {
    /// Whether sessions are renewed.
    pub(crate) fn are_renewed(&self) -> bool {
        self.renewed_up_to.is_some()
    }

    /// A session that begins now, with another lifetime perhaps.
    pub(crate) fn begin(
        &self,
        session: SessionBuilder,
        lifetime: Option<Duration>,
        now: Timestamp,
    ) -> Result<Session<'static>, SessionError> {
        let lifetime = lifetime.unwrap_or(self.lifetime).min(self.longest);
        let session = session.lasting_long(now, lifetime)?;
        let is_renewed = self.renewed_up_to.is_some_and(|up_to| lifetime < up_to);
        Ok(if is_renewed { session.renewed_by(lifetime) } else { session })
    }

    /// The session with its end moved on, where it is time for that: no further than its realm says, and
    /// with the same id, so that whoever ended it has ended this.
    pub(super) fn renewed(
        &self,
        session: &Session<'_>,
        now: Timestamp,
    ) -> Option<Session<'static>> {
        let (idle, up_to) = (session.idle()?, self.renewed_up_to?);
        if session.expires_at().remaining(now) > idle / 2 {
            return None;
        }
        let end = now.after(idle).min(session.issued_at().after(up_to));
        (end > session.expires_at()).then(|| session.clone().into_owned().until(end))
    }

    /// When the last copy of a session ends, however often it was renewed.
    pub(crate) fn end_of(&self, session: &Session<'_>) -> Timestamp {
        match (session.idle(), self.renewed_up_to) {
            (Some(_), Some(up_to)) => session.expires_at().max(session.issued_at().after(up_to)),
            _ => session.expires_at(),
        }
    }
}
