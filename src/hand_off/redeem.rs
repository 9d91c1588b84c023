//! Redeeming a code: a token for the viewer, and a cookie in its partition.

use std::sync::Arc;

use bytes::Bytes;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::code::{self, Code};
use crate::aspect::BoundCookie;
use crate::client_identity::check_code;
use crate::clock::Timestamp;
use crate::config::Core;
use crate::fetch_metadata::is_made_here;
use crate::gate::TokenSession;
use crate::protocol::v2::TokenErrorProfile;
use crate::protocol::{Family, Origin};
use crate::query;
use crate::respond;
use crate::token;

/// The posted form: the code, and the token request that it is for. The `code` of a client of 0.9.2,
/// where it has one, is read by what knows it.
struct Form {
    code: String,
    family: Family,
    origin: Origin,
    message_id: String,
}

impl Form {
    fn parse(form: &str) -> Option<Self> {
        let field = |name| query::single(form, name).ok()?.map(String::from);
        let family = match &*field("family")? {
            "2" => Family::V2,
            "1" => Family::V1,
            "0" => Family::V09,
            _ => return None,
        };
        Some(Self {
            code: field("handOff")?,
            family,
            origin: field("origin")?.parse().ok()?,
            message_id: field("messageId")?,
        })
    }
}

/// Answers a form of the token frame's with the message to post; `form` is `None` if it was too long.
pub(crate) async fn answer(
    core: Arc<Core>,
    headers: HeaderMap,
    form: Option<String>,
) -> Response<Bytes> {
    let text = form.filter(|_| is_made_here(&core, &headers));
    let spoken = |form: &Form| core.families.contains(form.family);
    let form = text.as_deref().and_then(Form::parse).filter(spoken);
    let (Some(text), Some(form)) = (text, form) else {
        return respond::empty(StatusCode::BAD_REQUEST);
    };
    let now = core.now();
    let (realm, outcome) = match code::open(&core, &form.code, now) {
        Some(handed) => {
            let realm = &*core.realms[handed.realm].name;
            (realm, redeem(&core, &text, &form, handed, now).await)
        }
        None => ("", Err(TokenErrorProfile::InvalidAspect)),
    };
    let (issued, cookie) = match outcome {
        Ok((issued, cookie)) => (Ok(issued), Some(cookie)),
        Err(profile) => (Err(token::Refused::of(&core, profile)), None),
    };
    let word = issued.as_ref().map_or_else(token::Refused::word, |_| "handed off");
    crate::trace::token(realm, word);
    let mut response = token::redeemed(&core, form.family, &form.message_id, &issued);
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

async fn redeem(
    core: &Core,
    text: &str,
    form: &Form,
    handed: Code,
    now: Timestamp,
) -> Result<(token::Issued, HeaderValue), TokenErrorProfile> {
    // What the token service asks for first, it asks for here.
    if form.family == Family::V09 {
        check_code(core, handed.realm, text, now)?;
    }
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
    if core.is_revoked(handed.session.id(), now).await.map_err(|e| unavailable(store, &e))? {
        return Err(TokenErrorProfile::InvalidAspect);
    }
    if !core.claim(handed.id, handed.until, now).await.map_err(|e| unavailable(store, &e))? {
        return Err(TokenErrorProfile::InvalidAspect);
    }
    let session = TokenSession {
        realm: handed.realm,
        aspect: BoundCookie::NAME.into(),
        session: handed.session,
    };
    let issued = token::mint(core, form.family, &session, Some(&form.origin), now)?;
    Ok((issued, cookie))
}
