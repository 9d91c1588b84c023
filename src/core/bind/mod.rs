//! Realms and access services as the layers use them: bound to paths, cookies and descriptions.

mod aspects;
mod cookie_service;
mod service;

use super::checks::{check_languages, check_message, check_name};
use super::endpoints::{Endpoints, RealmEndpoints};
use super::mistakes::Mistakes;
use super::{AccessServices, BoundClients, BoundRealm, Candidates, RealmId, Realms};
use crate::config::{Compatibility, ConfigError, Logout, PublicUrl, Realm, Texts};
use crate::protocol::{Family, v2};
use crate::resource::Families;
use crate::seal::{Keyring, Purpose};

/// Turns realms into what the layers use.
pub(super) struct Binder<'a, 'm> {
    around: Surroundings<'a>,
    mistakes: &'m mut Mistakes,
    pub(super) realms: Realms,
    /// What each of these was made of.
    pub(super) words: Vec<&'a Realm>,
    pub(super) access: AccessServices,
    pub(super) candidates: Candidates,
}

/// What realms and services are bound to.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) public_url: &'a PublicUrl,
    pub(super) keyring: &'a Keyring,
    pub(super) endpoints: &'a Endpoints,
    pub(super) texts: &'a Texts,
    pub(super) families: Families,
    pub(super) compatibility: Compatibility,
    pub(super) plain_language: &'a str,
    /// Whether cookies are set for viewers' partitions.
    pub(super) partitions: bool,
}

/// What lies beside a realm's access services, and where.
struct Beside<'a> {
    endpoints: &'a RealmEndpoints,
    token: &'a v2::TokenService,
    logout: Option<&'a v2::LogoutService>,
    /// The URI of the client identity service.
    client_identity: Option<String>,
}

impl<'a, 'm> Binder<'a, 'm> {
    pub(super) fn new(around: Surroundings<'a>, mistakes: &'m mut Mistakes) -> Self {
        Self {
            around,
            mistakes,
            realms: Realms::default(),
            words: Vec::new(),
            access: AccessServices::default(),
            candidates: Candidates::default(),
        }
    }

    /// Binds one more. Where it cannot have its name, it is looked through under another and forgotten.
    pub(super) fn bind(&mut self, realm: &'a Realm) {
        let id = self.realms.next();
        if self.has_good_name(realm) {
            self.bind_as(id, &realm.name, realm);
        } else {
            self.bind_as(id, "stand-in", realm);
            self.realms.forget_from(id);
            self.access.forget(id);
            self.candidates.forget(id);
            self.words.pop();
        }
    }

    fn has_good_name(&mut self, realm: &Realm) -> bool {
        if self.realms.named(&realm.name).is_some() {
            self.mistakes.add(ConfigError::RealmTwice(realm.name.clone()));
            return false;
        }
        realm.name.is_empty() || self.mistakes.check(check_name(&realm.name)).is_some()
    }

    fn bind_as(&mut self, id: RealmId, name: &str, realm: &'a Realm) {
        if realm.access.is_empty() {
            self.mistakes.add(ConfigError::NoAccessService { realm: realm.name.clone() });
        }
        if let Some(error) = &realm.token_error {
            self.mistakes.check(check_message(error));
        }
        let cookie = self.bind_aspects(id, name, realm);
        let endpoints = self.around.endpoints.of_realm(name);
        let token_path = endpoints.token();
        let token = v2::TokenService {
            id: self.around.public_url.join(&token_path),
            error: realm.token_error.clone(),
        };
        let logout = self.logout_of(realm, &endpoints, cookie.is_some());
        let clients = self.bind_clients(&endpoints, realm);
        let beside = Beside {
            endpoints: &endpoints,
            token: &token,
            logout: logout.as_ref(),
            client_identity: clients.as_ref().map(|own| self.around.public_url.join(own.path())),
        };
        for service in &realm.access {
            if let Some(bound) = self.bind_access(id, service, &beside) {
                self.access.push(bound);
            }
        }
        self.realms.push(BoundRealm {
            name: name.into(),
            cookie,
            own_cookie: !realm.session_cookies.is_empty(),
            token_path: token_path.into(),
            logout_path: logout.map(|_| endpoints.logout().into()),
            clients,
        });
        self.words.push(realm);
    }

    /// The logout service as it is described, if there is one.
    fn logout_of(
        &mut self,
        realm: &Realm,
        endpoints: &RealmEndpoints,
        has_cookie: bool,
    ) -> Option<v2::LogoutService> {
        let label = match &realm.logout {
            Logout::Without => return None,
            Logout::Labelled(label) => label.clone(),
            Logout::Default => {
                let first = realm.access.first().filter(|_| has_cookie)?;
                let institution = self.around.label_of(first);
                self.around.texts.logout_label.filled("{institution}", &institution)
            }
        };
        self.mistakes.check(check_languages(&label));
        Some(v2::LogoutService { id: self.around.public_url.join(&endpoints.logout()), label })
    }

    fn bind_clients(&mut self, endpoints: &RealmEndpoints, realm: &Realm) -> Option<BoundClients> {
        if realm.clients.is_empty() {
            return None;
        }
        if !self.around.families.contains(Family::V09) {
            self.mistakes.add(ConfigError::ClientsUnused { realm: realm.name.clone() });
        }
        let codes = self.around.keyring.sealer(Purpose::ClientCode, &realm.name);
        BoundClients::new(endpoints.client(), &realm.clients, codes, self.mistakes)
    }
}
