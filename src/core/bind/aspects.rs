//! What a realm's users are told by.

use super::Binder;
use crate::aspect::{AccessCookie, Aspects, BoundCookie, aspects};
use crate::config::{AccessService, ConfigError, Page, Realm};
use crate::core::{Candidate, CandidateAspect, RealmId};
use crate::protocol::v2::Profile;
use crate::seal::LONGEST_TEXT;

impl Binder<'_, '_> {
    /// Binds the aspects of a realm; its access cookie is returned, too.
    pub(super) fn bind_aspects(
        &mut self,
        id: RealmId,
        name: &str,
        realm: &Realm,
    ) -> Option<BoundCookie> {
        let mut cookie = None;
        let mut cookies = 0;
        for part in self.aspects_of(realm)?.into_parts() {
            let aspect = match part {
                aspects::Part::Other(aspect) => CandidateAspect::Other(aspect),
                aspects::Part::Cookie(config) => {
                    cookies += 1;
                    if cookies > 1 {
                        self.mistakes.add(ConfigError::TwoCookies { realm: realm.name.clone() });
                        continue;
                    }
                    let Some(bound) = self.bind_cookie(name, &config) else { continue };
                    cookie = Some(bound.clone());
                    CandidateAspect::Cookie(bound)
                }
            };
            self.add_candidate(Candidate::new(id, aspect), realm);
        }
        let sets_cookie =
            |service: &AccessService| matches!(service.page, Page::ClickThrough(_) | Page::Kiosk);
        if cookies == 0 && realm.access.iter().any(sets_cookie) {
            self.mistakes.add(ConfigError::NoCookie { realm: realm.name.clone() });
        }
        cookie
    }

    fn aspects_of(&mut self, realm: &Realm) -> Option<Aspects> {
        if let Some(aspects) = &realm.aspects {
            return Some(aspects.clone());
        }
        if realm.access.iter().any(|service| service.profile != Profile::External) {
            return Some(AccessCookie::new().into());
        }
        // Without any access service there is nothing that they would be for.
        if !realm.access.is_empty() {
            self.mistakes.add(ConfigError::NoAspect { realm: realm.name.clone() });
        }
        None
    }

    fn bind_cookie(&mut self, realm: &str, config: &AccessCookie) -> Option<BoundCookie> {
        let url = self.around.public_url;
        let bound = config.bind(
            realm,
            url.host(),
            url.is_https(),
            self.around.keyring,
            self.around.partitions,
        );
        let of_realm = |cause| ConfigError::Cookie { realm: realm.to_owned(), cause };
        self.mistakes.check(bound.map_err(of_realm))
    }

    fn add_candidate(&mut self, candidate: Candidate, realm: &Realm) {
        let bytes = candidate.name().len();
        if bytes == 0 || bytes > LONGEST_TEXT {
            let realm = realm.name.clone();
            self.mistakes.add(ConfigError::AspectName { realm, bytes });
        } else if self.candidates.named(candidate.realm(), candidate.name()).is_some() {
            self.mistakes.add(ConfigError::AspectTwice(candidate.name().to_owned()));
        } else {
            self.candidates.push(candidate);
        }
    }
}
