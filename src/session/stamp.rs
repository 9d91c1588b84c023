//! Which session it is, and when: what stands first in a sealed value.

use std::time::Duration;

use super::SessionId;
use crate::clock::{SKEW, Timestamp};

/// First byte of a session's binary form. In layout 1 a session without origins was for any viewer.
pub(super) const LAYOUT: u8 = 2;

/// Longest time a session may last, whatever a sealed value says.
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
}

impl Stamp {
    /// How many bytes it takes, with the layout before it.
    pub(crate) const LENGTH: usize = 1 + 16 + 8 + 8;

    /// Reads it off the front; the rest is behind it.
    #[inline]
    pub(crate) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (stamp, rest) = bytes.split_first_chunk::<{ Self::LENGTH }>()?;
        if stamp[0] != LAYOUT {
            return None;
        }
        let time =
            |bytes: &[u8]| Some(Timestamp::from_millis(u64::from_be_bytes(bytes.try_into().ok()?)));
        let id = SessionId::from_bytes(stamp[1..17].try_into().ok()?);
        let (issued_at, expires_at) = (time(&stamp[17..25])?, time(&stamp[25..])?);
        Some((Self { id, issued_at, expires_at }, rest))
    }

    /// Whether the session lives. Sealed values are trusted for who, not for when: its times have to be
    /// sane, and it has to have begun.
    #[inline]
    pub(crate) fn check(&self, now: Timestamp) -> Result<(), NotNow> {
        let Self { issued_at, expires_at, .. } = *self;
        if issued_at > now.after(SKEW)
            || issued_at > expires_at
            || expires_at > issued_at.after(LONGEST)
        {
            return Err(NotNow::Invalid);
        }
        if expires_at <= now {
            return Err(NotNow::Expired);
        }
        Ok(())
    }
}
