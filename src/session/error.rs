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

/// A field is too long: shows how many bytes it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldError {
    pub(super) bytes: usize,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes)
    }
}

impl std::error::Error for FieldError {}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subject(field) => write!(f, "subject has {field}, 255 are the most"),
            Self::Role(field) => {
                write!(f, "roles have {field}: 255 are the most for one, 65535 for all")
            }
            Self::Origin(field) => write!(f, "origins have {field}, that is too much"),
            Self::Lifetime(lifetime) => {
                write!(f, "a lifetime of {lifetime:?} is not between 1 second and 24 hours")
            }
            Self::NoRandomness => f.write_str("the system gives no random bytes"),
        }
    }
}

impl std::error::Error for SessionError {}
