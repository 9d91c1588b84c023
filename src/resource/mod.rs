//! **What** is asked for: from a request's path to the resource it names.
//!
//! A [`ResourceMap`] reads paths. Two are in the box: [`ImageApi`] for the IIIF Image API and
//! [`Files`] for everything else (sound, video, PDF, gRPC methods). A path that could be read in
//! two ways is never guessed at: it is refused with 400, so that the resource which was decided on
//! is the one the wrapped server answers with.

mod dialect;
mod encoding;
mod families;
mod files;
mod image_api;
mod image_request;
mod part;
mod pattern;
mod pattern_marks;
mod pattern_tree;
mod patterns;
mod scale;
mod shape;
mod url_identifier;

use std::borrow::Cow;
use std::mem;

use http::StatusCode;

pub use dialect::Dialect;
pub use families::Families;
pub use files::Files;
pub use image_api::ImageApi;
pub use image_request::ImageRequest;
pub use pattern::Pattern;
pub use patterns::Patterns;

use dialect::Spelling;
use part::Part;

pub(crate) use encoding::{ambiguous_path, without_parameters};

/// Reads paths as resources.
///
/// # Example
///
/// An application that keeps sound recordings at `/play/{number}`:
///
/// ```
/// use tower_iiif_auth::resource::{Match, Resource, ResourceKind, ResourceMap};
///
/// #[derive(Debug)]
/// struct Recordings;
///
/// impl ResourceMap for Recordings {
///     fn base(&self) -> &str {
///         "/play"
///     }
///
///     fn find<'a>(&'a self, path: &'a str) -> Match<'a> {
///         match path.strip_prefix("/play/") {
///             Some(number) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => {
///                 Match::Found(Resource::new("/play", number, ResourceKind::Content, "Sound"))
///             }
///             _ => Match::Elsewhere,
///         }
///     }
/// }
/// ```
pub trait ResourceMap: Send + Sync + 'static {
    /// The path below which all of this map's resources lie, without a slash at its end.
    ///
    /// [`Match::Elsewhere`] for a path below it is answered with 404, so that a shape which the map
    /// does not know is never open.
    fn base(&self) -> &str;

    /// What `path` names: a URI's path as it came in, still percent-encoded.
    ///
    /// It is asked for every request, twice where it [may be](Self::may_be_information) for a description,
    /// and must not block. A panic refuses the request with 503.
    fn find<'a>(&'a self, path: &'a str) -> Match<'a>;

    /// Whether `path` may be of an [information document](ResourceKind::ImageInformation). `false` spares
    /// the describer the look at a tile; said of a document it leaves that undescribed. Default: `true`.
    fn may_be_information(&self, path: &str) -> bool {
        let _ = path;
        true
    }

    /// How the server behind reads identifiers, where that is known: it is checked when the configuration
    /// is built, and told to operators. Default: not known.
    fn dialect(&self) -> Option<&Dialect> {
        None
    }

    /// Which families of the specification are spoken below the base. Default: 2.0.
    fn families(&self) -> Families {
        Families::default()
    }

    /// Whether content below the base may run in browsers as a page of this site: HTML, SVG and XML with
    /// their scripts, also error pages. Default: `false`.
    ///
    /// Where users deposit files, `true` lets each of them read what every reader of the file may see,
    /// and take tokens in the reader's name. What users deposit belongs on another host.
    fn insecure_active_content(&self) -> bool {
        false
    }
}

/// What a path names.
#[derive(Debug)]
pub enum Match<'a> {
    /// This resource.
    Found(Resource<'a>),
    /// Nothing of this map's.
    Elsewhere,
    /// Nothing, or nothing that is sure; answered with this status.
    Refused(Refusal),
}

/// Why a path below a base names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// It could be read in more than one way: 400.
    Ambiguous,
    /// It has no known shape: 404.
    Unknown,
    /// It lies below an Image API base and has not the segments of an image: 404, and a line that says
    /// what an identifier may look like.
    Shape,
    /// It can not be told now, as when a map panics: 503.
    Unavailable,
    /// Its identifier is longer than
    /// [`longest_identifier`](crate::IiifAuthBuilder::longest_identifier): 400.
    TooLong,
}

impl Refusal {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Ambiguous | Self::TooLong => StatusCode::BAD_REQUEST,
            Self::Unknown | Self::Shape => StatusCode::NOT_FOUND,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

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

/// What of a resource a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResourceKind<'a> {
    /// An image service as a whole: its base URI.
    ImageService,
    /// An image service's information document, `info.json` in the Image API.
    ///
    /// [`Describe`](crate::describe::Describe) puts the services in, wherever the map says it is. In 2.0
    /// everyone may read it; where 1.0 or 0.9 are spoken `Describe` also decides on its status.
    /// [`Check`](crate::check::Check) lets GET and HEAD through without asking in any case: alone it
    /// answers 200, which tells a client of 1.0 or 0.9 that its user is in.
    ImageInformation,
    /// One image of an image service: a tile, a thumbnail, the whole.
    Image(ImageRequest<'a>),
    /// A content resource that is no image service: a file, a stream, a gRPC method.
    Content,
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
    fn written_as(mut self, spelling: Spelling<'a>, part: Part) -> Self {
        self.spelling = spelling;
        self.part = part;
        self
    }

    /// The same under another name for the rules.
    fn called(mut self, identifier: Cow<'a, str>) -> Self {
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
    pub(crate) fn same_part_as(self, other: &Resource<'a>) -> Self {
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
