//! From a token request to a message, in the order of checks that requirements CON-8 fixes.

use std::num::NonZeroU64;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::request::Parts;

use super::request::TokenRequest;
use super::{page, sealed};
use crate::aspect::AspectError;
use crate::config::{Core, OriginPolicy};
use crate::protocol::v2::{TokenErrorProfile, TokenMessage};

/// Answers a token request of a realm.
pub(super) async fn answer(
    core: Arc<Core>,
    realm: usize,
    parts: Parts,
    request: TokenRequest,
) -> Response<Bytes> {
    let outcome = token(&core, realm, &parts, &request).await;
    let word = outcome.as_ref().map_or_else(|profile| profile.as_str(), |_| "issued");
    crate::trace::token(&core.realms[realm].name, word);
    let message_id = request.message_id.as_deref().unwrap_or_default();
    match outcome {
        Ok((token, expires_in)) => page::message(
            &request.origin,
            &TokenMessage::Token { message_id, access_token: &token, expires_in },
        ),
        Err(profile) => {
            let texts = &core.texts;
            let message = match profile {
                TokenErrorProfile::InvalidRequest => Some(&texts.bad_request),
                TokenErrorProfile::InvalidOrigin => Some(&texts.invalid_origin),
                TokenErrorProfile::MissingAspect => Some(&texts.missing_aspect),
                TokenErrorProfile::InvalidAspect | TokenErrorProfile::ExpiredAspect => {
                    Some(&texts.expired_aspect)
                }
                TokenErrorProfile::Unavailable => Some(&texts.unavailable),
            };
            page::message(&request.origin, &TokenMessage::Error { message_id, profile, message })
        }
    }
}

async fn token(
    core: &Arc<Core>,
    realm: usize,
    parts: &Parts,
    request: &TokenRequest,
) -> Result<(String, NonZeroU64), TokenErrorProfile> {
    if request.message_id.is_none() {
        return Err(TokenErrorProfile::InvalidRequest);
    }
    if core.origins.refuses(&request.origin) {
        return Err(TokenErrorProfile::InvalidOrigin);
    }
    let now = core.now();
    let session =
        Arc::clone(core).identify(realm, parts, now).await.map_err(|error| match error {
            AspectError::Missing => TokenErrorProfile::MissingAspect,
            AspectError::Invalid => TokenErrorProfile::InvalidAspect,
            AspectError::Expired => TokenErrorProfile::ExpiredAspect,
            AspectError::Unavailable(_) => TokenErrorProfile::Unavailable,
        })?;
    let bound = core.origins == OriginPolicy::Bound;
    if bound && !session.session.is_bound_to(&request.origin) {
        return Err(TokenErrorProfile::InvalidOrigin);
    }
    // Never longer than the session, and never zero (2.0 §4.4).
    let lifetime = core.token_lifetime.min(session.session.expires_at().remaining(now));
    let seconds = NonZeroU64::new(lifetime.as_secs()).ok_or(TokenErrorProfile::ExpiredAspect)?;
    let token = sealed::seal(core, &session, &request.origin, now, now.after(lifetime))
        .map_err(|_| TokenErrorProfile::Unavailable)?;
    Ok((token, seconds))
}
