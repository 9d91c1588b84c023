use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::ProbeFuture;
use super::answer::answer;
use crate::aspect::Head;
use crate::body::ResponseBody;
use crate::core::Core;
use crate::path;
use crate::walk::{Station, comes_by};

/// Answers probes and passes on everything else; see the [module](crate::probe).
#[derive(Clone, Debug)]
pub struct Probe<S> {
    inner: S,
    core: Arc<Core>,
}

impl<S> Probe<S> {
    pub(super) fn new(inner: S, core: Arc<Core>) -> Self {
        Self { inner, core }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Probe<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ProbeFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        comes_by(&request, Station::Probe, &*self.core);
        let core = &self.core;
        match path::below(request.uri().path(), core.endpoints.probe()) {
            Some(path) => ProbeFuture::answered(answer(core, &Head::of(&request), path)),
            None => ProbeFuture::inner(self.inner.call(request)),
        }
    }
}
