use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Method, Request, Response, StatusCode};
use tower_service::Service;

use super::{LogoutFuture, end};
use crate::aspect::Head;
use crate::body::ResponseBody;
use crate::core::Core;
use crate::fetch_metadata::{is_made_here, is_opened_in_tab, is_speculative, not_yet};
use crate::respond;
use crate::walk::{Station, comes_by};

/// Answers logout requests and passes on everything else; see the [module](crate::logout).
#[derive(Clone, Debug)]
pub struct Logout<S> {
    inner: S,
    core: Arc<Core>,
}

impl<S> Logout<S> {
    pub(super) fn new(inner: S, core: Arc<Core>) -> Self {
        Self { inner, core }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Logout<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = LogoutFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        comes_by(&request, Station::Logout, &*self.core);
        let core = &self.core;
        let path = request.uri().path();
        let Some(realm) = core.logout_at(path) else {
            return LogoutFuture::inner(self.inner.call(request));
        };
        let headers = request.headers();
        match *request.method() {
            // Nobody has logged out yet.
            _ if is_speculative(headers) => LogoutFuture::own(not_yet()),
            // An image or frame of a foreign page ends nobody's session.
            Method::GET | Method::POST
                if !is_opened_in_tab(headers)
                    && !is_made_here(core.public_url.origin(), headers) =>
            {
                LogoutFuture::own(respond::empty(StatusCode::FORBIDDEN))
            }
            Method::GET | Method::POST => {
                let parts = Head::of(&request).to_parts();
                LogoutFuture::working(end::answer(Arc::clone(core), realm, parts))
            }
            // HEAD is safe: it ends nothing.
            Method::HEAD => LogoutFuture::own(respond::empty(StatusCode::OK)),
            _ => LogoutFuture::own(respond::method_not_allowed("GET, HEAD, POST")),
        }
    }
}
