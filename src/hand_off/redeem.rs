//! Redeeming a code: a token for the viewer, and a cookie in its partition.

use std::sync::Arc;

use bytes::Bytes;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::code::{self, Code};
use crate::config::Core;
use crate::fetch_metadata::is_made_here;
use crate::gate::TokenSession;
use crate::protocol::v2::TokenErrorProfile;
use crate::protocol::{Family, Origin};
use crate::query;
use crate::respond;
use crate::token;

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
        let family = match &*field("family")? {
            "2" => Family::V2,
            "1" => Family::V1,
            "0" => Family::V09,
            _ => return None,
        };
        Some(Self {
            code: field("code")?,
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
    let form = form.filter(|_| is_made_here(&core, &headers));
    let Some(form) = form.as_deref().and_then(Form::parse) else {
        return respond::empty(StatusCode::BAD_REQUEST);
    };
    let outcome = redeem(&core, &form).await;
    let (issued, cookie) = match outcome {
        Ok((issued, cookie)) => (Ok(issued), Some(cookie)),
        Err(profile) => (Err(token::Refused::of(&core, profile)), None),
    };
    let word = issued.as_ref().map_or_else(token::Refused::word, |_| "handed off");
    crate::trace::token("", word);
    let mut response = token::redeemed(&core, form.family, &form.message_id, &issued);
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

async fn redeem(
    core: &Core,
    form: &Form,
) -> Result<(token::Issued, HeaderValue), TokenErrorProfile> {
    let now = core.now();
    let handed = code::open(core, &form.code, now).ok_or(TokenErrorProfile::InvalidAspect)?;
    if handed.viewer != form.origin {
        return Err(TokenErrorProfile::InvalidOrigin);
    }
    let unavailable = |error: &dyn std::fmt::Display| {
        crate::trace::failure("revocation store", error);
        TokenErrorProfile::Unavailable
    };
    // Before the code is claimed: a session that was logged out meanwhile gives nothing.
    if core.is_revoked(handed.session.id(), now).await.map_err(|error| unavailable(&error))? {
        return Err(TokenErrorProfile::InvalidAspect);
    }
    if !core.claim(handed.id, handed.until, now).await.map_err(|error| unavailable(&error))? {
        return Err(TokenErrorProfile::InvalidAspect);
    }
    give(core, form, handed)
}

fn give(
    core: &Core,
    form: &Form,
    handed: Code,
) -> Result<(token::Issued, HeaderValue), TokenErrorProfile> {
    let now = core.now();
    let cookie = handed.cookie(core).ok_or(TokenErrorProfile::Unavailable)?;
    let cookie = cookie
        .set_partitioned(&handed.session, now)
        .and_then(Result::ok)
        .ok_or(TokenErrorProfile::Unavailable)?;
    let session = TokenSession {
        realm: handed.realm,
        aspect: crate::aspect::BoundCookie::NAME.into(),
        session: handed.session,
    };
    let issued = token::mint(core, form.family, &session, Some(&form.origin), now)?;
    Ok((issued, cookie))
}
