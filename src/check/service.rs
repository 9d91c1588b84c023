use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::course::{Course, course};
use super::decide::{has_to_wait, later, shared_refusal};
use super::future::CheckFuture;
use super::private::Care;
use super::proofs::Refused;
use super::{refusal, signed, unasked};
use crate::answer::Answer;
use crate::aspect::Head;
use crate::body::ResponseBody;
use crate::core::{Core, Found};
use crate::gate::{Progress, Question, Watch};
use crate::observe::Place;
use crate::resource::{Refusal, ResourceKind};
use crate::signed::SignedRequest;
use crate::token::bearer;
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

impl<S> Check<S> {
    /// Answers a request below a signed location, which goes on without what opens it.
    #[cold]
    fn call_signed<ReqBody, ResBody>(
        &mut self,
        signed: &SignedRequest,
        mut request: Request<ReqBody>,
    ) -> CheckFuture<S, ReqBody>
    where
        S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    {
        signed.strip(&self.core, &mut request);
        bearer::remove_own(&self.core, request.headers_mut());
        match signed::course(&self.core, &Head::of(&request), signed.capability.clone()) {
            Answer::Now(course) => CheckFuture::decided(course, &mut self.inner, request),
            Answer::Later(course) => {
                CheckFuture::deciding(course, take_ready(&mut self.inner), request)
            }
        }
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

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        comes_by(&request, Station::Check, &*self.core);
        let core = &self.core;
        let head = Head::of(&request);
        let path = head.uri().path();
        let watch = Watch::begin(core, Place::Content);
        // What is large is lent from here on.
        let found = core.find(path);
        let resource = match &found {
            Found::Resource(resource) => resource,
            Found::Public => {
                return CheckFuture::forwarded(self.inner.call(request), Care::default());
            }
            &Found::Signed(path) => {
                return match SignedRequest::of(path, head.uri()) {
                    Some(signed) => self.call_signed(&signed, request),
                    None => CheckFuture::own(refusal::path(Refusal::Ambiguous, &head)),
                };
            }
            &Found::Refused(why) => {
                watch.refused(core, path, why);
                let (status, refusal) = (why.status(), refusal::path(why, &head));
                let refusal = Refused::mark(core, status, why.into(), None, refusal);
                return CheckFuture::own(refusal);
            }
        };
        if let Some(course) = unasked::course(core, &head, resource) {
            bearer::remove_own(core, request.headers_mut());
            return CheckFuture::decided(course, &mut self.inner, request);
        }
        let is_file = matches!(resource.kind(), ResourceKind::Content);
        let now = core.now();
        let question = Question { head, resource, now, token: None };
        let mut progress = core.decide(&question);
        match &mut progress {
            Progress::Done(verdict) if !has_to_wait(core, &head, resource, verdict) => {
                match course(core, &head, resource, verdict, now, watch) {
                    Course::Forward(kept, None) if !is_file => {
                        CheckFuture::forwarded(self.inner.call(request), kept)
                    }
                    course => {
                        let course = shared_refusal(core, &head, &verdict.basis, course);
                        bearer::remove_own(core, request.headers_mut());
                        CheckFuture::decided(course, &mut self.inner, request)
                    }
                }
            }
            _ => {
                let course = later(core, question, progress, watch);
                if is_file {
                    bearer::remove_own(core, request.headers_mut());
                }
                CheckFuture::deciding(course, take_ready(&mut self.inner), request)
            }
        }
    }
}

/// The service that was polled ready goes along; its clone stays behind.
fn take_ready<S: Clone>(inner: &mut S) -> S {
    let clone = inner.clone();
    mem::replace(inner, clone)
}
