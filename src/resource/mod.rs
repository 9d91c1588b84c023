//! **What** is asked for: from a request's path to the resource it names.
//!
//! A [`ResourceMap`] reads paths. Two are in the box: [`ImageApi`] for the IIIF Image API and
//! [`Files`] for everything else (sound, video, PDF, gRPC methods). A path that could be read in
//! two ways is never guessed at: it is refused with 400, so that the resource which was decided on
//! is the one the wrapped server answers with.

mod encoding;
mod families;
mod files;
mod image_api;
mod image_request;
mod pattern;

use std::borrow::Cow;

use http::StatusCode;

pub use families::Families;
pub use files::Files;
pub use image_api::ImageApi;
pub use image_request::ImageRequest;
pub use pattern::Pattern;

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

    /// Which families of the specification are spoken below the base. Default: 2.0.
    fn families(&self) -> Families {
        Families::default()
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
            Self::Unknown => StatusCode::NOT_FOUND,
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
        }
    }

    /// The base path it lies below, such as `/iiif/3`.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Its identifier, percent-decoded once: `dir/page 1` for `dir%2Fpage%201`.
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

    /// The path that names it as a whole, in its one canonical spelling: the base URI of an image
    /// service, the URI of any other resource.
    #[must_use]
    pub fn path(&self) -> String {
        let whole = !matches!(self.kind, ResourceKind::Content);
        format!("{}/{}", self.base, encoding::encode(&self.identifier, whole))
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
        Resource::new(&*self.base, identifier, kind, &*self.content_type)
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
        }
    }
}
