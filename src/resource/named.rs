//! One resource, and how it is written.

use std::borrow::Cow;
use std::mem;

use super::part::{self, Part};
use super::spelling::Spelling;
use super::{ImageRequest, ResourceKind, encoding, url_identifier};

/// One thing that may be protected, and what was asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource<'a> {
    base: Cow<'a, str>,
    identifier: Cow<'a, str>,
    kind: ResourceKind<'a>,
    content_type: Cow<'a, str>,
    part: Part,
    spelling: Spelling<'a>,
    /// The identifier as the server is asked for it, where rules see another one.
    read: Option<Cow<'a, str>>,
}

impl<'a> Resource<'a> {
    /// A resource below `base` (a path without a slash at its end), named by its decoded
    /// `identifier`, of a Presentation 3 type such as `Image`, `Video`, `Sound` or `Text`.
    #[must_use]
    pub fn new(
        base: impl Into<Cow<'a, str>>,
        identifier: impl Into<Cow<'a, str>>,
        kind: ResourceKind<'a>,
        content_type: impl Into<Cow<'a, str>>,
    ) -> Self {
        Self {
            base: base.into(),
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

    /// The base path it lies below, such as `/iiif/3`.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Its identifier, percent-decoded once, as the base's [`Dialect`] reads it: `dir/page 1` for
    /// `dir%2Fpage%201`. However it was spelled, it is the same.
    #[must_use]
    pub fn identifier(&self) -> &str {
        &self.identifier
    }

    /// What of it is asked for.
    #[must_use]
    pub fn kind(&self) -> &ResourceKind<'a> {
        &self.kind
    }

    /// The image asked for, with its region and size; `None` for everything that is no image
    /// request.
    #[must_use]
    pub fn image(&self) -> Option<&ImageRequest<'a>> {
        match &self.kind {
            ResourceKind::Image(image) => Some(image),
            _ => None,
        }
    }

    /// Its Presentation 3 type.
    #[must_use]
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// The page of a document, counted from one, where the path names one
    /// ([`Dialect::cantaloupe`]).
    ///
    /// A page is a picture of its own: it has its own size and its own probe. Its
    /// [`identifier`](Self::identifier) is the document's.
    #[must_use]
    pub fn page(&self) -> Option<u32> {
        (self.part.page > 0).then_some(self.part.page)
    }

    /// The scale of the picture as numerator and denominator, where the path names one
    /// ([`Dialect::cantaloupe`]).
    #[must_use]
    pub fn scale(&self) -> Option<(u32, u32)> {
        (self.part.scale.0 > 0).then_some(self.part.scale)
    }

    /// The path that names it as a whole, in its one canonical spelling: the base URI of an image
    /// service, the URI of any other resource.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}/{}", self.base, self.name())
    }

    /// The path of what was asked for, in its one canonical spelling: of an image with region, size,
    /// rotation, quality and format, of an image's description with `/info.json`, of all else as
    /// [`path`](Self::path).
    ///
    /// A proxy asks the server behind for this, and nothing that it sends on holds another spelling.
    ///
    /// # Example
    ///
    /// ```
    /// use tower_iiif_auth::resource::{ImageApi, Match, ResourceMap};
    ///
    /// let map = ImageApi::new("/iiif/3");
    /// let asked = "/iiif/3/m%73%2f117/full/^max/0/default.jpg";
    /// let Match::Found(image) = map.find(asked) else { unreachable!() };
    /// assert_eq!(image.request_path(), "/iiif/3/ms%2F117/full/%5Emax/0/default.jpg");
    /// ```
    #[must_use]
    pub fn request_path(&self) -> String {
        let mut path = self.path();
        match &self.kind {
            ResourceKind::Image(image) => {
                path.push('/');
                path.push_str(&image.write());
            }
            ResourceKind::ImageInformation => path.push_str("/info.json"),
            ResourceKind::ImageService | ResourceKind::Content => {}
        }
        path
    }

    /// The identifier with its page and scale as it stands in a URI.
    fn name(&self) -> String {
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

    /// The identifier with its page and scale, decoded: what [`sibling`](Self::sibling) reads.
    pub(crate) fn full_identifier(&self) -> Cow<'_, str> {
        let identifier = self.read.as_ref().unwrap_or(&self.identifier);
        if self.part.is_whole() {
            return Cow::Borrowed(identifier);
        }
        let mut full = identifier.clone().into_owned();
        self.part.write(&mut full);
        Cow::Owned(full)
    }

    /// Whether it is, or belongs to, an image service.
    #[must_use]
    pub fn is_image_service(&self) -> bool {
        !matches!(self.kind, ResourceKind::Content)
    }

    /// Another resource below the same base, as a whole.
    #[must_use]
    pub(crate) fn sibling<'b>(&'b self, identifier: &'b str) -> Resource<'b> {
        let kind = if self.is_image_service() {
            ResourceKind::ImageService
        } else {
            ResourceKind::Content
        };
        // One that is no identifier here leads to a path that is refused.
        let split =
            self.spelling.has_parts().then(|| part::split(identifier, false).ok()).flatten();
        let (identifier, part) = split.unwrap_or((identifier, Part::default()));
        let sibling = Resource::new(&*self.base, identifier, kind, &*self.content_type)
            .written_as(self.spelling.clone(), part);
        let url = matches!(self.spelling, Spelling::Url { .. });
        match url.then(|| url_identifier::for_rules(identifier)).flatten() {
            Some(plain) => sibling.called(Cow::Owned(plain)),
            None => sibling,
        }
    }

    /// What `other` asks for, of this resource.
    #[must_use]
    pub(crate) fn same_part_as(self, other: &Self) -> Self {
        Self { kind: other.kind.clone(), ..self }
    }

    /// The image service that an image or a description belongs to.
    #[must_use]
    pub(crate) fn whole(self) -> Self {
        Self { kind: ResourceKind::ImageService, ..self }
    }

    /// The same resource, owning its parts.
    #[must_use]
    pub fn into_owned(self) -> Resource<'static> {
        Resource {
            base: Cow::Owned(self.base.into_owned()),
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
