//! A session in one of a request's cookies.

use super::AspectError;
use crate::clock::Timestamp;
use crate::seal::Scratch;
use crate::session::{Session, SessionId, SessionKey, Stamp};

/// A session that was opened and lives: where the rest of it lies, and which cookie of our name it is.
pub(crate) struct FoundSession {
    pub(super) stamp: Stamp,
    pub(super) fields: (usize, usize),
    pub(crate) index: usize,
    /// When the cookie ends, where it is the one of the partition.
    pub(super) ends: Option<Timestamp>,
    /// Whether no other cookie of its name comes after it.
    pub(crate) is_alone: bool,
}

impl FoundSession {
    /// Texts are read once it is known that the session lives.
    #[inline]
    pub(super) fn at(
        (start, length): (usize, usize),
        ends: Option<Timestamp>,
        longest: u64,
        now: Timestamp,
        scratch: &Scratch,
    ) -> Result<Self, AspectError> {
        let stamp = Stamp::read(scratch.at((start, length)));
        let (stamp, rest) = stamp.ok_or(AspectError::Invalid)?;
        stamp.check_within(longest, now)?;
        let fields = (start + Stamp::LENGTH, rest.len());
        Ok(Self { stamp, fields, index: 0, ends, is_alone: true })
    }

    pub(crate) fn id(&self) -> SessionId {
        self.stamp.id
    }

    pub(crate) fn issued_at(&self) -> Timestamp {
        self.stamp.issued_at
    }

    /// Whether it is of a cookie of the partition.
    pub(crate) fn is_partitioned(&self) -> bool {
        self.ends.is_some()
    }

    /// What is lacking if its session turns out to be revoked.
    pub(crate) fn lacks_if_revoked(&self) -> AspectError {
        if self.ends.is_some() { AspectError::Missing } else { AspectError::Revoked }
    }

    /// What a store is asked about it by.
    #[inline]
    pub(crate) fn key<'b>(&'b self, realm: &'b str, scratch: &'b Scratch) -> SessionKey<'b> {
        self.stamp.key(realm, scratch.at(self.fields))
    }

    /// The session itself, in place.
    #[inline]
    pub(crate) fn session<'b>(&self, scratch: &'b Scratch) -> Result<Session<'b>, AspectError> {
        Session::read_fields(self.stamp, scratch.at(self.fields)).ok_or(AspectError::Invalid)
    }
}
