use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::course::{Course, course};
use super::decide::later;
use super::future::CheckFuture;
use super::private::Care;
use super::proofs::Refused;
use super::{lower, refusal, unasked};
use crate::aspect::Head;
use crate::body::ResponseBody;
use crate::core::{Core, Found};
use crate::gate::{Progress, Question, Watch};
use crate::observe::Place;
use crate::walk::{Station, comes_by};

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
        comes_by(&request, Station::Check, &*self.core);
        let core = &self.core;
        let head = Head::of(&request);
        let path = head.uri().path();
        let watch = Watch::begin(core, Place::Content);
        let resource = match core.find(path) {
            Found::Resource(resource) => resource,
            Found::Public => {
                return CheckFuture::forwarded(self.inner.call(request), Care::default());
            }
            Found::Refused(why) => {
                watch.refused(core, path, why);
                let refusal = refusal::path(why, &head);
                return CheckFuture::own(Refused::mark(why.status(), why.into(), None, refusal));
            }
        };
        if let Some(course) = unasked::course(core, &head, &resource) {
            return CheckFuture::decided(course, &mut self.inner, request);
        }
        let now = core.now();
        let question = Question { head, resource: &resource, now, token: None };
        match core.decide(&question) {
            Progress::Done(mut verdict) if !lower::is_wanted(core, &resource, &verdict) => {
                match course(core, &head, &resource, &mut verdict, now, watch) {
                    Course::Forward(kept, None) => {
                        CheckFuture::forwarded(self.inner.call(request), kept)
                    }
                    course => CheckFuture::decided(course, &mut self.inner, request),
                }
            }
            progress => {
                let course = later(core, question, progress, watch);
                // The service that was polled ready goes along; its clone stays behind.
                let clone = self.inner.clone();
                let inner = mem::replace(&mut self.inner, clone);
                CheckFuture::deciding(course, inner, request)
            }
        }
    }
}
