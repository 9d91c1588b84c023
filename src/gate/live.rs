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

pub(super) enum Live<'s> {
    /// This source has no say over the resource.
    Skip,
    Now(Result<&'s Session<'s>, Cause>),
    Later(Box<LivePending>),
}

/// Where a session is opened, and where it is put: it is large, and moved for no tile.
pub(super) type Places<'s, 'b> = (&'b mut Scratch, &'s mut Option<Session<'b>>);

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
    pub(super) fn live<'s, 'b: 's>(
        &self,
        source: Source,
        realms: RealmSet,
        head: &Head<'_>,
        token: Option<&TokenSession<'b>>,
        now: Timestamp,
        (scratch, place): Places<'s, 'b>,
    ) -> Live<'s> {
        let id = match (source, token) {
            (Source::Aspect(id), _) => id,
            (Source::Token, Some(token)) if realms.contains(token.realm) => {
                return self.resume(token, now, place);
            }
            (Source::Token, _) => return Live::Skip,
        };
        let candidate = &self.candidates[id];
        if !realms.contains(candidate.realm()) {
            return Live::Skip;
        }
        match candidate.aspect() {
            CandidateAspect::Cookie(cookie) => {
                self.live_cookie(cookie, Next::first(id), head, now, (scratch, place))
            }
            CandidateAspect::Other(aspect) => match limits::catch(|| aspect.read(head, now)) {
                Ok(Answer::Now(reading)) => put(read(reading, now), place),
                Ok(Answer::Later(reading)) => later(LivePending::Reading(reading)),
                Err(panic) => Live::Now(Err(Cause::of_aspect(panic))),
            },
        }
    }

    /// The live session among the cookies of a realm: a dead one does not hide another, and of two
    /// live ones none counts.
    #[inline]
    fn live_cookie<'s, 'b: 's>(
        &self,
        cookie: &BoundCookie,
        mut next: Next,
        head: &Head<'_>,
        now: Timestamp,
        (scratch, place): Places<'s, 'b>,
    ) -> Live<'s> {
        let found = loop {
            let found = match cookie.find(head.headers(), now, scratch, next.skip) {
                Ok(found) if next.chosen.is_before(&found) => {
                    return put(next.end(AspectError::Missing), place);
                }
                Ok(found) => found,
                Err(error) => return put(next.end(error), place),
            };
            next.go_behind(&found);
            match self.is_dead(&found, cookie, scratch, now) {
                Ok(Answer::Now(Ok(true))) => {
                    next.lacks = next.lacks.or_better(found.lacks_if_revoked());
                }
                Ok(Answer::Now(Ok(false))) if next.is_done() => break found,
                Ok(Answer::Now(Ok(false))) => {
                    if let Err(error) = weigh(&mut next, &found, scratch, cookie, head) {
                        return Live::Now(Err(error.into()));
                    }
                }
                Ok(Answer::Later(revoked)) => return still_to_tell(next, &found, scratch, revoked),
                Ok(Answer::Now(Err(error))) | Err(error) => {
                    return Live::Now(Err(Cause::of_store(error)));
                }
            }
        };
        match found.session(scratch) {
            Ok(session) => Live::Now(Ok(place.insert(session))),
            Err(error) => Live::Now(Err(error.into())),
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
    fn resume<'s, 'b: 's>(
        &self,
        token: &TokenSession<'b>,
        now: Timestamp,
        place: &'s mut Option<Session<'b>>,
    ) -> Live<'s> {
        let session = token.session.clone();
        if self.is_of_before(session.issued_at()) {
            return Live::Now(Err(AspectError::Expired.into()));
        }
        match self.candidates.named(token.realm, &token.aspect).map(Candidate::aspect) {
            None => Live::Now(Err(AspectError::Invalid.into())),
            Some(CandidateAspect::Cookie(cookie)) => {
                match session.stamp().check_within(cookie.times().longest_millis, now) {
                    Ok(()) => self.still(session, cookie, now, place),
                    Err(error) => Live::Now(Err(AspectError::from(error).into())),
                }
            }
            Some(CandidateAspect::Other(aspect)) => {
                let of = session.subject().to_owned();
                match limits::catch(|| aspect.resume(session.into_owned(), now)) {
                    Ok(Answer::Now(reading)) => {
                        put(read(reading.and_then(|s| of_the_same(&of, s)), now), place)
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
    fn still<'s, 'b: 's>(
        &self,
        session: Session<'b>,
        cookie: &BoundCookie,
        now: Timestamp,
        place: &'s mut Option<Session<'b>>,
    ) -> Live<'s> {
        let key = SessionKey::new(cookie.realm(), &session);
        match limits::catch(|| self.revocations.is_ended(&key, now)) {
            Ok(Answer::Now(revoked)) => put(unless_revoked(session, revoked), place),
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
                Err(pending) => pending,
                Ok(session) => return session,
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

    /// The next session of a realm's cookies, or what is waited for.
    fn live_next(
        &self,
        next: Next,
        head: &Head<'_>,
        now: Timestamp,
    ) -> Result<Result<Session<'static>, Cause>, Box<LivePending>> {
        let CandidateAspect::Cookie(cookie) = self.candidates[next.candidate].aspect() else {
            return Ok(Err(AspectError::Invalid.into()));
        };
        let (mut scratch, mut place) = (Scratch::new(), None);
        match self.live_cookie(cookie, next, head, now, (&mut scratch, &mut place)) {
            Live::Now(session) => Ok(session.map(|own| own.clone().into_owned())),
            Live::Later(pending) => Err(pending),
            Live::Skip => Ok(Err(AspectError::Invalid.into())),
        }
    }
}

/// The session that a token is resumed as, if it is still that of the user whom the token was issued
/// for: an application may let another one log in over the first.
fn of_the_same<'s>(subject: &str, session: Session<'s>) -> Result<Session<'s>, AspectError> {
    if session.subject() == subject { Ok(session) } else { Err(AspectError::Invalid) }
}

fn later<'s>(pending: LivePending) -> Live<'s> {
    Live::Later(Box::new(pending))
}

/// What is known at once, in its place.
fn put<'s, 'b: 's>(
    session: Result<Session<'b>, Cause>,
    place: &'s mut Option<Session<'b>>,
) -> Live<'s> {
    Live::Now(session.map(|session| &*place.insert(session)))
}

/// Takes a live one in, of several cookies.
#[cold]
fn weigh(
    next: &mut Next,
    found: &FoundSession,
    scratch: &Scratch,
    cookie: &BoundCookie,
    head: &Head<'_>,
) -> Result<(), AspectError> {
    next.weigh(found.session(scratch)?, cookie, head)
}

/// Keeps a session of which it is still to be told whether it was revoked.
#[cold]
fn still_to_tell<'s>(
    mut next: Next,
    found: &FoundSession,
    scratch: &Scratch,
    revoked: BoxFuture<Result<bool, BoxError>>,
) -> Live<'s> {
    match found.session(scratch) {
        Ok(session) => {
            let session = session.into_owned();
            next.lacks = next.lacks.or_better(found.lacks_if_revoked());
            later(LivePending::Still { session, revoked, next: Some(next) })
        }
        Err(error) => Live::Now(Err(error.into())),
    }
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
