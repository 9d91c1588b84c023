//! Access tokens: sealed, bound, short-lived, and never what opens content.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::ORIGIN;

use crate::aspect::AspectError;
use crate::clock::SKEW;
use crate::clock::Timestamp;
use crate::core::Core;
use crate::gate::TokenSession;
use crate::protocol::{Family, Origin};
use crate::seal::{Reader, write_short_text};
use crate::seal::{Scratch, SealError};

/// Seals a token for a viewer, or for a client that is no browser and has no origin.
pub(crate) fn seal(
    core: &Core,
    family: Family,
    of: &TokenSession<'_>,
    origin: Option<&Origin>,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<String, SealError> {
    let mut payload = Vec::with_capacity(512);
    // One of one family is none of another.
    payload.push(family.digit() as u8);
    payload.extend_from_slice(&now.as_millis().to_be_bytes());
    payload.extend_from_slice(&expires_at.as_millis().to_be_bytes());
    let origin = origin.map_or("", Origin::as_str);
    let texts = [core.realms[of.realm].name(), &*of.aspect, origin];
    for text in texts {
        write_short_text(&mut payload, text).ok_or(SealError)?;
    }
    of.session.write(&mut payload);
    core.seals.token().seal(&payload)
}

/// The session behind a token, if the token belongs to one of these families and is good for a request
/// with these headers. Anything else counts as no token (2.0 §5.1); the error is for those who read logs.
///
/// A browser names the page that asks in `Origin`: a token is good only for the viewer that it was
/// issued to. Requests without that header, from the publisher's own pages or no browser at all,
/// are not held to it.
pub(crate) fn open<'s>(
    core: &Core,
    families: &[Family],
    token: &[u8],
    headers: &HeaderMap,
    now: Timestamp,
    scratch: &'s mut Scratch,
) -> Result<(Family, TokenSession<'s>), AspectError> {
    let found = core.seals.token().open(token, scratch);
    let found = found.map_err(|_| AspectError::Invalid)?;
    let token = read(core, families, scratch.at(found), headers).ok_or(AspectError::Invalid)?;
    let Token { family, issued_at, expires_at, session } = token;
    if issued_at > now.after(SKEW)
        || expires_at > issued_at.after(core.limits.token_lifetime().saturating_add(SKEW))
    {
        return Err(AspectError::Invalid);
    }
    if expires_at <= now {
        return Err(AspectError::Expired);
    }
    Ok((family, session))
}

/// A token of ours, whoever shows it. Its time may be over.
struct Token<'s> {
    family: Family,
    issued_at: Timestamp,
    expires_at: Timestamp,
    session: TokenSession<'s>,
}

fn read<'s>(
    core: &Core,
    families: &[Family],
    payload: &'s [u8],
    headers: &HeaderMap,
) -> Option<Token<'s>> {
    let mut reader = Reader(payload);
    let family = Family::from_digit(char::from(reader.byte()?))?;
    if !families.contains(&family) {
        return None;
    }
    let (issued_at, expires_at) = (reader.timestamp()?, reader.timestamp()?);
    let realm = core.realm_named(reader.short_text()?)?;
    let aspect = reader.short_text()?;
    let origin = reader.short_text()?;
    let session = reader.session()?;
    let from_its_viewer = match headers.get(ORIGIN) {
        None => true,
        Some(own) => origin.is_empty() || own.as_bytes() == origin.as_bytes(),
    };
    let session = TokenSession { realm, aspect: Cow::Borrowed(aspect), session };
    (from_its_viewer && reader.0.is_empty()).then_some(Token {
        family,
        issued_at,
        expires_at,
        session,
    })
}
