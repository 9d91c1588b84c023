//! Who asks, and is it still true: the live sessions of a request.

use std::borrow::Cow;
use std::sync::Arc;

use http::request::Parts;

use super::{failure, limits};
use crate::answer::{Answer, BoxError, BoxFuture};
use crate::aspect::{AspectError, BoundCookie, Chosen, FoundSession, Head};
use crate::clock::SKEW;
use crate::clock::Timestamp;
use crate::core::{CandidateAspect, Core, RealmSet};
use crate::revocation::Share;
use crate::seal::Scratch;
use crate::session::{Session, SessionId};

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

/// The cookies to go on with when a session turns out to be revoked, or is not the only one.
pub(super) struct Next {
    /// The place of the access cookie among the candidates.
    candidate: usize,
    /// How many of its values are done with.
    skip: usize,
    /// What is lacking if none of the others is good.
    lacks: AspectError,
    /// The one that counts, unless another one is there.
    chosen: Chosen,
    /// Whether the one that is looked up is alone, and whether it is of the partition.
    is_alone: bool,
    is_partitioned: bool,
}

impl Next {
    fn first(candidate: usize) -> Self {
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
    fn weigh(
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
    fn go_behind(&mut self, found: &FoundSession) {
        self.skip = found.index + 1;
        self.is_alone = found.is_alone;
        self.is_partitioned = found.is_partitioned();
    }

    /// Whether a live one is the session, without a look at others.
    #[inline]
    fn is_done(&self) -> bool {
        self.is_alone && self.chosen.is_none()
    }

    /// What comes of it when there is no further one, for this reason.
    fn end(self, error: AspectError) -> Result<Session<'static>, AspectError> {
        self.chosen.into_session().ok_or_else(|| self.lacks.or_better(error))
    }
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
                self.live_cookie(cookie, Next::first(index), head, now, scratch)
            }
            CandidateAspect::Other(aspect) => match limits::catch(|| aspect.read(head, now)) {
                Ok(Answer::Now(reading)) => Live::Now(reading.and_then(|s| in_time(s, now))),
                Ok(Answer::Later(reading)) => later(LivePending::Reading(reading)),
                Err(panic) => Live::Now(Err(AspectError::Unavailable(panic))),
            },
        }
    }

    /// The live session among the cookies of a realm: a dead one does not hide another, and of two
    /// live ones none counts.
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
                Ok(found) if next.chosen.is_before(&found) => {
                    return Live::Now(next.end(AspectError::Missing));
                }
                Ok(found) => found,
                Err(error) => return Live::Now(next.end(error)),
            };
            next.go_behind(&found);
            match self.is_dead(&found, now) {
                Ok(Answer::Now(Ok(true))) => {
                    next.lacks = next.lacks.or_better(found.lacks_if_revoked());
                }
                Ok(Answer::Now(Ok(false))) if next.is_done() => {
                    return Live::Now(found.session(scratch));
                }
                Ok(Answer::Now(Ok(false))) => {
                    let session = found.session(scratch);
                    if let Err(error) = session.and_then(|own| next.weigh(own, cookie, head)) {
                        return Live::Now(Err(error));
                    }
                }
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

    /// Whether a session of the access cookie is over before its time.
    #[inline]
    fn is_dead(
        &self,
        found: &FoundSession,
        now: Timestamp,
    ) -> Result<Answer<Result<bool, BoxError>>, BoxError> {
        if self.is_of_before(found.issued_at()) {
            return Ok(Answer::Now(Ok(true)));
        }
        limits::catch(|| self.revocations.is_revoked(found.id(), now))
    }

    /// The live session behind a token, as its own aspect sees it now.
    fn resume<'b>(&self, token: &TokenSession<'b>, now: Timestamp) -> Live<'b> {
        let session = token.session.clone();
        if self.is_of_before(session.issued_at()) {
            return Live::Now(Err(AspectError::Expired));
        }
        let mine =
            |c: &&crate::core::Candidate| c.realm == token.realm && c.name() == &*token.aspect;
        match self.candidates.iter().find(mine).map(|candidate| &candidate.aspect) {
            None => Live::Now(Err(AspectError::Invalid)),
            Some(CandidateAspect::Cookie(_)) => match in_time(session, now) {
                Ok(session) => self.still(session, now),
                Err(error) => Live::Now(Err(error)),
            },
            Some(CandidateAspect::Other(aspect)) => {
                let of = session.subject().to_owned();
                match limits::catch(|| aspect.resume(session.into_owned(), now)) {
                    Ok(Answer::Now(reading)) => Live::Now(
                        reading.and_then(|s| of_the_same(&of, s)).and_then(|s| in_time(s, now)),
                    ),
                    Ok(Answer::Later(reading)) => {
                        let reading = async move { of_the_same(&of, reading.await?) };
                        later(LivePending::Reading(Box::pin(reading)))
                    }
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
            let revoked = limits::within(self.decision_timeout, revoked).await;
            let is_dead = revoked.map_err(failure::of_store)?;
            let next = match next {
                None if is_dead => return Err(AspectError::Revoked),
                Some(next) if is_dead => next,
                Some(next) if !next.is_done() => self.weigh_next(next, session, head)?,
                None | Some(_) => return Ok(session),
            };
            pending = match self.live_next(next, head, now) {
                Live::Later(pending) => pending,
                Live::Now(session) => return session,
                Live::Skip => return Err(AspectError::Invalid),
            };
        }
    }

    /// Takes a live one in that was waited for.
    fn weigh_next(
        &self,
        mut next: Next,
        session: Session<'static>,
        head: &Head<'_>,
    ) -> Result<Next, AspectError> {
        let CandidateAspect::Cookie(cookie) = &self.candidates[next.candidate].aspect else {
            return Err(AspectError::Invalid);
        };
        next.weigh(session, cookie, head)?;
        Ok(next)
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
        share: Share<'_>,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), BoxError> {
        // A node whose clock is behind takes the cookie a little longer.
        let until = until.after(SKEW);
        match limits::catch(|| self.revocations.revoke_in(share, id, until, now))? {
            Answer::Now(outcome) => outcome,
            Answer::Later(outcome) => limits::within(self.decision_timeout, outcome).await,
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

/// The session that a token is resumed as, if it is still that of the user whom the token was issued
/// for: an application may let another one log in over the first.
fn of_the_same<'s>(subject: &str, session: Session<'s>) -> Result<Session<'s>, AspectError> {
    if session.subject() == subject { Ok(session) } else { Err(AspectError::Invalid) }
}

fn later<'b>(pending: LivePending) -> Live<'b> {
    Live::Later(Box::new(pending))
}

fn in_time(session: Session<'_>, now: Timestamp) -> Result<Session<'_>, AspectError> {
    session.stamp().check(now)?;
    Ok(session)
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
