//! The services of one resource as JSON.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::edit::{HostVersion, Service};
use crate::core::{BoundAccess, BoundCookieService, Core};
use crate::protocol::v2::{ProbeReference, ProbeService};
use crate::resource::Resource;

/// The probe of a resource, with everything below it; `None` if no access service is for it.
///
/// `own_context`: for hosts that cannot carry the 2.0 context at their top.
pub(crate) fn probe(
    core: &Core,
    resource: &Resource<'_>,
    own_context: bool,
) -> Option<Box<RawValue>> {
    let access: Vec<&RawValue> = core.access_of(resource).map(BoundAccess::json).collect();
    write(core, resource, &access, own_context)
}

/// The same with access services that were described before in the document as references; the
/// external profile has no id to refer to and is always complete (Presentation 3.0 §3.3.1).
pub(crate) fn probe_again(
    core: &Core,
    resource: &Resource<'_>,
    seen: &mut std::collections::HashSet<*const RawValue>,
) -> Option<Box<RawValue>> {
    let access: Vec<&RawValue> = core
        .access_of(resource)
        .map(|access| match access.reference() {
            Some(reference) if !seen.insert(&raw const *access.json()) => reference,
            _ => access.json(),
        })
        .collect();
    write(core, resource, &access, false)
}

/// A probe that was described before in the document, by id and type.
pub(super) fn probe_reference(core: &Core, id: &str) -> Option<Box<RawValue>> {
    to_raw_value(&ProbeReference::new(id, core.compatibility.profile_on_probe)).ok()
}

fn write(
    core: &Core,
    resource: &Resource<'_>,
    access: &[&RawValue],
    own_context: bool,
) -> Option<Box<RawValue>> {
    if access.is_empty() {
        return None;
    }
    let id = core.probe_uri(resource);
    let mut probe = ProbeService::new(&id, access, &core.texts.denied_login);
    if own_context {
        probe = probe.with_context();
    }
    if core.compatibility.profile_on_probe {
        probe = probe.with_profile();
    }
    to_raw_value(&probe).ok()
}

/// A service as it is put into a description, for each kind of document.
pub(super) struct Put {
    /// None for the external profile of 1.0 and 0.9.
    pub(super) id: Option<String>,
    pub(super) for_two: Box<RawValue>,
    pub(super) for_three: Box<RawValue>,
}

impl Put {
    pub(super) fn for_host(self, version: HostVersion, in_flow: bool) -> Service {
        let json = match version {
            HostVersion::Two => self.for_two,
            HostVersion::Three => self.for_three,
        };
        Service { id: self.id, json, in_flow }
    }
}

/// The probe of a resource, to be put into its description; `None` if no access service is for it.
pub(super) fn put_probe(core: &Core, resource: &Resource<'_>) -> Option<Put> {
    Some(Put {
        id: Some(core.probe_uri(resource)),
        for_two: probe(core, resource, true)?,
        for_three: probe(core, resource, false)?,
    })
}

/// The access services of a resource in the words of 1.0 and 0.9, as far as its base describes them.
pub(super) fn put_cookie_services(core: &Core, resource: &Resource<'_>) -> Vec<Put> {
    let versions: Vec<_> = core.families_of(resource).described().collect();
    let in_version = |version| {
        core.access_of(resource)
            .flat_map(BoundAccess::authentication)
            .filter(move |own| own.version() == version)
    };
    let put = |own: &BoundCookieService| Put {
        id: own.id().map(ToOwned::to_owned),
        for_two: own.for_two().to_owned(),
        for_three: own.for_three().to_owned(),
    };
    versions.into_iter().flat_map(in_version).map(put).collect()
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
