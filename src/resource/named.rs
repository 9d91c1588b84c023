//! What a map tells of a path: an identifier, and what of it is asked for.

use std::borrow::Cow;
use std::mem;

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
    pub(super) part: Part,
    pub(super) spelling: Spelling<'a>,
    /// The identifier as the server is asked for it, where rules see another one.
    pub(super) read: Option<Cow<'a, str>>,
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
            part: Part::default(),
            spelling: Spelling::OneSegment,
            read: None,
        }
    }

    /// The same, written in a dialect's way.
    #[inline]
    pub(super) fn written_as(mut self, spelling: Spelling<'a>, part: Part) -> Self {
        self.spelling = spelling;
        self.part = part;
        self
    }

    /// The same under another name for the rules.
    pub(super) fn called(mut self, identifier: Cow<'a, str>) -> Self {
        self.read = Some(mem::replace(&mut self.identifier, identifier));
        self
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
        match self.kind {
            ResourceKind::Content => encoding::encode(&self.identifier, false),
            _ if self.part.is_whole() => {
                self.spelling.write(self.read.as_ref().unwrap_or(&self.identifier))
            }
            _ => {
                let mut name = self.spelling.write(self.read.as_ref().unwrap_or(&self.identifier));
                let mut part = String::new();
                self.part.write(&mut part);
                name.push_str(&encoding::encode(&part, true));
                name
            }
        }
    }

    /// The identifier with its page and scale, decoded.
    pub(super) fn full_identifier(&self) -> Cow<'_, str> {
        let identifier = self.read.as_ref().unwrap_or(&self.identifier);
        if self.part.is_whole() {
            return Cow::Borrowed(identifier);
        }
        let mut full = identifier.clone().into_owned();
        self.part.write(&mut full);
        Cow::Owned(full)
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
            part: self.part,
            spelling: self.spelling.into_owned(),
            read: self.read.map(|read| Cow::Owned(read.into_owned())),
        }
    }
}
