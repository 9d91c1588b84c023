//! A session as stores of ended sessions are asked about it.

use std::fmt;

use super::besides::Era;
use super::{Session, SessionId};
use crate::seal::Reader;

/// Which session it is, and whose: what a store has to know of a session to tell whether it has ended.
#[derive(Clone, Copy)]
pub struct SessionKey<'a> {
    realm: &'a str,
    id: SessionId,
    era: Era,
    /// The subject first.
    fields: &'a [u8],
}

impl<'a> SessionKey<'a> {
    /// That of a session of a realm.
    #[must_use]
    pub fn new(realm: &'a str, session: &'a Session<'_>) -> Self {
        Self { realm, id: session.id(), era: session.era(), fields: session.fields.as_bytes() }
    }

    /// That of one whose fields, with what is behind them, were not looked at yet.
    #[inline]
    pub(super) fn unread(realm: &'a str, id: SessionId, era: Era, fields: &'a [u8]) -> Self {
        Self { realm, id, era, fields }
    }

    /// The name of its realm.
    #[must_use]
    #[inline]
    pub fn realm(&self) -> &'a str {
        self.realm
    }

    /// What names it.
    #[must_use]
    #[inline]
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Whose it is; empty for nobody in particular.
    #[must_use]
    pub fn subject(&self) -> &'a str {
        Reader(self.fields).short_text().unwrap_or_default()
    }

    /// Which of its subject's sessions it belongs to.
    #[must_use]
    #[inline]
    pub fn era(&self) -> Era {
        self.era
    }
}

/// Shows the realm. Whose it is stays out of logs.
impl fmt::Debug for SessionKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionKey").field("realm", &self.realm).finish_non_exhaustive()
    }
}
