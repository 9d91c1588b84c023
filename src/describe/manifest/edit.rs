//! Services into a manifest: what is put in, and not one byte besides.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::super::document::{HostVersion, NotDescribable, is_same, is_text};
use super::find::{At, Manifest, Object, find, list};
use super::services::{Service, Writer};
use super::standing::{self, Standing};
use crate::config::{Core, Manifests};
use crate::protocol::v2::CONTEXT;

/// Why a manifest is not answered.
pub(super) enum Undescribed {
    Not(NotDescribable),
    /// It could not be decided in time.
    Later,
}

impl From<NotDescribable> for Undescribed {
    fn from(reason: NotDescribable) -> Self {
        Self::Not(reason)
    }
}

/// The manifest with its services; `None` if there is nothing to put in.
pub(super) async fn described(
    core: &Arc<Core>,
    settings: &Manifests,
    text: &str,
) -> Result<Option<String>, Undescribed> {
    let Some(manifest) = find(core, settings, text)? else { return Ok(None) };
    let mut asked = HashMap::new();
    for slot in &manifest.slots {
        if !asked.contains_key(&slot.path) {
            asked.insert(slot.path.clone(), slot.resource.clone());
        }
        if asked.len() > settings.most {
            return Err(NotDescribable("it shows more resources than the limit").into());
        }
    }
    let standings = standing::of_all(core, asked).await.map_err(|error| {
        crate::trace::failure("authorizer", &error);
        Undescribed::Later
    })?;
    let mut writer = Writer::new(core, settings, manifest.version);
    let mut edits = Edits { text, edits: Vec::new() };
    let mut in_flow = false;
    for slot in &manifest.slots {
        if standings.get(&slot.path) != Some(&Standing::Protected) {
            continue;
        }
        let services = writer.services(&slot.resource);
        if services.is_empty() {
            return Err(NotDescribable("no access service is for a resource in it").into());
        }
        in_flow |= services.iter().any(|service| service.in_flow);
        edits.put(&slot.at, &services)?;
    }
    if in_flow && manifest.version == HostVersion::Three {
        edits.add_context(&manifest)?;
    }
    Ok((!edits.edits.is_empty()).then(|| edits.apply()))
}

/// What is replaced by what; nothing is replaced where something is only put in.
struct Edits<'a> {
    text: &'a str,
    edits: Vec<(Range<usize>, String)>,
}

impl Edits<'_> {
    fn put(&mut self, at: &At, services: &[Service]) -> Result<(), NotDescribable> {
        let range = match at {
            At::End(end) => {
                self.insert(*end, format!(r#","service":[{}]"#, joined(services)));
                return Ok(());
            }
            At::Value(range) => range.clone(),
        };
        let value: &RawValue = self.read(&range)?;
        let is_array = value.get().starts_with('[');
        let there = if value.get() == "null" { Vec::new() } else { list(value)? };
        let Some(last) = there.last() else {
            self.edits.push((range, format!("[{}]", joined(services))));
            return Ok(());
        };
        let place = |own: &RawValue| {
            let start = own.get().as_ptr().addr() - self.text.as_ptr().addr();
            start..start + own.get().len()
        };
        let end = place(last).end;
        let mut edits = Vec::new();
        let mut further = String::new();
        for service in services {
            match there.iter().find(|own| is_known_as(own, service)) {
                None => {
                    further.push(',');
                    further.push_str(service.json.get());
                }
                Some(own) if is_same(own, &service.json) => {}
                Some(own) => edits.push((place(own), service.json.get().to_owned())),
            }
        }
        self.edits.extend(edits);
        if !is_array {
            self.insert(range.start, "[".to_owned());
            further.push(']');
        }
        if !further.is_empty() {
            self.insert(end, further);
        }
        Ok(())
    }

    /// The 2.0 context before the last one, which stays last (Presentation 3.0 §4.6).
    fn add_context(&mut self, manifest: &Manifest) -> Result<(), NotDescribable> {
        let Some(range) = &manifest.context else {
            self.insert(manifest.begin, format!(r#""@context":["{CONTEXT}"],"#));
            return Ok(());
        };
        let value: &RawValue = self.read(range)?;
        let contexts = if value.get() == "null" { Vec::new() } else { list(value)? };
        if contexts.iter().any(|context| is_text(context, CONTEXT)) {
            return Ok(());
        }
        let Some(last) = contexts.last() else {
            self.edits.push((range.clone(), format!(r#"["{CONTEXT}"]"#)));
            return Ok(());
        };
        let start = last.get().as_ptr().addr() - self.text.as_ptr().addr();
        if value.get().starts_with('[') {
            self.insert(start, format!(r#""{CONTEXT}","#));
        } else {
            self.insert(start, format!(r#"["{CONTEXT}","#));
            self.insert(range.end, "]".to_owned());
        }
        Ok(())
    }

    fn read(&self, range: &Range<usize>) -> Result<&RawValue, NotDescribable> {
        let text = self.text.get(range.clone()).ok_or(NotDescribable("a member was lost"))?;
        serde_json::from_str(text).map_err(|_| NotDescribable("a member cannot be read"))
    }

    fn insert(&mut self, at: usize, text: String) {
        self.edits.push((at..at, text));
    }

    fn apply(mut self) -> String {
        self.edits.sort_by_key(|(range, _)| range.start);
        let more: usize = self.edits.iter().map(|(_, text)| text.len()).sum();
        let mut edited = String::with_capacity(self.text.len() + more);
        let mut done = 0;
        for (range, text) in &self.edits {
            edited.push_str(&self.text[done..range.start]);
            edited.push_str(text);
            done = range.end;
        }
        edited.push_str(&self.text[done..]);
        edited
    }
}

fn joined(services: &[Service]) -> String {
    services.iter().map(|service| service.json.get()).collect::<Vec<_>>().join(",")
}

/// Whether a service is there already: by its id or, where it has none, by its members.
fn is_known_as(own: &RawValue, service: &Service) -> bool {
    match &service.id {
        None => is_same(own, &service.json),
        Some(id) => {
            own.get().starts_with('{')
                && Object::read(own).is_ok_and(|own| own.own_id().as_ref() == Some(id))
        }
    }
}
