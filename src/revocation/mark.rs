//! In whose life an id was made, for stores that may forget.

use ring::rand::{SecureRandom, SystemRandom};

use super::NoRandomness;
use crate::session::SessionId;

/// How many bytes of an id tell it.
const LENGTH: usize = 6;

/// The first bytes of every id that was admitted in one life of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark(pub(super) [u8; LENGTH]);

impl Mark {
    /// One that no earlier life had.
    pub(super) fn random() -> Result<Self, NoRandomness> {
        let mut mark = [0; LENGTH];
        SystemRandom::new().fill(&mut mark).map_err(|_| NoRandomness)?;
        Ok(Self(mark))
    }

    /// The id, marked.
    pub(super) fn put_on(self, id: SessionId) -> SessionId {
        let mut bytes = *id.as_bytes();
        bytes[..LENGTH].copy_from_slice(&self.0);
        SessionId::from_bytes(bytes)
    }

    /// Whether the id was made in this life.
    pub(super) fn is_on(self, id: SessionId) -> bool {
        id.as_bytes()[..LENGTH] == self.0
    }
}
