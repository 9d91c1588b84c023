use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::decide::decide;
use super::future::CheckFuture;
use crate::answer::Answer;
use crate::aspect::Head;
use crate::body::ResponseBody;
use crate::core::Core;

/// Lets allowed requests through to `S`; see the [module](crate::check).
///
/// A response that needed a session becomes private to its user: `Cache-Control: private` with an
/// age no longer than the session, `Vary: Cookie`, no headers for shared caches, one
/// `Access-Control-Allow-Origin: *`, no `WWW-Authenticate`. A response that is open to everyone is
/// passed on as it is, but for this:
///
/// Content of either kind, errors of the inner service's included, gets `X-Content-Type-Options: nosniff`
/// and, unless it is an image (not SVG), sound, video, PDF or JSON, `Content-Security-Policy: sandbox` as a
/// further policy, so that what users have deposited does not run with this site's cookies. A tile that is a
/// picture needs neither, and to what else does not run the former is added where there is room for it. Scripts for service workers are refused, and `Service-Worker-Allowed` is left
/// out. See
/// [`ResourceMap::insecure_active_content`](crate::resource::ResourceMap::insecure_active_content).
#[derive(Clone, Debug)]
pub struct Check<S> {
    inner: S,
    core: Arc<Core>,
}

impl<S> Check<S> {
    pub(super) fn new(inner: S, core: Arc<Core>) -> Self {
        Self { inner, core }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Check<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = CheckFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        match decide(&self.core, &Head::of(&request)) {
            Answer::Now(course) => CheckFuture::decided(course, &mut self.inner, request),
            Answer::Later(course) => {
                // The service that was polled ready goes along; its clone stays behind.
                let clone = self.inner.clone();
                let inner = mem::replace(&mut self.inner, clone);
                CheckFuture::deciding(course, inner, request)
            }
        }
    }
}
