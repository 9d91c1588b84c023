//! Services and a context into a document: what is put in, and not one byte besides.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use super::json::{Json, Node};
use crate::protocol::v2::{CONTEXT, ProbeService, json_string};

/// Which version of the Image or Presentation API a document is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HostVersion {
    /// The top `@context` is fixed: a service carries its own (Image API 2.1 §5.2).
    Two,
    /// Contexts stand at the top, the host's own last (Presentation 3.0 §4.6). The draft of 4.0 is the
    /// same in all that is written here.
    Three,
}

impl HostVersion {
    /// What the contexts of a document tell, if they do.
    pub(super) fn told_by(json: &Json<'_>) -> Option<Self> {
        let contexts = json.items(json.get(Node::TOP, "@context")?);
        let told = contexts.filter_map(|own| Self::told_by_context(&json.string(own)?));
        told.reduce(|one, other| if one == Self::Three { one } else { other })
    }

    fn told_by_context(context: &str) -> Option<Self> {
        let of = |part: &str| match context.strip_prefix("http://iiif.io/api") {
            Some(path) => path.starts_with(part),
            None => context.contains(part),
        };
        if ["/image/3/", "/presentation/3/", "/presentation/4/"].into_iter().any(of) {
            Some(Self::Three)
        } else {
            ["/image/2/", "/presentation/2/"].into_iter().any(of).then_some(Self::Two)
        }
    }

    /// The version of an `info.json`, which may also be told by how it writes its id.
    pub(super) fn of_info(json: &Json<'_>) -> Self {
        let has = |name| json.get(Node::TOP, name).is_some();
        Self::told_by(json)
            .unwrap_or_else(|| if has("id") && !has("@id") { Self::Three } else { Self::Two })
    }
}

/// [`CONTEXT`](crate::protocol::v2::CONTEXT) as it stands in a document, with more before it and behind it.
macro_rules! quoted_context {
    ($before:literal, $behind:literal) => {
        concat!($before, r#""http://iiif.io/api/auth/2/context.json""#, $behind)
    };
}

/// Why a document can not be described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotDescribable(pub(super) &'static str);

/// A service, and the id by which it is known when it is there already.
pub(super) struct Service {
    /// None for the external profile, in most cases.
    pub(super) id: Option<String>,
    pub(super) text: ServiceText,
}

/// What of a service is the same for many resources is shared.
pub(super) enum ServiceText {
    Whole(Arc<str>),
    /// The probe at the service's id.
    Probe(Arc<ProbeService>),
}

impl Service {
    fn pieces(&self) -> [Piece; 2] {
        match &self.text {
            ServiceText::Whole(text) => [Piece::Shared(Arc::clone(text)), Piece::Static("")],
            ServiceText::Probe(probe) => {
                let id = self.id.as_deref().unwrap_or_default();
                [Piece::Own(probe.up_to(id)), Piece::Probe(Arc::clone(probe))]
            }
        }
    }

    /// Whether it is of 2.0, whose context is needed at the top.
    pub(super) fn is_probe(&self) -> bool {
        matches!(self.text, ServiceText::Probe(_))
    }

    fn json(&self) -> String {
        self.pieces().iter().map(Piece::as_str).collect()
    }
}

/// A part of what is put in.
#[derive(Clone)]
enum Piece {
    Static(&'static str),
    Own(String),
    Shared(Arc<str>),
    /// What stands behind the id.
    Probe(Arc<ProbeService>),
}

impl Piece {
    fn as_str(&self) -> &str {
        match self {
            Self::Static(text) => text,
            Self::Own(text) => text,
            Self::Shared(text) => text,
            Self::Probe(probe) => &probe.behind_id,
        }
    }
}

/// What is replaced by what; nothing is replaced where something is only put in.
pub(super) struct Edits<'a> {
    json: &'a Json<'a>,
    all: Vec<(Range<usize>, Piece)>,
    /// How much longer the document becomes at the most.
    more: usize,
}

/// So many edits give an `info.json` its services.
const USUAL: usize = 8;

impl<'a> Edits<'a> {
    pub(super) fn of(json: &'a Json<'a>) -> Self {
        Self { json, all: Vec::with_capacity(USUAL), more: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The longest that the edited document can be.
    pub(super) fn longest(&self) -> usize {
        self.json.text().len() + self.more
    }

    /// Services into a member of an object: each is added, or replaces the one of the same id or, where
    /// it has none, of the same members; all others stay. It is the last member of that name that counts.
    pub(super) fn put(&mut self, object: Node, member: &'static str, services: &[Service]) {
        let json = self.json;
        let Some(value) = json.get(object, member) else {
            let last = json.children(object).last();
            let end = last.map_or(json.range(object).start + 1, |last| json.range(last).end);
            self.insert(end, opening(member, last.is_some()));
            self.insert_all(end, services);
            self.insert(end, Piece::Static("]"));
            return;
        };
        let there = if json.is_null(value) { Vec::new() } else { json.list(value) };
        let Some(last) = there.last() else {
            let Range { start, end } = json.range(value);
            self.replace(start..end, Piece::Static("["));
            self.insert_all(end, services);
            self.insert(end, Piece::Static("]"));
            return;
        };
        let (end, is_array) = (json.range(*last).end, json.is_array(value));
        if !is_array {
            self.insert(json.range(value).start, Piece::Static("["));
        }
        for service in services {
            match there.iter().find(|own| is_known_as(json, **own, service)) {
                None => {
                    self.insert(end, Piece::Static(","));
                    self.insert_all(end, std::slice::from_ref(service));
                }
                Some(own) if is_same(json.raw(*own), &service.json()) => {}
                Some(own) => self.replace(json.range(*own), Piece::Own(service.json())),
            }
        }
        if !is_array {
            self.insert(end, Piece::Static("]"));
        }
    }

    fn insert_all(&mut self, at: usize, services: &[Service]) {
        for (index, service) in services.iter().enumerate() {
            if index > 0 {
                self.insert(at, Piece::Static(","));
            }
            for piece in service.pieces() {
                if !piece.as_str().is_empty() {
                    self.insert(at, piece);
                }
            }
        }
    }

    /// A string in place of a value.
    pub(super) fn replace_by_text(&mut self, value: Node, text: &str) {
        self.replace(self.json.range(value), Piece::Own(json_string(text)));
    }

    /// The 2.0 context before the host's own, wherever that stands (2.0 §2.1), or else before the last
    /// one, which stays last (Presentation 3.0 §4.6).
    pub(super) fn add_context(&mut self) {
        let json = self.json;
        let before = self.all.len();
        match json.get(Node::TOP, "@context") {
            // Behind it stands a service at the least.
            None => {
                let start = json.range(Node::TOP).start + 1;
                self.insert(start, Piece::Static(quoted_context!(r#""@context":["#, "],")));
            }
            Some(value) => {
                let there = || json.items(value).filter(|_| !json.is_null(value));
                let is_hosts = |own: &Node| json.string(*own).is_some_and(|own| is_of_host(&own));
                let host = there().find(is_hosts).or_else(|| there().last());
                let own = there().find(|own| json.is_text(*own, CONTEXT));
                if own.is_some_and(|own| own <= host.unwrap_or(own)) {
                    return;
                }
                match host.map(|host| json.range(host)) {
                    None => {
                        let alone = Piece::Static(quoted_context!("[", "]"));
                        self.replace(json.range(value), alone);
                    }
                    Some(Range { start, .. }) if json.is_array(value) => {
                        self.insert(start, Piece::Static(quoted_context!("", ",")));
                    }
                    Some(Range { start, end }) => {
                        self.insert(start, Piece::Static(quoted_context!("[", ",")));
                        self.insert(end, Piece::Static("]"));
                    }
                }
            }
        }
        // Before whatever else is put in at the same place.
        self.all.rotate_left(before);
    }

    fn insert(&mut self, at: usize, piece: Piece) {
        self.replace(at..at, piece);
    }

    fn replace(&mut self, range: Range<usize>, piece: Piece) {
        self.more += piece.as_str().len();
        self.all.push((range, piece));
    }

    /// In the order of the text.
    pub(super) fn finish(mut self) -> Finished<'a> {
        // Those of one place stay in the order in which they were put in.
        self.all.sort_by_key(|(range, _)| range.start);
        Finished { text: self.json.text(), longest: self.longest(), edits: self.all }
    }
}

/// An edited document before it is written.
pub(super) struct Finished<'a> {
    text: &'a str,
    longest: usize,
    edits: Vec<(Range<usize>, Piece)>,
}

impl Finished<'_> {
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// All that it is made of, by which two documents differ.
    pub(super) fn edits_and_text(&self, mut each: impl FnMut(&[u8])) {
        each(self.text.as_bytes());
        for (range, piece) in &self.edits {
            let place = [range.start as u64, range.end as u64, piece.as_str().len() as u64];
            each(place.map(u64::to_be_bytes).as_flattened());
            each(piece.as_str().as_bytes());
        }
    }

    /// The document, piece by piece.
    pub(super) fn pieces(&self, mut each: impl FnMut(&str)) {
        let mut done = 0;
        for (range, put) in &self.edits {
            // It stands in what was replaced as a whole.
            if range.start < done {
                continue;
            }
            if done < range.start {
                each(&self.text[done..range.start]);
            }
            each(put.as_str());
            done = range.end;
        }
        each(&self.text[done..]);
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::with_capacity(self.longest);
        self.pieces(|piece| text.push_str(piece));
        text
    }
}

/// What stands before the services where there is no such member yet, behind another one perhaps.
fn opening(member: &'static str, is_behind: bool) -> Piece {
    match (member, is_behind) {
        // Nearly all.
        ("service", true) => Piece::Static(r#","service":["#),
        (_, true) => Piece::Own([r#",""#, member, r#"":["#].concat()),
        (_, false) => Piece::Own([r#"""#, member, r#"":["#].concat()),
    }
}

/// Whether a context is one of the Presentation or the Image API.
fn is_of_host(context: &str) -> bool {
    let path = ["http://iiif.io/api/", "https://iiif.io/api/"]
        .iter()
        .find_map(|start| context.strip_prefix(start));
    path.is_some_and(|path| path.starts_with("presentation/") || path.starts_with("image/"))
}

/// Whether a service is there already: by its id or, where it has none, by its members.
fn is_known_as(json: &Json<'_>, own: Node, service: &Service) -> bool {
    match &service.id {
        None => is_same(json.raw(own), &service.json()),
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
        let text = ServiceText::Whole(r#"{"id":"p"}"#.into());
        edits.put(Node::TOP, "service", &[Service { id: Some("p".to_owned()), text }]);
        if HostVersion::of_info(&json) == HostVersion::Three {
            edits.add_context();
        }
        Some(edits.finish().text())
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
            // Before the host's own, wherever that stands, and not behind it alone.
            (
                format!(r#"{{"@context":["{IMAGE_3}","http://x/"],"id":"i"}}"#),
                format!(
                    r#"{{"@context":["{CONTEXT}","{IMAGE_3}","http://x/"],"id":"i","service":[{{"id":"p"}}]}}"#
                ),
            ),
            (
                format!(r#"{{"@context":["{IMAGE_3}","{CONTEXT}"],"id":"i"}}"#),
                format!(
                    r#"{{"@context":["{CONTEXT}","{IMAGE_3}","{CONTEXT}"],"id":"i","service":[{{"id":"p"}}]}}"#
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
