//! Who asks, and is it still true: the live sessions of a request.

use std::borrow::Cow;
use std::sync::Arc;

use http::request::Parts;

use super::{failure, limits};
use crate::answer::{Answer, BoxError, BoxFuture};
use crate::aspect::{AspectError, BoundCookie, Head, SKEW, Session, SessionId};
use crate::clock::Timestamp;
use crate::config::{CandidateAspect, Core, RealmSet};
use crate::seal::Scratch;

/// The session that an access token stands for, as it was when the token was issued.
#[derive(Clone, Debug)]
pub(crate) struct TokenSession<'a> {
    pub(crate) realm: usize,
    /// The name of the aspect that it was read from.
    pub(crate) aspect: Cow<'a, str>,
    pub(crate) session: Session<'a>,
}

impl TokenSession<'_> {
    /// A copy to keep while waiting.
    pub(crate) fn into_owned(self) -> TokenSession<'static> {
        TokenSession {
            realm: self.realm,
            aspect: Cow::Owned(self.aspect.into_owned()),
            session: self.session.into_owned(),
        }
    }
}

pub(super) enum Live<'b> {
    /// This place has no say over the resource.
    Skip,
    Now(Result<Session<'b>, AspectError>),
    Later(Box<LivePending>),
}

/// A session that is waited for.
pub(super) enum LivePending {
    /// Still to be read; then, for the access cookie, looked up.
    Reading(BoxFuture<Result<Session<'static>, AspectError>>),
    /// Looked up among the revoked.
    Still {
        session: Session<'static>,
        revoked: BoxFuture<Result<bool, BoxError>>,
        next: Option<Next>,
    },
}

/// The cookies to go on with when a session turns out to be revoked.
pub(super) struct Next {
    /// The place of the access cookie among the candidates.
    candidate: usize,
    /// How many of its values are done with.
    skip: usize,
    /// What is lacking if none of the others is good.
    lacks: AspectError,
}

impl Core {
    /// The live session at one place: place 0 is the token's, the others are the aspects' in order.
    #[inline]
    pub(super) fn live<'b>(
        &self,
        place: usize,
        realms: RealmSet,
        head: &Head<'_>,
        token: Option<&TokenSession<'b>>,
        now: Timestamp,
        scratch: &'b mut Scratch,
    ) -> Live<'b> {
        let Some(index) = place.checked_sub(1) else {
            return match token {
                Some(token) if realms.contains(token.realm) => self.resume(token, now),
                _ => Live::Skip,
            };
        };
        let candidate = &self.candidates[index];
        if !realms.contains(candidate.realm) {
            return Live::Skip;
        }
        match &candidate.aspect {
            CandidateAspect::Cookie(cookie) => {
                let next = Next { candidate: index, skip: 0, lacks: AspectError::Missing };
                self.live_cookie(cookie, next, head, now, scratch)
            }
            CandidateAspect::Other(aspect) => match limits::catch(|| aspect.read(head, now)) {
                Ok(Answer::Now(reading)) => Live::Now(reading.and_then(|s| in_time(s, now))),
                Ok(Answer::Later(reading)) => later(LivePending::Reading(reading)),
                Err(panic) => Live::Now(Err(AspectError::Unavailable(panic))),
            },
        }
    }

    /// The first live session among the cookies of a realm: a dead one does not hide another.
    #[inline]
    fn live_cookie<'b>(
        &self,
        cookie: &BoundCookie,
        mut next: Next,
        head: &Head<'_>,
        now: Timestamp,
        scratch: &'b mut Scratch,
    ) -> Live<'b> {
        loop {
            let found = match cookie.find(head.headers(), now, scratch, next.skip) {
                Ok(found) => found,
                Err(error) => return Live::Now(Err(next.lacks.or_better(error))),
            };
            next.skip = found.index + 1;
            match limits::catch(|| self.revocations.is_revoked(found.id(), now)) {
                Ok(Answer::Now(Ok(true))) => {
                    next.lacks = next.lacks.or_better(found.lacks_if_revoked());
                }
                Ok(Answer::Now(Ok(false))) => return Live::Now(found.session(scratch)),
                Ok(Answer::Later(revoked)) => {
                    return match found.session(scratch) {
                        Ok(session) => {
                            let session = session.into_owned();
                            next.lacks = next.lacks.or_better(found.lacks_if_revoked());
                            later(LivePending::Still { session, revoked, next: Some(next) })
                        }
                        Err(error) => Live::Now(Err(error)),
                    };
                }
                Ok(Answer::Now(Err(error))) | Err(error) => {
                    return Live::Now(Err(failure::of_store(error)));
                }
            }
        }
    }

    /// The live session behind a token, as its own aspect sees it now.
    fn resume<'b>(&self, token: &TokenSession<'b>, now: Timestamp) -> Live<'b> {
        let session = token.session.clone();
        let mine =
            |c: &&crate::config::Candidate| c.realm == token.realm && c.name() == &*token.aspect;
        match self.candidates.iter().find(mine).map(|candidate| &candidate.aspect) {
            None => Live::Now(Err(AspectError::Invalid)),
            Some(CandidateAspect::Cookie(_)) => match in_time(session, now) {
                Ok(session) => self.still(session, now),
                Err(error) => Live::Now(Err(error)),
            },
            Some(CandidateAspect::Other(aspect)) => {
                match limits::catch(|| aspect.resume(session.into_owned(), now)) {
                    Ok(Answer::Now(reading)) => Live::Now(reading.and_then(|s| in_time(s, now))),
                    Ok(Answer::Later(reading)) => later(LivePending::Reading(reading)),
                    Err(panic) => Live::Now(Err(AspectError::Unavailable(panic))),
                }
            }
        }
    }

    /// Whether a session of the access cookie was revoked.
    fn still<'b>(&self, session: Session<'b>, now: Timestamp) -> Live<'b> {
        match limits::catch(|| self.revocations.is_revoked(session.id(), now)) {
            Ok(Answer::Now(revoked)) => Live::Now(unless_revoked(session, revoked)),
            Ok(Answer::Later(revoked)) => {
                let session = session.into_owned();
                later(LivePending::Still { session, revoked, next: None })
            }
            Err(panic) => Live::Now(Err(failure::of_store(panic))),
        }
    }

    /// Waits for a session. A cookie that turns out to be dead does not hide another.
    pub(super) async fn finish_live(
        &self,
        mut pending: Box<LivePending>,
        head: &Head<'_>,
        now: Timestamp,
    ) -> Result<Session<'static>, AspectError> {
        loop {
            let (session, revoked, next) = match *pending {
                LivePending::Reading(reading) => {
                    let reading = Box::pin(async { Ok(reading.await) });
                    return limits::within(self.decision_timeout, reading)
                        .await
                        .map_err(AspectError::Unavailable)?
                        .and_then(|session| in_time(session, now));
                }
                LivePending::Still { session, revoked, next } => (session, revoked, next),
            };
            match limits::within(self.decision_timeout, revoked).await {
                Ok(false) => return Ok(session),
                Ok(true) => {}
                Err(error) => return Err(failure::of_store(error)),
            }
            let Some(next) = next else { return Err(AspectError::Revoked) };
            pending = match self.live_next(next, head, now) {
                Live::Later(pending) => pending,
                Live::Now(session) => return session,
                Live::Skip => return Err(AspectError::Invalid),
            };
        }
    }

    /// The next session of a realm's cookies.
    fn live_next(&self, next: Next, head: &Head<'_>, now: Timestamp) -> Live<'static> {
        let CandidateAspect::Cookie(cookie) = &self.candidates[next.candidate].aspect else {
            return Live::Skip;
        };
        let mut scratch = Scratch::new();
        match self.live_cookie(cookie, next, head, now, &mut scratch) {
            Live::Now(session) => Live::Now(session.map(Session::into_owned)),
            Live::Later(pending) => Live::Later(pending),
            Live::Skip => Live::Skip,
        }
    }

    /// The first live session of a realm and the aspect it was read from, for the token service.
    pub(crate) async fn identify(
        self: Arc<Self>,
        realm: usize,
        parts: &Parts,
        now: Timestamp,
    ) -> Result<TokenSession<'static>, AspectError> {
        let head = Head::of_parts(parts);
        let mut lacks = AspectError::Missing;
        for (index, candidate) in self.candidates.iter().enumerate() {
            if candidate.realm != realm {
                continue;
            }
            let realms = RealmSet::only(realm);
            // The scratch, too, stays out of what is kept while waiting.
            let live = {
                let mut scratch = Scratch::new();
                match self.live(index + 1, realms, &head, None, now, &mut scratch) {
                    Live::Skip => continue,
                    Live::Now(session) => Ok(session.map(Session::into_owned)),
                    Live::Later(pending) => Err(pending),
                }
            };
            let session = match live {
                Ok(session) => session,
                Err(pending) => self.finish_live(pending, &head, now).await,
            };
            match session {
                Ok(session) => {
                    let aspect = Cow::Owned(candidate.name().to_owned());
                    return Ok(TokenSession { realm, aspect, session });
                }
                Err(error) => lacks = lacks.or_better(error),
            }
        }
        if let AspectError::Unavailable(error) = &lacks {
            crate::trace::failure(failure::what(error), error);
        }
        Err(lacks)
    }

    /// Revokes a session of the access cookie.
    pub(crate) async fn revoke(
        &self,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), BoxError> {
        // A node whose clock is behind takes the cookie a little longer.
        let until = until.after(SKEW);
        match limits::catch(|| self.revocations.revoke(id, until, now))? {
            Answer::Now(outcome) => outcome,
            Answer::Later(outcome) => limits::within(self.decision_timeout, outcome).await,
        }
    }

    /// Claims an id for this request; false if another one has.
    pub(crate) async fn claim(
        &self,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, BoxError> {
        // A node whose clock is behind takes it a little longer.
        let until = until.after(SKEW);
        match limits::catch(|| self.revocations.claim(id, until, now))? {
            Answer::Now(outcome) => outcome,
            Answer::Later(outcome) => limits::within(self.decision_timeout, outcome).await,
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
            Answer::Later(outcome) => limits::within(self.decision_timeout, outcome).await,
        }
    }
}

fn later<'b>(pending: LivePending) -> Live<'b> {
    Live::Later(Box::new(pending))
}

fn in_time(session: Session<'_>, now: Timestamp) -> Result<Session<'_>, AspectError> {
    session.stamp().check(now).map(|()| session)
}

fn unless_revoked(
    session: Session<'_>,
    revoked: Result<bool, BoxError>,
) -> Result<Session<'_>, AspectError> {
    match revoked {
        Ok(false) => Ok(session),
        Ok(true) => Err(AspectError::Revoked),
        Err(error) => Err(failure::of_store(error)),
    }
}
