//! The decision: at once where everything answers at once, and later by the same rules.

use std::mem;
use std::sync::Arc;

use http::request::Parts;

use super::cause::Cause;
use super::limits;
use super::live::{Live, LivePending};
use super::source::Source;
use super::token_session::TokenSession;
use super::verdict::{Basis, Lack, Verdict};
use crate::answer::{Answer, BoxError, BoxFuture};
use crate::aspect::Head;
use crate::authorizer::{AccessRequest, Decision, Denial};
use crate::clock::Timestamp;
use crate::core::{Core, RealmSet};
use crate::resource::Resource;
use crate::seal::Scratch;
use crate::session::Session;

/// Who asks for what.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) head: Head<'a>,
    pub(crate) resource: &'a Resource<'a>,
    pub(crate) now: Timestamp,
    /// The session behind the access token of a probe request.
    pub(crate) token: Option<&'a TokenSession<'a>>,
}

const NO_SUCH_SERVICE: &str = "a denial leads through an access service that is not configured";

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
    Session {
        source: Source,
        live: Box<LivePending>,
    },
    May {
        source: Source,
        session: Session<'static>,
        decision: BoxFuture<Result<Decision, BoxError>>,
    },
}

/// What has been learned so far.
#[derive(Debug)]
struct Tally {
    /// The decision over nobody: what holds if no session helps.
    as_nobody: Denial,
    /// The first denial of a session, which says more, where that session is from, and the session itself where
    /// it is to be told.
    with_session: Option<(Source, Denial, Option<Box<Session<'static>>>)>,
    lack: Lack,
}

impl Core {
    /// Decides on a content resource.
    #[inline]
    pub(crate) fn decide(&self, question: &Question<'_>) -> Progress<Verdict> {
        match self.ask(question.resource, None, question.now) {
            // What is open needs no tally.
            Answer::Now(Ok(decision @ (Decision::Grant | Decision::Redirect(_)))) => {
                Progress::Done(Verdict { decision, basis: Basis::Open, services: None })
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

    /// The same of many at once. A panic is the answer to each.
    pub(crate) fn decide_all_as_nobody(
        &self,
        resources: &[Resource<'_>],
        now: Timestamp,
    ) -> Answer<Vec<Result<Decision, BoxError>>> {
        let requests: Vec<_> =
            resources.iter().map(|resource| AccessRequest::lent(resource, None, now)).collect();
        limits::catch(|| self.authorizer.authorize_all(&requests))
            .unwrap_or_else(|panic| Answer::Now(vec![Err(panic)]))
    }

    /// Waits for a decision, no longer than configured.
    pub(crate) async fn within_time<T>(
        &self,
        outcome: BoxFuture<Result<T, BoxError>>,
    ) -> Result<T, BoxError> {
        limits::within(self.limits.decision_time(), outcome).await
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
            // A location is signed for somebody.
            Ok(Decision::Signed(_)) => tally.as_nobody = Denial::login(),
            Ok(decision) => {
                return Progress::Done(Verdict { decision, basis: Basis::Open, services: None });
            }
            Err(error) => return Progress::Done(failed(error)),
        }
        let Some(realms) = self.realms_behind(question.resource, &tally.as_nobody) else {
            return Progress::Done(failed(NO_SUCH_SERVICE.into()));
        };
        let first = Source::first(question.token.is_some(), &self.candidates);
        self.go_on(question, tally, realms, first)
    }

    /// Goes through the sessions from one source on.
    #[inline]
    fn go_on(
        &self,
        question: &Question<'_>,
        tally: &mut Tally,
        realms: RealmSet,
        mut next: Option<Source>,
    ) -> Progress<Verdict> {
        let Question { head, resource, now, token } = question;
        let mut scratch = Scratch::new();
        while let Some(source) = next {
            match self.live(source, realms, head, *token, *now, &mut scratch) {
                Live::Skip => {}
                Live::Now(Err(cause)) => tally.lacks(source, cause),
                Live::Later(live) => return wait(tally, realms, At::Session { source, live }),
                Live::Now(Ok(session)) => match self.ask(resource, Some(&session), *now) {
                    Answer::Now(outcome) => {
                        if let Some(verdict) = self.after_session(tally, source, &session, outcome)
                        {
                            return Progress::Done(verdict);
                        }
                    }
                    Answer::Later(decision) => {
                        let session = session.into_owned();
                        return wait(tally, realms, At::May { source, session, decision });
                    }
                },
            }
            next = source.behind(&self.candidates);
        }
        Progress::Done(tally.refuse())
    }

    /// The verdict, unless another session may still do better.
    #[inline]
    fn after_session(
        &self,
        tally: &mut Tally,
        source: Source,
        session: &Session<'_>,
        outcome: Result<Decision, BoxError>,
    ) -> Option<Verdict> {
        match outcome {
            Ok(Decision::Deny(denial)) => {
                if tally.with_session.is_none() {
                    let session = self.shares().then(|| Box::new(session.clone().into_owned()));
                    tally.with_session = Some((source, denial, session));
                }
                None
            }
            Ok(decision) => {
                let (id, expires_at) = (session.id(), session.expires_at());
                let session = self.keeps_session.then(|| session.clone().into_owned());
                // With the cookie it is a grant like any other.
                let signed = matches!(decision, Decision::Signed(_));
                let decision = if signed { Decision::Grant } else { decision };
                let basis = Basis::Session { id, expires_at, session, source, signed };
                Some(Verdict { decision, basis, services: tally.as_nobody.services().cloned() })
            }
            Err(error) => {
                tally.lacks(source, Cause::of_authorizer(error));
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
        let lack = Lack { cause: Cause::MISSING, source: None };
        Self { as_nobody: Denial::later(), with_session: None, lack }
    }

    fn lacks(&mut self, source: Source, cause: Cause) {
        cause.log();
        if cause.says_more_than(&self.lack.cause) {
            self.lack = Lack { cause, source: Some(source) };
        }
    }

    /// No session helped. The tally is done with.
    #[inline(never)]
    fn refuse(&mut self) -> Verdict {
        let Self { as_nobody, with_session, lack } = mem::replace(self, Self::new());
        let services = as_nobody.services().cloned();
        let (denial, basis) = match with_session {
            _ if lack.cause.is_failure() => (Denial::later(), Basis::Nobody(lack)),
            Some((source, denial, session)) => (denial, Basis::NotEnough { source, session }),
            None => (as_nobody, Basis::Nobody(lack)),
        };
        Verdict { decision: Decision::Deny(denial), basis, services }
    }
}

fn failed(error: BoxError) -> Verdict {
    let lack = Lack { cause: Cause::of_authorizer(error), source: None };
    lack.cause.log();
    let decision = Decision::Deny(Denial::later());
    Verdict { decision, basis: Basis::Nobody(lack), services: None }
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
        match core.finish_one(&question, *pending).await {
            Progress::Done(verdict) => return verdict,
            Progress::Waiting(next) => pending = next,
        }
    }
}

impl Core {
    /// Waits for one thing, and goes on until it is over or something else has to be waited for.
    async fn finish_one(&self, question: &Question<'_>, pending: Pending) -> Progress<Verdict> {
        let Pending { mut tally, realms, at } = pending;
        let (source, session, outcome) = match at {
            At::Nobody(outcome) => {
                let outcome = self.within_time(outcome).await;
                return self.after_nobody(question, &mut tally, outcome);
            }
            At::Session { source, live } => {
                match self.finish_live(live, &question.head, question.now).await {
                    Err(cause) => {
                        tally.lacks(source, cause);
                        let next = source.behind(&self.candidates);
                        return self.go_on(question, &mut tally, realms, next);
                    }
                    Ok(session) => {
                        match self.ask(question.resource, Some(&session), question.now) {
                            Answer::Now(outcome) => (source, session, outcome),
                            Answer::Later(decision) => {
                                return wait(
                                    &mut tally,
                                    realms,
                                    At::May { source, session, decision },
                                );
                            }
                        }
                    }
                }
            }
            At::May { source, session, decision } => {
                (source, session, self.within_time(decision).await)
            }
        };
        match self.after_session(&mut tally, source, &session, outcome) {
            Some(verdict) => Progress::Done(verdict),
            None => self.go_on(question, &mut tally, realms, source.behind(&self.candidates)),
        }
    }
}
