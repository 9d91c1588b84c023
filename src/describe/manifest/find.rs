//! Where services go in a manifest: what of it is this publisher's, and in which object.

use std::collections::{HashMap, HashSet};

use super::super::description::has_probes;
use super::super::edit::HostVersion;
use super::super::json::{Json, Node};
use super::kinds;
use super::left_out::{self, LeftOut, LeftOutReason};
use super::object::{Class, Object, Reader};
use crate::config::How;
use crate::core::{Core, Found, OwnUri};
use crate::resource::{Resource, ResourceKind};

/// A document, as far as it is edited.
pub(super) struct Manifest {
    pub(super) version: HostVersion,
    /// What the authorizer is asked for, once each.
    pub(super) shown: Vec<Resource<'static>>,
    /// In the order of the document.
    pub(super) slots: Vec<Slot>,
    /// Ids that are to be written with the public URL.
    pub(super) ids: Vec<(Node, String)>,
    pub(super) left_out: Vec<LeftOut>,
}

impl Manifest {
    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        let shown = self.shown.iter().map(|own| size_of_val(own) + own.identifier().len());
        let ids = self.ids.iter().map(|own| size_of_val(own) + own.1.len());
        let left_out = self.left_out.iter().map(|own| size_of_val(own) + own.id().len());
        shown.chain(ids).chain(left_out).sum::<usize>() + size_of_val(&*self.slots)
    }
}

/// An object that may get services.
pub(super) struct Slot {
    /// Which of those that are shown.
    pub(super) shown: usize,
    pub(super) object: Node,
    pub(super) what: What,
}

/// Which services an object gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    All,
    /// Beside the image service, which has the others.
    Probe,
}

/// Whether it is a document that may show content, by what it calls itself.
pub(super) fn is_document(json: &Json<'_>) -> bool {
    json.is_object(Node::TOP) && Object::of(json, Node::TOP).any_kind(json, kinds::is_document)
}

pub(super) fn find(core: &Core, how: How, json: &Json<'_>) -> Manifest {
    // What tells nothing of itself is of the version that is written today.
    let by_spelling = || match Object::of(json, Node::TOP).is_of_two() {
        Some(true) => HostVersion::Two,
        _ => HostVersion::Three,
    };
    let version = HostVersion::told_by(json).unwrap_or_else(by_spelling);
    let mut finder = Finder {
        core,
        how,
        json,
        reader: Reader::default(),
        dead: HashSet::new(),
        numbers: HashMap::new(),
        manifest: Manifest {
            version,
            shown: Vec::new(),
            slots: Vec::new(),
            ids: Vec::new(),
            left_out: Vec::new(),
        },
    };
    finder.walk();
    finder.manifest
}

/// What stands above a value.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is so or not by itself")]
struct Position {
    top: bool,
    in_service: bool,
    in_preview: bool,
    in_body: bool,
}

struct Finder<'a> {
    core: &'a Core,
    how: How,
    json: &'a Json<'a>,
    reader: Reader<'a>,
    /// Members that another one of the same name takes the place of, further behind: no browser sees
    /// them.
    dead: HashSet<Node>,
    /// Which of those that are shown stands under a path.
    numbers: HashMap<String, usize>,
    manifest: Manifest,
}

impl Finder<'_> {
    /// Looks at every value once, in the order of the document, however deep it stands.
    fn walk(&mut self) {
        let json = self.json;
        // The objects and arrays around: where each ends, and what is so in it.
        let mut around: Vec<(usize, Position)> = Vec::new();
        let mut at = 0;
        while let Some(node) = json.node(at) {
            while around.last().is_some_and(|(end, _)| *end <= at) {
                around.pop();
            }
            if !self.dead.is_empty() && self.dead.remove(&node) {
                at = json.behind(node);
                continue;
            }
            at += 1;
            if !json.is_object(node) && !json.is_array(node) {
                continue;
            }
            let top = Position { top: true, ..Position::default() };
            let mut position = around.last().map_or(top, |(_, position)| *position);
            if let Some(name) = json.name(node) {
                position.in_service |= kinds::is_services(&name);
                position.in_preview |= kinds::is_preview(&name);
                position.in_body |= kinds::is_body(&name);
            }
            if json.is_object(node) {
                self.object(node, position);
            }
            around.push((json.behind(node), Position { top: false, ..position }));
        }
    }

    fn object(&mut self, node: Node, position: Position) {
        let json = self.json;
        let dead = &mut self.dead;
        let object = self.reader.read(json, node, |member| {
            dead.insert(member);
        });
        if !(self.core.public_ids || self.may_get_any(&object, position)) {
            return;
        }
        let Some(id) = object.id() else { return };
        let Some(text) = json.string(id) else { return };
        let Some(own) = self.core.own_uri(&text) else {
            return self.leave_out(&text, &object, position);
        };
        if self.core.public_ids && !own.is_public {
            self.manifest.ids.push((id, self.core.public_url.join(own.path_and_more)));
        }
        let (resource, path) = match found(self.core, &own, position.in_service) {
            Found::Resource(resource) => {
                // A size may be open where the whole is not: it is asked for as it stands there.
                let path = match resource.kind() {
                    ResourceKind::Image(_) => own.path.to_owned(),
                    _ => resource.path(),
                };
                (resource, path)
            }
            Found::Refused(_) => return self.leave_out(&text, &object, position),
            Found::Public | Found::Signed(_) => return,
        };
        match self.place(&resource, &object, position) {
            Place::Here(what) => self.add_slot(node, &resource, path, what),
            Place::BesideService => {
                let whole = resource.whole();
                let path = whole.path();
                self.add_slot(node, &whole, path, What::Probe);
            }
            Place::NoRoom => {
                let reason = LeftOutReason::Service;
                self.manifest.left_out.push(LeftOut::new(&text, reason));
            }
            Place::None => {}
        }
    }

    fn add_slot(&mut self, object: Node, resource: &Resource<'_>, path: String, what: What) {
        let next = self.manifest.shown.len();
        let shown = *self.numbers.entry(path).or_insert(next);
        if shown == next {
            self.manifest.shown.push(resource.clone().into_owned());
        }
        self.manifest.slots.push(Slot { shown, object, what });
    }

    fn leave_out(&mut self, id: &str, object: &Object, position: Position) {
        if !self.may_get_any(object, position) {
            return;
        }
        let wanted = |resource: &Resource<'_>| {
            !matches!(self.place(resource, object, position), Place::None)
        };
        if let Some(left_out) = left_out::of(self.core, id, wanted) {
            self.manifest.left_out.push(left_out);
        }
    }

    /// Whether an object may get services, whatever it stands for.
    fn may_get_any(&self, object: &Object, position: Position) -> bool {
        if position.in_preview {
            false
        } else if position.in_service {
            self.how.images || object.says_nothing()
        } else {
            position.top || object.class(self.json) != Class::Other
        }
    }

    /// Where services go of an object that stands for a resource.
    fn place(&self, resource: &Resource<'_>, object: &Object, position: Position) -> Place {
        let families = self.core.families_of(resource);
        let (has_probes, has_older) =
            (has_probes(self.core, resource), families.described().next().is_some());
        if !(has_probes || has_older) || !self.may_get_any(object, position) {
            return Place::None;
        }
        let all = Place::Here(What::All);
        match resource.kind() {
            ResourceKind::ImageInformation => Place::None,
            ResourceKind::Content if position.in_service && !object.says_nothing() => Place::None,
            ResourceKind::Content if self.has_no_room(object) => Place::NoRoom,
            ResourceKind::Content => all,
            ResourceKind::ImageService if position.in_service => all,
            _ if position.in_service => Place::None,
            ResourceKind::ImageService | ResourceKind::Image(_) => {
                let has_service = self.has_own_image_service(object);
                if self.how.bodies && has_probes && position.in_body && !self.has_no_room(object) {
                    if has_service { Place::BesideService } else { all }
                } else if self.how.images && !has_service && !self.has_no_room(object) {
                    all
                } else {
                    Place::None
                }
            }
        }
    }

    /// Whether a body's one service is an image service that viewers of Presentation 2 read as an object:
    /// in an array they would lose the picture.
    fn has_no_room(&self, object: &Object) -> bool {
        self.manifest.version == HostVersion::Two
            && object.service.is_some_and(|service| {
                let json = self.json;
                json.is_object(service) && {
                    let own = Object::of(json, service);
                    own.is_image_service(json) || self.is_own_image_service(&own)
                }
            })
    }

    fn has_own_image_service(&self, object: &Object) -> bool {
        let services = object.service.map_or_else(Vec::new, |service| self.json.list(service));
        services.into_iter().any(|own| self.is_own_image_service(&Object::of(self.json, own)))
    }

    fn is_own_image_service(&self, object: &Object) -> bool {
        let id = object.id().and_then(|id| self.json.string(id));
        let own = id.as_deref().and_then(|id| self.core.own_uri(id));
        let found = own.as_ref().map(|own| found(self.core, own, true));
        matches!(found, Some(Found::Resource(resource)) if resource.is_image_service())
    }
}

/// What becomes of an object that stands for a resource.
enum Place {
    Here(What),
    /// A body's own probe, beside its image service.
    BesideService,
    /// It would have to become an array that was none.
    NoRoom,
    None,
}

/// What a URI names. Many image services are written with a slash at the end.
fn found<'c>(core: &'c Core, own: &OwnUri<'c>, in_service: bool) -> Found<'c> {
    let found = core.find(own.path);
    match (&found, own.path.strip_suffix('/')) {
        (Found::Refused(_), Some(path)) if in_service => match core.find(path) {
            Found::Resource(whole) if matches!(whole.kind(), ResourceKind::ImageService) => {
                Found::Resource(whole)
            }
            _ => found,
        },
        _ => found,
    }
}
