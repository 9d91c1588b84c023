//! Which part failed, kept with what it says.

use std::error::Error;
use std::fmt;

use super::limits::TooSlow;
use crate::answer::BoxError;
use crate::aspect::AspectError;
use crate::observe::Reason;

/// An authorizer's or a store's failure, where aspects report theirs. An error without one is the
/// aspect's own.
#[derive(Debug)]
struct Failure {
    part: Part,
    error: BoxError,
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Authorizer,
    Store,
}

pub(super) fn of_authorizer(error: BoxError) -> AspectError {
    AspectError::Unavailable(Box::new(Failure { part: Part::Authorizer, error }))
}

pub(super) fn of_store(error: BoxError) -> AspectError {
    AspectError::Unavailable(Box::new(Failure { part: Part::Store, error }))
}

/// What failed, in the words of the log.
pub(super) fn what(error: &BoxError) -> &'static str {
    match error.downcast_ref::<Failure>().map(|failure| failure.part) {
        Some(Part::Authorizer) => "authorizer",
        Some(Part::Store) => "revocation store",
        None => "authorizing aspect",
    }
}

pub(super) fn reason(error: &BoxError) -> Reason {
    let (failed, error) = match error.downcast_ref::<Failure>() {
        Some(Failure { part: Part::Authorizer, error }) => (Reason::AuthorizerFailed, error),
        Some(Failure { part: Part::Store, error }) => (Reason::StoreFailed, error),
        None => (Reason::AspectFailed, error),
    };
    if error.is::<TooSlow>() { Reason::TimedOut } else { failed }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}
