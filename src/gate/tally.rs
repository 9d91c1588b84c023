//! What a decision has come to so far: nobody's denial, the sessions' denials, what was lacking.

use std::mem;

use super::cause::Cause;
use super::source::Source;
use super::verdict::{Basis, Lack, Verdict};
use crate::answer::BoxError;
use crate::authorizer::{Decision, Denial};
use crate::session::Session;

/// What has been learned so far.
#[derive(Debug)]
pub(super) struct Tally {
    /// The decision over nobody: what holds if no session helps.
    pub(super) as_nobody: Denial,
    /// The first denial of a session, which says more, where that session is from, and the session itself where
    /// it is to be told.
    with_session: Option<(Source, Denial, Option<Box<Session<'static>>>)>,
    lack: Lack,
}

impl Tally {
    pub(super) fn new() -> Self {
        let lack = Lack { cause: Cause::MISSING, source: None };
        Self { as_nobody: Denial::later(), with_session: None, lack }
    }

    pub(super) fn lacks(&mut self, source: Source, cause: Cause) {
        cause.log();
        if cause.says_more_than(&self.lack.cause) {
            self.lack = Lack { cause, source: Some(source) };
        }
    }

    /// What a session leads to, unless another one may still do better.
    ///
    /// `told`: that session, where a denial tells it.
    #[inline]
    pub(super) fn better(
        &mut self,
        source: Source,
        outcome: Result<Decision, BoxError>,
        told: Option<&Session<'_>>,
    ) -> Option<Decision> {
        match outcome {
            Ok(Decision::Deny(denial)) => {
                if self.with_session.is_none() {
                    let session = told.map(|session| Box::new(session.clone().into_owned()));
                    self.with_session = Some((source, denial, session));
                }
                None
            }
            Ok(decision) => Some(decision),
            Err(error) => {
                self.lacks(source, Cause::of_authorizer(error));
                None
            }
        }
    }

    /// No session helped. The tally is done with.
    #[inline(never)]
    pub(super) fn refuse(&mut self) -> Verdict {
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
