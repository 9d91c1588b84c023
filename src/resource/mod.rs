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
mod named;
mod part;
mod pattern;
mod pattern_marks;
mod pattern_tree;
mod patterns;
mod plain;
mod scale;
mod shape;
mod spelling;
mod url_identifier;

use http::StatusCode;

pub use dialect::Dialect;
pub use families::Families;
pub use files::Files;
pub use image_api::ImageApi;
pub use image_request::ImageRequest;
pub use named::Resource;
pub use pattern::Pattern;
pub use patterns::Patterns;

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
    /// [`max_identifier_bytes`](crate::Limits::max_identifier_bytes): 400.
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
