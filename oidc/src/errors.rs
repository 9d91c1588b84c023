//! Why there is no user, in words that show no code, token or secret.

use std::error::Error;
use std::fmt;

use openidconnect::core::CoreErrorResponseType;
use openidconnect::{
    ClaimsVerificationError, DiscoveryError, RequestTokenError, StandardErrorResponse,
};

/// Why nobody did.
#[derive(Debug)]
pub enum LoginError {
    /// The provider cannot be reached, or says that it cannot answer now.
    Unavailable(String),
    /// What came back is not to be believed, or was used before.
    Refused(String),
}

impl fmt::Display for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) | Self::Refused(why) => f.write_str(why),
        }
    }
}

/// None of these shows a code, a token or a secret: an answer's body is left out.
pub(crate) fn token_error(
    error: RequestTokenError<
        openidconnect::HttpClientError<reqwest::Error>,
        StandardErrorResponse<CoreErrorResponseType>,
    >,
) -> LoginError {
    match error {
        RequestTokenError::ServerResponse(response) => match response.error() {
            // The code was used before, is too old, or is not this login's.
            CoreErrorResponseType::InvalidGrant => refused("the provider refuses the code"),
            CoreErrorResponseType::InvalidClient | CoreErrorResponseType::UnauthorizedClient => {
                unavailable("the provider refuses the client's id and secret")
            }
            _ => unavailable("the provider refuses to answer the code"),
        },
        RequestTokenError::Request(error) => unavailable(chain(&error)),
        _ => unavailable("the provider's answer to the code cannot be read"),
    }
}

pub(crate) fn believed(error: &ClaimsVerificationError) -> LoginError {
    refused(match error {
        ClaimsVerificationError::InvalidIssuer(_) => "the ID token is another issuer's",
        ClaimsVerificationError::InvalidAudience(_) => "the ID token is for another client",
        ClaimsVerificationError::InvalidNonce(_) => "the ID token is of another login",
        ClaimsVerificationError::Expired(_) => "the ID token has expired",
        ClaimsVerificationError::InvalidSubject(_) => "the user info is another user's",
        ClaimsVerificationError::SignatureVerification(_) => "the ID token's signature is not good",
        _ => "the ID token is not good",
    })
}

pub(crate) fn discovery_error(
    error: &DiscoveryError<openidconnect::HttpClientError<reqwest::Error>>,
) -> String {
    match error {
        DiscoveryError::Request(error) => format!("cannot be reached: {}", chain(error)),
        DiscoveryError::Response(status, ..) => format!("answers {status}"),
        DiscoveryError::Parse(_) => "its description cannot be read".to_owned(),
        // Such as an issuer that calls itself otherwise.
        error => chain(error),
    }
}

pub(crate) fn unavailable(why: impl Into<String>) -> LoginError {
    LoginError::Unavailable(why.into())
}

pub(crate) fn refused(why: impl Into<String>) -> LoginError {
    LoginError::Refused(why.into())
}

/// An error with what caused it.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
