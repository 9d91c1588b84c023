//! What is put into an object of a manifest.

use std::sync::Arc;

use super::super::description::{self, Access, has_probes};
use super::super::edit::{HostVersion, Service, ServiceText};
use super::find::What;
use crate::config::How;
use crate::core::{BoundAccess, Core};
use crate::protocol::v2::ProbeService;
use crate::resource::Resource;

/// Writes the services of one manifest.
pub(super) struct Writer<'a> {
    core: &'a Core,
    how: How,
    version: HostVersion,
    /// The probes so far, each for the resources that have the same access services.
    probes: Vec<(Vec<*const BoundAccess>, Arc<ProbeService>)>,
    /// The access services that stand at the top.
    at_top: Vec<&'a BoundAccess>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(core: &'a Core, how: How, version: HostVersion) -> Self {
        Self { core, how, version, probes: Vec::new(), at_top: Vec::new() }
    }

    /// Those of one resource, as far as its base speaks them: as in its `info.json`.
    pub(super) fn services(&mut self, resource: &Resource<'_>, what: What) -> Vec<Service> {
        let mut services = match what {
            What::All => description::put_cookie_services(self.core, resource, self.version),
            What::Probe => Vec::new(),
        };
        if has_probes(self.core, resource) {
            services.extend(self.probe(resource));
        }
        services
    }

    fn probe(&mut self, resource: &Resource<'_>) -> Option<Service> {
        let access: Vec<&'a BoundAccess> = self.core.access_of(resource).collect();
        let same = |own: &&(Vec<*const BoundAccess>, _)| {
            own.0.len() == access.len()
                && own.0.iter().zip(&access).all(|(own, other)| std::ptr::eq(*own, *other))
        };
        let known = self.probes.iter().find(same).map(|(_, probe)| Arc::clone(probe));
        let probe = known.or_else(|| self.written(resource, &access))?;
        let id = Some(self.core.probe_uri(resource));
        Some(Service { id, text: ServiceText::Probe(probe) })
    }

    fn written(
        &mut self,
        resource: &Resource<'_>,
        access: &[&'a BoundAccess],
    ) -> Option<Arc<ProbeService>> {
        let how = self.access();
        let probe = Arc::new(description::probes(self.core, resource, self.version, how)?);
        let key = access.iter().map(|own| &raw const **own).collect();
        self.probes.push((key, Arc::clone(&probe)));
        if matches!(how, Access::Reference { .. }) {
            self.refer_to(access);
        }
        Some(probe)
    }

    fn access(&self) -> Access {
        let ids = self.how.external_ids;
        if self.how.by_reference && self.version == HostVersion::Three {
            Access::Reference { ids }
        } else {
            Access::Manifest { ids }
        }
    }

    fn refer_to(&mut self, access: &[&'a BoundAccess]) {
        for own in access.iter().filter(|own| own.reference().is_some()) {
            if !self.at_top.iter().any(|other| std::ptr::eq(*other, *own)) {
                self.at_top.push(own);
            }
        }
    }

    /// The access services that were referred to.
    pub(super) fn at_top(&self) -> Vec<Service> {
        let in_full = |own: &&BoundAccess| Service {
            id: own.path().map(|path| self.core.public_url.join(path)),
            text: ServiceText::Whole(own.in_manifest().get().into()),
        };
        self.at_top.iter().map(in_full).collect()
    }
}
