//! Authorization codes: sealed, of one realm, short-lived, good for several requests (0.9.2 §2.1).

use std::time::Duration;

use crate::clock::SKEW;
use crate::clock::Timestamp;
use crate::core::{BoundClients, Core, RealmId};
use crate::protocol::v2::TokenErrorProfile;
use crate::query;
use crate::seal::{Reader, write_short_text};
use crate::seal::{Scratch, SealError};

/// How long a code is good: for one login and the token requests after it.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// A code for a client of a realm.
pub(super) fn issue(
    core: &Core,
    realm: RealmId,
    client: &str,
    now: Timestamp,
) -> Result<String, SealError> {
    let clients = core.realms[realm].clients().ok_or(SealError)?;
    let mut payload = Vec::with_capacity(64);
    payload.extend_from_slice(&now.as_millis().to_be_bytes());
    write_short_text(&mut payload, client).ok_or(SealError)?;
    clients.codes().seal(&payload)
}

/// Whether a request to a login or token service of 0.9 brings a good `code`, where its realm has
/// registered clients; otherwise why not: it counts as a credential (requirements MAP).
pub(crate) fn check(
    core: &Core,
    realm: RealmId,
    request_query: &str,
    now: Timestamp,
) -> Result<(), TokenErrorProfile> {
    let Some(clients) = core.realms[realm].clients() else { return Ok(()) };
    match query::single(request_query, "code") {
        Err(_) => Err(TokenErrorProfile::InvalidRequest),
        Ok(None) => Err(TokenErrorProfile::MissingAspect),
        Ok(Some(sealed)) => {
            let good = is_good(clients, &sealed, now).unwrap_or(false);
            if good { Ok(()) } else { Err(TokenErrorProfile::InvalidAspect) }
        }
    }
}

fn is_good(clients: &BoundClients, sealed: &str, now: Timestamp) -> Option<bool> {
    let mut scratch = Scratch::new();
    let found = clients.codes().open(sealed.as_bytes(), &mut scratch).ok()?;
    let mut reader = Reader(scratch.at(found));
    let issued = reader.timestamp()?;
    let client = reader.short_text()?;
    let in_time = issued <= now.after(SKEW) && now < issued.after(LIFETIME);
    Some(in_time && reader.0.is_empty() && clients.contains(client))
}
