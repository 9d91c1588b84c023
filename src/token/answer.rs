//! The answer to a token request: a page that posts the message, or the message itself.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

use super::message::{Posted, authentication, description, with_message};
use super::outcome::{Issued, Refused};
use super::request::TokenRequest;
use super::{page, waiting};
use crate::core::Core;
use crate::hand_off;
use crate::protocol::Family;
use crate::protocol::v1::{TokenError, Version};
use crate::protocol::v2::TokenErrorProfile;
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
            waiting::page(core, family, message_id, &addressee.origin, message)
        } else {
            page::message(&addressee.origin, message)
        }
    })
}

/// Why a code was not redeemed, as JSON, for the frame that posts the message.
pub(super) fn refusal(
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
