//! The members of an object that matter.

use std::borrow::Cow;
use std::collections::HashMap;

use super::super::json::{Json, Node};
use super::kinds;

/// Of two of one name the last.
#[derive(Default)]
pub(super) struct Object {
    id: Option<Node>,
    at_id: Option<Node>,
    kind: Option<Node>,
    at_kind: Option<Node>,
    pub(super) service: Option<Node>,
    profile: Option<Node>,
}

/// What the type of an object tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Content,
    /// It has none.
    Untyped,
    Other,
}

impl Object {
    pub(super) fn of(json: &Json<'_>, node: Node) -> Self {
        let mut object = Self::default();
        if json.is_object(node) {
            for member in json.children(node) {
                object.note(&json.name(member).unwrap_or_default(), member);
            }
        }
        object
    }

    fn note(&mut self, name: &str, member: Node) {
        match name {
            "id" => self.id = Some(member),
            "@id" => self.at_id = Some(member),
            "type" => self.kind = Some(member),
            "@type" => self.at_kind = Some(member),
            "service" => self.service = Some(member),
            "profile" => self.profile = Some(member),
            _ => {}
        }
    }

    /// Whether it has neither type nor profile, by which services are known.
    pub(super) fn says_nothing(&self) -> bool {
        self.kind.or(self.at_kind).or(self.profile).is_none()
    }

    /// Where its id stands.
    pub(super) fn id(&self) -> Option<Node> {
        self.id.or(self.at_id)
    }

    /// Whether it spells its members as Presentation 2 does, if that can be told.
    pub(super) fn is_of_two(&self) -> Option<bool> {
        match (self.at_id.or(self.at_kind), self.id.or(self.kind)) {
            (Some(_), None) => Some(true),
            (None, Some(_)) => Some(false),
            _ => None,
        }
    }

    pub(super) fn class(&self, json: &Json<'_>) -> Class {
        if self.kind.or(self.at_kind).is_none() {
            Class::Untyped
        } else if self.any_kind(json, kinds::is_content) {
            Class::Content
        } else {
            Class::Other
        }
    }

    pub(super) fn any_kind(&self, json: &Json<'_>, is: fn(&str) -> bool) -> bool {
        let named = [self.kind, self.at_kind].into_iter().flatten();
        any_text(json, named, is)
    }

    /// Whether it calls itself an image service, by type or profile.
    pub(super) fn is_image_service(&self, json: &Json<'_>) -> bool {
        let named = [self.kind, self.at_kind, self.profile].into_iter().flatten();
        any_text(json, named, kinds::is_image_service)
    }
}

fn any_text(json: &Json<'_>, nodes: impl Iterator<Item = Node>, is: fn(&str) -> bool) -> bool {
    let mut own = nodes.flat_map(|node| json.list(node));
    own.any(|node| json.string(node).is_some_and(|text| is(&text)))
}

/// Reads objects one after another, and finds the members that a later one of the same name takes the
/// place of.
#[derive(Default)]
pub(super) struct Reader<'a> {
    names: Vec<(Cow<'a, str>, Node)>,
}

/// Up to so many members are compared one by one.
const FEW: usize = 24;

impl<'a> Reader<'a> {
    /// The object, and its dead members.
    pub(super) fn read(
        &mut self,
        json: &Json<'a>,
        node: Node,
        mut is_dead: impl FnMut(Node),
    ) -> Object {
        let mut object = Object::default();
        self.names.clear();
        // One bit a name, by its length and two of its bytes: most names of an object differ in it.
        let (mut seen, mut is_doubtful) = (0_u64, false);
        for member in json.children(node) {
            let Some(name) = json.name(member) else { continue };
            object.note(&name, member);
            let bytes = name.as_bytes();
            let middle = bytes.get(bytes.len() / 2).copied().unwrap_or_default();
            let first = bytes.first().copied().unwrap_or_default();
            let bit = 1 << ((bytes.len() * 7 + usize::from(middle) * 5 + usize::from(first)) & 63);
            is_doubtful |= seen & bit != 0;
            seen |= bit;
            self.names.push((name, member));
        }
        if is_doubtful {
            self.tell_dead(&mut is_dead);
        }
        object
    }

    fn tell_dead(&self, is_dead: &mut impl FnMut(Node)) {
        if self.names.len() <= FEW {
            for (index, (name, member)) in self.names.iter().enumerate() {
                if self.names[index + 1..].iter().any(|(later, _)| later == name) {
                    is_dead(*member);
                }
            }
            return;
        }
        let mut last: HashMap<&str, Node> = HashMap::with_capacity(self.names.len());
        for (name, member) in &self.names {
            if let Some(earlier) = last.insert(name, *member) {
                is_dead(earlier);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DS-03: of members of one name the last counts, of few and of many.
    #[test]
    fn dead_members_are_found() {
        for many in [0, 3, 200] {
            let between: Vec<_> = (0..many).map(|number| format!(r#""m{number}":0,"#)).collect();
            let between = between.concat();
            let text = format!(r#"{{"a":1,{between}"\u0061":2,"b":3,"a":4,"id":5,"id":6}}"#);
            let json = Json::parse(&text).unwrap();
            let mut dead = Vec::new();
            let object = Reader::default().read(&json, Node::TOP, |node| dead.push(node));
            let mut dead: Vec<_> = dead.into_iter().map(|node| json.raw(node)).collect();
            dead.sort_unstable();
            assert_eq!(dead, ["1", "2", "5"], "{many}");
            assert_eq!(json.raw(object.id().unwrap()), "6");
        }
    }
}
