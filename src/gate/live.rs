//! Who asks, and is it still true: the live sessions of a request.

use super::cause::Cause;
use super::limits;
use super::next::Next;
use super::source::Source;
use super::token_session::TokenSession;
use crate::answer::{Answer, BoxError, BoxFuture};
use crate::aspect::{AspectError, BoundCookie, FoundSession, Head};
use crate::clock::Timestamp;
use crate::core::{Candidate, CandidateAspect, Core, RealmSet};
use crate::seal::Scratch;
use crate::session::{Session, SessionKey};

pub(super) enum Live<'b> {
    /// This source has no say over the resource.
    Skip,
    Now(Result<Session<'b>, Cause>),
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

impl Core {
    /// The live session from one source.
    #[inline]
    pub(super) fn live<'b>(
        &self,
        source: Source,
        realms: RealmSet,
        head: &Head<'_>,
        token: Option<&TokenSession<'b>>,
        now: Timestamp,
        scratch: &'b mut Scratch,
    ) -> Live<'b> {
        let id = match (source, token) {
            (Source::Aspect(id), _) => id,
            (Source::Token, Some(token)) if realms.contains(token.realm) => {
                return self.resume(token, now);
            }
            (Source::Token, _) => return Live::Skip,
        };
        let candidate = &self.candidates[id];
        if !realms.contains(candidate.realm()) {
            return Live::Skip;
        }
        match candidate.aspect() {
            CandidateAspect::Cookie(cookie) => {
                self.live_cookie(cookie, Next::first(id), head, now, scratch)
            }
            CandidateAspect::Other(aspect) => match limits::catch(|| aspect.read(head, now)) {
                Ok(Answer::Now(reading)) => Live::Now(read(reading, now)),
                Ok(Answer::Later(reading)) => later(LivePending::Reading(reading)),
                Err(panic) => Live::Now(Err(Cause::of_aspect(panic))),
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
            match self.is_dead(&found, cookie, scratch, now) {
                Ok(Answer::Now(Ok(true))) => {
                    next.lacks = next.lacks.or_better(found.lacks_if_revoked());
                }
                Ok(Answer::Now(Ok(false))) if next.is_done() => {
                    return Live::Now(found.session(scratch).map_err(Cause::from));
                }
                Ok(Answer::Now(Ok(false))) => {
                    let session = found.session(scratch);
                    if let Err(error) = session.and_then(|own| next.weigh(own, cookie, head)) {
                        return Live::Now(Err(error.into()));
                    }
                }
                Ok(Answer::Later(revoked)) => {
                    return match found.session(scratch) {
                        Ok(session) => {
                            let session = session.into_owned();
                            next.lacks = next.lacks.or_better(found.lacks_if_revoked());
                            later(LivePending::Still { session, revoked, next: Some(next) })
                        }
                        Err(error) => Live::Now(Err(error.into())),
                    };
                }
                Ok(Answer::Now(Err(error))) | Err(error) => {
                    return Live::Now(Err(Cause::of_store(error)));
                }
            }
        }
    }

    /// Whether a session of the access cookie is over before its time.
    #[inline]
    fn is_dead(
        &self,
        found: &FoundSession,
        cookie: &BoundCookie,
        scratch: &Scratch,
        now: Timestamp,
    ) -> Result<Answer<Result<bool, BoxError>>, BoxError> {
        if self.is_of_before(found.issued_at()) {
            return Ok(Answer::Now(Ok(true)));
        }
        limits::catch(|| self.revocations.is_ended(&found.key(cookie.realm(), scratch), now))
    }

    /// The live session behind a token, as its own aspect sees it now.
    fn resume<'b>(&self, token: &TokenSession<'b>, now: Timestamp) -> Live<'b> {
        let session = token.session.clone();
        if self.is_of_before(session.issued_at()) {
            return Live::Now(Err(AspectError::Expired.into()));
        }
        match self.candidates.named(token.realm, &token.aspect).map(Candidate::aspect) {
            None => Live::Now(Err(AspectError::Invalid.into())),
            Some(CandidateAspect::Cookie(cookie)) => {
                match session.stamp().check_within(cookie.times().longest_millis, now) {
                    Ok(()) => self.still(session, cookie, now),
                    Err(error) => Live::Now(Err(AspectError::from(error).into())),
                }
            }
            Some(CandidateAspect::Other(aspect)) => {
                let of = session.subject().to_owned();
                match limits::catch(|| aspect.resume(session.into_owned(), now)) {
                    Ok(Answer::Now(reading)) => {
                        Live::Now(read(reading.and_then(|s| of_the_same(&of, s)), now))
                    }
                    Ok(Answer::Later(reading)) => {
                        let reading = async move { of_the_same(&of, reading.await?) };
                        later(LivePending::Reading(Box::pin(reading)))
                    }
                    Err(panic) => Live::Now(Err(Cause::of_aspect(panic))),
                }
            }
        }
    }

    /// Whether a session of the access cookie has ended before its time.
    fn still<'b>(&self, session: Session<'b>, cookie: &BoundCookie, now: Timestamp) -> Live<'b> {
        let key = SessionKey::new(cookie.realm(), &session);
        match limits::catch(|| self.revocations.is_ended(&key, now)) {
            Ok(Answer::Now(revoked)) => Live::Now(unless_revoked(session, revoked)),
            Ok(Answer::Later(revoked)) => {
                let session = session.into_owned();
                later(LivePending::Still { session, revoked, next: None })
            }
            Err(panic) => Live::Now(Err(Cause::of_store(panic))),
        }
    }

    /// Waits for a session. A cookie that turns out to be dead does not hide another.
    pub(super) async fn finish_live(
        &self,
        mut pending: Box<LivePending>,
        head: &Head<'_>,
        now: Timestamp,
    ) -> Result<Session<'static>, Cause> {
        loop {
            let (session, revoked, next) = match *pending {
                LivePending::Reading(reading) => {
                    let reading = Box::pin(async { Ok(reading.await) });
                    return limits::within(self.limits.decision_time(), reading)
                        .await
                        .map_err(Cause::of_aspect)
                        .and_then(|reading| read(reading, now));
                }
                LivePending::Still { session, revoked, next } => (session, revoked, next),
            };
            let revoked = limits::within(self.limits.decision_time(), revoked).await;
            let is_dead = revoked.map_err(Cause::of_store)?;
            let next = match next {
                None if is_dead => return Err(AspectError::Revoked.into()),
                Some(next) if is_dead => next,
                Some(next) if !next.is_done() => self.weigh_next(next, session, head)?,
                None | Some(_) => return Ok(session),
            };
            pending = match self.live_next(next, head, now) {
                Live::Later(pending) => pending,
                Live::Now(session) => return session,
                Live::Skip => return Err(AspectError::Invalid.into()),
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
        let CandidateAspect::Cookie(cookie) = self.candidates[next.candidate].aspect() else {
            return Err(AspectError::Invalid);
        };
        next.weigh(session, cookie, head)?;
        Ok(next)
    }

    /// The next session of a realm's cookies.
    fn live_next(&self, next: Next, head: &Head<'_>, now: Timestamp) -> Live<'static> {
        let CandidateAspect::Cookie(cookie) = self.candidates[next.candidate].aspect() else {
            return Live::Skip;
        };
        let mut scratch = Scratch::new();
        match self.live_cookie(cookie, next, head, now, &mut scratch) {
            Live::Now(session) => Live::Now(session.map(Session::into_owned)),
            Live::Later(pending) => Live::Later(pending),
            Live::Skip => Live::Skip,
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

/// What an aspect read, if its time is not over.
fn read(reading: Result<Session<'_>, AspectError>, now: Timestamp) -> Result<Session<'_>, Cause> {
    Ok(in_time(reading?, now)?)
}

fn unless_revoked(
    session: Session<'_>,
    revoked: Result<bool, BoxError>,
) -> Result<Session<'_>, Cause> {
    match revoked {
        Ok(false) => Ok(session),
        Ok(true) => Err(AspectError::Revoked.into()),
        Err(error) => Err(Cause::of_store(error)),
    }
}
