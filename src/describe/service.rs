use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Method, Request, Response};
use http_body::Body;
use tower_service::Service;

use super::future::DescribeFuture;
use super::info::{self, gated, open};
use super::manifest::ManifestPlan;
use super::plan::{Plan, Planned, with_sharing};
use crate::answer::Answer;
use crate::aspect::Head;
use crate::body::ResponseBody;
use crate::core::{Core, Found};
use crate::gate::Watch;
use crate::observe::Place;
use crate::resource::{Refusal, ResourceKind};
use crate::respond;
use crate::signed::SignedRequest;
use crate::token::bearer;
use crate::walk::{Station, comes_by};

/// Describes `info.json` and configured manifests, and passes on everything else; see the [module](crate::describe).
#[derive(Clone, Debug)]
pub struct Describe<S> {
    inner: S,
    core: Arc<Core>,
}

impl<S> Describe<S> {
    pub(super) fn new(inner: S, core: Arc<Core>) -> Self {
        Self { inner, core }
    }
}

impl<S> Describe<S> {
    /// Describes what lies below a signed location, if it is a description.
    #[cold]
    fn call_signed<ReqBody, ResBody>(
        &mut self,
        signed: Option<SignedRequest>,
        mut request: Request<ReqBody>,
    ) -> DescribeFuture<S, ReqBody, ResBody>
    where
        S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
        ResBody: Body<Data = Bytes>,
    {
        let core = &self.core;
        let whole = signed.and_then(|signed| match core.find(signed.uri.path()) {
            Found::Resource(own) if matches!(own.kind(), ResourceKind::ImageInformation) => {
                Some((own.whole().into_owned(), signed.clone()))
            }
            _ => None,
        });
        // All else is the checker's.
        let Some((whole, signed)) = whole else {
            return DescribeFuture::inner(self.inner.call(request));
        };
        signed.strip(core, &mut request);
        // The token is for no image server, as on the ordinary path.
        request.headers_mut().remove(AUTHORIZATION);
        let SignedRequest { capability, uri } = signed;
        let plan = info::signed::course(Arc::clone(core), capability, uri, whole);
        self.follow(Answer::later(async { (plan.await, None) }), request)
    }

    /// Goes on by a plan, or when it is there.
    fn follow<ReqBody, ResBody>(
        &mut self,
        planned: Answer<Planned>,
        request: Request<ReqBody>,
    ) -> DescribeFuture<S, ReqBody, ResBody>
    where
        S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
        ResBody: Body<Data = Bytes>,
    {
        match planned {
            Answer::Now((plan, _)) => DescribeFuture::planned(plan, &mut self.inner, request),
            Answer::Later(plan) => {
                DescribeFuture::deciding(plan, take_ready(&mut self.inner), request)
            }
        }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Describe<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    ResBody: Body<Data = Bytes>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = DescribeFuture<S, ReqBody, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        comes_by(&request, Station::Describe, &*self.core);
        let core = &self.core;
        let path = request.uri().path();
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        if !is_read || !core.may_be_described(path) {
            if let Some(response) = (!is_read).then(|| preflight(core, &request)).flatten() {
                return DescribeFuture::answer(response);
            }
            return DescribeFuture::inner(self.inner.call(request));
        }
        // Asked of the maps and not told from the path, so that it is described wherever it is.
        let whole = match core.find(path) {
            Found::Resource(resource)
                if matches!(resource.kind(), ResourceKind::ImageInformation) =>
            {
                resource.whole().into_owned()
            }
            Found::Signed(signed) => {
                let signed = SignedRequest::of(signed, request.uri());
                return self.call_signed(signed, request);
            }
            // It may be a description: without its services it is worse than none.
            Found::Refused(why @ (Refusal::Unavailable | Refusal::TooLong)) => {
                Watch::begin(core, Place::Content).refused(core, path, why);
                return DescribeFuture::own(why.status(), request.method());
            }
            Found::Resource(resource) if resource.is_image_service() => {
                return DescribeFuture::inner(self.inner.call(request));
            }
            found => {
                let Some(settings) = core.sites.manifests_at(path) else {
                    return DescribeFuture::inner(self.inner.call(request));
                };
                let resource = match &found {
                    Found::Resource(resource) => Some(resource),
                    Found::Public | Found::Signed(_) | Found::Refused(_) => None,
                };
                let plan = ManifestPlan::new(core, settings, path, resource);
                let plan = Plan::Manifest(Box::new(plan));
                bearer::remove_own(core, request.headers_mut());
                return DescribeFuture::planned(plan, &mut self.inner, request);
            }
        };
        let page = core.shares().then(|| (Head::of(&request).to_parts(), whole.clone()));
        let course = if core.families_of(&whole).gates_descriptions() {
            let course = gated::course(core, &Head::of(&request), whole);
            // The token is for the describer and not for the image server, whatever comes of it: some
            // viewers send one for every description of a host.
            request.headers_mut().remove(AUTHORIZATION);
            course
        } else {
            let course = open::course(core, request.uri().path(), whole);
            // What else a host may send is for the server behind.
            bearer::remove_own(core, request.headers_mut());
            course
        };
        self.follow(with_sharing(core, course, page), request)
    }
}

/// The service that was polled ready goes along; its clone stays behind.
fn take_ready<S: Clone>(inner: &mut S) -> S {
    let clone = inner.clone();
    mem::replace(inner, clone)
}

/// The answer to a preflight for a manifest: what the checker answers for content is answered here.
fn preflight<B>(core: &Core, request: &Request<B>) -> Option<Response<Bytes>> {
    let is_one = respond::is_preflight_of_read(request.method(), request.headers());
    let is_ours = is_one && core.sites.manifests_at(request.uri().path()).is_some();
    is_ours.then(|| respond::preflight(request.headers()))
}
