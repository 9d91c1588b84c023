//! Which session it is, and when: what stands first in a sealed value.

use std::time::Duration;

use super::besides::Besides;
use super::{SessionId, SessionKey};
use crate::clock::{SKEW, Timestamp};

/// First byte of a session's binary form. In layout 1 a session without origins was for any viewer.
pub(super) const LAYOUT: u8 = 2;

/// The same for one that has something [besides](super::Besides), behind everything else.
pub(super) const LAYOUT_BESIDES: u8 = 3;

/// Longest time a session may last, whatever a sealed value says, unless its realm has longer ones.
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a session does not count now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotNow {
    /// Its times are impossible.
    Invalid,
    Expired,
}

/// Which session it is, and its times: what stands first, and tells whether the rest is worth reading.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) id: SessionId,
    pub(crate) issued_at: Timestamp,
    pub(super) expires_at: Timestamp,
    /// Whether something besides stands behind its fields.
    pub(super) has_besides: bool,
}

impl Stamp {
    /// How many bytes it takes, with the layout before it.
    pub(crate) const LENGTH: usize = 1 + 16 + 8 + 8;

    /// Reads it off the front; the rest is behind it.
    #[inline]
    pub(crate) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (stamp, rest) = bytes.split_first_chunk::<{ Self::LENGTH }>()?;
        let has_besides = stamp[0] == LAYOUT_BESIDES;
        if stamp[0] != LAYOUT && !has_besides {
            return None;
        }
        let time =
            |bytes: &[u8]| Some(Timestamp::from_millis(u64::from_be_bytes(bytes.try_into().ok()?)));
        let id = SessionId::from_bytes(stamp[1..17].try_into().ok()?);
        let (issued_at, expires_at) = (time(&stamp[17..25])?, time(&stamp[25..])?);
        Some((Self { id, issued_at, expires_at, has_besides }, rest))
    }

    /// What a store is asked about it by; `rest` is all that is behind the stamp.
    #[inline]
    pub(crate) fn key<'a>(&self, realm: &'a str, rest: &'a [u8]) -> SessionKey<'a> {
        SessionKey::unread(realm, self.id, Besides::era_behind(self.has_besides, rest), rest)
    }

    /// Whether the session lives. Sealed values are trusted for who, not for when: its times have to be
    /// sane, and it has to have begun.
    #[inline]
    pub(crate) fn check(&self, now: Timestamp) -> Result<(), NotNow> {
        self.check_within(millis(LONGEST), now)
    }

    /// The same where sessions last up to so many milliseconds: to divide costs too much for each tile.
    #[inline]
    pub(crate) fn check_within(&self, longest: u64, now: Timestamp) -> Result<(), NotNow> {
        let Self { issued_at, expires_at, .. } = *self;
        if issued_at > now.after(SKEW)
            || issued_at > expires_at
            || expires_at.is_later_by_more_than(longest, issued_at)
        {
            return Err(NotNow::Invalid);
        }
        if expires_at <= now {
            return Err(NotNow::Expired);
        }
        Ok(())
    }
}

/// A time in milliseconds.
pub(crate) const fn millis(time: Duration) -> u64 {
    time.as_secs().saturating_mul(1000).saturating_add(time.subsec_millis() as u64)
}
