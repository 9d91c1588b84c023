//! The sessions that the browser brings along while the user logs in.

use super::seal::Context;
use crate::answer::BoxError;
use crate::aspect::{BoundCookie, Session, SessionId};
use crate::clock::Timestamp;
use crate::seal::Scratch;

impl Context {
    /// The live session in the request's access cookies.
    pub(super) async fn live_session(
        &self,
        cookie: &BoundCookie,
        now: Timestamp,
    ) -> Result<Option<Session<'static>>, BoxError> {
        let mut skip = 0;
        while let Some((session, index)) = self.next_session(cookie, now, skip) {
            if !self.core.is_revoked(session.id(), now).await? {
                return Ok(Some(session));
            }
            skip = index + 1;
        }
        Ok(None)
    }

    /// The session in the request's access cookies that is not known to have ended. Where that has
    /// to be waited for, it is found out before a cookie is made of it.
    pub(super) fn current_session(
        &self,
        cookie: &BoundCookie,
        now: Timestamp,
    ) -> Option<Session<'static>> {
        let mut skip = 0;
        loop {
            let (session, index) = self.next_session(cookie, now, skip)?;
            if !self.core.is_known_revoked(session.id(), now) {
                return Some(session);
            }
            skip = index + 1;
        }
    }

    fn next_session(
        &self,
        cookie: &BoundCookie,
        now: Timestamp,
        skip: usize,
    ) -> Option<(Session<'static>, usize)> {
        let mut scratch = Scratch::new();
        let found = cookie.find(&self.parts.headers, now, &mut scratch, skip).ok()?;
        Some((found.session(&scratch).ok()?.into_owned(), found.index))
    }

    /// The session, with the viewers that the user's session has come by while this one waited for a
    /// click.
    pub(super) async fn with_viewers_since(
        &self,
        cookie: &BoundCookie,
        session: Session<'static>,
        now: Timestamp,
    ) -> Result<Session<'static>, BoxError> {
        let live = self.live_session(cookie, now).await?;
        let same = |live: &Session<'_>| live.subject() == session.subject();
        let Some(live) = live.filter(same) else { return Ok(session) };
        Ok(session.with_viewers_of(&live)?)
    }

    /// Ends the sessions that the new one takes the place of: a login never goes on with an id that
    /// was there before it.
    pub(super) async fn end_others(
        &self,
        cookie: &BoundCookie,
        id: SessionId,
        now: Timestamp,
    ) -> Result<(), BoxError> {
        for (old, until) in cookie.sessions(&self.parts.headers, now) {
            if old != id {
                self.core.revoke(old, until, now).await?;
            }
        }
        Ok(())
    }
}
