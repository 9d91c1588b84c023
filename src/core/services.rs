//! Access services as the layers use them.

use std::ops::Index;
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::RealmId;
use crate::config::{Compatibility, Page};
use crate::path;
use crate::protocol::v2::{ProbeService, ProbeStyle, Profile, error_members};
use crate::protocol::{Message, v1};
use crate::resource::{Pattern, Resource};

/// Which access service of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServiceId(usize);

/// An access service as the layers use it.
pub(crate) struct BoundAccess {
    pub(super) realm: RealmId,
    /// With its realm's, where that has one.
    pub(super) name: Box<str>,
    pub(super) profile: Profile,
    pub(super) page: Page,
    pub(super) path: Option<Box<str>>,
    pub(super) protects: Vec<Pattern>,
    pub(super) role: Box<str>,
    pub(super) json: Box<RawValue>,
    pub(super) in_manifest: Box<RawValue>,
    pub(super) with_id: Option<Box<RawValue>>,
    pub(super) reference: Option<Box<RawValue>>,
    pub(super) authentication: Vec<BoundCookieService>,
    pub(super) steps: Vec<Pattern>,
}

impl BoundAccess {
    pub(crate) fn realm(&self) -> RealmId {
        self.realm
    }

    pub(super) fn profile(&self) -> Profile {
        self.profile
    }

    pub(crate) fn page(&self) -> &Page {
        &self.page
    }

    /// The external profile has none.
    pub(crate) fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// What a service of the crate's own grants; empty for others.
    pub(crate) fn role(&self) -> &str {
        &self.role
    }

    /// The complete description, in an `info.json`.
    pub(crate) fn json(&self) -> &RawValue {
        &self.json
    }

    /// The complete description in a manifest, where every service has a profile.
    pub(crate) fn in_manifest(&self) -> &RawValue {
        &self.in_manifest
    }

    /// The same with an id where it has none by itself (2.0 §3.1): the external profile.
    pub(crate) fn in_manifest_with_id(&self) -> &RawValue {
        self.with_id.as_deref().unwrap_or(&self.in_manifest)
    }

    /// Id, type and profile, where it stands in full at the top of a manifest; the external profile has
    /// no id to refer to.
    pub(crate) fn reference(&self) -> Option<&RawValue> {
        self.reference.as_deref()
    }

    /// The same service in 1.0 and 0.9, as far as a base speaks them.
    pub(crate) fn authentication(&self) -> &[BoundCookieService] {
        &self.authentication
    }

    /// Whether a page of the application's own answers.
    pub(crate) fn is_applications(&self) -> bool {
        matches!(self.page, Page::Application)
    }

    /// Whether it is for certain resources only.
    pub(super) fn is_special(&self) -> bool {
        !self.protects.is_empty()
    }

    /// Whether it is for certain resources, and this is one.
    pub(super) fn protects(&self, resource: &Resource<'_>) -> bool {
        self.protects.iter().any(|pattern| pattern.covers(resource))
    }

    /// Whether a path is a further page of the application's login.
    pub(super) fn is_step(&self, path: &str) -> bool {
        self.steps.iter().any(|step| step.matches(path))
    }

    /// Whether a path is the service's own, lies below it, or is a further step of the login: whose tab
    /// it is, and not who may ask for it.
    pub(crate) fn covers(&self, path: &str) -> bool {
        self.path().is_some_and(|own| path::below(path, own).is_some()) || self.is_step(path)
    }
}

/// An access service as 1.0 or 0.9 describe it.
pub(crate) struct BoundCookieService {
    pub(super) version: v1::Version,
    pub(super) id: Option<Box<str>>,
    pub(super) for_two: Box<RawValue>,
    pub(super) for_three: Box<RawValue>,
}

impl BoundCookieService {
    pub(crate) fn version(&self) -> v1::Version {
        self.version
    }

    pub(crate) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// In Image API 2 and Presentation 2 documents.
    pub(crate) fn for_two(&self) -> &RawValue {
        &self.for_two
    }

    pub(crate) fn for_three(&self) -> &RawValue {
        &self.for_three
    }
}

/// All access services, in the order in which they were given.
#[derive(Default)]
pub(crate) struct AccessServices {
    all: Vec<BoundAccess>,
    /// Whether some are for certain resources only.
    differ: bool,
    /// The probes of descriptions where none is, without and with a context of their own: written once.
    probes: Option<[Arc<ProbeService>; 2]>,
}

impl AccessServices {
    pub(super) fn push(&mut self, service: BoundAccess) {
        self.differ |= service.is_special();
        self.all.push(service);
    }

    /// Takes away those of a realm.
    pub(super) fn forget(&mut self, realm: RealmId) {
        self.all.retain(|service| service.realm != realm);
    }

    /// Writes what is the same in all descriptions, with what probes say to who is not in.
    pub(super) fn prepare(&mut self, error: &Message, compatibility: Compatibility) {
        if self.differ || self.all.is_empty() {
            return;
        }
        let all: Vec<_> = self.iter().map(BoundAccess::json).collect();
        let (error, profile) = (error_members(error), compatibility.profile_on_probe);
        self.probes = Some([false, true].map(|own_context| {
            Arc::new(ProbeService::new(&all, &error, ProbeStyle { own_context, profile }))
        }));
    }

    /// The probe of a resource's description, if that is prepared.
    pub(crate) fn prepared_probe(
        &self,
        resource: &Resource<'_>,
        own_context: bool,
    ) -> Option<Arc<ProbeService>> {
        let probes = self.probes.as_ref().filter(|_| resource.services().is_none())?;
        Some(Arc::clone(&probes[usize::from(own_context)]))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &BoundAccess> {
        self.all.iter()
    }

    pub(crate) fn with_ids(&self) -> impl Iterator<Item = (ServiceId, &BoundAccess)> {
        self.all.iter().enumerate().map(|(index, service)| (ServiceId(index), service))
    }

    pub(super) fn of_realm(&self, realm: RealmId) -> impl Iterator<Item = &BoundAccess> {
        self.all.iter().filter(move |service| service.realm == realm)
    }

    /// Whether each of these names is one of theirs.
    pub(super) fn have(&self, names: &[Box<str>]) -> bool {
        names.iter().all(|name| self.all.iter().any(|service| service.name == *name))
    }

    /// Those that a resource declares: those that its rule says, or whose patterns match it, or else those
    /// without patterns.
    pub(super) fn of(&self, resource: &Resource<'_>) -> impl Iterator<Item = &BoundAccess> {
        let said = resource.services().is_some();
        let special =
            !said && self.differ && self.all.iter().any(|service| service.protects(resource));
        let is_for = move |service: &BoundAccess, resource: &Resource<'_>| match resource.services()
        {
            Some(names) => names.contains(&service.name),
            None if special => service.protects(resource),
            None => !service.is_special(),
        };
        self.all.iter().filter(move |service| is_for(service, resource))
    }
}

/// An id is of this very configuration.
impl Index<ServiceId> for AccessServices {
    type Output = BoundAccess;

    #[inline]
    fn index(&self, ServiceId(index): ServiceId) -> &BoundAccess {
        &self.all[index]
    }
}

/// A description as it is put into documents.
pub(super) fn raw(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).expect("strings and maps with text keys are JSON")
}
