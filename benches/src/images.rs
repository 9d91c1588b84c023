//! The image server behind the layers: it does nothing, so that what the layers cost shows most.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, LAST_MODIFIED,
    VARY,
};
use http::{Request, Response};
use tower::Service;

/// Answers every request with the same body and four headers.
#[derive(Clone, Debug)]
pub struct Images {
    content_type: &'static str,
    body: Bytes,
    private: bool,
}

impl Images {
    /// A tile of a few bytes.
    #[must_use]
    pub fn small() -> Self {
        Self { content_type: "image/jpeg", body: Bytes::from_static(b"a tile"), private: false }
    }

    /// A tile of `bytes` bytes.
    #[must_use]
    pub fn of(bytes: usize) -> Self {
        Self { content_type: "image/jpeg", body: vec![0x5a; bytes].into(), private: false }
    }

    /// An `info.json` of this text.
    #[must_use]
    pub fn description(text: String) -> Self {
        Self { content_type: "application/json", body: text.into(), private: false }
    }

    /// The same with the headers that the checker gives to a tile.
    #[must_use]
    pub fn private(mut self) -> Self {
        self.private = true;
        self
    }
}

impl Service<Request<Body>> for Images {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        let mut response = Response::new(Body::from(self.body.clone()));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        let (public, private) = ("public, max-age=86400", "private, max-age=14400");
        let control = if self.private { private } else { public };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(control));
        headers.insert(ETAG, HeaderValue::from_static("\"5d8c72a5edda8d6a\""));
        let modified = HeaderValue::from_static("Wed, 11 Nov 2026 11:11:11 GMT");
        headers.insert(LAST_MODIFIED, modified);
        if self.private {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            headers.insert(VARY, HeaderValue::from_static("Cookie"));
        }
        ready(Ok(response))
    }
}
