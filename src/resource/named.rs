//! What a map tells of a path: an identifier, and what of it is asked for.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;

use super::part::Part;
use super::spelling::Spelling;
use super::{ImageRequest, ResourceKind, encoding};

/// What a [`ResourceMap`](super::ResourceMap) makes of a path below its base: which resource, and what of
/// it. With the base, which the layers put in, it is a [`Resource`](super::Resource).
///
/// # Example
///
/// ```
/// use tower_iiif_auth::resource::{Named, ResourceKind};
///
/// let sound = Named::new("reel 2", ResourceKind::Content, "Sound");
/// assert_eq!(sound.identifier(), "reel 2");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<'a> {
    pub(super) identifier: Cow<'a, str>,
    pub(super) kind: ResourceKind<'a>,
    pub(super) content_type: Cow<'a, str>,
    pub(super) spelling: Spelling<'a>,
    /// What few have: apart, as a resource is moved on the way to every tile.
    special: Option<Box<Special<'a>>>,
}

/// What is special about how a resource is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Special<'a> {
    part: Part,
    /// The identifier as the server is asked for it, where rules see another one.
    read: Option<Cow<'a, str>>,
    /// The names of the access services that lead to it, where its rule says them.
    through: Option<Arc<[Box<str>]>>,
}

impl<'a> Named<'a> {
    /// What has this identifier, **decoded**, and is of a Presentation 3 type such as `Image`, `Video`,
    /// `Sound` or `Text`.
    ///
    /// Its path is the base with the identifier: [`Content`](ResourceKind::Content) has slashes as they are,
    /// all else is one segment in which they are escaped. A map finds it again by that path.
    #[must_use]
    #[inline]
    pub fn new(
        identifier: impl Into<Cow<'a, str>>,
        kind: ResourceKind<'a>,
        content_type: impl Into<Cow<'a, str>>,
    ) -> Self {
        Self {
            identifier: identifier.into(),
            kind,
            content_type: content_type.into(),
            spelling: Spelling::OneSegment,
            special: None,
        }
    }

    /// An image, written in a dialect's way. All at once: this is on the way to every tile.
    #[inline]
    pub(super) fn of_image(
        identifier: Cow<'a, str>,
        kind: ResourceKind<'a>,
        spelling: Spelling<'a>,
    ) -> Self {
        Self { identifier, kind, content_type: Cow::Borrowed("Image"), spelling, special: None }
    }

    /// Of the same one page, or at another scale.
    pub(super) fn with_part(mut self, part: Part) -> Self {
        if !part.is_whole() {
            self.special.get_or_insert_default().part = part;
        }
        self
    }

    /// The same under another name for the rules.
    pub(super) fn called(mut self, identifier: Cow<'a, str>) -> Self {
        let read = mem::replace(&mut self.identifier, identifier);
        self.special.get_or_insert_default().read = Some(read);
        self
    }

    /// The same, to which these access services lead.
    pub(super) fn through(mut self, services: Arc<[Box<str>]>) -> Self {
        self.special.get_or_insert_default().through = Some(services);
        self
    }

    pub(super) fn services(&self) -> Option<&[Box<str>]> {
        self.special.as_ref()?.through.as_deref()
    }

    /// Its page and scale.
    pub(super) fn part(&self) -> Part {
        self.special.as_ref().map_or_else(Part::default, |special| special.part)
    }

    /// The identifier as the server is asked for it.
    fn read(&self) -> &Cow<'a, str> {
        let read = self.special.as_ref().and_then(|special| special.read.as_ref());
        read.unwrap_or(&self.identifier)
    }

    /// The identifier, decoded.
    #[must_use]
    #[inline]
    pub fn identifier(&self) -> &str {
        &self.identifier
    }

    /// What of it is asked for.
    #[must_use]
    #[inline]
    pub fn kind(&self) -> &ResourceKind<'a> {
        &self.kind
    }

    /// The image asked for; `None` for everything that is no image request.
    pub(super) fn image(&self) -> Option<&ImageRequest<'a>> {
        match &self.kind {
            ResourceKind::Image(image) => Some(image),
            _ => None,
        }
    }

    /// The identifier with its page and scale as it stands in a URI.
    pub(super) fn write(&self) -> String {
        if matches!(self.kind, ResourceKind::Content) {
            return encoding::encode(&self.identifier, false);
        }
        let mut name = self.spelling.write(self.read());
        if !self.part().is_whole() {
            let mut part = String::new();
            self.part().write(&mut part);
            name.push_str(&encoding::encode(&part, true));
        }
        name
    }

    /// The identifier with its page and scale, decoded.
    pub(super) fn full_identifier(&self) -> Cow<'_, str> {
        let (identifier, part) = (self.read(), self.part());
        if part.is_whole() {
            return Cow::Borrowed(identifier);
        }
        let mut full = identifier.clone().into_owned();
        part.write(&mut full);
        Cow::Owned(full)
    }

    /// The same of another kind, borrowing its parts.
    pub(super) fn lent<'b>(&'b self, kind: ResourceKind<'b>) -> Named<'b> {
        Named {
            identifier: Cow::Borrowed(&self.identifier),
            kind,
            content_type: Cow::Borrowed(&self.content_type),
            spelling: self.spelling.clone(),
            special: self.special.as_ref().map(|special| {
                let read = special.read.as_deref().map(Cow::Borrowed);
                Box::new(Special { part: special.part, read, through: special.through.clone() })
            }),
        }
    }

    pub(super) fn into_owned(self) -> Named<'static> {
        Named {
            identifier: Cow::Owned(self.identifier.into_owned()),
            kind: match self.kind {
                ResourceKind::ImageService => ResourceKind::ImageService,
                ResourceKind::ImageInformation => ResourceKind::ImageInformation,
                ResourceKind::Image(image) => ResourceKind::Image(image.into_owned()),
                ResourceKind::Content => ResourceKind::Content,
            },
            content_type: Cow::Owned(self.content_type.into_owned()),
            spelling: self.spelling.into_owned(),
            special: self.special.map(|special| {
                let read = special.read.map(|read| Cow::Owned(read.into_owned()));
                Box::new(Special { part: special.part, read, through: special.through })
            }),
        }
    }
}
