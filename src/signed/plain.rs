//! A request below a signed location as the wrapped service sees it.

use http::header::{REFERER, REFERRER_POLICY};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Request, Uri};

use crate::core::{Core, SignedPath};

/// What is taken out of a request below a signed location.
#[derive(Clone)]
pub(crate) struct SignedRequest {
    pub(crate) capability: String,
    /// Without it.
    pub(crate) uri: Uri,
}

impl SignedRequest {
    /// `None` for a path that is none without what was sealed.
    pub(crate) fn of(signed: SignedPath<'_>, uri: &Uri) -> Option<Self> {
        let target = match uri.query() {
            Some(query) => PathAndQuery::try_from(format!("{}?{query}", signed.plain)),
            None => PathAndQuery::try_from(signed.plain),
        };
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(target.ok()?);
        let uri = Uri::from_parts(parts).ok()?;
        Some(Self { capability: signed.capability.to_owned(), uri })
    }

    /// Takes it out of the request: the path is the ordinary one, and nothing else says it.
    pub(crate) fn strip<B>(&self, core: &Core, request: &mut Request<B>) {
        *request.uri_mut() = self.uri.clone();
        let place = core.endpoints.signed().as_bytes();
        let names = |value: &HeaderValue| {
            value.as_bytes().windows(place.len()).any(|window| window == place)
        };
        if request.headers().get_all(REFERER).iter().any(names) {
            request.headers_mut().remove(REFERER);
        }
    }
}

/// Keeps browsers from telling others the address of what they show.
pub(crate) fn no_referrer(headers: &mut HeaderMap) {
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}
