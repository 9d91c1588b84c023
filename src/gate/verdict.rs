//! What came of a decision.

use std::sync::Arc;

use super::cause::Cause;
use super::source::Source;
use crate::aspect::AspectError;
use crate::authorizer::{Decision, Denial};
use crate::clock::Timestamp;
use crate::core::Core;
use crate::observe::Reason;
use crate::session::{Session, SessionId};

/// The decision, and what it rests on.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) decision: Decision,
    pub(crate) basis: Basis,
    /// Which access services lead to the resource, where the rule over nobody said so.
    pub(crate) services: Option<Arc<[Box<str>]>>,
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
        source: Source,
        /// Whether it is to be had under a signed location.
        signed: bool,
    },
    /// There is a session from there, and it is not enough; the session itself where it is to be told.
    NotEnough { source: Source, session: Option<Box<Session<'static>>> },
    /// There is no session, for this reason.
    Nobody(Lack),
}

/// What is lacking, and where; nowhere if the authorizer failed over nobody.
#[derive(Debug)]
pub(crate) struct Lack {
    pub(super) cause: Cause,
    pub(super) source: Option<Source>,
}

impl Lack {
    /// Whether nothing is there at all.
    pub(crate) fn is_of_everything(&self) -> bool {
        matches!(self.cause, Cause::Lacking(AspectError::Missing))
    }
}

impl Verdict {
    /// Nobody is in who could be decided on, for this reason.
    pub(crate) fn nobody(error: AspectError) -> Self {
        let cause = Cause::from(error);
        let basis = Basis::Nobody(Lack { cause, source: Some(Source::Token) });
        Self { decision: Decision::Deny(Denial::login()), basis, services: None }
    }

    /// The same for a request whose token was no good. A bad token says more than no token, and is told
    /// unless an aspect has as much to say. Only what operators read depends on this.
    pub(crate) fn with_bad_token(mut self, error: Option<AspectError>) -> Self {
        if let (Basis::Nobody(lack), Some(error)) = (&mut self.basis, error) {
            let cause = Cause::from(error);
            if cause.says_more_than(&lack.cause) {
                *lack = Lack { cause, source: Some(Source::Token) };
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
            Self::Nobody(lack) => lack.cause.reason(),
        }
    }

    /// The name of the aspect that it is about.
    pub(crate) fn aspect<'a>(&self, core: &'a Core) -> Option<&'a str> {
        let source = match self {
            Self::Open => None,
            Self::Session { source, .. } | Self::NotEnough { source, .. } => Some(*source),
            Self::Nobody(lack) => lack.source,
        };
        source.map(|source| source.name(core))
    }
}
