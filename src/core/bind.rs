//! Realms and access services as the layers use them: bound to paths, cookies and descriptions.

use serde::Serialize;

use super::checks::{check_languages, check_message, check_name, check_path};
use super::raw::raw;
use super::{BoundClients, CandidateAspect};
use crate::aspect::{AccessCookie, BoundCookie, aspects};
use crate::config::{
    AccessService, Compatibility, ConfigError, Logout, Page, PublicUrl, Realm, Texts,
};
use crate::core::{BoundAccess, BoundRealm, Candidate, cookie_service};
use crate::protocol::v1::Version;
use crate::protocol::{Family, LanguageMap, v2};
use crate::resource::Families;
use crate::seal::LONGEST_TEXT;
use crate::seal::{Keyring, Purpose};

/// Turns realms into what the layers use.
pub(crate) struct Binder<'a> {
    around: Surroundings<'a>,
    pub(crate) realms: Vec<BoundRealm>,
    pub(crate) access: Vec<BoundAccess>,
    pub(crate) candidates: Vec<Candidate>,
}

/// What realms and services are bound to.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) public_url: &'a PublicUrl,
    pub(crate) keyring: &'a Keyring,
    pub(crate) endpoints: &'a str,
    pub(crate) texts: &'a Texts,
    pub(crate) families: Families,
    pub(crate) compatibility: Compatibility,
    pub(crate) plain_language: &'a str,
    /// Whether cookies are set for viewers' partitions.
    pub(crate) partitions: bool,
}

impl<'a> Binder<'a> {
    pub(crate) fn new(around: Surroundings<'a>) -> Self {
        Self { around, realms: Vec::new(), access: Vec::new(), candidates: Vec::new() }
    }

    // Long, as it goes through all that is said of one thing, in order.
    pub(crate) fn bind(&mut self, realm: &Realm) -> Result<(), ConfigError> {
        let index = self.realms.len();
        if !realm.name.is_empty() {
            check_name(&realm.name)?;
        }
        if self.realms.iter().any(|other| *other.name == *realm.name) {
            return Err(ConfigError::RealmTwice(realm.name.clone()));
        }
        let Some(first) = realm.access.first() else {
            return Err(ConfigError::NoAccessService { realm: realm.name.clone() });
        };
        if let Some(error) = &realm.token_error {
            check_message(error)?;
        }
        let cookie = self.bind_aspects(index, realm)?;
        let prefix = if realm.name.is_empty() {
            self.around.endpoints.to_owned()
        } else {
            format!("{}/{}", self.around.endpoints, realm.name)
        };
        let token_path = format!("{prefix}/token");
        let label = match &realm.logout {
            Logout::Without => None,
            Logout::Labelled(label) => Some(label.clone()),
            Logout::Default => cookie.as_ref().map(|_| {
                self.around.texts.logout_label.filled("{institution}", &self.label_of(first))
            }),
        };
        if let Some(label) = &label {
            check_languages(label)?;
        }
        let logout_path = label.as_ref().map(|_| format!("{prefix}/logout"));
        let token = v2::TokenService {
            id: self.around.public_url.join(&token_path),
            error: realm.token_error.clone(),
        };
        let logout = label.zip(logout_path.as_deref()).map(|(label, path)| v2::LogoutService {
            id: self.around.public_url.join(path),
            kind: v2::description::LogoutType::default(),
            label,
        });
        let clients = self.bind_clients(&prefix, realm)?;
        let below = Below {
            prefix: &prefix,
            token: &token,
            logout: logout.as_ref(),
            client_identity: clients.as_ref().map(|own| self.around.public_url.join(own.path())),
        };
        for service in &realm.access {
            let bound = self.bind_access(index, service, &below)?;
            self.access.push(bound);
        }
        self.realms.push(BoundRealm {
            name: realm.name.as_str().into(),
            cookie,
            own_cookie: !realm.session_cookies.is_empty(),
            token_path: token_path.into(),
            logout_path: logout_path.map(Into::into),
            clients,
        });
        Ok(())
    }

    fn bind_aspects(
        &mut self,
        index: usize,
        realm: &Realm,
    ) -> Result<Option<BoundCookie>, ConfigError> {
        let needs_cookie =
            realm.access.iter().any(|service| service.profile != v2::Profile::External);
        let name = || realm.name.clone();
        let parts = match &realm.aspects {
            Some(aspects) => aspects.clone(),
            None if needs_cookie => AccessCookie::new().into(),
            None => return Err(ConfigError::NoAspect { realm: name() }),
        };
        let mut cookie = None;
        for part in parts.into_parts() {
            let aspect = match part {
                aspects::Part::Other(aspect) => CandidateAspect::Other(aspect),
                aspects::Part::Cookie(_) if cookie.is_some() => {
                    return Err(ConfigError::TwoCookies { realm: name() });
                }
                aspects::Part::Cookie(config) => {
                    let bound = config
                        .bind(
                            &realm.name,
                            self.around.public_url.host(),
                            self.around.public_url.is_https(),
                            self.around.keyring,
                            self.around.partitions,
                        )
                        .map_err(|cause| ConfigError::Cookie { realm: name(), cause })?;
                    cookie = Some(bound.clone());
                    CandidateAspect::Cookie(bound)
                }
            };
            let candidate = Candidate { realm: index, aspect };
            let bytes = candidate.name().len();
            if bytes == 0 || bytes > LONGEST_TEXT {
                return Err(ConfigError::AspectName { realm: name(), bytes });
            }
            let same = |own: &&Candidate| own.realm == index && own.name() == candidate.name();
            if let Some(own) = self.candidates.iter().find(same) {
                return Err(ConfigError::AspectTwice(own.name().to_owned()));
            }
            self.candidates.push(candidate);
        }
        let sets_cookie =
            |service: &AccessService| matches!(service.page, Page::ClickThrough(_) | Page::Kiosk);
        if cookie.is_none() && realm.access.iter().any(sets_cookie) {
            return Err(ConfigError::NoCookie { realm: name() });
        }
        Ok(cookie)
    }

    fn bind_clients(
        &self,
        prefix: &str,
        realm: &Realm,
    ) -> Result<Option<BoundClients>, ConfigError> {
        if realm.clients.is_empty() {
            return Ok(None);
        }
        if !self.around.families.contains(Family::V09) {
            return Err(ConfigError::ClientsUnused { realm: realm.name.clone() });
        }
        let codes = self.around.keyring.sealer(Purpose::ClientCode, &realm.name);
        BoundClients::new(format!("{prefix}/client"), &realm.clients, codes).map(Some)
    }

    /// What names the institution: the label, or else the host.
    fn label_of(&self, service: &AccessService) -> LanguageMap {
        service.label.clone().unwrap_or_else(|| self.around.public_url.host().into())
    }

    // Long, as it goes through all that is said of one thing, in order.
    fn bind_access(
        &self,
        realm: usize,
        service: &AccessService,
        below: &Below<'_>,
    ) -> Result<BoundAccess, ConfigError> {
        for text in service.texts() {
            check_languages(text)?;
        }
        let role = role(service)?;
        let path = match (service.profile, &service.path) {
            (v2::Profile::External, None) => None,
            (v2::Profile::External, Some(path)) => {
                return Err(ConfigError::ExternalPath(path.clone()));
            }
            (_, Some(path)) => Some(path.clone()),
            (_, None) => {
                check_name(&service.name)?;
                Some(format!("{}/{}", below.prefix, service.name))
            }
        };
        if let Some(path) = &path {
            check_path(path)?;
        }
        let id = path.as_deref().map(|path| self.around.public_url.join(path));
        let reference = id.as_deref().map(|id| raw(&Reference { id, kind: "AuthAccessService2" }));
        if !service.steps.is_empty() && !matches!(service.page, Page::Application) {
            return Err(ConfigError::StepsUnused(service.name.clone()));
        }
        if let Some(step) = service.steps.iter().find(|own| !own.may_match_path()) {
            return Err(ConfigError::Step(step.as_str().to_owned()));
        }
        let mut described = v2::AccessService {
            id,
            profile: service.profile,
            // Some viewers do not survive a service without a label, whatever its profile.
            label: Some(self.label_of(service)),
            message: service.message.clone(),
            confirm_label: service.confirm_label.clone(),
            token: below.token.clone(),
            logout: below.logout.cloned(),
        };
        let around = &self.around;
        let spoken = |version: &Version| around.families.contains((*version).into());
        let in_version = |version| {
            let Surroundings { plain_language, compatibility, .. } = *around;
            let (page, clients) = (&service.page, below.client_identity.as_deref());
            cookie_service::bind(version, &described, page, clients, plain_language, compatibility)
        };
        let authentication = Version::ALL.into_iter().filter(spoken).map(in_version).collect();
        if around.compatibility.without_confirm_label {
            described.confirm_label = None;
        }
        let json = raw(&described);
        Ok(BoundAccess {
            realm,
            profile: service.profile,
            page: service.page.clone(),
            path: path.map(Into::into),
            protects: service.protects.clone(),
            role: role.into(),
            json,
            reference,
            authentication,
            steps: service.steps.clone(),
        })
    }
}

/// The role that an access service of the crate's own grants, which has to fit a session.
fn role(service: &AccessService) -> Result<&str, ConfigError> {
    let role = service.role.as_deref();
    match (&service.page, role) {
        (Page::ClickThrough(_) | Page::Kiosk, _) => {
            let role = role.unwrap_or(&service.name);
            if role.len() > LONGEST_TEXT {
                return Err(ConfigError::Role { bytes: role.len(), most: LONGEST_TEXT });
            }
            Ok(role)
        }
        (Page::Application | Page::None, Some(role)) => {
            Err(ConfigError::RoleUnused(role.to_owned()))
        }
        (Page::Application | Page::None, None) => Ok(""),
    }
}

/// What lies below a realm's access services, and where.
struct Below<'a> {
    prefix: &'a str,
    token: &'a v2::TokenService,
    logout: Option<&'a v2::LogoutService>,
    /// The URI of the client identity service.
    client_identity: Option<String>,
}

#[derive(Serialize)]
struct Reference<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
}
