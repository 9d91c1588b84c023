//! IIIF Authentication API 1.0 and 0.9: descriptions, token messages and client identities as data.
//!
//! The two differ in their URIs (`/auth/1/`, `/auth/0/`) and in a few members.

pub(crate) mod client_identity;
pub(crate) mod description;
pub(crate) mod token_message;

pub(crate) use client_identity::ClientIdentityMessage;
pub(crate) use description::{AccessCookieService, Host, InteractionPattern};
pub(crate) use token_message::{TokenError, TokenMessage};

/// A version of the Authentication API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Version {
    /// 1.0.
    One,
    /// 0.9.x; the URIs do not tell 0.9.2 from 0.9.4.
    ZeroNine,
}

impl Version {
    /// Both, the newer first.
    pub(crate) const ALL: [Self; 2] = [Self::One, Self::ZeroNine];

    /// The digit in the version's URIs.
    #[must_use]
    pub(crate) fn digit(self) -> char {
        super::Family::from(self).digit()
    }

    /// The JSON-LD context (1.0 §2.1.1).
    #[must_use]
    pub(crate) fn context(self) -> &'static str {
        match self {
            Self::One => "http://iiif.io/api/auth/1/context.json",
            Self::ZeroNine => "http://iiif.io/api/auth/0/context.json",
        }
    }

    /// The profile URI of a service: `login`, `token`, `logout` …
    pub(crate) fn profile(self, service: &str) -> String {
        format!("http://iiif.io/api/auth/{}/{service}", self.digit())
    }
}
