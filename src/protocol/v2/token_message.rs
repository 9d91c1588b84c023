//! What a token service posts to the viewer (2.0 §4.4, §4.5).

use std::fmt;
use std::num::NonZeroU64;

use serde::Serialize;

use super::CONTEXT;
use crate::protocol::{LanguageMap, Message};

/// The first argument of `postMessage`: an access token, or an error that never holds one.
#[derive(Clone, Copy)]
pub(crate) enum TokenMessage<'a> {
    /// `AuthAccessToken2`
    Token {
        /// The request's `messageId`, unchanged.
        message_id: &'a str,
        /// The token.
        access_token: &'a str,
        /// Its life in seconds.
        expires_in: NonZeroU64,
    },
    /// `AuthAccessTokenError2`
    Error {
        /// The request's `messageId`, or empty where it gave none that can be used.
        message_id: &'a str,
        /// Why there is no token.
        profile: TokenErrorProfile,
        /// What to tell the user.
        message: &'a Message,
    },
}

/// Shows everything but the token.
impl fmt::Debug for TokenMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token { message_id, expires_in, .. } => f
                .debug_struct("Token")
                .field("message_id", message_id)
                .field("expires_in", expires_in)
                .finish_non_exhaustive(),
            Self::Error { message_id, profile, message } => f
                .debug_struct("Error")
                .field("message_id", message_id)
                .field("profile", profile)
                .field("message", message)
                .finish(),
        }
    }
}

/// Why there is no token: the six values of 2.0 §4.5, and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum TokenErrorProfile {
    /// The request itself cannot be processed.
    InvalidRequest,
    /// The origin is not the one of the access service, or is not accepted.
    InvalidOrigin,
    /// No authorizing aspect came with the request.
    MissingAspect,
    /// The authorizing aspect is not valid.
    InvalidAspect,
    /// The authorizing aspect was valid once.
    ExpiredAspect,
    /// Anything else: a store is down, a decision took too long.
    Unavailable,
}

impl TokenErrorProfile {
    /// The word on the wire.
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalidRequest",
            Self::InvalidOrigin => "invalidOrigin",
            Self::MissingAspect => "missingAspect",
            Self::InvalidAspect => "invalidAspect",
            Self::ExpiredAspect => "expiredAspect",
            Self::Unavailable => "unavailable",
        }
    }
}

impl Serialize for TokenMessage<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a> {
            #[serde(rename = "@context")]
            context: &'static str,
            #[serde(rename = "type")]
            kind: &'static str,
            #[serde(rename = "messageId")]
            message_id: &'a str,
            #[serde(rename = "accessToken", skip_serializing_if = "Option::is_none")]
            access_token: Option<&'a str>,
            #[serde(rename = "expiresIn", skip_serializing_if = "Option::is_none")]
            expires_in: Option<NonZeroU64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            profile: Option<TokenErrorProfile>,
            #[serde(skip_serializing_if = "Option::is_none")]
            heading: Option<&'a LanguageMap>,
            #[serde(skip_serializing_if = "Option::is_none")]
            note: Option<&'a LanguageMap>,
        }
        let wire = match *self {
            TokenMessage::Token { message_id, access_token, expires_in } => Wire {
                context: CONTEXT,
                kind: "AuthAccessToken2",
                message_id,
                access_token: Some(access_token),
                expires_in: Some(expires_in),
                profile: None,
                heading: None,
                note: None,
            },
            TokenMessage::Error { message_id, profile, message } => Wire {
                context: CONTEXT,
                kind: "AuthAccessTokenError2",
                message_id,
                access_token: None,
                expires_in: None,
                profile: Some(profile),
                heading: Some(message.heading()),
                note: message.note_text(),
            },
        };
        wire.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SEC-10
    #[test]
    fn a_token_is_not_shown() {
        let expires_in = NonZeroU64::MIN;
        let message =
            TokenMessage::Token { message_id: "m1", access_token: "the-token", expires_in };
        let shown = format!("{message:?}");
        assert!(shown.contains("m1") && !shown.contains("the-token"), "{shown}");
    }
}
