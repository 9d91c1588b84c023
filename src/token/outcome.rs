//! What comes of a token request.

use std::num::NonZeroU64;

use crate::core::Core;
use crate::protocol::Message;
use crate::protocol::v2::TokenErrorProfile;
use crate::session::SessionId;

/// An access token and its life in seconds.
pub(super) struct Issued {
    pub(super) token: String,
    pub(super) expires_in: NonZeroU64,
    /// The session that it stands for.
    pub(super) id: SessionId,
}

/// Why there is no token, and what the user is told.
pub(super) struct Refused<'c> {
    pub(super) profile: TokenErrorProfile,
    pub(super) message: &'c Message,
    /// Whether an access cookie would have helped.
    pub(super) lacks_cookie: bool,
}

impl<'c> Refused<'c> {
    /// A refusal with the general text for it.
    pub(super) fn of(core: &'c Core, profile: TokenErrorProfile) -> Self {
        Self { profile, message: text(core, profile), lacks_cookie: false }
    }

    pub(super) fn word(&self) -> &'static str {
        self.profile.as_str()
    }
}

fn text(core: &Core, profile: TokenErrorProfile) -> &Message {
    let texts = &core.texts;
    match profile {
        TokenErrorProfile::InvalidRequest => &texts.bad_request,
        TokenErrorProfile::InvalidOrigin => &texts.invalid_origin,
        TokenErrorProfile::MissingAspect => &texts.missing_aspect,
        TokenErrorProfile::InvalidAspect | TokenErrorProfile::ExpiredAspect => {
            &texts.expired_aspect
        }
        TokenErrorProfile::Unavailable => &texts.unavailable,
    }
}
