//! The aspects of all realms, in the order in which they are asked.

use std::ops::Index;
use std::sync::Arc;

use super::RealmId;
use crate::aspect::{AuthorizingAspect, BoundCookie};

/// Which aspect of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CandidateId(usize);

/// One aspect of one realm.
pub(crate) struct Candidate {
    realm: RealmId,
    aspect: CandidateAspect,
}

#[allow(
    clippy::large_enum_variant,
    reason = "there are few, and the cookie is read for every tile"
)]
pub(crate) enum CandidateAspect {
    /// The crate's cookie: read in place, and looked up among the revoked.
    Cookie(BoundCookie),
    Other(Arc<dyn AuthorizingAspect>),
}

impl Candidate {
    pub(super) fn new(realm: RealmId, aspect: CandidateAspect) -> Self {
        Self { realm, aspect }
    }

    #[inline]
    pub(crate) fn realm(&self) -> RealmId {
        self.realm
    }

    #[inline]
    pub(crate) fn aspect(&self) -> &CandidateAspect {
        &self.aspect
    }

    pub(crate) fn name(&self) -> &str {
        match &self.aspect {
            CandidateAspect::Cookie(_) => BoundCookie::NAME,
            CandidateAspect::Other(aspect) => aspect.name(),
        }
    }
}

#[derive(Default)]
pub(crate) struct Candidates(Vec<Candidate>);

impl Candidates {
    pub(super) fn push(&mut self, candidate: Candidate) {
        self.0.push(candidate);
    }

    /// Takes away those of a realm.
    pub(super) fn forget(&mut self, realm: RealmId) {
        self.0.retain(|candidate| candidate.realm != realm);
    }

    /// The first that is asked.
    #[inline]
    pub(crate) fn first(&self) -> Option<CandidateId> {
        (!self.0.is_empty()).then_some(CandidateId(0))
    }

    /// The one that is asked behind this one.
    #[inline]
    pub(crate) fn behind(&self, CandidateId(index): CandidateId) -> Option<CandidateId> {
        (index + 1 < self.0.len()).then_some(CandidateId(index + 1))
    }

    pub(crate) fn of_realm(
        &self,
        realm: RealmId,
    ) -> impl Iterator<Item = (CandidateId, &Candidate)> {
        let all = self.0.iter().enumerate();
        all.filter(move |(_, candidate)| candidate.realm == realm)
            .map(|(index, candidate)| (CandidateId(index), candidate))
    }

    /// The aspect of this name in a realm.
    pub(crate) fn named(&self, realm: RealmId, name: &str) -> Option<&Candidate> {
        let is_it = |candidate: &&Candidate| candidate.realm == realm && candidate.name() == name;
        self.0.iter().find(is_it)
    }
}

/// An id is of this very configuration.
impl Index<CandidateId> for Candidates {
    type Output = Candidate;

    #[inline]
    fn index(&self, CandidateId(index): CandidateId) -> &Candidate {
        &self.0[index]
    }
}
