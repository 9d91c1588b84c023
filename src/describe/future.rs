use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, ETAG, LOCATION};
use http::response::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::collect::{Collect, CollectError};
use super::document::{Document, HostVersion, NotDescribable};
use super::headers;
use super::manifest::{self, ManifestPlan};
use super::plan::{Plan, Rewrite};
use super::service::prepare;
use crate::answer::BoxFuture;
use crate::body::ResponseBody;
use crate::respond;

pin_project! {
    /// The response of [`Describe`](super::Describe).
    pub struct DescribeFuture<S, ReqBody, ResBody>
    where
        S: Service<Request<ReqBody>>,
        ResBody: Body,
    {
        #[pin]
        state: State<S, S::Future, ReqBody, ResBody>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, F, ReqBody, ResBody>
    where
        ResBody: Body,
    {
        Own { response: Option<Response<Bytes>> },
        Deciding { plan: BoxFuture<Plan>, allowed: Option<(S, Request<ReqBody>)> },
        Inner { #[pin] response: F, work: Option<(Work, Method)> },
        Collecting {
            #[pin] body: Collect<ResBody>,
            head: Option<(Parts, Work)>,
        },
        Describing { response: BoxFuture<Response<Bytes>> },
    }
}

/// What is done with the inner service's document.
enum Work {
    Info(Box<Rewrite>),
    Manifest(Box<ManifestPlan>),
}

impl Work {
    fn longest(&self) -> usize {
        match self {
            Self::Info(rewrite) => rewrite.longest,
            Self::Manifest(plan) => plan.settings.longest,
        }
    }

    fn path(&self) -> &str {
        match self {
            Self::Info(rewrite) => &rewrite.path,
            Self::Manifest(plan) => &plan.path,
        }
    }
}

impl<S, ReqBody, ResBody> DescribeFuture<S, ReqBody, ResBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body<Data = Bytes>,
{
    /// Passes the inner service's response on.
    pub(super) fn inner(response: S::Future) -> Self {
        Self { state: State::Inner { response, work: None } }
    }

    /// Answers in place of the inner service.
    pub(super) fn own(status: StatusCode) -> Self {
        Self { state: State::Own { response: Some(plain(status)) } }
    }

    pub(super) fn deciding(plan: BoxFuture<Plan>, inner: S, request: Request<ReqBody>) -> Self {
        Self { state: State::Deciding { plan, allowed: Some((inner, request)) } }
    }

    /// Carries out a plan: `inner` is ready.
    pub(super) fn planned(plan: Plan, inner: &mut S, request: Request<ReqBody>) -> Self {
        Self { state: State::of(plan, inner, request) }
    }
}

impl<S, ReqBody, ResBody> State<S, S::Future, ReqBody, ResBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body<Data = Bytes>,
{
    fn of(mut plan: Plan, inner: &mut S, mut request: Request<ReqBody>) -> Self {
        prepare(&mut plan, &mut request);
        let method = request.method().clone();
        match plan {
            Plan::Open => Self::Inner { response: inner.call(request), work: None },
            Plan::Rewrite(rewrite) => {
                let work = Some((Work::Info(rewrite), method));
                Self::Inner { response: inner.call(request), work }
            }
            Plan::Manifest(plan) => {
                let work = Some((Work::Manifest(plan), method));
                Self::Inner { response: inner.call(request), work }
            }
            Plan::Lower(location) => Self::Own { response: Some(lower(&location)) },
            Plan::Absent => Self::Own { response: Some(plain(StatusCode::NOT_FOUND)) },
            Plan::Undescribed => Self::Own { response: Some(plain(StatusCode::BAD_GATEWAY)) },
        }
    }
}

impl<S, ReqBody, ResBody> Future for DescribeFuture<S, ReqBody, ResBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body<Data = Bytes>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let mut this = self.as_mut().project();
            let next = match this.state.as_mut().project() {
                StateProj::Own { response } => {
                    let response = response.take().expect("future polled after completion");
                    return Poll::Ready(Ok(response.map(ResponseBody::own)));
                }
                StateProj::Deciding { plan, allowed } => {
                    let plan = ready!(plan.as_mut().poll(cx));
                    let (mut inner, request) = allowed.take().expect("decided only once");
                    State::of(plan, &mut inner, request)
                }
                StateProj::Inner { response, work } => {
                    let response = ready!(response.poll(cx))?;
                    let Some((work, method)) = work.take() else {
                        return Poll::Ready(Ok(response.map(ResponseBody::inner)));
                    };
                    match begin(response, work, &method) {
                        Begun::Done(response) => return Poll::Ready(Ok(*response)),
                        Begun::Collect { body, head } => {
                            State::Collecting { body, head: Some(*head) }
                        }
                    }
                }
                StateProj::Collecting { body, head } => {
                    let body = ready!(body.poll(cx));
                    let (parts, work) = head.take().expect("collected only once");
                    match (whole(&parts, body), work) {
                        (Err(reason), work) => {
                            let response = undescribed(work.path(), reason);
                            State::Own { response: Some(response) }
                        }
                        (Ok(body), Work::Info(rewrite)) => {
                            State::Own { response: Some(finish(parts, &rewrite, &body)) }
                        }
                        (Ok(body), Work::Manifest(plan)) => {
                            let response = Box::pin(manifest::respond(parts, plan, body));
                            State::Describing { response }
                        }
                    }
                }
                StateProj::Describing { response } => {
                    let response = ready!(response.as_mut().poll(cx));
                    return Poll::Ready(Ok(response.map(ResponseBody::own)));
                }
            };
            this.state.set(next);
        }
    }
}

enum Begun<B> {
    Done(Box<Response<ResponseBody<B>>>),
    Collect { body: Collect<B>, head: Box<(Parts, Work)> },
}

/// Looks at the head of the inner response: only a plain 200 can be described.
fn begin<B: Body>(mut response: Response<B>, work: Work, method: &Method) -> Begun<B> {
    let is_manifest = matches!(work, Work::Manifest(_));
    if is_manifest && !manifest::is_json(response.headers()) {
        return Begun::Done(Box::new(response.map(ResponseBody::inner)));
    }
    if response.status() != StatusCode::OK {
        headers::readable(response.headers_mut());
        return Begun::Done(Box::new(response.map(ResponseBody::inner)));
    }
    let encoded = response
        .headers()
        .get(CONTENT_ENCODING)
        .is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if encoded {
        let own = undescribed(work.path(), "it is compressed although that was not asked for");
        return Begun::Done(Box::new(own.map(ResponseBody::own)));
    }
    let (mut parts, body) = response.into_parts();
    if *method == Method::HEAD {
        match &work {
            Work::Info(rewrite) => fit(&mut parts, rewrite),
            // What of it will be put in is not known without the body.
            Work::Manifest(_) => headers::rewritten(&mut parts.headers),
        }
        return Begun::Done(Box::new(Response::from_parts(parts, ResponseBody::default())));
    }
    let body = Collect::new(body, work.longest());
    Begun::Collect { body, head: Box::new((parts, work)) }
}

/// The whole document, or what is wrong with it.
fn whole(parts: &Parts, body: Result<Bytes, CollectError>) -> Result<Bytes, &'static str> {
    let body = body.map_err(|error| match error {
        CollectError::TooLong => "it is longer than the limit",
        CollectError::Broken => "it broke off",
    })?;
    let announced = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if announced.is_some_and(|length| length.parse() != Ok(body.len())) {
        return Err("its length is not the announced one");
    }
    Ok(body)
}

/// Rewrites the collected document.
fn finish(mut parts: Parts, rewrite: &Rewrite, body: &Bytes) -> Response<Bytes> {
    let body = match edit(body, rewrite) {
        Ok(body) => Bytes::from(body),
        Err(NotDescribable(reason)) => return undescribed(&rewrite.path, reason),
    };
    fit(&mut parts, rewrite);
    if rewrite.status != StatusCode::OK {
        return Response::from_parts(parts, body);
    }
    if let Some(tag) = headers::etag(&body) {
        if headers::is_known(rewrite.known.as_ref(), &tag) {
            parts.status = StatusCode::NOT_MODIFIED;
            parts.headers.insert(ETAG, tag);
            return Response::from_parts(parts, Bytes::new());
        }
        parts.headers.insert(ETAG, tag);
    }
    Response::from_parts(parts, body)
}

/// Fits status and headers to the rewritten document.
fn fit(parts: &mut Parts, rewrite: &Rewrite) {
    parts.status = rewrite.status;
    headers::rewritten(&mut parts.headers);
    if rewrite.gated {
        headers::gated(&mut parts.headers, rewrite.status == StatusCode::OK);
    }
}

fn edit(body: &[u8], rewrite: &Rewrite) -> Result<Vec<u8>, NotDescribable> {
    let mut document = Document::parse(body)?;
    let version = document.version();
    if rewrite.in_flow && version == HostVersion::Three {
        document.add_context()?;
    }
    for put in &rewrite.services {
        let service = match version {
            HostVersion::Three => &put.for_three,
            HostVersion::Two => &put.for_two,
        };
        document.add_service(service.clone(), put.id.as_deref())?;
    }
    document.to_bytes()
}

/// Leads to the description of a lesser version, which stays on this origin, so that a token goes along
/// (1.0 §3.2).
fn lower(location: &str) -> Response<Bytes> {
    let mut response = respond::empty(StatusCode::FOUND);
    match HeaderValue::try_from(location) {
        Ok(location) => response.headers_mut().insert(LOCATION, location),
        Err(_) => return plain(StatusCode::INTERNAL_SERVER_ERROR),
    };
    respond::allow_any_origin(response.headers_mut());
    headers::gated(response.headers_mut(), false);
    response
}

/// A protected resource whose description would lack its services is worse than none.
fn undescribed(path: &str, reason: &'static str) -> Response<Bytes> {
    crate::trace::undescribed(path, reason);
    plain(StatusCode::BAD_GATEWAY)
}

pub(super) fn plain(status: StatusCode) -> Response<Bytes> {
    let mut response = respond::text(status, "text/plain; charset=utf-8", format!("{status}\n"));
    respond::allow_any_origin(response.headers_mut());
    response
}

impl<S, ReqBody, ResBody> fmt::Debug for DescribeFuture<S, ReqBody, ResBody>
where
    S: Service<Request<ReqBody>>,
    ResBody: Body,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DescribeFuture").finish_non_exhaustive()
    }
}
