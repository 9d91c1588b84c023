//! Is it **still** true: sessions that ended before their time.

mod filter;
mod hasher;
mod mark;
mod memory;
#[cfg(feature = "redis")]
mod redis;
mod subjects;

use std::fmt;
use std::sync::Arc;

pub use crate::session::{Era, SessionKey};
pub use memory::InMemory;
#[cfg(feature = "redis")]
pub use redis::{Redis, RedisBuilder, StoreError};

use crate::answer::{Answer, BoxError};
use crate::clock::Timestamp;
use crate::session::SessionId;

/// The system gives no random bytes, which the ids of sessions are marked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRandomness;

impl fmt::Display for NoRandomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the system gives no random bytes")
    }
}

impl std::error::Error for NoRandomness {}

/// Remembers sessions that were logged out, until they would have ended anyway.
///
/// Only sessions of the access cookie are looked up here: they live in the browser, so that the
/// server has to remember which of them are dead. Aspects with a store of their own end sessions
/// there.
///
/// An error means that it is not known whether the session lives: the request is then refused with
/// 503.
pub trait Revocations: Send + Sync + 'static {
    /// The id for a new session, made from a random one.
    ///
    /// A store that forgets what was revoked when the process ends has to mark its ids, so that it
    /// knows those of its own life from earlier ones, see [`InMemory`]. The default changes nothing.
    fn admit(&self, id: SessionId) -> SessionId {
        id
    }

    /// Whether the session was revoked, or cannot be vouched for.
    fn is_revoked(&self, id: SessionId, now: Timestamp) -> Answer<Result<bool, BoxError>>;

    /// Whether a session has ended before its time: by itself, or with all of its subject's. This is what
    /// the layers ask.
    ///
    /// A store that ends all sessions of a subject compares [`SessionKey::era`] with what
    /// [`end_subject`](Self::end_subject) was told. The default is [`is_revoked`](Self::is_revoked).
    fn is_ended(&self, session: &SessionKey<'_>, now: Timestamp) -> Answer<Result<bool, BoxError>> {
        self.is_revoked(session.id(), now)
    }

    /// Ends every session of a subject in a realm that is not of `era`, which is new. It may be forgotten
    /// after `until`, when they would all have ended anyway.
    ///
    /// The default is an error, so that a store which cannot do it does not say that it was done.
    fn end_subject(
        &self,
        realm: &str,
        subject: &str,
        era: Era,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<Result<(), BoxError>> {
        let _ = (realm, subject, era, until, now);
        Answer::Now(Err("this store of revocations cannot end all sessions of a subject".into()))
    }

    /// The era in which a session of this subject begins now: the one that
    /// [`end_subject`](Self::end_subject) was told last, as long as it has to be remembered. Asked at a
    /// login, and of the store itself rather than of what was heard before. Default: [`Era::FIRST`].
    fn era_of(&self, realm: &str, subject: &str, now: Timestamp) -> Answer<Result<Era, BoxError>> {
        let _ = (realm, subject, now);
        Answer::Now(Ok(Era::FIRST))
    }

    /// Claims `id` for the caller: true for one caller alone, until `until`, when it may be forgotten.
    ///
    /// It makes codes good only once (see [`ThirdPartyCookies`](crate::ThirdPartyCookies)), on all nodes
    /// that share the store. The default is an error, so that a store which cannot do it gives
    /// nothing away.
    fn claim(
        &self,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<Result<bool, BoxError>> {
        let _ = (id, until, now);
        Answer::Now(Err("this store of revocations can claim nothing".into()))
    }

    /// Revokes the session; may be forgotten after `until`, when it would have ended anyway.
    fn revoke(
        &self,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<Result<(), BoxError>>;

    /// The same, where it is known whose share of the store it takes: this is what the layers call. A
    /// store that is bounded gives each [`Share`] room of its own. The default is
    /// [`revoke`](Self::revoke).
    fn revoke_in(
        &self,
        share: Share<'_>,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<Result<(), BoxError>> {
        let _ = share;
        self.revoke(id, until, now)
    }

    /// [`claim`](Self::claim), where it is known whose share it takes, which is the default.
    fn claim_in(
        &self,
        share: Share<'_>,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<Result<bool, BoxError>> {
        let _ = share;
        self.claim(id, until, now)
    }

    /// The clock that the layers go by was set back by more than five seconds. They take no session for
    /// alive that began before the moment it shows now.
    ///
    /// A store that drops entries by `now` may have dropped what has not ended any more, and should vouch
    /// for no session that it admitted up to now, see [`InMemory`]. The default does nothing: right where
    /// entries are kept by another clock.
    fn clock_went_back(&self) {}
}

/// What a session takes room of in a bounded store, so that nobody uses up what others need: a realm,
/// and in it apart those who logged in and nobody in particular (a subject that is empty), as anyone can
/// be for a click.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Share<'a> {
    realm: &'a str,
    is_of_nobody: bool,
}

impl<'a> Share<'a> {
    pub(crate) fn of(realm: &'a str, is_of_nobody: bool) -> Self {
        Self { realm, is_of_nobody }
    }

    /// The name of the session's realm.
    #[must_use]
    pub fn realm(&self) -> &'a str {
        self.realm
    }

    /// Whether the session is of nobody in particular.
    #[must_use]
    pub fn is_of_nobody(&self) -> bool {
        self.is_of_nobody
    }
}

impl<R: Revocations + ?Sized> Revocations for Arc<R> {
    fn admit(&self, id: SessionId) -> SessionId {
        (**self).admit(id)
    }

    fn is_revoked(&self, id: SessionId, now: Timestamp) -> Answer<Result<bool, BoxError>> {
        (**self).is_revoked(id, now)
    }

    fn is_ended(&self, session: &SessionKey<'_>, now: Timestamp) -> Answer<Result<bool, BoxError>> {
        (**self).is_ended(session, now)
    }

    fn end_subject(
        &self,
        realm: &str,
        subject: &str,
        era: Era,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<Result<(), BoxError>> {
        (**self).end_subject(realm, subject, era, until, now)
    }

    fn era_of(&self, realm: &str, subject: &str, now: Timestamp) -> Answer<Result<Era, BoxError>> {
        (**self).era_of(realm, subject, now)
    }

    fn claim(
        &self,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<Result<bool, BoxError>> {
        (**self).claim(id, until, now)
    }

    fn revoke(
        &self,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<Result<(), BoxError>> {
        (**self).revoke(id, until, now)
    }

    fn revoke_in(
        &self,
        share: Share<'_>,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<Result<(), BoxError>> {
        (**self).revoke_in(share, id, until, now)
    }

    fn claim_in(
        &self,
        share: Share<'_>,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<Result<bool, BoxError>> {
        (**self).claim_in(share, id, until, now)
    }

    fn clock_went_back(&self) {
        (**self).clock_went_back();
    }
}
