//! Where services go in a manifest: what of it is this publisher's, and in which object.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::super::edit::{HostVersion, place_of};
use super::super::json::{Json, Node};
use super::left_out::{self, LeftOut};
use super::{STRUCTURE, path_of};
use crate::config::Manifests;
use crate::core::{Core, Found};
use crate::protocol::Family;
use crate::resource::{Resource, ResourceKind};

/// A manifest, as far as it is edited.
pub(super) struct Manifest {
    pub(super) version: HostVersion,
    /// In the order in which their services will stand.
    pub(super) slots: Vec<Slot>,
    pub(super) left_out: Vec<LeftOut>,
}

/// An object that may get services.
pub(super) struct Slot {
    pub(super) resource: Resource<'static>,
    /// What the authorizer is asked once for: the path that it stands under.
    pub(super) path: String,
    pub(super) object: Node,
}

/// Whether a document calls itself a manifest.
pub(super) fn is_manifest(json: &Json<'_>) -> bool {
    json.is_object(Node::TOP)
        && Object::of(json, Node::TOP).is_of(json, &["Manifest", "sc:Manifest"])
}

pub(super) fn find(core: &Core, settings: &Manifests, json: &Json<'_>) -> Manifest {
    let top = Object::of(json, Node::TOP);
    // What tells nothing of itself is of the version that is written today.
    let by_spelling = || match (top.at_id.or(top.at_kind), top.id.or(top.kind)) {
        (Some(_), None) => HostVersion::Two,
        _ => HostVersion::Three,
    };
    let version = HostVersion::told_by(json).unwrap_or_else(by_spelling);
    let mut finder = Finder {
        core,
        settings,
        json,
        dead: HashSet::new(),
        slots: Vec::new(),
        left_out: Vec::new(),
    };
    finder.walk();
    let Finder { mut slots, left_out, .. } = finder;
    slots.sort_by_cached_key(|slot| place_of(json, slot.object));
    Manifest { version, slots, left_out }
}

/// What stands above a value.
#[derive(Clone, Copy, Default)]
struct Position {
    top: bool,
    in_service: bool,
    in_thumbnail: bool,
}

struct Finder<'a> {
    core: &'a Core,
    settings: &'a Manifests,
    json: &'a Json<'a>,
    /// Members that another one of the same name takes the place of, further behind: no browser sees
    /// them.
    dead: HashSet<Node>,
    slots: Vec<Slot>,
    left_out: Vec<LeftOut>,
}

impl Finder<'_> {
    /// Looks at every value in the order of the document, however deep it stands.
    fn walk(&mut self) {
        let json = self.json;
        // The objects and arrays around: where each ends, and what is so in it.
        let mut around: Vec<(usize, Position)> = Vec::new();
        let mut at = 0;
        while let Some(node) = json.node(at) {
            while around.last().is_some_and(|(end, _)| *end <= at) {
                around.pop();
            }
            if self.dead.remove(&node) {
                at = json.behind(node);
                continue;
            }
            at += 1;
            let top = Position { top: true, ..Position::default() };
            let mut position = around.last().map_or(top, |(_, position)| *position);
            match json.name(node).as_deref() {
                Some("service") => position.in_service = true,
                Some("thumbnail" | "logo") => position.in_thumbnail = true,
                _ => {}
            }
            if json.is_object(node) {
                self.object(node, position);
                let below = Position { top: false, in_service: false, ..position };
                around.push((json.behind(node), below));
            } else if json.is_array(node) {
                around.push((json.behind(node), Position { top: false, ..position }));
            }
        }
    }

    fn object(&mut self, node: Node, position: Position) {
        let object = Object::of(self.json, node);
        self.dead.extend(&object.dead);
        let Some(id) = object.own_id(self.json) else { return };
        let Some(path) = path_of(self.core, &id) else {
            return self.leave_out(&id, &object, position);
        };
        let resource = match self.core.find(path) {
            Found::Resource(resource) => resource,
            Found::Refused(_) => return self.leave_out(&id, &object, position),
            Found::Public | Found::Signed(_) => return,
        };
        if !self.may_get_services(&resource, &object, position) {
            return;
        }
        // A size may be open where the whole is not: it is asked for as it stands there.
        let path = match resource.kind() {
            ResourceKind::Image(_) => path.to_owned(),
            _ => resource.path(),
        };
        self.slots.push(Slot { resource: resource.into_owned(), path, object: node });
    }

    fn leave_out(&mut self, id: &str, object: &Object, position: Position) {
        let wanted = |resource: &Resource<'_>| self.may_get_services(resource, object, position);
        if let Some(left_out) = left_out::of(self.core, id, wanted) {
            self.left_out.push(left_out);
        }
    }

    /// Whether an object that stands for a resource may get services.
    fn may_get_services(
        &self,
        resource: &Resource<'_>,
        object: &Object,
        position: Position,
    ) -> bool {
        let families = self.core.families_of(resource);
        if !families.contains(Family::V2) && families.described().next().is_none() {
            return false;
        }
        match resource.kind() {
            ResourceKind::Content => position.top || !object.is_of(self.json, &STRUCTURE),
            ResourceKind::ImageInformation => false,
            ResourceKind::ImageService | ResourceKind::Image(_) => {
                self.settings.images
                    && !position.in_thumbnail
                    && if position.in_service {
                        matches!(resource.kind(), ResourceKind::ImageService)
                    } else {
                        !object.is_of(self.json, &STRUCTURE) && !self.has_image_service(object)
                    }
            }
        }
    }

    fn has_image_service(&self, object: &Object) -> bool {
        let services = object.service.map_or_else(Vec::new, |service| self.json.list(service));
        services.into_iter().any(|service| {
            let Some(id) = Object::of(self.json, service).own_id(self.json) else { return false };
            let found = path_of(self.core, &id).map(|path| self.core.find(path));
            matches!(found, Some(Found::Resource(resource)) if resource.is_image_service())
        })
    }
}

/// The members of an object that matter: of two of one name the last.
#[derive(Default)]
struct Object {
    id: Option<Node>,
    at_id: Option<Node>,
    kind: Option<Node>,
    at_kind: Option<Node>,
    service: Option<Node>,
    /// Those of which there is a later one.
    dead: Vec<Node>,
}

impl Object {
    fn of(json: &Json<'_>, node: Node) -> Self {
        let mut object = Self::default();
        if !json.is_object(node) {
            return object;
        }
        let mut members: HashMap<Cow<'_, str>, Node> = HashMap::new();
        for member in json.children(node) {
            let Some(name) = json.name(member) else { continue };
            match &*name {
                "id" => object.id = Some(member),
                "@id" => object.at_id = Some(member),
                "type" => object.kind = Some(member),
                "@type" => object.at_kind = Some(member),
                "service" => object.service = Some(member),
                _ => {}
            }
            object.dead.extend(members.insert(name, member));
        }
        object
    }

    fn own_id<'a>(&self, json: &Json<'a>) -> Option<Cow<'a, str>> {
        self.id.or(self.at_id).and_then(|id| json.string(id))
    }

    fn is_of(&self, json: &Json<'_>, kinds: &[&str]) -> bool {
        let is = |kind: Node| json.string(kind).is_some_and(|own| kinds.contains(&&*own));
        let named = [self.kind, self.at_kind].into_iter().flatten();
        named.flat_map(|kind| json.list(kind)).any(is)
    }
}
