//! The message that a viewer gets, in the words of each family.

use serde::Serialize;

use super::outcome::{Issued, Refused};
use crate::core::Core;
use crate::protocol::v1::{self, TokenError, Version};
use crate::protocol::{Family, v2};

/// What is posted, in the words of its family.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Posted<'a> {
    Flow(v2::TokenMessage<'a>),
    Authentication(v1::TokenMessage<'a>),
}

/// Writes the message in the words of its family, and does something with it.
pub(super) fn with_message<R>(
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

pub(super) fn authentication<'a>(
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
pub(super) fn description(core: &Core, outcome: &Result<Issued, Refused<'_>>) -> Option<String> {
    let message = outcome.as_ref().err()?.message;
    let texts: Vec<_> = message.texts().map(|text| text.best(&core.plain_language)).collect();
    Some(texts.join(": "))
}
