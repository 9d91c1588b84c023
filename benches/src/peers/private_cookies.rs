//! axum-extra's `PrivateCookieJar` and tower-cookies' private cookies: the session as JSON, sealed in
//! a cookie.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum_extra::extract::cookie::{Cookie, Key, PrivateCookieJar};
use http::{HeaderMap, Request, Response, StatusCode};
use tower::{Layer, Service};
use tower_cookies::{CookieManagerLayer, Cookies};

use super::PeerSession;
use crate::images::Images;
use crate::request::{TILE, Template, repeat};

const NAME: &str = "session";

/// What was found out about a request.
pub(super) trait Found {
    /// Whether it opens the tile.
    fn may(&self) -> bool;
}

impl Found for PeerSession {
    fn may(&self) -> bool {
        Self::may(self)
    }
}

/// The session was asked already.
impl Found for bool {
    fn may(&self) -> bool {
        *self
    }
}

/// Lets a request through whose session may: an unboxed layer, as kind to the peer as can be.
pub(super) struct Allow<F> {
    find: Arc<F>,
    images: Images,
}

impl<F> Allow<F> {
    pub(super) fn new(find: F, images: Images) -> Self {
        Self { find: Arc::new(find), images }
    }
}

impl<F> Clone for Allow<F> {
    fn clone(&self) -> Self {
        Self { find: self.find.clone(), images: self.images.clone() }
    }
}

impl<F, T> Service<Request<Body>> for Allow<F>
where
    F: Fn(&Request<Body>) -> Option<T>,
    T: Found,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if (self.find)(&request).is_some_and(|found| found.may()) {
            return self.images.call(request);
        }
        let mut refusal = Response::new(Body::empty());
        *refusal.status_mut() = StatusCode::UNAUTHORIZED;
        ready(Ok(refusal))
    }
}

/// A cookie header that both peers read, with `foreign` other cookies of 40 bytes before it.
fn sealed(key: &Key, roles: &[&str], foreign: usize) -> String {
    let json = serde_json::to_string(&PeerSession::with(roles)).expect("JSON");
    let jar = PrivateCookieJar::from_headers(&HeaderMap::new(), key.clone());
    let jar = jar.add(Cookie::new(NAME, json));
    let response = axum::response::IntoResponse::into_response(jar);
    let set = response.headers()["set-cookie"].to_str().expect("text");
    let own = set.split(';').next().expect("a pair");
    crate::cases::after_foreign_cookies(foreign, 40, own)
}

/// `PrivateCookieJar`, which opens every cookie that comes along.
pub fn private_cookie_jar(roles: &[&str], foreign: usize) -> impl FnMut() + use<> {
    let key = Key::generate();
    let request = Template::get(TILE).header("cookie", &sealed(&key, roles, foreign));
    let find = move |request: &Request<Body>| {
        let jar = PrivateCookieJar::from_headers(request.headers(), key.clone());
        serde_json::from_str::<PeerSession>(jar.get(NAME)?.value()).ok()
    };
    repeat(Allow::new(find, Images::small()), request, StatusCode::OK)
}

/// `CookieManagerLayer` and `Cookies::private`.
pub fn tower_cookies(foreign: usize) -> impl FnMut() {
    let key = Key::generate();
    let request = Template::get(TILE).header("cookie", &sealed(&key, crate::cases::ROLES, foreign));
    let key = tower_cookies::Key::from(key.master());
    let find = move |request: &Request<Body>| {
        let cookies: &Cookies = request.extensions().get()?;
        serde_json::from_str::<PeerSession>(cookies.private(&key).get(NAME)?.value()).ok()
    };
    let service = CookieManagerLayer::new().layer(Allow::new(find, Images::small()));
    repeat(service, request, StatusCode::OK)
}
