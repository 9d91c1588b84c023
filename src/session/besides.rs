//! What few sessions have besides who and when.

use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

use super::SessionError;
use crate::seal::Reader;

/// How a session is renewed, and which of its subject's sessions it belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Besides {
    /// How long it lasts from each renewal on, in seconds; zero for one that is not renewed.
    idle: u32,
    /// Zero for a subject whose sessions were never ended all at once.
    era: Era,
}

/// Which of a subject's sessions one belongs to, so that all of them can be ended at once: each session
/// has the era that was its subject's when it began, and is over when the subject has another one.
///
/// Eras are random and have no order, so that nodes whose clocks differ cannot disagree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Era(u64);

impl Era {
    /// That of a subject whose sessions were never ended all at once, or so long ago that none of them
    /// could live.
    pub const FIRST: Self = Self(0);

    /// The era with this number, for stores.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// One that no subject had before.
    pub(crate) fn random() -> Result<Self, SessionError> {
        let mut bytes = [0; 8];
        SystemRandom::new().fill(&mut bytes).map_err(|_| SessionError::NoRandomness)?;
        Ok(Self(u64::from_be_bytes(bytes).max(1)))
    }
}

impl Besides {
    pub(super) fn new(idle: Option<Duration>, era: Era) -> Self {
        let seconds = |idle: Duration| u32::try_from(idle.as_secs()).unwrap_or(u32::MAX);
        Self { idle: idle.map_or(0, seconds), era }
    }

    pub(super) fn idle(self) -> Option<Duration> {
        (self.idle != 0).then(|| Duration::from_secs(self.idle.into()))
    }

    pub(super) fn era(self) -> Era {
        self.era
    }

    /// The era in what is behind a stamp, without a look at anything else.
    #[inline]
    pub(super) fn era_behind(has_besides: bool, rest: &[u8]) -> Era {
        match rest.last_chunk() {
            Some(number) if has_besides => Era(u64::from_be_bytes(*number)),
            _ => Era::FIRST,
        }
    }

    pub(super) fn is_nothing(self) -> bool {
        self == Self::default()
    }

    pub(super) fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.idle.to_be_bytes());
        out.extend_from_slice(&self.era.0.to_be_bytes());
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let idle = u32::from_be_bytes(reader.take(4)?.try_into().ok()?);
        let era = Era(u64::from_be_bytes(reader.take(8)?.try_into().ok()?));
        Some(Self { idle, era })
    }
}
