//! The sessions that the browser brings along while the user logs in.

use std::time::Duration;

use super::context::Context;
use super::grant::{AccessGrant, Who};
use crate::answer::BoxError;
use crate::aspect::{BoundCookie, Chosen, FoundSession, Sessions};
use crate::clock::Timestamp;
use crate::revocation::Share;
use crate::seal::Scratch;
use crate::session::{Session, SessionId, SessionKey};

/// A session with less time than this is not given again.
const LEAST_LEFT: Duration = Duration::from_secs(60);

impl Context {
    /// The live session in the request's access cookies; none where there are several.
    pub(super) async fn live_session(
        &self,
        cookie: &BoundCookie,
        now: Timestamp,
    ) -> Result<Option<Session<'static>>, BoxError> {
        self.core.cookie_session(cookie, &self.parts.headers, now).await
    }

    /// The session in the request's access cookies that is not known to have ended. Where that has
    /// to be waited for, it is found out before a cookie is made of it.
    pub(super) fn current_session(
        &self,
        cookie: &BoundCookie,
        now: Timestamp,
    ) -> Option<Session<'static>> {
        let (mut chosen, mut skip) = (Chosen::default(), 0);
        while let Some((session, found)) = self.next_session(cookie, now, skip) {
            if chosen.is_before(&found) {
                break;
            }
            skip = found.index + 1;
            let key = SessionKey::new(cookie.realm(), &session);
            if self.core.is_known_ended(&key, now) != Some(true) {
                chosen.take_in(session, found.is_partitioned()).ok()?;
            }
        }
        self.if_few(cookie, chosen)
    }

    /// The next session of the request's cookies that the clock has not gone back behind.
    fn next_session(
        &self,
        cookie: &BoundCookie,
        now: Timestamp,
        mut skip: usize,
    ) -> Option<(Session<'static>, FoundSession)> {
        let mut scratch = Scratch::new();
        loop {
            let found = cookie.find(&self.parts.headers, now, &mut scratch, skip).ok()?;
            if !self.core.is_of_before(found.issued_at()) {
                return Some((found.session(&scratch).ok()?.into_owned(), found));
            }
            skip = found.index + 1;
        }
    }

    /// What was chosen, unless there are more cookies than were looked at.
    fn if_few(&self, cookie: &BoundCookie, chosen: Chosen) -> Option<Session<'static>> {
        chosen.into_session().filter(|_| !cookie.are_too_many(&self.parts.headers))
    }

    /// Whether what a click grants is the session that the user has, and it need not be a new one: else
    /// who clicks again and again would fill the list of sessions that were ended.
    pub(super) fn is_given_again(
        grant: &AccessGrant,
        present: &Session<'_>,
        cookie: &BoundCookie,
        now: Timestamp,
    ) -> bool {
        let Who::New { subject, roles } = &grant.who else { return false };
        // One that ends any moment is of no use.
        let least = LEAST_LEFT.min(cookie.times().lifetime / 2);
        grant.by_a_click
            && present.subject() == subject
            && present.roles().eq(roles.iter().map(String::as_str))
            && present.expires_at().remaining(now) >= least
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
        let Sessions { list, are_all } = cookie.sessions(&self.parts.headers, now);
        for old in list.iter().filter(|old| old.id != id) {
            let share = Share::of(cookie.realm(), old.is_of_nobody);
            match self.core.revoke(share, old.id, old.until, now).await {
                // It opens what anybody has for a click: nobody's login waits for that.
                Err(error) if old.is_of_nobody => {
                    crate::trace::failure("revocation store", &error);
                }
                ended => ended?,
            }
        }
        if are_all { Ok(()) } else { Err("there are more sessions than one request ends".into()) }
    }
}
