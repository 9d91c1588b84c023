//! The families of the specification, of which a publisher may speak several.

use super::v1;

/// A family of the specification: what a viewer of its time understands.
///
/// One login, one cookie, one decision and one logout serve them all; they differ in what
/// descriptions and messages look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Authorization Flow API 2.0.
    V2,
    /// Authentication API 1.0: published Mirador and Universal Viewer.
    V1,
    /// Authentication API 0.9.x, with URIs of `/auth/0/`.
    V09,
}

impl Family {
    /// All of them, the newest first.
    pub const ALL: [Self; 3] = [Self::V2, Self::V1, Self::V09];

    /// The version of the Authentication API, unless it is 2.0.
    #[must_use]
    pub fn authentication(self) -> Option<v1::Version> {
        match self {
            Self::V2 => None,
            Self::V1 => Some(v1::Version::One),
            Self::V09 => Some(v1::Version::ZeroNine),
        }
    }
}

impl From<v1::Version> for Family {
    fn from(version: v1::Version) -> Self {
        match version {
            v1::Version::One => Self::V1,
            v1::Version::ZeroNine => Self::V09,
        }
    }
}
