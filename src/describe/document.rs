//! Editing a JSON document in two places and nowhere else.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::protocol::v2::CONTEXT;

/// A JSON object as it stands: members in order, each value to the byte.
#[derive(Debug)]
pub(super) struct Document {
    members: Vec<(String, Box<RawValue>)>,
}

/// Which version of the Image or Presentation API a document is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HostVersion {
    /// The top `@context` is fixed: a service carries its own (Image API 2.1 §5.2).
    Two,
    /// Contexts stand at the top, the host's own last (Presentation 3.0 §4.6).
    Three,
}

/// Why a document cannot be described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotDescribable(pub(super) &'static str);

impl Document {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, NotDescribable> {
        let document: Self =
            serde_json::from_slice(bytes).map_err(|_| NotDescribable("not a JSON object"))?;
        for name in ["@context", "service"] {
            if document.members.iter().filter(|(own, _)| own == name).count() > 1 {
                return Err(NotDescribable("a member stands twice"));
            }
        }
        Ok(document)
    }

    fn get(&self, name: &str) -> Option<&RawValue> {
        self.members.iter().find(|(own, _)| own == name).map(|(_, value)| &**value)
    }

    fn set(&mut self, name: &str, value: Box<RawValue>, first: bool) {
        match self.members.iter_mut().find(|(own, _)| own == name) {
            Some((_, old)) => *old = value,
            None if first => self.members.insert(0, (name.to_owned(), value)),
            None => self.members.push((name.to_owned(), value)),
        }
    }

    pub(super) fn version(&self) -> HostVersion {
        let context = self.get("@context").map_or("", RawValue::get);
        host_version(context, self.get("id").is_some(), self.get("@id").is_some())
    }

    /// Puts the 2.0 context before the others, the last of which stays last.
    pub(super) fn add_context(&mut self) -> Result<(), NotDescribable> {
        let ours = to_raw_value(CONTEXT).map_err(|_| NotDescribable("context"))?;
        let mut contexts = self.list("@context")?;
        if contexts.iter().any(|context| is_text(context, CONTEXT)) {
            return Ok(());
        }
        // A description without any context is not ours to complete.
        let before_last = contexts.len().saturating_sub(1);
        contexts.insert(before_last, ours);
        self.set("@context", list_value(&contexts)?, true);
        Ok(())
    }

    /// Adds a service, or replaces the one with the same id or, where it has none, the same members;
    /// all others stay.
    pub(super) fn add_service(
        &mut self,
        service: Box<RawValue>,
        id: Option<&str>,
    ) -> Result<(), NotDescribable> {
        let mut services = self.list("service")?;
        let same = |own: &RawValue| match id {
            Some(id) => has_id(own, id),
            None => is_same(own, &service),
        };
        match services.iter_mut().find(|own| same(own)) {
            Some(own) => *own = service,
            None => services.push(service),
        }
        self.set("service", list_value(&services)?, false);
        Ok(())
    }

    /// The values of a member that may be missing, one value, or an array of them.
    fn list(&self, name: &str) -> Result<Vec<Box<RawValue>>, NotDescribable> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        match value.get().as_bytes().first() {
            Some(b'[') => serde_json::from_str(value.get())
                .map_err(|_| NotDescribable("a member is no proper array")),
            Some(b'n') => Ok(Vec::new()),
            _ => Ok(vec![value.to_owned()]),
        }
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, NotDescribable> {
        serde_json::to_vec(self).map_err(|_| NotDescribable("could not be written"))
    }
}

/// The version that a document's contexts tell or, where they do not, how it writes its id.
pub(super) fn host_version(context: &str, has_id: bool, has_at_id: bool) -> HostVersion {
    let is_three = context.contains("/image/3/") || context.contains("/presentation/3/");
    if is_three || (has_id && !has_at_id) { HostVersion::Three } else { HostVersion::Two }
}

pub(super) fn is_text(value: &RawValue, text: &str) -> bool {
    serde_json::from_str::<String>(value.get()).is_ok_and(|own| own == text)
}

/// Whether two values are the same, however they are written.
pub(super) fn is_same(one: &RawValue, other: &RawValue) -> bool {
    let value = |own: &RawValue| serde_json::from_str::<Value>(own.get()).ok();
    value(one).is_some_and(|one| Some(one) == value(other))
}

fn has_id(service: &RawValue, id: &str) -> bool {
    let Ok(service) = serde_json::from_str::<Document>(service.get()) else { return false };
    ["id", "@id"].iter().any(|name| service.get(name).is_some_and(|own| is_text(own, id)))
}

fn list_value(values: &[Box<RawValue>]) -> Result<Box<RawValue>, NotDescribable> {
    to_raw_value(values).map_err(|_| NotDescribable("could not be written"))
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Document;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Document { members })
            }
        }

        deserializer.deserialize_map(Members)
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.members.len()))?;
        for (name, value) in &self.members {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE_3: &str = "http://iiif.io/api/image/3/context.json";

    fn described(json: &str) -> Result<String, NotDescribable> {
        let mut document = Document::parse(json.as_bytes())?;
        if document.version() == HostVersion::Three {
            document.add_context()?;
        }
        let service = RawValue::from_string(r#"{"id":"p"}"#.to_owned()).unwrap();
        document.add_service(service, Some("p"))?;
        Ok(String::from_utf8(document.to_bytes()?).unwrap())
    }

    /// V2-DECL-5, V2-DECL-8, and that nothing else changes.
    #[test]
    fn only_context_and_service_change() {
        for (before, after) in [
            (
                format!(r#"{{"@context":"{IMAGE_3}","width":8000.0,"x":1e400,"y":{{"b":1,"a":[ ]}}}}"#),
                format!(r#"{{"@context":["{CONTEXT}","{IMAGE_3}"],"width":8000.0,"x":1e400,"y":{{"b":1,"a":[ ]}},"service":[{{"id":"p"}}]}}"#),
            ),
            (
                format!(r#"{{"@context":["http://x/","{IMAGE_3}"],"service":{{"id":"geo"}}}}"#),
                format!(r#"{{"@context":["http://x/","{CONTEXT}","{IMAGE_3}"],"service":[{{"id":"geo"}},{{"id":"p"}}]}}"#),
            ),
            (
                r#"{"@context":"http://iiif.io/api/image/2/context.json","@id":"i","service":[{"@id":"geo"}]}"#.to_owned(),
                r#"{"@context":"http://iiif.io/api/image/2/context.json","@id":"i","service":[{"@id":"geo"},{"id":"p"}]}"#.to_owned(),
            ),
            (
                r#"{"@context":"http://iiif.io/api/image/2/context.json","service":null}"#.to_owned(),
                r#"{"@context":"http://iiif.io/api/image/2/context.json","service":[{"id":"p"}]}"#.to_owned(),
            ),
            (
                r#"{"id":"i"}"#.to_owned(),
                format!(r#"{{"@context":["{CONTEXT}"],"id":"i","service":[{{"id":"p"}}]}}"#),
            ),
        ] {
            assert_eq!(described(&before).as_ref(), Ok(&after));
            assert_eq!(described(&after).as_ref(), Ok(&after), "twice adds nothing");
        }
    }

    #[test]
    fn what_can_not_be_described() {
        for json in [
            "",
            "<html>",
            "[]",
            "1",
            "{\"a\":1",
            r#"{"service":1,"service":2}"#,
            r#"{"@context":"a","@context":"b"}"#,
        ] {
            assert!(described(json).is_err(), "{json}");
        }
    }
}
