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

    /// The digit that names it in URIs and on the wire.
    #[must_use]
    pub(crate) fn digit(self) -> char {
        match self {
            Self::V2 => '2',
            Self::V1 => '1',
            Self::V09 => '0',
        }
    }

    /// The family that a digit names.
    #[must_use]
    pub(crate) fn from_digit(digit: char) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.digit() == digit)
    }

    /// The version of the Authentication API, unless it is 2.0.
    #[must_use]
    pub(crate) fn authentication(self) -> Option<v1::Version> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digit_names_one_family() {
        for family in Family::ALL {
            assert_eq!(Family::from_digit(family.digit()), Some(family));
        }
        assert_eq!(Family::from_digit('3'), None);
        assert_eq!(Family::from_digit('\0'), None);
    }
}
