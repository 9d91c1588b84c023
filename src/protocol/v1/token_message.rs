//! What a token service answers: as a posted message, or as the body itself (1.0 §2.2, 0.9.2 §2.2).

use std::fmt;
use std::num::NonZeroU64;

use http::StatusCode;
use serde::Serialize;

use super::Version;
use crate::protocol::v2::TokenErrorProfile;

/// An access token, or an error that never holds one.
#[derive(Clone, Copy)]
pub(crate) enum TokenMessage<'a> {
    /// A token.
    Token {
        /// 0.9 adds a `tokenType`.
        version: Version,
        /// The request's `messageId`, unchanged; absent where the object is the body.
        message_id: Option<&'a str>,
        /// The token.
        access_token: &'a str,
        /// Its life in seconds.
        expires_in: NonZeroU64,
    },
    /// No token.
    Error {
        /// The request's `messageId`; absent where the object is the body.
        message_id: Option<&'a str>,
        /// Why there is none.
        error: TokenError,
        /// For developers (0.9.2 §2.5) and log files.
        description: Option<&'a str>,
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
            Self::Error { message_id, error, description } => f
                .debug_struct("Error")
                .field("message_id", message_id)
                .field("error", error)
                .field("description", description)
                .finish(),
        }
    }
}

/// Why there is no token (1.0 §2.2.6), or no authorization code (0.9.2 §2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum TokenError {
    /// The request itself cannot be processed.
    InvalidRequest,
    /// A credential is not in the request.
    MissingCredentials,
    /// A credential is not valid, or not any longer.
    InvalidCredentials,
    /// The origin is not the one of the access request, or is not accepted. Not in 0.9.2.
    InvalidOrigin,
    /// Anything else. Not in 0.9.2.
    Unavailable,
    /// No client has this id. 0.9.2 only.
    InvalidClient,
    /// The client has another secret. 0.9.2 only.
    InvalidClientSecret,
}

impl TokenError {
    /// The HTTP status where the error is the body. A posted error is always 200.
    #[must_use]
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest => StatusCode::BAD_REQUEST,
            Self::InvalidOrigin => StatusCode::FORBIDDEN,
            Self::MissingCredentials
            | Self::InvalidCredentials
            | Self::InvalidClient
            | Self::InvalidClientSecret => StatusCode::UNAUTHORIZED,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The nearest of the names that 0.9.2 has; its status stays that of the original.
    #[must_use]
    pub(crate) fn in_0_9_2(self) -> Self {
        match self {
            Self::InvalidOrigin | Self::Unavailable => Self::InvalidRequest,
            other => other,
        }
    }
}

/// The name of the same fault in 1.0.
impl From<TokenErrorProfile> for TokenError {
    fn from(profile: TokenErrorProfile) -> Self {
        match profile {
            TokenErrorProfile::InvalidRequest => Self::InvalidRequest,
            TokenErrorProfile::InvalidOrigin => Self::InvalidOrigin,
            TokenErrorProfile::MissingAspect => Self::MissingCredentials,
            TokenErrorProfile::InvalidAspect | TokenErrorProfile::ExpiredAspect => {
                Self::InvalidCredentials
            }
            TokenErrorProfile::Unavailable => Self::Unavailable,
        }
    }
}

impl Serialize for TokenMessage<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Issued<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            message_id: Option<&'a str>,
            access_token: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            token_type: Option<&'static str>,
            expires_in: NonZeroU64,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Refused<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            message_id: Option<&'a str>,
            error: TokenError,
            #[serde(skip_serializing_if = "Option::is_none")]
            description: Option<&'a str>,
        }
        match *self {
            TokenMessage::Token { version, message_id, access_token, expires_in } => {
                let token_type = (version == Version::ZeroNine).then_some("Bearer");
                Issued { message_id, access_token, token_type, expires_in }.serialize(serializer)
            }
            TokenMessage::Error { message_id, error, description } => {
                Refused { message_id, error, description }.serialize(serializer)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(message: &TokenMessage<'_>) -> String {
        serde_json::to_string(message).unwrap()
    }

    /// V1-TOK-2, V1-TOK-3, V09-TOK-1, V1-ERR-1, CON-21
    #[test]
    fn plain_objects() {
        let expires_in = NonZeroU64::new(300).unwrap();
        let token = |version, message_id| TokenMessage::Token {
            version,
            message_id,
            access_token: "t",
            expires_in,
        };
        for (message, expected) in [
            (token(Version::One, None), r#"{"accessToken":"t","expiresIn":300}"#),
            (
                token(Version::One, Some("1")),
                r#"{"messageId":"1","accessToken":"t","expiresIn":300}"#,
            ),
            (
                token(Version::ZeroNine, None),
                r#"{"accessToken":"t","tokenType":"Bearer","expiresIn":300}"#,
            ),
            (
                TokenMessage::Error {
                    message_id: Some(""),
                    error: TokenError::InvalidRequest,
                    description: None,
                },
                r#"{"messageId":"","error":"invalidRequest"}"#,
            ),
            (
                TokenMessage::Error {
                    message_id: None,
                    error: TokenError::MissingCredentials,
                    description: Some("x"),
                },
                r#"{"error":"missingCredentials","description":"x"}"#,
            ),
        ] {
            assert_eq!(json(&message), expected);
        }
        assert!(!format!("{:?}", token(Version::One, None)).contains("\"t\""));
    }

    /// MAP-1, MAP-2, MAP-3, MAP-4, MAP-5, MAP-6, MAP-7
    #[test]
    fn one_cause_in_each_vocabulary() {
        use TokenErrorProfile as V2;
        for (cause, one, status, in_0_9_2) in [
            (V2::InvalidRequest, "invalidRequest", 400, "invalidRequest"),
            (V2::InvalidOrigin, "invalidOrigin", 403, "invalidRequest"),
            (V2::MissingAspect, "missingCredentials", 401, "missingCredentials"),
            (V2::InvalidAspect, "invalidCredentials", 401, "invalidCredentials"),
            (V2::ExpiredAspect, "invalidCredentials", 401, "invalidCredentials"),
            (V2::Unavailable, "unavailable", 503, "invalidRequest"),
        ] {
            let error = TokenError::from(cause);
            let name = |error: TokenError| serde_json::to_value(error).unwrap();
            assert_eq!(name(error), one);
            assert_eq!(error.status(), status);
            assert_eq!(name(error.in_0_9_2()), in_0_9_2);
        }
        for (error, name) in [
            (TokenError::InvalidClient, "invalidClient"),
            (TokenError::InvalidClientSecret, "invalidClientSecret"),
        ] {
            assert_eq!(serde_json::to_value(error.in_0_9_2()).unwrap(), name);
            assert_eq!(error.status(), 401);
        }
    }
}
