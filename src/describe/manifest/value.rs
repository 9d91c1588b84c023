//! Services for the content resources of a Presentation 3 manifest.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::super::description;
use super::{DEEPEST, STRUCTURE, path_of};
use crate::answer::Answer;
use crate::authorizer::Decision;
use crate::config::{Core, IiifAuth};
use crate::protocol::Family;
use crate::protocol::v2::CONTEXT;
use crate::resource::Resource;

impl IiifAuth {
    /// The probe service of the resource at `path`, complete, for its `service` array; `None` if
    /// the resource is open to everyone, its base does not speak 2.0, or `path` (without scheme and host) names none.
    ///
    /// # Example
    ///
    /// ```
    /// # use tower_iiif_auth::{AccessService, IiifAuth, Keyring, Realm};
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let auth = IiifAuth::builder("https://iiif.example")
    /// #     .keyring(Keyring::generate()?)
    /// #     .files("/files")
    /// #     .realm(Realm::new().access(AccessService::active("login", "Example Library")))
    /// #     .authorize(|request| request.has_role("reader"))
    /// #     .build()?;
    /// let probe = auth.probe_service("/files/reel-2.mp4").await.expect("it is protected");
    /// assert_eq!(probe["type"], "AuthProbeService2");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn probe_service(&self, path: &str) -> Option<Value> {
        let whole = self.core.find_whole(path).ok()?.into_owned();
        if !self.core.families_of(&whole).contains(Family::V2) {
            return None;
        }
        if is_open(&self.core, &whole).await {
            return None;
        }
        let probe = description::probe(&self.core, &whole, false)?;
        serde_json::from_str(probe.get()).ok()
    }

    /// Puts the probe services of protected content resources into a Presentation 3 manifest, and
    /// the 2.0 context at its top. Doing it twice adds nothing.
    ///
    /// A content resource is any object whose `id` is below one of this publisher's bases and which is
    /// no canvas, annotation page or other piece of structure. Access
    /// services are written in full where they stand first and by reference after that. Image
    /// services are left alone: their probe stands in `info.json`, which counts (2.0 §2.1), and
    /// some viewers do not survive another one in the manifest.
    pub async fn describe_manifest(&self, manifest: &mut Value) {
        let mut found = Vec::new();
        collect(&self.core, manifest, 0, &mut found);
        let mut open = HashSet::new();
        for resource in &found {
            if is_open(&self.core, resource).await {
                open.insert(resource.path());
            }
        }
        let mut writer = Writer { core: &self.core, open, seen: HashSet::new(), wrote: false };
        writer.describe(manifest, 0);
        if writer.wrote {
            add_context(manifest);
        }
    }
}

async fn is_open(core: &Arc<Core>, resource: &Resource<'static>) -> bool {
    let outcome = match core.decide_as_nobody(resource, core.now()) {
        Answer::Now(outcome) => outcome,
        Answer::Later(outcome) => core.within_time(outcome).await,
    };
    matches!(outcome, Ok(Decision::Grant))
}

/// The content resource that an object of a manifest is, if it is one of ours and no image service.
fn content_of(core: &Core, object: &Map<String, Value>, depth: usize) -> Option<Resource<'static>> {
    let id = object.get("id")?.as_str()?;
    let kind = object.get("type").and_then(Value::as_str).unwrap_or_default();
    if depth > 0 && STRUCTURE.contains(&kind) {
        return None;
    }
    let resource = core.find_whole(path_of(core, id)?).ok()?;
    let probed = core.families_of(&resource).contains(Family::V2);
    (probed && !resource.is_image_service()).then(|| resource.into_owned())
}

fn collect(core: &Core, value: &Value, depth: usize, found: &mut Vec<Resource<'static>>) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Array(values) => {
            for value in values {
                collect(core, value, depth + 1, found);
            }
        }
        Value::Object(object) => {
            found.extend(content_of(core, object, depth));
            for value in object.values() {
                collect(core, value, depth + 1, found);
            }
        }
        _ => {}
    }
}

struct Writer<'a> {
    core: &'a Core,
    open: HashSet<String>,
    /// Access services that stand in full already.
    seen: HashSet<*const RawValue>,
    wrote: bool,
}

impl Writer<'_> {
    fn describe(&mut self, value: &mut Value, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        match value {
            Value::Array(values) => {
                for value in values {
                    self.describe(value, depth + 1);
                }
            }
            Value::Object(object) => {
                let own = content_of(self.core, object, depth);
                let own = own.filter(|own| !self.open.contains(&own.path()));
                if own.is_some() {
                    object.entry("service").or_insert_with(|| Value::Array(Vec::new()));
                }
                // In the order of the members: what stands first is written in full.
                for (name, value) in object {
                    self.describe(value, depth + 1);
                    match &own {
                        Some(resource) if name == "service" => self.add_probe(value, resource),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn add_probe(&mut self, services: &mut Value, resource: &Resource<'_>) {
        let id = self.core.probe_uri(resource);
        let Some(probe) = description::probe_again(self.core, resource, &mut self.seen) else {
            return;
        };
        let Ok(probe) = serde_json::from_str::<Value>(probe.get()) else { return };
        if !services.is_array() {
            *services = Value::Array(vec![services.take()]);
        }
        if let Value::Array(services) = services {
            match services.iter_mut().find(|service| service["id"] == id.as_str()) {
                Some(own) => *own = probe,
                None => services.push(probe),
            }
            self.wrote = true;
        }
    }
}

fn add_context(manifest: &mut Value) {
    let Value::Object(manifest) = manifest else { return };
    let context = manifest.entry("@context").or_insert_with(|| Value::Array(Vec::new()));
    if !context.is_array() {
        *context = Value::Array(vec![context.take()]);
    }
    if let Value::Array(contexts) = context {
        if !contexts.iter().any(|own| own == CONTEXT) {
            contexts.insert(contexts.len().saturating_sub(1), CONTEXT.into());
        }
    }
}
