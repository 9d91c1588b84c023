//! One resource: a name and the base it lies below.

use std::borrow::Cow;
use std::sync::Arc;

use super::part::{self, Part};
use super::spelling::Spelling;
use super::{ImageRequest, Named, Refusal, ResourceKind, ResourceMap, url_identifier};

/// One thing that may be protected, and what was asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource<'a> {
    base: Cow<'a, str>,
    named: Named<'a>,
}

impl<'a> Resource<'a> {
    /// A resource below `base` (a path without a slash at its end), named by its decoded
    /// `identifier`, of a Presentation 3 type such as `Image`, `Video`, `Sound` or `Text`.
    ///
    /// For tests of rules; the layers make theirs of what maps [name](Named).
    ///
    /// # Example
    ///
    /// ```
    /// use tower_iiif_auth::resource::{Resource, ResourceKind};
    ///
    /// let reel = Resource::new("/files", "1923/reel 2.mp4", ResourceKind::Content, "Video");
    /// assert_eq!(reel.path(), "/files/1923/reel%202.mp4");
    /// ```
    #[must_use]
    pub fn new(
        base: impl Into<Cow<'a, str>>,
        identifier: impl Into<Cow<'a, str>>,
        kind: ResourceKind<'a>,
        content_type: impl Into<Cow<'a, str>>,
    ) -> Self {
        Self { base: base.into(), named: Named::new(identifier, kind, content_type) }
    }

    /// What is named, below this base.
    #[inline]
    pub(crate) fn of(base: &'a str, named: Named<'a>) -> Self {
        Self { base: Cow::Borrowed(base), named }
    }

    /// The resource that `path`, a whole path with the base, still percent-encoded, names in `map`: what the
    /// layers decide on.
    ///
    /// A proxy that writes requests anew, or an application that links to its resources, asks it for their
    /// canonical paths.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] of the map; [`Refusal::Unknown`] for a path that does not lie below its base.
    ///
    /// # Example
    ///
    /// ```
    /// use tower_iiif_auth::resource::{ImageApi, Refusal, Resource};
    ///
    /// let map = ImageApi::new("/iiif/3");
    /// let page = Resource::find(&map, "/iiif/3/ms%2f117/info.json")?;
    /// assert_eq!((page.identifier(), &*page.path()), ("ms/117", "/iiif/3/ms%2F117"));
    /// assert_eq!(Resource::find(&map, "/iiif/3/ms/../117").unwrap_err(), Refusal::Ambiguous);
    /// # Ok::<(), Refusal>(())
    /// ```
    pub fn find<M: ResourceMap + ?Sized>(map: &'a M, path: &'a str) -> Result<Self, Refusal> {
        let base = map.base().strip_suffix('/').unwrap_or(map.base());
        let below = path.strip_prefix(base).and_then(|below| below.strip_prefix('/'));
        Ok(Self::of(base, map.find(below.ok_or(Refusal::Unknown)?)?))
    }

    /// The base path it lies below, such as `/iiif/3`.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Its identifier, percent-decoded once, as the base's [`Dialect`](super::Dialect) reads it: `dir/page 1` for
    /// `dir%2Fpage%201`. However it was spelled, it is the same.
    #[must_use]
    pub fn identifier(&self) -> &str {
        self.named.identifier()
    }

    /// What of it is asked for.
    #[must_use]
    pub fn kind(&self) -> &ResourceKind<'a> {
        &self.named.kind
    }

    /// The image asked for, with its region and size; `None` for everything that is no image
    /// request.
    #[must_use]
    pub fn image(&self) -> Option<&ImageRequest<'a>> {
        self.named.image()
    }

    /// Its Presentation 3 type.
    #[must_use]
    pub fn content_type(&self) -> &str {
        &self.named.content_type
    }

    /// The page of a document, counted from one, where the path names one
    /// ([`Dialect::cantaloupe`](super::Dialect::cantaloupe)).
    ///
    /// A page is a picture of its own: it has its own size and its own probe. Its
    /// [`identifier`](Self::identifier) is the document's.
    #[must_use]
    pub fn page(&self) -> Option<u32> {
        let page = self.named.part().page;
        (page > 0).then_some(page)
    }

    /// The scale of the picture as numerator and denominator, where the path names one
    /// ([`Dialect::cantaloupe`](super::Dialect::cantaloupe)).
    #[must_use]
    pub fn scale(&self) -> Option<(u32, u32)> {
        let scale = self.named.part().scale;
        (scale.0 > 0).then_some(scale)
    }

    /// The path that names it as a whole, in its one canonical spelling: the base URI of an image
    /// service, the URI of any other resource.
    #[must_use]
    pub fn path(&self) -> String {
        [&*self.base, "/", &*self.named.write()].concat()
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
    /// use tower_iiif_auth::resource::{ImageApi, Resource};
    ///
    /// let map = ImageApi::new("/iiif/3");
    /// let image = Resource::find(&map, "/iiif/3/m%73%2f117/full/^max/0/default.jpg")?;
    /// assert_eq!(image.request_path(), "/iiif/3/ms%2F117/full/%5Emax/0/default.jpg");
    /// # Ok::<(), tower_iiif_auth::resource::Refusal>(())
    /// ```
    #[must_use]
    pub fn request_path(&self) -> String {
        let mut path = self.path();
        match &self.named.kind {
            ResourceKind::Image(image) => {
                path.push('/');
                path.push_str(&image.write());
            }
            ResourceKind::ImageInformation => path.push_str("/info.json"),
            ResourceKind::ImageService | ResourceKind::Content => {}
        }
        path
    }

    /// The identifier with its page and scale, decoded: what [`sibling`](Self::sibling) reads.
    pub(crate) fn full_identifier(&self) -> Cow<'_, str> {
        self.named.full_identifier()
    }

    /// Whether it is, or belongs to, an image service.
    #[must_use]
    pub fn is_image_service(&self) -> bool {
        !matches!(self.named.kind, ResourceKind::Content)
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
            self.named.spelling.has_parts().then(|| part::split(identifier, false).ok()).flatten();
        let (identifier, part) = split.unwrap_or((identifier, Part::default()));
        let mut sibling = Named::new(identifier, kind, self.content_type()).with_part(part);
        sibling.spelling = self.named.spelling.clone();
        let url = matches!(self.named.spelling, Spelling::Url { .. });
        Resource::of(
            &self.base,
            match url.then(|| url_identifier::for_rules(identifier)).flatten() {
                Some(plain) => sibling.called(Cow::Owned(plain)),
                None => sibling,
            },
        )
    }

    /// The same resource, to which these access services lead and no others, if it is said.
    #[must_use]
    pub(crate) fn through(mut self, services: Option<&Arc<[Box<str>]>>) -> Self {
        if let Some(services) = services {
            self.named = self.named.through(Arc::clone(services));
        }
        self
    }

    /// The names of the access services that lead to it, where its rule says them.
    pub(crate) fn services(&self) -> Option<&[Box<str>]> {
        self.named.services()
    }

    /// What `other` asks for, of this resource.
    #[must_use]
    pub(crate) fn same_part_as(mut self, other: &Self) -> Self {
        self.named.kind = other.named.kind.clone();
        self
    }

    /// What its own path names, borrowing its parts.
    pub(crate) fn to_whole(&self) -> Resource<'_> {
        let kind = if self.is_image_service() {
            ResourceKind::ImageService
        } else {
            ResourceKind::Content
        };
        Resource { base: Cow::Borrowed(&self.base), named: self.named.lent(kind) }
    }

    /// The image service that an image or a description belongs to.
    #[must_use]
    pub(crate) fn whole(mut self) -> Self {
        self.named.kind = ResourceKind::ImageService;
        self
    }

    /// The same resource, owning its parts.
    #[must_use]
    pub fn into_owned(self) -> Resource<'static> {
        Resource { base: Cow::Owned(self.base.into_owned()), named: self.named.into_owned() }
    }
}
