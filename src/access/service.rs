use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::access_flow::AccessFlow;
use super::context::Context;
use super::endpoint::Endpoint;
use super::future::SetAccessCookieFuture;
use super::opening::open;
use super::terms_and_kiosks::{at_once, click_through, grants_at_once};
use super::to_login::to_login;
use crate::answer::BoxError;
use crate::body::ResponseBody;
use crate::config::Page;
use crate::core::Core;
use crate::fetch_metadata::{is_speculative, not_yet};
use crate::future::ResponseFuture;
use crate::protocol::Family;
use crate::walk::{Station, comes_by};

/// Turns grants of `S` into access cookies; see the [module](crate::access).
#[derive(Clone, Debug)]
pub struct SetAccessCookie<S> {
    inner: S,
    core: Arc<Core>,
}

impl<S> SetAccessCookie<S> {
    pub(super) fn new(inner: S, core: Arc<Core>) -> Self {
        Self { inner, core }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for SetAccessCookie<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ReqBody: Body + Send + 'static,
    ReqBody::Data: Send,
    ReqBody::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = SetAccessCookieFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        comes_by(&request, Station::SetAccessCookie, &*self.core);
        let core = &self.core;
        let path = request.uri().path();
        // Content goes by: it neither logs in nor pays for those who do.
        if core.is_content(path) {
            return SetAccessCookieFuture::settled(ResponseFuture::inner(self.inner.call(request)));
        }
        if is_speculative(request.headers()) && is_of_login(core, path) {
            return SetAccessCookieFuture::own(not_yet());
        }
        let now = core.now();
        let mut context = Context::of(core, &request, now);
        if let Some(endpoint) = Endpoint::at(core, path) {
            return SetAccessCookieFuture::answered(endpoint.answer(context, request.into_body()));
        }
        let mut remember = None;
        if let Some((service, family)) = core.access_at(path) {
            match open(&mut context, service, family) {
                Ok(flow) => remember = flow,
                Err(response) => return SetAccessCookieFuture::own(*response),
            }
            match (core.access[service].page(), family) {
                (Page::ClickThrough(terms), Family::V2) => {
                    let body = request.into_body();
                    return SetAccessCookieFuture::answered(click_through(
                        context, service, terms, body,
                    ));
                }
                (page, family) if grants_at_once(page, family) => {
                    return SetAccessCookieFuture::answered(at_once(context, service));
                }
                (Page::Application, Family::V1 | Family::V09) => {
                    return SetAccessCookieFuture::own(to_login(&context, service, remember));
                }
                _ => {}
            }
        }
        if let Some(flow) = AccessFlow::of(&context, now) {
            request.extensions_mut().insert(flow);
        }
        SetAccessCookieFuture::watched(self.inner.call(request), context, remember)
    }
}

/// Whether a path is an endpoint of this layer's, an access service, or a step of a login: what is done
/// there is done once.
fn is_of_login(core: &Core, path: &str) -> bool {
    Endpoint::at(core, path).is_some()
        || core.access_at(path).is_some()
        || core.access.iter().any(|access| access.covers(path))
}
