//! Realms as the layers use them.

use std::ops::Index;

use super::BoundClients;
use crate::aspect::BoundCookie;

/// Which realm of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RealmId(usize);

impl RealmId {
    /// How many there may be: one bit each in a [`RealmSet`].
    pub(super) const MOST: usize = u64::BITS as usize;

    /// The one that was given first.
    pub(crate) const FIRST: Self = Self(0);
}

/// A realm as the layers use it.
pub(crate) struct BoundRealm {
    pub(super) name: Box<str>,
    pub(super) cookie: Option<BoundCookie>,
    pub(super) own_cookie: bool,
    pub(super) token_path: Box<str>,
    pub(super) logout_path: Option<Box<str>>,
    pub(super) clients: Option<BoundClients>,
}

impl BoundRealm {
    /// Whether its sessions are renewed.
    pub(super) fn renews(&self) -> bool {
        self.cookie().is_some_and(|cookie| cookie.times().are_renewed())
    }

    /// Empty for the unnamed one.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    #[inline]
    pub(crate) fn cookie(&self) -> Option<&BoundCookie> {
        self.cookie.as_ref()
    }

    /// Whether an aspect of the application's own goes by a cookie, as far as it was told.
    pub(crate) fn has_own_cookie(&self) -> bool {
        self.own_cookie
    }

    pub(crate) fn token_path(&self) -> &str {
        &self.token_path
    }

    pub(crate) fn logout_path(&self) -> Option<&str> {
        self.logout_path.as_deref()
    }

    /// The registered clients of 0.9.2.
    pub(crate) fn clients(&self) -> Option<&BoundClients> {
        self.clients.as_ref()
    }
}

/// All realms, in the order in which they were given.
#[derive(Default)]
pub(crate) struct Realms(Vec<BoundRealm>);

impl Realms {
    /// The id of the one that is pushed next.
    pub(super) fn next(&self) -> RealmId {
        RealmId(self.0.len())
    }

    pub(super) fn push(&mut self, realm: BoundRealm) {
        self.0.push(realm);
    }

    /// Takes away those from `first` on.
    pub(super) fn forget_from(&mut self, first: RealmId) {
        self.0.truncate(first.0);
    }

    #[inline]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &BoundRealm> {
        self.0.iter()
    }

    #[inline]
    pub(crate) fn with_ids(&self) -> impl Iterator<Item = (RealmId, &BoundRealm)> {
        self.0.iter().enumerate().map(|(index, realm)| (RealmId(index), realm))
    }

    /// The first that a test finds.
    pub(crate) fn find(&self, test: impl FnMut(&BoundRealm) -> bool) -> Option<RealmId> {
        self.0.iter().position(test).map(RealmId)
    }

    pub(crate) fn named(&self, name: &str) -> Option<RealmId> {
        self.find(|realm| &*realm.name == name)
    }

    #[inline]
    pub(super) fn is_one(&self) -> bool {
        self.0.len() == 1
    }
}

/// An id is of this very configuration.
impl Index<RealmId> for Realms {
    type Output = BoundRealm;

    #[inline]
    fn index(&self, RealmId(index): RealmId) -> &BoundRealm {
        &self.0[index]
    }
}

/// Some of the realms, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RealmSet(u64);

impl RealmSet {
    pub(super) const NONE: Self = Self(0);

    #[inline]
    pub(crate) const fn only(RealmId(index): RealmId) -> Self {
        Self(1 << index)
    }

    #[inline]
    pub(super) fn with(self, realm: RealmId) -> Self {
        Self(self.0 | Self::only(realm).0)
    }

    #[inline]
    pub(crate) fn contains(self, realm: RealmId) -> bool {
        self.0 & Self::only(realm).0 != 0
    }
}
