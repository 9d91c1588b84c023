//! Why there can be no such session.

use std::fmt;
use std::time::Duration;

/// Why there can be no such session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionError {
    /// The subject is too long.
    Subject(FieldError),
    /// A role, or all of them together, is too long.
    Role(FieldError),
    /// An origin, or all of them together, is too long.
    Origin(FieldError),
    /// The lifetime is below a second or above 24 hours.
    Lifetime(Duration),
    /// The system gave no random bytes.
    NoRandomness,
}

/// How long a field was that is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldError {
    pub(super) bytes: usize,
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subject(e) => write!(f, "subject has {} bytes, 255 are the most", e.bytes),
            Self::Role(e) => {
                write!(f, "roles have {} bytes: 255 are the most for one, 65535 for all", e.bytes)
            }
            Self::Origin(e) => write!(f, "origins have {} bytes, that is too much", e.bytes),
            Self::Lifetime(lifetime) => {
                write!(f, "a lifetime of {lifetime:?} is not between 1 second and 24 hours")
            }
            Self::NoRandomness => f.write_str("the system gives no random bytes"),
        }
    }
}

impl std::error::Error for SessionError {}
