//! One access service: its path, its page, and its descriptions.

use serde_json::value::RawValue;

use super::{Beside, Binder, Surroundings, cookie_service};
use crate::config::{AccessService, ConfigError, Page};
use crate::core::checks::{check_languages, check_name, check_path};
use crate::core::services::raw;
use crate::core::{BoundAccess, BoundCookieService, RealmId};
use crate::protocol::v1::Version;
use crate::protocol::{LanguageMap, v2};
use crate::seal::LONGEST_TEXT;

impl Binder<'_, '_> {
    /// None where it cannot be said at which path it would be.
    pub(super) fn bind_access(
        &mut self,
        realm: RealmId,
        service: &AccessService,
        beside: &Beside<'_>,
    ) -> Option<BoundAccess> {
        for text in service.texts() {
            self.mistakes.check(check_languages(text));
        }
        self.check_steps(service);
        let role = self.mistakes.check(role(service)).unwrap_or_default();
        let path = self.mistakes.check(path(service, beside))?;
        let id = path.as_deref().map(|path| self.around.public_url.join(path));
        let reference = id.as_deref().map(|id| raw(&v2::AccessReference::new(id, service.profile)));
        let mut described = v2::AccessService {
            id,
            profile: service.profile,
            // Some viewers do not survive a service without a label, whatever its profile.
            label: Some(self.around.label_of(service)),
            message: service.message.clone(),
            confirm_label: service.confirm_label.clone(),
            token: beside.token.clone(),
            logout: beside.logout.cloned(),
        };
        let client_identity = beside.client_identity.as_deref();
        let authentication =
            self.around.in_older_families(&described, &service.page, client_identity);
        if self.around.compatibility.without_confirm_label {
            described.confirm_label = None;
        }
        let realm_name = beside.endpoints.realm();
        let name = match (realm_name.is_empty(), service.name.is_empty()) {
            (true, _) => service.name.clone(),
            (false, true) => realm_name.to_owned(),
            (false, false) => format!("{realm_name}/{}", service.name),
        };
        Some(BoundAccess {
            realm,
            name: name.into(),
            profile: service.profile,
            page: service.page.clone(),
            path: path.map(Into::into),
            protects: service.protects.clone(),
            role: role.into(),
            json: raw(&described.described_in(v2::Host::Information)),
            in_manifest: raw(&described.described_in(v2::Host::Manifest)),
            with_id: self.with_id(&described, service, beside),
            reference,
            authentication,
            steps: service.steps.clone(),
        })
    }

    /// An external service as manifests want it: with an id, which nothing is to be had at.
    fn with_id(
        &self,
        described: &v2::AccessService,
        service: &AccessService,
        beside: &Beside<'_>,
    ) -> Option<Box<RawValue>> {
        if described.id.is_some() {
            return None;
        }
        let name = if service.name.is_empty() { "external" } else { &service.name };
        let path = beside.endpoints.service(name);
        let id = Some(self.around.public_url.join(&path));
        let described = v2::AccessService { id, ..described.clone() };
        Some(raw(&described.described_in(v2::Host::Manifest)))
    }

    fn check_steps(&mut self, service: &AccessService) {
        if !service.steps.is_empty() && !matches!(service.page, Page::Application) {
            self.mistakes.add(ConfigError::StepsUnused(service.name.clone()));
        }
        for step in service.steps.iter().filter(|step| !step.may_match_path()) {
            self.mistakes.add(ConfigError::Step(step.as_str().to_owned()));
        }
    }
}

impl Surroundings<'_> {
    /// What names the institution: the label, or else the host.
    pub(super) fn label_of(&self, service: &AccessService) -> LanguageMap {
        service.label.clone().unwrap_or_else(|| self.public_url.host().into())
    }

    /// The same service in 1.0 and 0.9, as far as a base speaks them.
    fn in_older_families(
        &self,
        described: &v2::AccessService,
        page: &Page,
        client_identity: Option<&str>,
    ) -> Vec<BoundCookieService> {
        let Self { plain_language, compatibility, families, .. } = *self;
        let spoken = |version: &Version| families.contains((*version).into());
        let bind = |version| {
            cookie_service::bind(
                version,
                described,
                page,
                client_identity,
                plain_language,
                compatibility,
            )
        };
        Version::ALL.into_iter().filter(spoken).map(bind).collect()
    }
}

/// Where it is; nowhere for the external profile.
fn path(service: &AccessService, beside: &Beside<'_>) -> Result<Option<String>, ConfigError> {
    let path = match (service.profile, &service.path) {
        (v2::Profile::External, None) => return Ok(None),
        (v2::Profile::External, Some(path)) => return Err(ConfigError::ExternalPath(path.clone())),
        (_, Some(path)) => path.clone(),
        (_, None) => {
            check_name(&service.name)?;
            beside.endpoints.service(&service.name)
        }
    };
    check_path(&path)?;
    Ok(Some(path))
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
