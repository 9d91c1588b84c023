//! Services and a context into a document: what is put in, and not one byte besides.

use std::ops::Range;

use serde_json::Value;
use serde_json::value::RawValue;

use super::json::{Json, Node};
use crate::protocol::v2::CONTEXT;

/// Which version of the Image or Presentation API a document is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HostVersion {
    /// The top `@context` is fixed: a service carries its own (Image API 2.1 §5.2).
    Two,
    /// Contexts stand at the top, the host's own last (Presentation 3.0 §4.6).
    Three,
}

impl HostVersion {
    /// What the contexts of a document tell, if they do.
    pub(super) fn told_by(json: &Json<'_>) -> Option<Self> {
        let contexts = json.list(json.get(Node::TOP, "@context")?);
        let texts: Vec<_> = contexts.into_iter().filter_map(|own| json.string(own)).collect();
        let of = |parts: [&str; 2]| texts.iter().any(|own| parts.iter().any(|p| own.contains(p)));
        if of(["/image/3/", "/presentation/3/"]) {
            Some(Self::Three)
        } else {
            of(["/image/2/", "/presentation/2/"]).then_some(Self::Two)
        }
    }

    /// The version of an `info.json`, which may also be told by how it writes its id.
    pub(super) fn of_info(json: &Json<'_>) -> Self {
        let has = |name| json.get(Node::TOP, name).is_some();
        Self::told_by(json)
            .unwrap_or_else(|| if has("id") && !has("@id") { Self::Three } else { Self::Two })
    }
}

/// Why a document can not be described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotDescribable(pub(super) &'static str);

/// A service, and the id by which it is known when it is there already.
pub(super) struct Service {
    /// None for the external profile of 1.0 and 0.9.
    pub(super) id: Option<String>,
    pub(super) json: Box<RawValue>,
    /// Whether it is of 2.0, whose context is needed at the top.
    pub(super) in_flow: bool,
}

/// What is replaced by what; nothing is replaced where something is only put in.
pub(super) struct Edits<'a> {
    json: &'a Json<'a>,
    edits: Vec<(Range<usize>, String)>,
}

impl<'a> Edits<'a> {
    pub(super) fn of(json: &'a Json<'a>) -> Self {
        Self { json, edits: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// Services into an object: each is added, or replaces the one of the same id or, where it has none,
    /// of the same members; all others stay. It is the `service` that counts: the last.
    pub(super) fn put(&mut self, object: Node, services: &[Service]) {
        let json = self.json;
        let Some(value) = json.get(object, "service") else {
            let last = json.children(object).last();
            let comma = if last.is_some() { "," } else { "" };
            let end = last.map_or(json.range(object).start + 1, |last| json.range(last).end);
            self.insert(end, format!(r#"{comma}"service":[{}]"#, joined(services)));
            return;
        };
        let there = if json.is_null(value) { Vec::new() } else { json.list(value) };
        let Some(last) = there.last() else {
            self.edits.push((json.range(value), format!("[{}]", joined(services))));
            return;
        };
        let (end, is_array) = (json.range(*last).end, json.is_array(value));
        if !is_array {
            self.insert(json.range(value).start, "[".to_owned());
        }
        let mut further = String::new();
        for service in services {
            match there.iter().find(|own| is_known_as(json, **own, service)) {
                None => {
                    further.push(',');
                    further.push_str(service.json.get());
                }
                Some(own) if is_same(json.raw(*own), service.json.get()) => {}
                Some(own) => self.edits.push((json.range(*own), service.json.get().to_owned())),
            }
        }
        if !is_array {
            further.push(']');
        }
        if !further.is_empty() {
            self.insert(end, further);
        }
    }

    /// The 2.0 context before the last one, which stays last (Presentation 3.0 §4.6).
    pub(super) fn add_context(&mut self) {
        let json = self.json;
        let mut edits = Vec::new();
        match json.get(Node::TOP, "@context") {
            // Behind it stands a service at the least.
            None => {
                let start = json.range(Node::TOP).start + 1;
                edits.push((start..start, format!(r#""@context":["{CONTEXT}"],"#)));
            }
            Some(value) => {
                let there = if json.is_null(value) { Vec::new() } else { json.list(value) };
                if there.iter().any(|context| json.is_text(*context, CONTEXT)) {
                    return;
                }
                match there.last().map(|last| json.range(*last)) {
                    None => edits.push((json.range(value), format!(r#"["{CONTEXT}"]"#))),
                    Some(Range { start, .. }) if json.is_array(value) => {
                        edits.push((start..start, format!(r#""{CONTEXT}","#)));
                    }
                    Some(Range { start, end }) => {
                        edits.push((start..start, format!(r#"["{CONTEXT}","#)));
                        edits.push((end..end, "]".to_owned()));
                    }
                }
            }
        }
        // Before whatever else is put in at the same place.
        self.edits.splice(0..0, edits);
    }

    fn insert(&mut self, at: usize, text: String) {
        self.edits.push((at..at, text));
    }

    pub(super) fn apply(mut self) -> String {
        let text = self.json.text();
        // Those of one place stay in the order in which they were put in.
        self.edits.sort_by_key(|(range, _)| range.start);
        let more: usize = self.edits.iter().map(|(_, text)| text.len()).sum();
        let mut edited = String::with_capacity(text.len() + more);
        let mut done = 0;
        for (range, put) in &self.edits {
            // It stands in what was replaced as a whole.
            if range.start < done {
                continue;
            }
            edited.push_str(&text[done..range.start]);
            edited.push_str(put);
            done = range.end;
        }
        edited.push_str(&text[done..]);
        edited
    }
}

/// Where in the text an object's services will stand.
pub(super) fn place_of(json: &Json<'_>, object: Node) -> usize {
    match json.get(object, "service") {
        Some(value) => json.range(value).start,
        None => json.children(object).last().map_or(0, |last| json.range(last).end),
    }
}

fn joined(services: &[Service]) -> String {
    services.iter().map(|service| service.json.get()).collect::<Vec<_>>().join(",")
}

/// Whether a service is there already: by its id or, where it has none, by its members.
fn is_known_as(json: &Json<'_>, own: Node, service: &Service) -> bool {
    match &service.id {
        None => is_same(json.raw(own), service.json.get()),
        Some(id) => ["id", "@id"]
            .into_iter()
            .any(|name| json.get(own, name).is_some_and(|own| json.is_text(own, id))),
    }
}

/// Whether two values are the same, however they are written.
fn is_same(one: &str, other: &str) -> bool {
    let value = |json| serde_json::from_str::<Value>(json).ok();
    one == other || value(one).is_some_and(|one| Some(one) == value(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE_3: &str = "http://iiif.io/api/image/3/context.json";

    fn described(text: &str) -> Option<String> {
        let json = Json::parse(text).filter(|json| json.is_object(Node::TOP))?;
        let mut edits = Edits::of(&json);
        let service = RawValue::from_string(r#"{"id":"p"}"#.to_owned()).unwrap();
        edits.put(Node::TOP, &[Service { id: Some("p".to_owned()), json: service, in_flow: true }]);
        if HostVersion::of_info(&json) == HostVersion::Three {
            edits.add_context();
        }
        Some(edits.apply())
    }

    /// V2-DECL-5, V2-DECL-8, and that nothing else changes. DS-03: of two members it is the one that
    /// counts.
    #[test]
    fn only_context_and_service_change() {
        let two = r#""@context":"http://iiif.io/api/image/2/context.json""#;
        for (before, after) in [
            (
                format!(
                    r#" {{"@context": "{IMAGE_3}","width":8000.0, "x":1e400,"y":{{"b":1,"a":[ ]}} }}"#
                ),
                format!(
                    r#" {{"@context": ["{CONTEXT}","{IMAGE_3}"],"width":8000.0, "x":1e400,"y":{{"b":1,"a":[ ]}},"service":[{{"id":"p"}}] }}"#
                ),
            ),
            (
                format!(r#"{{"@context":["http://x/","{IMAGE_3}"],"service":{{"id":"geo"}}}}"#),
                format!(
                    r#"{{"@context":["http://x/","{CONTEXT}","{IMAGE_3}"],"service":[{{"id":"geo"}},{{"id":"p"}}]}}"#
                ),
            ),
            (
                format!(r#"{{{two},"@id":"i","service":[{{"@id":"geo"}}]}}"#),
                format!(r#"{{{two},"@id":"i","service":[{{"@id":"geo"}},{{"id":"p"}}]}}"#),
            ),
            (
                format!(r#"{{{two},"service":null}}"#),
                format!(r#"{{{two},"service":[{{"id":"p"}}]}}"#),
            ),
            // An older one of the same id, alone and in an array.
            (
                format!(r#"{{{two},"service":{{"@id":"p","x":1}}}}"#),
                format!(r#"{{{two},"service":[{{"id":"p"}}]}}"#),
            ),
            (
                format!(r#"{{{two},"service":[1,{{"id":"\u0070"}},{{"id":"q"}}]}}"#),
                format!(r#"{{{two},"service":[1,{{"id":"\u0070"}},{{"id":"q"}}]}}"#),
            ),
            (
                format!(r#"{{{two},"service":[1,{{"id":"p","x":2}},{{"id":"q"}}]}}"#),
                format!(r#"{{{two},"service":[1,{{"id":"p"}},{{"id":"q"}}]}}"#),
            ),
            (
                r#"{"id":"i"}"#.to_owned(),
                format!(r#"{{"@context":["{CONTEXT}"],"id":"i","service":[{{"id":"p"}}]}}"#),
            ),
            // Two of one name: browsers read the last.
            (
                format!(r#"{{{two},"service":[1],"s\u0065rvice":[2],"a":3}}"#),
                format!(r#"{{{two},"service":[1],"s\u0065rvice":[2,{{"id":"p"}}],"a":3}}"#),
            ),
            (
                format!(
                    r#"{{{two},"@conte\u0078t":"http:\/\/iiif.io\/api\/image\/3\/context.json"}}"#
                ),
                format!(
                    r#"{{{two},"@conte\u0078t":["{CONTEXT}","http:\/\/iiif.io\/api\/image\/3\/context.json"],"service":[{{"id":"p"}}]}}"#
                ),
            ),
            ("{ }".to_owned(), r#"{"service":[{"id":"p"}] }"#.to_owned()),
        ] {
            assert_eq!(described(&before).as_ref(), Some(&after));
            let read: Value = serde_json::from_str(&after.replace("1e400", "1")).unwrap();
            let ours = serde_json::json!({"id": "p"});
            assert!(read["service"].as_array().unwrap().contains(&ours), "{after}");
            assert_eq!(described(&after).as_ref(), Some(&after), "twice adds nothing");
        }
    }

    #[test]
    fn what_can_not_be_described() {
        for json in ["", "<html>", "[]", "1", "{\"a\":1"] {
            assert!(described(json).is_none(), "{json}");
        }
    }
}
