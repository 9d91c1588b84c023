//! A token, or why there is none, in the words of each family.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

use super::issue::{Issued, Refused};
use super::page;
use super::request::TokenRequest;
use crate::core::Core;
use crate::hand_off;
use crate::protocol::v1::{self, TokenError, Version};
use crate::protocol::v2::TokenErrorProfile;
use crate::protocol::{Family, v2};
use crate::respond;

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

pub(super) fn write(
    core: &Core,
    request: &TokenRequest,
    outcome: &Result<Issued, Refused<'_>>,
    headers: &HeaderMap,
) -> Response<Bytes> {
    let (family, addressee) = match request {
        TokenRequest::Posted(family, addressee) => (*family, addressee),
        TokenRequest::Body(version, _) => return body(core, *version, outcome),
    };
    let message_id = addressee.message_id.as_deref().unwrap_or_default();
    let waits = outcome
        .as_ref()
        .is_err_and(|refused| hand_off::may_come(core, headers, refused.lacks_cookie));
    with_message(core, family, message_id, outcome, |message| {
        if waits {
            hand_off::waiting(core, family, message_id, &addressee.origin, message)
        } else {
            page::message(&addressee.origin, message)
        }
    })
}

/// Why a code was not redeemed, as JSON, for the frame that posts the message.
pub(crate) fn refusal(
    core: &Core,
    family: Family,
    message_id: &str,
    profile: TokenErrorProfile,
) -> Response<Bytes> {
    #[derive(Serialize)]
    struct Refusal<'a> {
        message: &'a Posted<'a>,
    }
    let outcome = Err(Refused::of(core, profile));
    with_message(core, family, message_id, &outcome, |message| {
        respond::json(StatusCode::OK, &Refusal { message })
    })
}

/// Writes the message in the words of its family, and does something with it.
fn with_message<R>(
    core: &Core,
    family: Family,
    message_id: &str,
    outcome: &Result<Issued, Refused<'_>>,
    then: impl FnOnce(&Posted<'_>) -> R,
) -> R {
    match family.authentication() {
        None => then(&Posted::Flow(flow(message_id, outcome))),
        Some(version) => {
            let description = description(core, outcome);
            let description = description.as_deref();
            let message = authentication(core, version, Some(message_id), outcome, description);
            then(&Posted::Authentication(message))
        }
    }
}

/// What is posted, in the words of its family.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Posted<'a> {
    Flow(v2::TokenMessage<'a>),
    Authentication(v1::TokenMessage<'a>),
}

/// The message as the body, with a status of its own (1.0 §2.2.3, §2.2.6). No page of another
/// origin may read it, and none can run it.
fn body(core: &Core, version: Version, outcome: &Result<Issued, Refused<'_>>) -> Response<Bytes> {
    let status = match outcome {
        Ok(_) => StatusCode::OK,
        Err(refused) => TokenError::from(refused.profile).status(),
    };
    let description = description(core, outcome);
    let message = authentication(core, version, None, outcome, description.as_deref());
    not_for_other_origins(respond::json(status, &message))
}

fn not_for_other_origins(mut response: Response<Bytes>) -> Response<Bytes> {
    let policy = HeaderValue::from_static("same-origin");
    response.headers_mut().insert(CROSS_ORIGIN_RESOURCE_POLICY, policy);
    response
}

/// The headers of the answer to a request, for HEAD: no token is made.
pub(super) fn head(request: Option<&TokenRequest>) -> Response<Bytes> {
    match request {
        Some(TokenRequest::Body(..)) => {
            not_for_other_origins(respond::text(StatusCode::OK, "application/json", ""))
        }
        _ => page::head(),
    }
}

fn flow<'a>(message_id: &'a str, outcome: &'a Result<Issued, Refused<'_>>) -> v2::TokenMessage<'a> {
    match outcome {
        Ok(Issued { token, expires_in, .. }) => {
            v2::TokenMessage::Token { message_id, access_token: token, expires_in: *expires_in }
        }
        Err(Refused { profile, message, .. }) => {
            v2::TokenMessage::Error { message_id, profile: *profile, message }
        }
    }
}

fn authentication<'a>(
    core: &Core,
    version: Version,
    message_id: Option<&'a str>,
    outcome: &'a Result<Issued, Refused<'_>>,
    description: Option<&'a str>,
) -> v1::TokenMessage<'a> {
    match outcome {
        Ok(Issued { token, expires_in, .. }) => v1::TokenMessage::Token {
            version,
            message_id,
            access_token: token,
            expires_in: *expires_in,
        },
        Err(refused) => {
            let error = TokenError::from(refused.profile);
            let strict = core.compatibility.strict_0_9_2 && Family::from(version) == Family::V09;
            let error = if strict { error.in_0_9_2() } else { error };
            v1::TokenMessage::Error { message_id, error, description }
        }
    }
}

/// What the user of 2.0 is told, as one plain text.
fn description(core: &Core, outcome: &Result<Issued, Refused<'_>>) -> Option<String> {
    let message = outcome.as_ref().err()?.message;
    let texts: Vec<_> = message.texts().map(|text| text.best(&core.plain_language)).collect();
    Some(texts.join(": "))
}
