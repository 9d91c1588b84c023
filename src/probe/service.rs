use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Method, Request, Response};
use tower_service::Service;

use super::{ProbeFuture, result};
use crate::aspect::Head;
use crate::body::ResponseBody;
use crate::core::Core;
use crate::gate::{Progress, Question, TokenSession, Watch, finish_decision};
use crate::observe::Place;
use crate::path;
use crate::protocol::Family;
use crate::resource::{Refusal, Resource};
use crate::respond;
use crate::seal::Scratch;
use crate::token::{bearer, sealed};

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
        let core = &self.core;
        match path::below(request.uri().path(), core.endpoints.probe()) {
            Some(path) => answer(core, &Head::of(&request), path),
            None => ProbeFuture::inner(self.inner.call(request)),
        }
    }
}

/// The answer to a request whose path, after the probe's prefix, is `path`.
fn answer<F>(core: &Arc<Core>, head: &Head<'_>, path: &str) -> ProbeFuture<F> {
    match *head.method() {
        // Before anything is asked: a preflight has no credentials.
        Method::OPTIONS => return ProbeFuture::own(respond::preflight()),
        Method::GET | Method::HEAD => {}
        _ => {
            let mut response = respond::method_not_allowed("GET, HEAD, OPTIONS");
            respond::allow_any_origin(response.headers_mut());
            return ProbeFuture::own(response);
        }
    }
    let watch = Watch::begin(core, Place::Probe);
    // Where 2.0 is not spoken there is no probe either (requirements CON-13).
    let spoken = |resource: &Resource<'_>| core.families_of(resource).contains(Family::V2);
    let found = match core.find_whole(path) {
        Ok(resource) if spoken(&resource) => Ok(resource),
        Ok(_) => Err(Refusal::Unknown),
        Err(refusal) => Err(refusal),
    };
    let resource = match found {
        Ok(resource) => resource,
        Err(refusal) => {
            watch.refused(core, head.uri().path(), refusal);
            let result = result::refused(refusal, &core.texts);
            return ProbeFuture::own(result::respond(head.method(), &result));
        }
    };
    let now = core.now();
    let mut scratch = Scratch::new();
    let token = bearer::token(head.headers())
        .map(|token| sealed::open(core, &[Family::V2], token, head.headers(), now, &mut scratch));
    let (token, bad_token) = match token.transpose() {
        Ok(token) => (token.map(|(_, token)| token), None),
        Err(error) => (None, Some(error)),
    };
    let question = Question { head: *head, resource: &resource, now, token: token.as_ref() };
    let progress = core.decide(&question);
    match progress {
        Progress::Done(verdict) if verdict.with_substitutes().is_none() => {
            let verdict = verdict.with_bad_token(bad_token);
            watch.decided(core, head.uri(), &resource, (&verdict.decision).into(), &verdict.basis);
            let result = result::plain(core, &resource, verdict);
            ProbeFuture::own(result::respond(head.method(), &result))
        }
        // A substitute is decided on like the resource itself, which may have to wait.
        progress => {
            let core = Arc::clone(core);
            let parts = head.to_parts();
            let resource = resource.into_owned();
            let token = token.map(TokenSession::into_owned);
            ProbeFuture::working(async move {
                let verdict = match progress {
                    Progress::Done(verdict) => verdict,
                    Progress::Waiting(pending) => {
                        finish_decision(
                            Arc::clone(&core),
                            parts.clone(),
                            resource.clone(),
                            now,
                            token.clone(),
                            pending,
                        )
                        .await
                    }
                };
                let verdict = verdict.with_bad_token(bad_token);
                let outcome = (&verdict.decision).into();
                watch.decided(&core, &parts.uri, &resource, outcome, &verdict.basis);
                let method = parts.method.clone();
                let result =
                    result::with_substitutes(&core, parts, &resource, now, token, verdict).await;
                result::respond(&method, &result)
            })
        }
    }
}
