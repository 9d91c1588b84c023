//! What a map tells of a path: an identifier, and what of it is asked for.

use std::borrow::Cow;
use std::sync::Arc;

use super::part::Part;
use super::read_name::ReadName;
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
#[derive(Clone, Debug)]
pub struct Named<'a> {
    identifier: Identifier<'a>,
    pub(super) kind: ResourceKind<'a>,
    pub(super) content_type: Cow<'a, str>,
    pub(super) spelling: Spelling<'a>,
    /// What few have: apart, as a resource is moved on the way to every tile.
    special: Option<Box<Special<'a>>>,
}

/// The Presentation 3 type of what an image service shows.
const IMAGE: &str = "Image";

/// An identifier, decoded.
#[derive(Clone, Debug)]
pub(super) enum Identifier<'a> {
    Text(Cow<'a, str>),
    /// With all that is special about it.
    Read(Arc<ReadName>),
}

impl<'a, T: Into<Cow<'a, str>>> From<T> for Identifier<'a> {
    #[inline]
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

impl Identifier<'_> {
    #[inline]
    fn as_str(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Read(name) => &name.identifier,
        }
    }

    fn into_owned(self) -> Identifier<'static> {
        match self {
            Self::Text(text) => Identifier::Text(Cow::Owned(text.into_owned())),
            Self::Read(name) => Identifier::Read(name),
        }
    }
}

/// What is special about how a resource is named.
#[derive(Clone, Debug, Default)]
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
            identifier: Identifier::Text(identifier.into()),
            kind,
            content_type: content_type.into(),
            spelling: Spelling::OneSegment,
            special: None,
        }
    }

    /// An image, written in a dialect's way. All at once: this is on the way to every tile.
    #[inline]
    pub(super) fn of_image(
        identifier: Identifier<'a>,
        kind: ResourceKind<'a>,
        spelling: Spelling<'a>,
    ) -> Self {
        Self { identifier, kind, content_type: Cow::Borrowed(IMAGE), spelling, special: None }
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
        let read = Cow::Owned(self.read().to_owned());
        self.identifier = Identifier::Text(identifier);
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
        match (&self.identifier, &self.special) {
            (Identifier::Read(name), _) => name.part,
            (Identifier::Text(_), Some(special)) => special.part,
            (Identifier::Text(_), None) => Part::default(),
        }
    }

    /// The identifier as the server is asked for it.
    fn read(&self) -> &str {
        let read = match (&self.identifier, &self.special) {
            (Identifier::Read(name), _) => name.read.as_deref(),
            (Identifier::Text(_), Some(special)) => special.read.as_deref(),
            (Identifier::Text(_), None) => None,
        };
        read.unwrap_or(self.identifier.as_str())
    }

    /// The identifier, decoded.
    #[must_use]
    #[inline]
    pub fn identifier(&self) -> &str {
        self.identifier.as_str()
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
    pub(super) fn write(&self, written: &mut String) {
        self.write_as(&self.spelling, written);
    }

    /// The same in one segment, wherever its slashes are plain, unless it is a file.
    pub(super) fn write_in_one_segment(&self, written: &mut String) {
        match self.spelling {
            Spelling::Segments => self.write_as(&Spelling::OneSegment, written),
            _ => self.write(written),
        }
    }

    fn write_as(&self, spelling: &Spelling<'_>, written: &mut String) {
        if matches!(self.kind, ResourceKind::Content) {
            return encoding::encode_into(written, self.identifier(), false);
        }
        spelling.write(self.read(), written);
        if !self.part().is_whole() {
            let mut part = String::new();
            self.part().write(&mut part);
            encoding::encode_into(written, &part, true);
        }
    }

    /// The identifier with its page and scale, decoded.
    pub(super) fn full_identifier(&self) -> Cow<'_, str> {
        let (identifier, part) = (self.read(), self.part());
        if part.is_whole() {
            return Cow::Borrowed(identifier);
        }
        let mut full = identifier.to_owned();
        part.write(&mut full);
        Cow::Owned(full)
    }

    /// The same of another kind, borrowing its parts.
    pub(super) fn lent<'b>(&'b self, kind: ResourceKind<'b>) -> Named<'b> {
        Named {
            identifier: match &self.identifier {
                Identifier::Text(text) => Identifier::Text(Cow::Borrowed(text)),
                Identifier::Read(name) => Identifier::Read(Arc::clone(name)),
            },
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
            identifier: self.identifier.into_owned(),
            kind: match self.kind {
                ResourceKind::ImageService => ResourceKind::ImageService,
                ResourceKind::ImageInformation => ResourceKind::ImageInformation,
                ResourceKind::Image(image) => ResourceKind::Image(image.into_owned()),
                ResourceKind::Content => ResourceKind::Content,
            },
            content_type: match &*self.content_type {
                // Of all image services.
                IMAGE => Cow::Borrowed(IMAGE),
                _ => Cow::Owned(self.content_type.into_owned()),
            },
            spelling: self.spelling.into_owned(),
            special: self.special.map(|special| {
                let read = special.read.map(|read| Cow::Owned(read.into_owned()));
                Box::new(Special { part: special.part, read, through: special.through })
            }),
        }
    }
}

/// Whether it is the same resource, and the same is asked of it.
impl PartialEq for Named<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.identifier() == other.identifier()
            && self.read() == other.read()
            && self.part() == other.part()
            && self.services() == other.services()
            && self.kind == other.kind
            && self.content_type == other.content_type
            && self.spelling == other.spelling
    }
}

impl Eq for Named<'_> {}
