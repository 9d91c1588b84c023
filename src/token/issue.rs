//! From a token request to a token, in the order of checks that requirements CON-8 fixes.

use std::num::NonZeroU64;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::header::SET_COOKIE;
use http::request::Parts;

use super::outcome::{Issued, Refused};
use super::request::{Addressee, BadOrigin, TokenRequest};
use super::{answer, sealed};
use crate::aspect::{AspectError, Head};
use crate::client_identity::check_code;
use crate::clock::Timestamp;
use crate::config::OriginPolicy;
use crate::core::{Core, RealmId};
use crate::gate::{Renewal, TokenSession};
use crate::protocol::v2::TokenErrorProfile;
use crate::protocol::{Family, Origin};
use crate::storage_access;

/// Answers a token request of a realm.
pub(super) async fn answer(
    core: Arc<Core>,
    realm: RealmId,
    parts: Parts,
    request: TokenRequest,
) -> Response<Bytes> {
    let outcome = token(&core, realm, &parts, &request).await;
    let word = outcome.as_ref().map_or_else(Refused::word, |_| "issued");
    crate::trace::token(core.realms[realm].name(), word);
    let mut response = answer::write(&core, &request, &outcome, &parts.headers);
    let third_parties = response.headers_mut();
    storage_access::vary(core.third_party.storage_access, third_parties);
    match &outcome {
        Ok(issued) => {
            storage_access::load(core.third_party.storage_access, &parts.headers, third_parties);
            let now = core.now();
            let renewal = Renewal::due(&core, issued.id, &parts.headers, now);
            let companion =
                Renewal::companion(&core, issued.id, &parts.headers, renewal.as_deref(), now);
            for cookie in companion.into_iter().chain(renewal).filter_map(|own| own.cookie()) {
                third_parties.append(SET_COOKIE, cookie);
            }
        }
        Err(refused) if refused.lacks_cookie => {
            storage_access::offer_retry(
                core.third_party.storage_access,
                &parts.headers,
                third_parties,
            );
        }
        Err(_) => {}
    }
    response
}

async fn token<'c>(
    core: &'c Arc<Core>,
    realm: RealmId,
    parts: &Parts,
    request: &TokenRequest,
) -> Result<Issued, Refused<'c>> {
    let refused = |profile| Refused::of(core, profile);
    let origin = match request {
        TokenRequest::Posted(_, Addressee { message_id: None, .. })
        | TokenRequest::Body(_, Err(BadOrigin)) => {
            return Err(refused(TokenErrorProfile::InvalidRequest));
        }
        TokenRequest::Posted(_, addressee) => Some(&addressee.origin),
        TokenRequest::Body(_, Ok(origin)) => origin.as_ref(),
    };
    let now = core.now();
    if request.family() == Family::V09 {
        let message = &core.texts.viewer_refused;
        check_code(core, realm, parts.uri.query().unwrap_or_default(), now)
            .map_err(|profile| Refused { profile, message, lacks_cookie: false })?;
    }
    if origin.is_some_and(|origin| core.origins.refuses(origin)) {
        return Err(refused(TokenErrorProfile::InvalidOrigin));
    }
    // Another aspect may be what is bad: then a cookie would still have helped.
    let of_realm = &core.realms[realm];
    let lacking = |profile| Refused {
        lacks_cookie: of_realm.cookie().is_some_and(|cookie| {
            profile == TokenErrorProfile::MissingAspect || cookie.is_missing(&parts.headers, now)
        }) || (of_realm.has_own_cookie()
            && profile == TokenErrorProfile::MissingAspect),
        ..refused(profile)
    };
    let session =
        Arc::clone(core).identify(realm, &Head::of_parts(parts), now).await.map_err(|error| {
            match error {
                AspectError::Missing => lacking(TokenErrorProfile::MissingAspect),
                AspectError::Invalid | AspectError::Revoked => {
                    lacking(TokenErrorProfile::InvalidAspect)
                }
                AspectError::Expired => lacking(TokenErrorProfile::ExpiredAspect),
                AspectError::Unavailable(_) => refused(TokenErrorProfile::Unavailable),
            }
        })?;
    let strange = |origin: &Origin| !session.session.is_bound_to(origin);
    if core.origins == OriginPolicy::Bound && origin.is_some_and(strange) {
        return Err(refused(TokenErrorProfile::InvalidOrigin));
    }
    mint(core, request.family(), &session, origin, now).map_err(refused)
}

/// A token that stands for a session.
fn mint(
    core: &Core,
    family: Family,
    session: &TokenSession<'_>,
    origin: Option<&Origin>,
    now: Timestamp,
) -> Result<Issued, TokenErrorProfile> {
    // Never longer than the session, and never zero (2.0 §4.4).
    let lifetime = core.limits.token_lifetime().min(session.session.expires_at().remaining(now));
    let expires_in = NonZeroU64::new(lifetime.as_secs()).ok_or(TokenErrorProfile::ExpiredAspect)?;
    let token = sealed::seal(core, family, session, origin, now, now.after(lifetime))
        .map_err(|_| TokenErrorProfile::Unavailable)?;
    Ok(Issued { token, expires_in, id: session.session.id() })
}
