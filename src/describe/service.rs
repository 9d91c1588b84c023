use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Method, Request, Response};
use http_body::Body;
use tower_service::Service;

use super::future::{DescribeFuture, Plan, Rewrite};
use super::{description, headers};
use crate::answer::{Answer, BoxError};
use crate::authorizer::{Decision, Remedy};
use crate::body::ResponseBody;
use crate::config::{Core, Found, IiifAuth};
use crate::resource::{Refusal, Resource, ResourceKind};

/// Describes `info.json` and passes on everything else; see the [module](crate::describe).
#[derive(Clone, Debug)]
pub struct Describe<S> {
    inner: S,
    auth: IiifAuth,
}

impl<S> Describe<S> {
    pub(super) fn new(inner: S, auth: IiifAuth) -> Self {
        Self { inner, auth }
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

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let core = &self.auth.core;
        let path = request.uri().path();
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return DescribeFuture::inner(self.inner.call(request));
        }
        // Asked of the maps and not told from the path, so that it is described wherever it is.
        let whole = match core.find(path) {
            Found::Resource(resource)
                if matches!(resource.kind(), ResourceKind::ImageInformation) =>
            {
                Resource::new(
                    resource.base().to_owned(),
                    resource.identifier().to_owned(),
                    ResourceKind::ImageService,
                    resource.content_type().to_owned(),
                )
            }
            // It may be a description: without its services it is worse than none.
            Found::Refused(why @ Refusal::Unavailable) => return DescribeFuture::own(why.status()),
            _ => return DescribeFuture::inner(self.inner.call(request)),
        };
        match core.decide_as_nobody(&whole, core.now()) {
            Answer::Now(outcome) => {
                let plan = plan(core, &whole, outcome);
                DescribeFuture::planned(plan, &mut self.inner, request)
            }
            Answer::Later(outcome) => {
                let core = Arc::clone(core);
                let plan = Box::pin(async move {
                    let outcome = core.within_time(outcome).await;
                    plan(&core, &whole, outcome)
                });
                // The service that was polled ready goes along; its clone stays behind.
                let clone = self.inner.clone();
                let inner = mem::replace(&mut self.inner, clone);
                DescribeFuture::deciding(plan, inner, request)
            }
        }
    }
}

/// What is done with the description of a resource on which nobody's decision is `outcome`.
fn plan(core: &Core, whole: &Resource<'_>, outcome: Result<Decision, BoxError>) -> Plan {
    match outcome {
        Ok(Decision::Grant) => return Plan::Open,
        Ok(Decision::Deny(denial)) if denial.remedy() == Remedy::Absent => return Plan::Absent,
        Ok(_) => {}
        // The content is denied while this lasts; that it is protected may be told.
        Err(error) => crate::trace::failure("authorizer", &error),
    }
    let id = core.probe_uri(whole);
    match (description::probe(core, whole, false), description::probe(core, whole, true)) {
        (Some(for_three), Some(for_two)) => Plan::Rewrite(Box::new(Rewrite {
            path: whole.path(),
            id,
            for_three,
            for_two,
            longest: core.longest_info,
            known: None,
        })),
        _ => Plan::Undescribed,
    }
}

/// Prepares a request whose answer will be rewritten.
pub(super) fn prepare<B>(plan: &mut Plan, request: &mut Request<B>) {
    if let Plan::Rewrite(rewrite) = plan {
        rewrite.known = headers::ask_plainly(request.headers_mut());
    }
}
