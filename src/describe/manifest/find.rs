//! Where services go in a manifest: what of it is this publisher's, and at which byte.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::super::document::{HostVersion, NotDescribable, host_version};
use super::{DEEPEST, STRUCTURE, path_of};
use crate::config::{Core, Found, Manifests};
use crate::protocol::Family;
use crate::resource::{Resource, ResourceKind};

/// A manifest, as far as it is edited.
pub(super) struct Manifest {
    pub(super) version: HostVersion,
    /// Behind the brace that opens it.
    pub(super) begin: usize,
    /// The value of `@context`.
    pub(super) context: Option<Range<usize>>,
    /// In the order of the document.
    pub(super) slots: Vec<Slot>,
}

/// An object that may get services.
pub(super) struct Slot {
    pub(super) resource: Resource<'static>,
    /// What the authorizer is asked once for: the path that it stands under.
    pub(super) path: String,
    pub(super) at: At,
}

pub(super) enum At {
    /// The value of its `service`.
    Value(Range<usize>),
    /// Behind its last member: it has no `service`.
    End(usize),
}

impl At {
    fn place(&self) -> usize {
        match self {
            Self::Value(range) => range.start,
            Self::End(place) => *place,
        }
    }
}

/// `None` for JSON that is no manifest.
pub(super) fn find(
    core: &Core,
    settings: &Manifests,
    text: &str,
) -> Result<Option<Manifest>, NotDescribable> {
    let top: &RawValue = serde_json::from_str(text).map_err(|_| NotDescribable("it is no JSON"))?;
    if !top.get().starts_with('{') {
        return Ok(None);
    }
    let object = Object::read(top)?;
    if !object.is_of(&["Manifest", "sc:Manifest"]) {
        return Ok(None);
    }
    let context = object.context.map_or("", RawValue::get);
    let version = host_version(context, object.id.is_some(), object.at_id.is_some());
    let mut finder = Finder { core, settings, text, slots: Vec::new() };
    let begin = finder.range(top).start + 1;
    let context = object.context.map(|context| finder.range(context));
    finder.object(&object, Position { top: true, ..Position::default() }, 0)?;
    let mut slots = finder.slots;
    slots.sort_by_key(|slot| slot.at.place());
    Ok(Some(Manifest { version, begin, context, slots }))
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
    text: &'a str,
    slots: Vec<Slot>,
}

impl<'a> Finder<'a> {
    fn walk(
        &mut self,
        value: &'a RawValue,
        position: Position,
        depth: usize,
    ) -> Result<(), NotDescribable> {
        if depth > DEEPEST {
            return Err(NotDescribable("it is nested too deeply"));
        }
        match value.get().as_bytes().first() {
            Some(b'[') => {
                for value in list(value)? {
                    self.walk(value, position, depth + 1)?;
                }
            }
            Some(b'{') => self.object(&Object::read(value)?, position, depth)?,
            _ => {}
        }
        Ok(())
    }

    fn object(
        &mut self,
        object: &Object<'a>,
        position: Position,
        depth: usize,
    ) -> Result<(), NotDescribable> {
        if let Some((resource, path)) = self.content(object, position)? {
            let at = match (object.service, object.last) {
                (Some(service), _) => At::Value(self.range(service)),
                (None, Some(last)) => At::End(self.range(last).end),
                // It has an id at the least.
                (None, None) => return Err(NotDescribable("an object is empty")),
            };
            self.slots.push(Slot { resource, path, at });
        }
        let below = Position { top: false, in_service: false, ..position };
        if let Some(service) = object.service {
            self.walk(service, Position { in_service: true, ..below }, depth + 1)?;
        }
        for value in &object.others {
            self.walk(value, below, depth + 1)?;
        }
        for value in &object.thumbnails {
            self.walk(value, Position { in_thumbnail: true, ..below }, depth + 1)?;
        }
        Ok(())
    }

    /// The resource that an object is, if it may get services, and its path as it stands there.
    fn content(
        &self,
        object: &Object<'_>,
        position: Position,
    ) -> Result<Option<(Resource<'static>, String)>, NotDescribable> {
        let Some(id) = object.own_id() else { return Ok(None) };
        let Some(path) = path_of(self.core, &id) else { return Ok(None) };
        let Found::Resource(resource) = self.core.find(path) else { return Ok(None) };
        let families = self.core.families_of(&resource);
        if !families.contains(Family::V2) && families.described().next().is_none() {
            return Ok(None);
        }
        let described = match resource.kind() {
            ResourceKind::Content => position.top || !object.is_of(&STRUCTURE),
            ResourceKind::ImageInformation => false,
            ResourceKind::ImageService | ResourceKind::Image(_) => {
                self.settings.images
                    && !position.in_thumbnail
                    && if position.in_service {
                        matches!(resource.kind(), ResourceKind::ImageService)
                    } else {
                        !object.is_of(&STRUCTURE) && !self.has_image_service(object)?
                    }
            }
        };
        // A size may be open where the whole is not: it is asked for as it stands there.
        let path = match resource.kind() {
            ResourceKind::Image(_) => path.to_owned(),
            _ => resource.path(),
        };
        Ok(described.then(|| (resource.into_owned(), path)))
    }

    fn has_image_service(&self, object: &Object<'_>) -> Result<bool, NotDescribable> {
        let Some(services) = object.service else { return Ok(false) };
        for service in list(services)? {
            if !service.get().starts_with('{') {
                continue;
            }
            let Some(id) = Object::read(service)?.own_id() else { continue };
            let found = path_of(self.core, &id).map(|path| self.core.find(path));
            let Some(Found::Resource(resource)) = found else { continue };
            if resource.is_image_service() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Where in the document a value of it stands.
    fn range(&self, value: &RawValue) -> Range<usize> {
        let start = value.get().as_ptr().addr() - self.text.as_ptr().addr();
        start..start + value.get().len()
    }
}

/// The members of an object that matter, and all others that may hold further objects.
#[derive(Default)]
pub(super) struct Object<'a> {
    id: Option<&'a RawValue>,
    at_id: Option<&'a RawValue>,
    kind: Option<&'a RawValue>,
    at_kind: Option<&'a RawValue>,
    context: Option<&'a RawValue>,
    service: Option<&'a RawValue>,
    thumbnails: Vec<&'a RawValue>,
    others: Vec<&'a RawValue>,
    last: Option<&'a RawValue>,
}

impl<'a> Object<'a> {
    pub(super) fn read(value: &'a RawValue) -> Result<Self, NotDescribable> {
        serde_json::from_str(value.get()).map_err(|_| NotDescribable("a member stands twice"))
    }

    pub(super) fn own_id(&self) -> Option<String> {
        self.id.or(self.at_id).and_then(|id| serde_json::from_str(id.get()).ok())
    }

    fn is_of(&self, kinds: &[&str]) -> bool {
        let is = |kind: &RawValue| {
            serde_json::from_str::<String>(kind.get()).is_ok_and(|own| kinds.contains(&&*own))
        };
        [self.kind, self.at_kind].into_iter().flatten().any(|kind| match kind.get().as_bytes() {
            [b'[', ..] => list(kind).is_ok_and(|all| all.iter().any(|kind| is(kind))),
            _ => is(kind),
        })
    }
}

/// The values of an array, or the one value that there is.
pub(super) fn list(value: &RawValue) -> Result<Vec<&RawValue>, NotDescribable> {
    if value.get().starts_with('[') {
        serde_json::from_str(value.get()).map_err(|_| NotDescribable("an array cannot be read"))
    } else {
        Ok(vec![value])
    }
}

enum Name {
    Id,
    AtId,
    Type,
    AtType,
    Context,
    Service,
    Thumbnail,
    Other,
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Name, E> {
                Ok(match name {
                    "id" => Name::Id,
                    "@id" => Name::AtId,
                    "type" => Name::Type,
                    "@type" => Name::AtType,
                    "@context" => Name::Context,
                    "service" => Name::Service,
                    "thumbnail" | "logo" => Name::Thumbnail,
                    _ => Name::Other,
                })
            }
        }

        deserializer.deserialize_str(Text)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut object = Object::default();
                while let Some((name, value)) = map.next_entry::<Name, &'de RawValue>()? {
                    object.last = Some(value);
                    let only = match name {
                        Name::Id => &mut object.id,
                        Name::AtId => &mut object.at_id,
                        Name::Type => &mut object.kind,
                        Name::AtType => &mut object.at_kind,
                        Name::Context => &mut object.context,
                        Name::Service => &mut object.service,
                        Name::Thumbnail | Name::Other => {
                            if value.get().starts_with(['{', '[']) {
                                match name {
                                    Name::Thumbnail => object.thumbnails.push(value),
                                    _ => object.others.push(value),
                                }
                            }
                            continue;
                        }
                    };
                    // Readers do not agree on which of the two counts.
                    if only.replace(value).is_some() {
                        return Err(A::Error::custom("a member stands twice"));
                    }
                }
                Ok(object)
            }
        }

        deserializer.deserialize_map(Members)
    }
}
