//! **What** is asked for: from a request's path to the resource it names.
//!
//! A [`ResourceMap`] reads paths. Two are in the box: [`ImageApi`] for the IIIF Image API and
//! [`Files`] for everything else (sound, video, PDF, gRPC methods). A path that could be read in
//! two ways is never guessed at: it is refused with 400, so that the resource which was decided on
//! is the one the wrapped server answers with.

mod assert;
mod decode;
mod dialect;
mod encoding;
mod families;
mod files;
mod image_api;
mod image_request;
mod located;
mod named;
mod part;
mod pattern;
mod pattern_marks;
mod pattern_tree;
mod patterns;
mod plain;
mod read_name;
mod scale;
mod shape;
mod spelling;
mod url_identifier;

use std::fmt;

use http::StatusCode;

pub use assert::assert_unambiguous;
pub use decode::{decode_path, decode_segment};
pub use dialect::Dialect;
pub use families::Families;
pub use files::Files;
pub use image_api::ImageApi;
pub use image_request::ImageRequest;
pub use located::Resource;
pub use named::Named;
pub use pattern::Pattern;
pub use patterns::Patterns;

pub(crate) use encoding::{ambiguous_path, without_parameters};

/// Reads what follows a base as resources.
///
/// The layers take the base away, ask, and put it in again: a map knows no path but its own part.
///
/// # What it has to keep
///
/// - **One name.** What it finds has one identifier, however it was spelled: [`decode_segment`] and
///   [`decode_path`] read a spelling as every server does, and refuse what servers read in different ways.
/// - **There and back.** The path of what it found ([`Resource::path`], with the base taken away) is found
///   again as the same: the probe of a resource is asked for by that path. Where it is not, no viewer is
///   shown the resource.
///
/// [`assert_unambiguous`] checks both in the application's tests.
///
/// # Example
///
/// An application that keeps sound recordings at `/play/{number}`:
///
/// ```
/// use tower_iiif_auth::resource::{
///     Named, Refusal, ResourceKind, ResourceMap, assert_unambiguous, decode_segment,
/// };
///
/// #[derive(Debug)]
/// struct Recordings;
///
/// impl ResourceMap for Recordings {
///     fn base(&self) -> &str {
///         "/play"
///     }
///
///     fn find<'a>(&'a self, below: &'a str) -> Result<Named<'a>, Refusal> {
///         let number = decode_segment(below)?;
///         if !number.bytes().all(|byte| byte.is_ascii_digit()) {
///             return Err(Refusal::Unknown);
///         }
///         Ok(Named::new(number, ResourceKind::Content, "Sound"))
///     }
/// }
///
/// assert_unambiguous(&Recordings, ["/play/7", "/play/%34%32"]);
/// ```
pub trait ResourceMap: Send + Sync + 'static {
    /// The path below which all of this map's resources lie, without a slash at its end.
    fn base(&self) -> &str;

    /// What is named by `below`: what follows the base and a slash in a URI's path, as it came in, still
    /// percent-encoded. It may be empty.
    ///
    /// It is asked for every request below the base, twice where it [may be](Self::may_be_information) for a
    /// description, and must not block. A panic refuses the request with 503.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] that the request is answered with, so that a shape which the map does not know is
    /// never open. Of what is [`Unknown`](Refusal::Unknown) and could be read in two ways besides it is said
    /// that it is [`Ambiguous`](Refusal::Ambiguous).
    fn find<'a>(&'a self, below: &'a str) -> Result<Named<'a>, Refusal>;

    /// Whether `below` may be of an [information document](ResourceKind::ImageInformation). `false` spares
    /// the describer the look at a tile; said of a document it leaves that undescribed. Default: `true`.
    fn may_be_information(&self, below: &str) -> bool {
        let _ = below;
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

/// Why a path below a base names nothing that is sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// It could be read in more than one way, or it asks for an image by a region, size or rotation that is none
    /// (Image API 3.0 §7): 400.
    Ambiguous,
    /// It has no known shape: 404.
    Unknown,
    /// It lies below an Image API base and has not the segments of an image: 404, and a line that says
    /// what an identifier may look like.
    Shape,
    /// It cannot be told now, as when a map panics: 503.
    Unavailable,
    /// Its identifier is longer than
    /// [`max_identifier_bytes`](crate::Limits::max_identifier_bytes): 400.
    TooLong,
}

impl Refusal {
    /// What the request is answered with.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Ambiguous | Self::TooLong => StatusCode::BAD_REQUEST,
            Self::Unknown | Self::Shape => StatusCode::NOT_FOUND,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ambiguous => "the path can be read in more than one way",
            Self::Unknown => "the path names no resource",
            Self::Shape => "the path has not the segments of an image",
            Self::Unavailable => "what the path names cannot be told now",
            Self::TooLong => "the identifier is too long",
        })
    }
}

impl std::error::Error for Refusal {}

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
