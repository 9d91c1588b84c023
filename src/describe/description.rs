//! The services of one resource as JSON.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::config::Core;
use crate::protocol::v2::ProbeService;
use crate::resource::Resource;

/// The probe of a resource, with everything below it; `None` if no access service is for it.
///
/// `own_context`: for hosts that can not carry the 2.0 context at their top.
pub(crate) fn probe(
    core: &Core,
    resource: &Resource<'_>,
    own_context: bool,
) -> Option<Box<RawValue>> {
    let access: Vec<&RawValue> = core.access_of(resource).map(|access| &*access.json).collect();
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
        .map(|access| match &access.reference {
            Some(reference) if !seen.insert(&raw const *access.json) => &**reference,
            _ => &*access.json,
        })
        .collect();
    write(core, resource, &access, false)
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
    let mut probe = ProbeService::new(&id, access, Some(&core.texts.denied_login));
    if own_context {
        probe = probe.with_context();
    }
    to_raw_value(&probe).ok()
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
