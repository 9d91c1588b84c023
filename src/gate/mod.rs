//! The four questions in order: what is asked for has been found; now who, still, may.
//!
//! Content route, probe and token service all come here, so that they cannot disagree. What is
//! answered at once is decided within the call. Where something has to wait, the place and what is
//! needed later are kept in a [`Pending`], and [`finish_decision`] goes on from there: one set of
//! rules for both.

mod event;
mod failure;
mod limits;
mod live;
mod lower;
mod own;
mod watch;

use std::mem;
use std::sync::Arc;

use http::request::Parts;

pub(crate) use live::TokenSession;
use live::{Live, LivePending};
pub(crate) use lower::first_granted_sibling;
pub(crate) use watch::Watch;

use crate::answer::{Answer, BoxError, BoxFuture};
use crate::aspect::{AspectError, Head};
use crate::authorizer::{AccessRequest, Decision, Denial};
use crate::clock::Timestamp;
use crate::core::{Candidate, Core, RealmSet};
use crate::observe::Reason;
use crate::resource::Resource;
use crate::seal::Scratch;
use crate::session::{Session, SessionId};

/// Who asks for what.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) head: Head<'a>,
    pub(crate) resource: &'a Resource<'a>,
    pub(crate) now: Timestamp,
    /// The session behind the access token of a probe request.
    pub(crate) token: Option<&'a TokenSession<'a>>,
}

/// The decision, and what it rests on.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) decision: Decision,
    pub(crate) basis: Basis,
}

#[derive(Debug)]
pub(crate) enum Basis {
    /// It is the same for everyone.
    Open,
    /// A session that ends at this time; the session itself where it is to be handed on.
    Session {
        id: SessionId,
        expires_at: Timestamp,
        session: Option<Session<'static>>,
        place: usize,
    },
    /// There is a session at this place, and it is not enough.
    NotEnough { place: usize },
    /// There is no session, for this reason.
    Nobody(Lack),
}

/// What is lacking, and at which place; without one it is the authorizer that failed.
#[derive(Debug)]
pub(crate) struct Lack {
    pub(crate) error: AspectError,
    place: Option<usize>,
}

impl Verdict {
    /// The same for a request whose token was no good. A bad token says more than no token, and is told
    /// unless an aspect has as much to say. Only what operators read depends on this.
    pub(crate) fn with_bad_token(mut self, error: Option<AspectError>) -> Self {
        if let (Basis::Nobody(lack), Some(error)) = (&mut self.basis, error) {
            if error.says_more_than(&lack.error) {
                *lack = Lack { error, place: Some(0) };
            }
        }
        self
    }
}

impl Basis {
    /// The same in words that are told.
    pub(crate) fn reason(&self) -> Reason {
        match self {
            Self::Open => Reason::Open,
            Self::Session { .. } => Reason::Session,
            Self::NotEnough { .. } => Reason::NotEnough,
            Self::Nobody(lack) => match &lack.error {
                AspectError::Missing => Reason::Missing,
                AspectError::Invalid => Reason::Invalid,
                AspectError::Expired => Reason::Expired,
                AspectError::Revoked => Reason::Revoked,
                AspectError::Unavailable(error) => failure::reason(error),
            },
        }
    }

    /// The name of the aspect that it is about.
    pub(crate) fn aspect<'a>(&self, core: &'a Core) -> Option<&'a str> {
        let place = match self {
            Self::Open => None,
            Self::Session { place, .. } | Self::NotEnough { place } => Some(*place),
            Self::Nobody(lack) => lack.place,
        };
        match place?.checked_sub(1) {
            None => Some("access token"),
            Some(index) => core.candidates.get(index).map(Candidate::name),
        }
    }
}

/// A decision that is there, or has to be waited for.
pub(crate) enum Progress<T> {
    Done(T),
    Waiting(Box<Pending>),
}

/// Where a decision stopped to wait.
pub(crate) struct Pending {
    tally: Tally,
    realms: RealmSet,
    at: At,
}

enum At {
    Nobody(BoxFuture<Result<Decision, BoxError>>),
    Session { place: usize, live: Box<LivePending> },
    May { place: usize, session: Session<'static>, decision: BoxFuture<Result<Decision, BoxError>> },
}

/// What has been learned so far.
#[derive(Debug)]
struct Tally {
    /// The decision over nobody: what holds if no session helps.
    as_nobody: Denial,
    /// The first denial of a session, which says more, and the place of that session.
    with_session: Option<(usize, Denial)>,
    lack: Lack,
}

impl Core {
    /// Decides on a content resource.
    #[inline]
    pub(crate) fn decide(&self, question: &Question<'_>) -> Progress<Verdict> {
        match self.ask(question.resource, None, question.now) {
            // What is open needs no tally.
            Answer::Now(Ok(decision)) if !matches!(decision, Decision::Deny(_)) => {
                Progress::Done(Verdict { decision, basis: Basis::Open })
            }
            Answer::Now(outcome) => self.after_nobody(question, &mut Tally::new(), outcome),
            Answer::Later(outcome) => {
                let realms = self.realms_of(question.resource);
                wait(&mut Tally::new(), realms, At::Nobody(outcome))
            }
        }
    }

    /// Whether everyone may have a resource: the decision over nobody.
    pub(crate) fn decide_as_nobody(
        &self,
        resource: &Resource<'_>,
        now: Timestamp,
    ) -> Answer<Result<Decision, BoxError>> {
        self.ask(resource, None, now)
    }

    /// Waits for a decision, no longer than configured.
    pub(crate) async fn within_time<T>(
        &self,
        outcome: BoxFuture<Result<T, BoxError>>,
    ) -> Result<T, BoxError> {
        limits::within(self.decision_timeout, outcome).await
    }

    #[inline]
    fn after_nobody(
        &self,
        question: &Question<'_>,
        tally: &mut Tally,
        outcome: Result<Decision, BoxError>,
    ) -> Progress<Verdict> {
        match outcome {
            Ok(Decision::Deny(denial)) => tally.as_nobody = denial,
            Ok(decision) => return Progress::Done(Verdict { decision, basis: Basis::Open }),
            Err(error) => return Progress::Done(failed(error)),
        }
        let realms = self.realms_of(question.resource);
        self.go_on_at(question, tally, realms, 0)
    }

    /// Goes through the sessions from `place` on: first the token's, then each aspect's.
    #[inline]
    fn go_on_at(
        &self,
        question: &Question<'_>,
        tally: &mut Tally,
        realms: RealmSet,
        place: usize,
    ) -> Progress<Verdict> {
        let Question { head, resource, now, token } = question;
        let mut scratch = Scratch::new();
        for place in place..=self.candidates.len() {
            let session = match self.live(place, realms, head, *token, *now, &mut scratch) {
                Live::Skip => continue,
                Live::Now(Ok(session)) => session,
                Live::Now(Err(error)) => {
                    tally.lacks(place, error);
                    continue;
                }
                Live::Later(live) => return wait(tally, realms, At::Session { place, live }),
            };
            match self.ask(resource, Some(&session), *now) {
                Answer::Now(outcome) => {
                    if let Some(verdict) = self.after_session(tally, place, &session, outcome) {
                        return Progress::Done(verdict);
                    }
                }
                Answer::Later(decision) => {
                    let session = session.into_owned();
                    return wait(tally, realms, At::May { place, session, decision });
                }
            }
        }
        Progress::Done(tally.refuse())
    }

    /// The verdict, unless another session may still do better.
    #[inline]
    fn after_session(
        &self,
        tally: &mut Tally,
        place: usize,
        session: &Session<'_>,
        outcome: Result<Decision, BoxError>,
    ) -> Option<Verdict> {
        match outcome {
            Ok(Decision::Deny(denial)) => {
                tally.with_session.get_or_insert((place, denial));
                None
            }
            Ok(decision) => {
                let (id, expires_at) = (session.id(), session.expires_at());
                let session = self.hand_on_session.then(|| session.clone().into_owned());
                let basis = Basis::Session { id, expires_at, session, place };
                Some(Verdict { decision, basis })
            }
            Err(error) => {
                tally.lacks(place, failure::of_authorizer(error));
                None
            }
        }
    }

    #[inline]
    fn ask(
        &self,
        resource: &Resource<'_>,
        session: Option<&Session<'_>>,
        now: Timestamp,
    ) -> Answer<Result<Decision, BoxError>> {
        let request = AccessRequest::lent(resource, session, now);
        limits::catch(|| self.authorizer.authorize(&request))
            .unwrap_or_else(|panic| Answer::Now(Err(panic)))
    }
}

impl Tally {
    fn new() -> Self {
        let lack = Lack { error: AspectError::Missing, place: None };
        Self { as_nobody: Denial::later(), with_session: None, lack }
    }

    fn lacks(&mut self, place: usize, error: AspectError) {
        if let AspectError::Unavailable(error) = &error {
            crate::trace::failure(failure::what(error), error);
        }
        if error.says_more_than(&self.lack.error) {
            self.lack = Lack { error, place: Some(place) };
        }
    }

    /// No session helped. The tally is done with.
    #[inline(never)]
    fn refuse(&mut self) -> Verdict {
        let Self { as_nobody, with_session, lack } = mem::replace(self, Self::new());
        let unavailable = matches!(lack.error, AspectError::Unavailable(_));
        let (denial, basis) = match with_session {
            _ if unavailable => (Denial::later(), Basis::Nobody(lack)),
            Some((place, denial)) => (denial, Basis::NotEnough { place }),
            None => (as_nobody, Basis::Nobody(lack)),
        };
        Verdict { decision: Decision::Deny(denial), basis }
    }
}

fn failed(error: BoxError) -> Verdict {
    crate::trace::failure("authorizer", &error);
    let lack = Lack { error: failure::of_authorizer(error), place: None };
    Verdict { decision: Decision::Deny(Denial::later()), basis: Basis::Nobody(lack) }
}

/// Keeps the tally until the waiting is over.
#[inline(never)]
fn wait<T>(tally: &mut Tally, realms: RealmSet, at: At) -> Progress<T> {
    let tally = mem::replace(tally, Tally::new());
    Progress::Waiting(Box::new(Pending { tally, realms, at }))
}

/// Decides, and waits for what the decision needs.
pub(crate) async fn decide_and_wait(
    core: &Arc<Core>,
    parts: &Parts,
    resource: &Resource<'static>,
    now: Timestamp,
    token: Option<TokenSession<'static>>,
) -> Verdict {
    let progress = {
        let head = Head::of_parts(parts);
        core.decide(&Question { head, resource, now, token: token.as_ref() })
    };
    match progress {
        Progress::Done(verdict) => verdict,
        Progress::Waiting(pending) => {
            let (core, resource) = (Arc::clone(core), resource.clone());
            finish_decision(core, parts.clone(), resource, now, token, pending).await
        }
    }
}

/// Waits for what a decision needs, and goes on until it is there.
pub(crate) async fn finish_decision(
    core: Arc<Core>,
    parts: Parts,
    resource: Resource<'static>,
    now: Timestamp,
    token: Option<TokenSession<'static>>,
    mut pending: Box<Pending>,
) -> Verdict {
    let (resource, token) = (&resource, token.as_ref());
    let question = Question { head: Head::of_parts(&parts), resource, now, token };
    loop {
        let Pending { mut tally, realms, at } = *pending;
        let progress = match at {
            At::Nobody(outcome) => {
                let outcome = limits::within(core.decision_timeout, outcome).await;
                core.after_nobody(&question, &mut tally, outcome)
            }
            At::Session { place, live } => {
                match core.finish_live(live, &question.head, now).await {
                    Err(error) => {
                        tally.lacks(place, error);
                        core.go_on_at(&question, &mut tally, realms, place + 1)
                    }
                    Ok(session) => match core.ask(question.resource, Some(&session), now) {
                        Answer::Now(outcome) => {
                            if let Some(verdict) =
                                core.after_session(&mut tally, place, &session, outcome)
                            {
                                return verdict;
                            }
                            core.go_on_at(&question, &mut tally, realms, place + 1)
                        }
                        Answer::Later(decision) => {
                            wait(&mut tally, realms, At::May { place, session, decision })
                        }
                    },
                }
            }
            At::May { place, session, decision } => {
                let outcome = limits::within(core.decision_timeout, decision).await;
                if let Some(verdict) = core.after_session(&mut tally, place, &session, outcome) {
                    return verdict;
                }
                core.go_on_at(&question, &mut tally, realms, place + 1)
            }
        };
        match progress {
            Progress::Done(verdict) => return verdict,
            Progress::Waiting(next) => pending = next,
        }
    }
}
