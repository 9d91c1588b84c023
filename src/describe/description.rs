//! The services of one resource as JSON.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use super::edit::{HostVersion, Service, ServiceText};
use crate::core::{BoundAccess, BoundCookieService, Core};
use crate::protocol::Family;
use crate::protocol::v2::{ProbeService, ProbeStyle};
use crate::resource::Resource;

/// How access services stand in a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// As an `info.json` has them.
    Information,
    /// In full, with a profile of each service.
    Manifest {
        /// Also of the external profile.
        ids: bool,
    },
    /// Those that have an id stand elsewhere in the document.
    Reference {
        /// As above, of those that stand here.
        ids: bool,
    },
}

impl Access {
    fn of(self, access: &BoundAccess) -> &RawValue {
        let in_full = |ids| {
            if ids { access.in_manifest_with_id() } else { access.in_manifest() }
        };
        match self {
            Self::Information => access.json(),
            Self::Manifest { ids } => in_full(ids),
            Self::Reference { ids } => access.reference().unwrap_or_else(|| in_full(ids)),
        }
    }
}

/// The probes with one set of access services; `None` if no access service is for the resource.
pub(super) fn probes(
    core: &Core,
    resource: &Resource<'_>,
    version: HostVersion,
    access: Access,
) -> Option<ProbeService> {
    let all: Vec<_> = core.access_of(resource).map(|own| access.of(own)).collect();
    if all.is_empty() {
        return None;
    }
    let style = ProbeStyle {
        own_context: version == HostVersion::Two,
        profile: access != Access::Information || core.compatibility.profile_on_probe,
    };
    Some(ProbeService::new(&all, &core.probe_errors, style))
}

/// The probe of a resource, with everything below it, as it stands in a manifest of version 3.
pub(super) fn probe_in_manifest(core: &Core, resource: &Resource<'_>) -> Option<String> {
    let probe = probes(core, resource, HostVersion::Three, Access::Manifest { ids: false })?;
    Some(probe.at(&core.probe_uri(resource)))
}

/// The same as it stands in a probe result, whose context covers it.
pub(crate) fn probe_in_result(core: &Core, resource: &Resource<'_>) -> Option<Box<RawValue>> {
    let probe = probes(core, resource, HostVersion::Three, Access::Information)?;
    RawValue::from_string(probe.at(&core.probe_uri(resource))).ok()
}

/// Which services a description gets, before it is known of which version it is.
pub(super) struct Wanted {
    /// What is described.
    pub(super) resource: Resource<'static>,
    /// Those of 2.0.
    pub(super) in_flow: bool,
    /// Those of 1.0 and 0.9, as far as its base describes them.
    pub(super) in_older_families: bool,
}

impl Wanted {
    /// Whether there are any.
    pub(super) fn is_there(&self, core: &Core) -> bool {
        let in_flow = self.in_flow && core.access_of(&self.resource).next().is_some();
        in_flow || (self.in_older_families && !cookie_services(core, &self.resource).is_empty())
    }

    /// Those of an `info.json`.
    pub(super) fn in_information(&self, core: &Core, version: HostVersion) -> Vec<Service> {
        let mut services = Vec::new();
        if self.in_older_families {
            services.extend(put_cookie_services(core, &self.resource, version));
        }
        if self.in_flow {
            let own_context = version == HostVersion::Two;
            let prepared = core.access.prepared_probe(&self.resource, own_context);
            let written = || probes(core, &self.resource, version, Access::Information);
            let probe = prepared.or_else(|| written().map(Arc::new));
            services.extend(probe.map(|probe| Service {
                id: Some(core.probe_uri(&self.resource)),
                text: ServiceText::Probe(probe),
            }));
        }
        services
    }
}

/// The access services of a resource in the words of 1.0 and 0.9, as far as its base describes them.
pub(super) fn put_cookie_services(
    core: &Core,
    resource: &Resource<'_>,
    version: HostVersion,
) -> Vec<Service> {
    let put = |own: &BoundCookieService| {
        let json = match version {
            HostVersion::Two => own.for_two(),
            HostVersion::Three => own.for_three(),
        };
        let text = ServiceText::Whole(json.get().into());
        Service { id: own.id().map(ToOwned::to_owned), text }
    };
    cookie_services(core, resource).into_iter().map(put).collect()
}

fn cookie_services<'c>(core: &'c Core, resource: &Resource<'_>) -> Vec<&'c BoundCookieService> {
    let in_version = |version| {
        core.access_of(resource)
            .flat_map(BoundAccess::authentication)
            .filter(move |own| own.version() == version)
    };
    core.families_of(resource).described().flat_map(in_version).collect()
}

/// Whether a base's content declares probes.
pub(super) fn has_probes(core: &Core, resource: &Resource<'_>) -> bool {
    core.families_of(resource).contains(Family::V2)
}

/// An image service as a substitute refers to it.
#[derive(Serialize)]
pub(crate) struct ImageService<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    profile: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    service: &'a [&'a RawValue],
}

impl<'a> ImageService<'a> {
    pub(crate) fn new(id: &'a str, service: &'a [&'a RawValue]) -> Self {
        // What the service really offers stands in its info.json, which clients read next.
        Self { id, kind: "ImageService3", profile: "level0", service }
    }
}
