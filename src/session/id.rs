//! What names a session.

use std::fmt;

use ring::rand::{SecureRandom, SystemRandom};

use super::SessionError;

/// Sixteen bytes that name a session, random and never shown to a client in the clear.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// The id made of these bytes, for aspects whose sessions live in a store of their own.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// A new random id.
    ///
    /// # Errors
    ///
    /// When the system gives no random bytes.
    pub fn random() -> Result<Self, SessionError> {
        let mut bytes = [0; 16];
        SystemRandom::new().fill(&mut bytes).map_err(|_| SessionError::NoRandomness)?;
        Ok(Self(bytes))
    }
}

/// Shows nothing: an id is no secret by itself, yet nothing in a log should name a session.
impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId([redacted])")
    }
}
