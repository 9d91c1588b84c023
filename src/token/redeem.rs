//! Redeeming a code: a cookie in the viewer's partition.

use std::sync::Arc;

use bytes::Bytes;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::answer::refusal;
use crate::clock::Timestamp;
use crate::core::Core;
use crate::fetch_metadata::is_made_here;
use crate::hand_off::{self, Code};
use crate::protocol::v2::TokenErrorProfile;
use crate::protocol::{Family, Origin};
use crate::query;
use crate::respond;
use crate::revocation::Share;

/// The posted form: the code, and the token request that it is for.
struct Form {
    code: String,
    family: Family,
    origin: Origin,
    message_id: String,
}

impl Form {
    fn parse(form: &str) -> Option<Self> {
        let field = |name| query::single(form, name).ok()?.map(String::from);
        Some(Self {
            code: field("handOff")?,
            family: Family::from_digit(field("family")?.parse().ok()?)?,
            origin: field("origin")?.parse().ok()?,
            message_id: field("messageId")?,
        })
    }
}

/// What became of a code.
enum Outcome {
    /// This frame has the cookie.
    Redeemed(HeaderValue),
    /// Another frame was faster: the cookie may be there.
    Before,
}

/// Answers a form of the token frame's; `form` is `None` if it was too long.
///
/// A frame that is told `{"redeemed": true}` asks for its token anew: whether the browser has kept the
/// cookie shows then, and with it whether the images will load.
pub(crate) async fn answer(
    core: Arc<Core>,
    headers: HeaderMap,
    form: Option<String>,
) -> Response<Bytes> {
    let form = form.filter(|_| is_made_here(core.public_url.origin(), &headers));
    let Some(form) = form.as_deref().and_then(Form::parse) else {
        return respond::empty(StatusCode::BAD_REQUEST);
    };
    let now = core.now();
    let (realm, outcome) = match hand_off::open(&core, &form.code, now) {
        Some(handed) => {
            let realm = core.realms[handed.realm].name();
            (realm, redeem(&core, &form, handed, now).await)
        }
        None => ("", Err(TokenErrorProfile::InvalidAspect)),
    };
    let word = outcome.as_ref().map_or_else(|profile| profile.as_str(), |_| "handed off");
    crate::trace::token(realm, word);
    match outcome {
        Err(profile) => refusal(&core, form.family, &form.message_id, profile),
        Ok(outcome) => {
            let mut response =
                respond::json(StatusCode::OK, &serde_json::json!({"redeemed": true}));
            if let Outcome::Redeemed(cookie) = outcome {
                response.headers_mut().append(SET_COOKIE, cookie);
            }
            response
        }
    }
}

async fn redeem(
    core: &Core,
    form: &Form,
    handed: Code,
    now: Timestamp,
) -> Result<Outcome, TokenErrorProfile> {
    if handed.viewer != form.origin || core.origins.refuses(&form.origin) {
        return Err(TokenErrorProfile::InvalidOrigin);
    }
    let unavailable = |what, error: &dyn std::fmt::Display| {
        crate::trace::failure(what, error);
        TokenErrorProfile::Unavailable
    };
    let cookie = handed
        .cookie(core)
        .and_then(|cookie| cookie.set_partitioned(&handed.session, now))
        .ok_or(TokenErrorProfile::Unavailable)?
        .map_err(|error| unavailable("hand-off", &error))?;
    let store = "revocation store";
    // Before the code is claimed: a session that was logged out meanwhile gives nothing.
    let realm = core.realms[handed.realm].name();
    if core.is_ended(realm, &handed.session, now).await.map_err(|e| unavailable(store, &e))? {
        return Err(TokenErrorProfile::InvalidAspect);
    }
    let share = Share::of(core.realms[handed.realm].name(), handed.session.subject().is_empty());
    let claimed = core.claim(share, handed.id, handed.until, now).await;
    let claimed = claimed.map_err(|e| unavailable(store, &e))?;
    Ok(if claimed { Outcome::Redeemed(cookie) } else { Outcome::Before })
}
