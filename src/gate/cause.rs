//! Why there is no session, or none that helps, and which part says so.

use super::limits::TooSlow;
use crate::answer::BoxError;
use crate::aspect::AspectError;
use crate::observe::Reason;

#[derive(Debug)]
pub(crate) enum Cause {
    /// An aspect has none. It could tell.
    Lacking(AspectError),
    /// A part could not tell.
    Failed(Part, BoxError),
}

/// A part of the application's or the operator's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Aspect,
    Store,
    Authorizer,
}

impl Cause {
    pub(super) const MISSING: Self = Self::Lacking(AspectError::Missing);

    pub(super) fn of_store(error: BoxError) -> Self {
        Self::Failed(Part::Store, error)
    }

    pub(super) fn of_aspect(error: BoxError) -> Self {
        Self::Failed(Part::Aspect, error)
    }

    pub(super) fn of_authorizer(error: BoxError) -> Self {
        Self::Failed(Part::Authorizer, error)
    }

    pub(super) fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(..))
    }

    /// Whether it tells more than another: what failed hides what another lacks; for the rest see
    /// [`AspectError::says_more_than`].
    pub(super) fn says_more_than(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Lacking(one), Self::Lacking(other)) => one.says_more_than(other),
            (Self::Failed(..), Self::Lacking(_)) => true,
            (_, Self::Failed(..)) => false,
        }
    }

    /// The more telling of two.
    pub(super) fn or_better(self, other: Self) -> Self {
        if other.says_more_than(&self) { other } else { self }
    }

    /// The log hears of what failed.
    pub(super) fn log(&self) {
        if let Self::Failed(part, error) = self {
            crate::trace::failure(part.as_str(), error);
        }
    }

    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::Failed(_, error) if error.is::<TooSlow>() => Reason::TimedOut,
            Self::Failed(Part::Aspect, _) | Self::Lacking(AspectError::Unavailable(_)) => {
                Reason::AspectFailed
            }
            Self::Failed(Part::Store, _) => Reason::StoreFailed,
            Self::Failed(Part::Authorizer, _) => Reason::AuthorizerFailed,
            Self::Lacking(AspectError::Missing) => Reason::Missing,
            Self::Lacking(AspectError::Invalid) => Reason::Invalid,
            Self::Lacking(AspectError::Expired) => Reason::Expired,
            Self::Lacking(AspectError::Revoked) => Reason::Revoked,
        }
    }
}

impl Part {
    /// In the words of the log.
    fn as_str(self) -> &'static str {
        match self {
            Self::Aspect => "authorizing aspect",
            Self::Store => "revocation store",
            Self::Authorizer => "authorizer",
        }
    }
}

/// An aspect's own failure is one of its part.
impl From<AspectError> for Cause {
    #[inline]
    fn from(error: AspectError) -> Self {
        match error {
            AspectError::Unavailable(error) => Self::of_aspect(error),
            lacking => Self::Lacking(lacking),
        }
    }
}

/// What the token service says of it: who failed matters to operators only.
impl From<Cause> for AspectError {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::Lacking(lacking) => lacking,
            Cause::Failed(_, error) => Self::Unavailable(error),
        }
    }
}
