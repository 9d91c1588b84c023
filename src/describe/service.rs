use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::AUTHORIZATION;
use http::{Method, Request, Response};
use http_body::Body;
use tower_service::Service;

use super::future::DescribeFuture;
use super::info::{gated, open};
use super::manifest::ManifestPlan;
use super::plan::Plan;
use crate::answer::Answer;
use crate::aspect::Head;
use crate::body::ResponseBody;
use crate::core::{Core, Found};
use crate::gate::Watch;
use crate::observe::Place;
use crate::resource::{Refusal, ResourceKind};
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

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Describe<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    ResBody: Body<Data = bytes::Bytes>,
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
            return DescribeFuture::inner(self.inner.call(request));
        }
        // Asked of the maps and not told from the path, so that it is described wherever it is.
        let whole = match core.find(path) {
            Found::Resource(resource)
                if matches!(resource.kind(), ResourceKind::ImageInformation) =>
            {
                resource.whole().into_owned()
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
                    Found::Public | Found::Refused(_) => None,
                };
                let plan = ManifestPlan::new(core, settings, path, resource);
                let plan = Plan::Manifest(Box::new(plan));
                return DescribeFuture::planned(plan, &mut self.inner, request);
            }
        };
        let course = if core.families_of(&whole).gates_descriptions() {
            let course = gated::course(core, &Head::of(&request), whole);
            // The token is for the describer and not for the image server, whatever comes of it: some
            // viewers send one for every description of a host.
            request.headers_mut().remove(AUTHORIZATION);
            course
        } else {
            open::course(core, whole)
        };
        match course {
            Answer::Now(plan) => DescribeFuture::planned(plan, &mut self.inner, request),
            Answer::Later(plan) => {
                // The service that was polled ready goes along; its clone stays behind.
                let clone = self.inner.clone();
                let inner = mem::replace(&mut self.inner, clone);
                DescribeFuture::deciding(plan, inner, request)
            }
        }
    }
}
