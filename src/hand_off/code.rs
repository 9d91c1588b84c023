//! The code that is handed off: sealed, good once, for a minute, for one viewer.

use std::time::Duration;

use crate::answer::BoxError;
use crate::aspect::BoundCookie;
use crate::clock::SKEW;
use crate::clock::Timestamp;
use crate::core::{Core, RealmId};
use crate::protocol::Origin;
use crate::seal::Scratch;
use crate::seal::{Reader, write_short_text};
use crate::session::{Session, SessionId};

const LIFETIME: Duration = Duration::from_secs(60);

/// What a code stands for.
pub(crate) struct Code {
    pub(crate) realm: RealmId,
    pub(crate) viewer: Origin,
    pub(crate) session: Session<'static>,
    /// What is claimed when it is redeemed.
    pub(crate) id: SessionId,
    pub(crate) until: Timestamp,
}

/// A code that gives a session to a viewer.
pub(crate) fn issue(
    core: &Core,
    realm: RealmId,
    viewer: &Origin,
    session: &Session<'_>,
    now: Timestamp,
) -> Result<String, BoxError> {
    let id = core.admit(SessionId::random()?)?;
    let mut payload = Vec::with_capacity(512);
    payload.extend_from_slice(id.as_bytes());
    payload.extend_from_slice(&now.as_millis().to_be_bytes());
    for text in [core.realms[realm].name(), viewer.as_str()] {
        write_short_text(&mut payload, text).ok_or("a text is too long")?;
    }
    session.write(&mut payload);
    let sealed = core.seals.hand_off().seal(&payload);
    Ok(sealed.map_err(|_| "no code could be sealed")?)
}

/// What a code stands for, if it is ours and in time.
pub(crate) fn open(core: &Core, sealed: &str, now: Timestamp) -> Option<Code> {
    let mut scratch = Scratch::new();
    let found = core.seals.hand_off().open(sealed.as_bytes(), &mut scratch).ok()?;
    let mut reader = Reader(scratch.at(found));
    let id = SessionId::from_bytes(reader.take(16)?.try_into().ok()?);
    let issued = reader.timestamp()?;
    let realm = core.realm_named(reader.short_text()?)?;
    let viewer = reader.short_text()?.parse().ok()?;
    let session = reader.session()?;
    let in_time = issued <= now.after(SKEW)
        && now < issued.after(LIFETIME)
        && session
            .stamp()
            .check_within(core.realms[realm].cookie()?.times().longest_millis, now)
            .is_ok()
        && reader.0.is_empty();
    let until = issued.after(LIFETIME);
    in_time.then(|| Code { realm, viewer, session: session.into_owned(), id, until })
}

impl Code {
    /// The cookie that the code gives.
    pub(crate) fn cookie<'c>(&self, core: &'c Core) -> Option<&'c BoundCookie> {
        core.realms[self.realm].cookie()
    }
}
