//! What stands in the path, sealed.

use std::borrow::Cow;

use crate::aspect::AspectError;
use crate::clock::{SKEW, Timestamp};
use crate::core::Core;
use crate::gate::TokenSession;
use crate::resource::Resource;
use crate::seal::{Reader, Scratch, SealError, write_short_text};

/// Longest capability, in bytes: browsers and servers take paths of 8 KiB, and a tile's stands behind it.
const LONGEST: usize = 2048;

/// Bytes of a digest that stands for a resource, however long its path is.
const DIGEST: usize = 32;

/// What a capability says. Its time is not over.
pub(super) struct Opened {
    pub(super) session: TokenSession<'static>,
    pub(super) expires_at: Timestamp,
    digest: [u8; DIGEST],
}

impl Opened {
    /// Whether it is for this resource, however that is spelled and whatever of it is asked for.
    pub(super) fn is_for(&self, resource: &Resource<'_>) -> bool {
        self.digest == digest(resource)
    }
}

/// The path, below the publisher's URL, that the path of the resource is put behind; `None` where the
/// session is too large for one.
pub(crate) fn base(
    core: &Core,
    resource: &Resource<'_>,
    of: &TokenSession<'_>,
    now: Timestamp,
) -> Option<String> {
    let capability = seal(core, resource, of, now).ok()?;
    (capability.len() <= LONGEST).then(|| format!("{}/{capability}", core.endpoints.signed()))
}

fn seal(
    core: &Core,
    resource: &Resource<'_>,
    of: &TokenSession<'_>,
    now: Timestamp,
) -> Result<String, SealError> {
    let expires_at = now.after(core.limits.location_lifetime()).min(of.session.expires_at());
    let mut payload = Vec::with_capacity(512);
    payload.extend_from_slice(&now.as_millis().to_be_bytes());
    payload.extend_from_slice(&expires_at.as_millis().to_be_bytes());
    payload.extend_from_slice(&digest(resource));
    for text in [core.realms[of.realm].name(), &*of.aspect] {
        write_short_text(&mut payload, text).ok_or(SealError)?;
    }
    of.session.write(&mut payload);
    core.seals.location().seal(&payload)
}

/// What a capability holds, which a stranger may have written.
pub(super) fn open(core: &Core, text: &str, now: Timestamp) -> Result<Opened, AspectError> {
    if text.len() > LONGEST {
        return Err(AspectError::Invalid);
    }
    let mut scratch = Scratch::new();
    let found = core.seals.location().open(text.as_bytes(), &mut scratch);
    let found = found.map_err(|_| AspectError::Invalid)?;
    let (issued_at, opened) = read(core, scratch.at(found)).ok_or(AspectError::Invalid)?;
    let longest = core.limits.location_lifetime().saturating_add(SKEW);
    if issued_at > now.after(SKEW) || opened.expires_at > issued_at.after(longest) {
        return Err(AspectError::Invalid);
    }
    if opened.expires_at <= now {
        return Err(AspectError::Expired);
    }
    Ok(opened)
}

fn read(core: &Core, payload: &[u8]) -> Option<(Timestamp, Opened)> {
    let mut reader = Reader(payload);
    let (issued_at, expires_at) = (reader.timestamp()?, reader.timestamp()?);
    let digest = reader.take(DIGEST)?.try_into().ok()?;
    let realm = core.realm_named(reader.short_text()?)?;
    let aspect = Cow::Owned(reader.short_text()?.to_owned());
    let session = reader.session()?.into_owned();
    let session = TokenSession { realm, aspect, session };
    reader.0.is_empty().then_some((issued_at, Opened { session, expires_at, digest }))
}

/// Of the one path that names the resource as a whole.
fn digest(resource: &Resource<'_>) -> [u8; DIGEST] {
    let digest = ring::digest::digest(&ring::digest::SHA256, resource.path().as_bytes());
    let mut bytes = [0; DIGEST];
    bytes.copy_from_slice(digest.as_ref());
    bytes
}
