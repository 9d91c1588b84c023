//! What is put into an object of a manifest.

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::super::description;
use super::super::edit::{HostVersion, Service};
use crate::config::Manifests;
use crate::core::Core;
use crate::protocol::Family;
use crate::resource::Resource;

/// Writes the services of one manifest, in its order.
pub(super) struct Writer<'a> {
    pub(super) core: &'a Core,
    pub(super) settings: &'a Manifests,
    pub(super) version: HostVersion,
    /// The probes that stand in full already.
    probes: HashSet<String>,
    /// The access services that do.
    access: HashSet<*const RawValue>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(core: &'a Core, settings: &'a Manifests, version: HostVersion) -> Self {
        Self { core, settings, version, probes: HashSet::new(), access: HashSet::new() }
    }

    /// Those of one resource, as far as its base speaks them: as in its `info.json`.
    pub(super) fn services(&mut self, resource: &Resource<'_>) -> Vec<Service> {
        let mut services: Vec<_> = description::put_cookie_services(self.core, resource)
            .into_iter()
            .map(|put| put.for_host(self.version, false))
            .collect();
        if self.core.families_of(resource).contains(Family::V2) {
            let id = self.core.probe_uri(resource);
            let json = match self.version {
                HostVersion::Two => description::probe(self.core, resource, true),
                HostVersion::Three if self.settings.in_full => {
                    description::probe(self.core, resource, false)
                }
                HostVersion::Three if !self.probes.insert(id.clone()) => {
                    description::probe_reference(self.core, &id)
                }
                HostVersion::Three => {
                    description::probe_again(self.core, resource, &mut self.access)
                }
            };
            services.extend(json.map(|json| Service { id: Some(id), json, in_flow: true }));
        }
        services
    }
}
