//! What users deposit must not run as a page of this site, where it could ask the token service for a
//! token with the reader's cookies, and read what the reader may see.
//!
//! Content below a base is never sniffed (`X-Content-Type-Options: nosniff`), and what a browser might
//! run, or what is of no sure type, is shown as a page of nobody's (`Content-Security-Policy: sandbox`):
//! with an origin of its own, without scripts and forms. In the `<img>` of a page SVG shows as ever. A
//! tile that says that it is a picture needs neither: browsers look for no more than another picture in
//! it.

use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::core::Core;
use crate::media_type::MediaType;
use crate::resource::{Resource, ResourceKind};

static NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
static SANDBOX: HeaderValue = HeaderValue::from_static("sandbox");

/// Sent with the script of a service worker, and with nothing else (Service Workers, "Update"). It would
/// see every request of a part of this site, logins among them.
const SERVICE_WORKER: HeaderName = HeaderName::from_static("service-worker");
/// Gives such a script more of the site.
const SERVICE_WORKER_ALLOWED: &str = "service-worker-allowed";

/// Whether a browser asks for a file to have it watch over this site. Image services have no scripts.
#[inline]
pub(super) fn is_service_worker(resource: &Resource<'_>, headers: &HeaderMap) -> bool {
    matches!(resource.kind(), ResourceKind::Content) && headers.contains_key(SERVICE_WORKER)
}

/// How far a response is kept from running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Still {
    /// Not at all: the publisher says so, or it is the application's own.
    #[default]
    No,
    /// A tile, of which only that is looked at what is no picture.
    Tile,
    Content,
}

impl Still {
    #[inline]
    pub(super) fn of(core: &Core, resource: &Resource<'_>) -> Self {
        if !core.keeps_still(resource) {
            Self::No
        } else if matches!(resource.kind(), ResourceKind::Image(_)) {
            Self::Tile
        } else {
            Self::Content
        }
    }

    /// Sees to a response that is passed on as it is otherwise.
    #[inline]
    pub(super) fn apply(self, status: StatusCode, headers: &mut HeaderMap) {
        match self {
            Self::No => {}
            Self::Tile if is_one_picture(headers) => {}
            Self::Tile | Self::Content => keep_headers_still(self, status, headers),
        }
    }

    /// The same where it is known what the `Content-Type` says.
    #[inline]
    pub(super) fn apply_to(self, kind: Kind, status: StatusCode, headers: &mut HeaderMap) {
        match self {
            Self::No => {}
            Self::Tile if kind == Kind::Passive => {}
            Self::Tile | Self::Content => keep_headers_still(self, status, headers),
        }
    }
}

/// Whether that is said for sure: where no header stands twice its type does not either.
#[inline]
fn is_one_picture(headers: &HeaderMap) -> bool {
    // It stands among the first, so that a look at each costs less than to look it up.
    headers.len() == headers.keys_len()
        && headers
            .iter()
            .find(|(name, _)| **name == CONTENT_TYPE)
            .is_some_and(|(_, value)| is_passive(value))
}

/// What the inner service's headers say of the content.
struct Content {
    kind: Kind,
    sniffing: Sniffing,
    sandboxed: bool,
    /// Whether a service worker would get more.
    allowing: bool,
}

/// What the `Content-Type` says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Unsaid,
    /// Each type that is named is of what does not run.
    Passive,
    Active,
}

impl Kind {
    /// This and one more `Content-Type` field.
    #[inline]
    pub(super) fn and(self, value: &HeaderValue) -> Self {
        if self != Self::Active && is_passive(value) { Self::Passive } else { Self::Active }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sniffing {
    Unsaid,
    Forbidden,
    /// Said in a way that forbids nothing.
    Unclear,
}

impl Content {
    const fn unknown() -> Self {
        let (kind, sniffing) = (Kind::Unsaid, Sniffing::Unsaid);
        Self { kind, sniffing, sandboxed: false, allowing: false }
    }

    /// Takes note of a header, if it is one that says of the content.
    fn look(&mut self, name: &HeaderName, value: &HeaderValue) {
        if *name == CONTENT_TYPE {
            self.kind = self.kind.and(value);
        } else if *name == X_CONTENT_TYPE_OPTIONS {
            // Of several the first counts to browsers.
            if self.sniffing == Sniffing::Unsaid {
                let forbids = value.as_bytes().eq_ignore_ascii_case(b"nosniff");
                self.sniffing = if forbids { Sniffing::Forbidden } else { Sniffing::Unclear };
            }
        } else if *name == CONTENT_SECURITY_POLICY {
            self.sandboxed |= *value == SANDBOX;
        } else if name.as_str() == SERVICE_WORKER_ALLOWED {
            self.allowing = true;
        }
    }

    /// Adds what is missing.
    fn keep_still(&self, still: Still, status: StatusCode, headers: &mut HeaderMap) {
        let passive = self.kind == Kind::Passive;
        if passive && still == Still::Tile {
            return;
        }
        // In what is a picture browsers look for other pictures at the most: for that a header map that
        // is just full is not made larger.
        let has_room = || headers.len() < headers.capacity();
        if self.sniffing != Sniffing::Forbidden && (!passive || has_room()) {
            headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF.clone());
        }
        if self.allowing {
            headers.remove(SERVICE_WORKER_ALLOWED);
        }
        // What has no type and no body of its own would say it of what the browser has already.
        let is_of_another = self.kind == Kind::Unsaid && status == StatusCode::NOT_MODIFIED;
        if !passive && !self.sandboxed && !is_of_another {
            // A further policy: it holds beside those that are there.
            headers.append(CONTENT_SECURITY_POLICY, SANDBOX.clone());
        }
    }
}

/// Keeps a response from running in browsers as a page of this site, as [`Check`](super::Check) does with
/// content below a base: for what an application passes on from elsewhere at other paths, such as a
/// proxy's public ones.
///
/// It gets `X-Content-Type-Options: nosniff` and, unless it is an image (not SVG), sound, video, PDF or
/// JSON, `Content-Security-Policy: sandbox` as a further policy; `Service-Worker-Allowed` is left out.
/// Refuse requests with the header `Service-Worker` beside.
///
/// # Example
///
/// ```
/// use http::Response;
/// use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
/// use tower_iiif_auth::check::keep_still;
///
/// let mut page = Response::builder().header(CONTENT_TYPE, "text/html").body("<script>…").unwrap();
/// keep_still(&mut page);
/// assert_eq!(page.headers()[CONTENT_SECURITY_POLICY], "sandbox");
/// ```
pub fn keep_still<B>(response: &mut Response<B>) {
    keep_headers_still(Still::Content, response.status(), response.headers_mut());
}

#[inline(never)]
fn keep_headers_still(still: Still, status: StatusCode, headers: &mut HeaderMap) {
    let mut content = Content::unknown();
    for (name, value) in &*headers {
        content.look(name, value);
    }
    content.keep_still(still, status, headers);
}

#[inline]
fn is_passive(value: &HeaderValue) -> bool {
    // Nearly every tile.
    value.as_bytes() == b"image/jpeg" || is_passive_by_name(value)
}

#[inline(never)]
fn is_passive_by_name(value: &HeaderValue) -> bool {
    // Most descriptions.
    value.as_bytes() == b"application/json"
        || MediaType::of(value).is_some_and(MediaType::is_passive)
}
