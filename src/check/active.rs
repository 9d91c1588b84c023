//! What users deposit must not run as a page of this site, where it could ask the token service for a
//! token with the reader's cookies, and read what the reader may see.
//!
//! Content below a base is never sniffed (`X-Content-Type-Options: nosniff`), and what a browser might
//! run, or what is of no sure type, is shown as a page of nobody's (`Content-Security-Policy: sandbox`):
//! with an origin of its own, without scripts and forms. In the `<img>` of a page SVG shows as ever.

use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

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

/// What the inner service's headers say of the content.
pub(super) struct Content {
    typed: bool,
    /// Whether each type that is named is of what does not run.
    passive: bool,
    nosniff: bool,
    sandboxed: bool,
    /// Whether a service worker would get more.
    allowing: bool,
}

impl Content {
    pub(super) const fn unknown() -> Self {
        Self { typed: false, passive: true, nosniff: false, sandboxed: false, allowing: false }
    }

    /// Takes note of a header, if it is one that says of the content.
    #[inline]
    pub(super) fn look(&mut self, name: &HeaderName, value: &mut HeaderValue) -> bool {
        if *name == CONTENT_TYPE {
            self.typed = true;
            self.passive &= is_passive(value);
        } else if *name == X_CONTENT_TYPE_OPTIONS {
            self.nosniff = true;
            *value = NOSNIFF.clone();
        } else if *name == CONTENT_SECURITY_POLICY {
            self.sandboxed |= *value == SANDBOX;
        } else if name.as_str() == SERVICE_WORKER_ALLOWED {
            self.allowing = true;
        } else {
            return false;
        }
        true
    }

    /// Adds what is missing.
    #[inline]
    pub(super) fn keep_still(&self, status: StatusCode, headers: &mut HeaderMap) {
        let passive = self.typed && self.passive;
        if !self.nosniff {
            // In what is a picture browsers look for other pictures at the most: for that a header map
            // that is just full is not made larger.
            if !passive || headers.len() < headers.capacity() {
                headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF.clone());
            }
        }
        if self.allowing {
            headers.remove(SERVICE_WORKER_ALLOWED);
        }
        // What has no type and no body of its own would say it of what the browser has already.
        let is_of_another = !self.typed && status == StatusCode::NOT_MODIFIED;
        if !passive && !self.sandboxed && !is_of_another {
            // A further policy: it holds beside those that are there.
            headers.append(CONTENT_SECURITY_POLICY, SANDBOX.clone());
        }
    }
}

/// The same for a response that is passed on as it is otherwise.
#[inline]
pub(super) fn keep_still(status: StatusCode, headers: &mut HeaderMap) {
    let mut content = Content::unknown();
    for (name, value) in headers.iter_mut() {
        content.look(name, value);
    }
    content.keep_still(status, headers);
}

#[inline]
fn is_passive(value: &HeaderValue) -> bool {
    // Nearly every tile.
    *value == "image/jpeg" || MediaType::of(value).is_some_and(MediaType::is_passive)
}
