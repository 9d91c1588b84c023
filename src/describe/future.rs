use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, ETAG, LOCATION};
use http::response::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::collect::{Collect, CollectError};
use super::edit::{Edits, HostVersion};
use super::json::{self, Json, Node};
use super::manifest::{self, ManifestPlan};
use super::plan::{Described, Plan, Rewrite};
use super::service::prepare;
use super::{description, headers, refused};
use crate::answer::BoxFuture;
use crate::body::ResponseBody;
use crate::media_type::MediaType;
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
        // Of a HEAD everything is answered but the body.
        head: bool,
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
        Inner { #[pin] response: F, work: Option<Work> },
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
            Self::Info(rewrite) => rewrite.described.core.limits.info_bytes(),
            Self::Manifest(plan) => plan.settings.longest,
        }
    }

    fn described(&self) -> &Described {
        match self {
            Self::Info(rewrite) => &rewrite.described,
            Self::Manifest(plan) => &plan.described,
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
        Self { state: State::Inner { response, work: None }, head: false }
    }

    /// Answers in place of the inner service.
    pub(super) fn own(status: StatusCode, method: &Method) -> Self {
        Self { state: State::Own { response: Some(plain(status)) }, head: *method == Method::HEAD }
    }

    pub(super) fn deciding(plan: BoxFuture<Plan>, inner: S, request: Request<ReqBody>) -> Self {
        let head = *request.method() == Method::HEAD;
        Self { state: State::Deciding { plan, allowed: Some((inner, request)) }, head }
    }

    /// Carries out a plan: `inner` is ready.
    pub(super) fn planned(plan: Plan, inner: &mut S, request: Request<ReqBody>) -> Self {
        let head = *request.method() == Method::HEAD;
        Self { state: State::of(plan, inner, request), head }
    }
}

impl<S, ReqBody, ResBody> State<S, S::Future, ReqBody, ResBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body<Data = Bytes>,
{
    fn of(mut plan: Plan, inner: &mut S, mut request: Request<ReqBody>) -> Self {
        prepare(&mut plan, &mut request);
        match plan {
            Plan::Open => Self::Inner { response: inner.call(request), work: None },
            Plan::Rewrite(rewrite) => {
                Self::Inner { response: inner.call(request), work: Some(Work::Info(rewrite)) }
            }
            Plan::Manifest(plan) => {
                Self::Inner { response: inner.call(request), work: Some(Work::Manifest(plan)) }
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
                    return Poll::Ready(Ok(response.map(|body| own(body, *this.head))));
                }
                StateProj::Deciding { plan, allowed } => {
                    let plan = ready!(plan.as_mut().poll(cx));
                    let (mut inner, request) = allowed.take().expect("decided only once");
                    State::of(plan, &mut inner, request)
                }
                StateProj::Inner { response, work } => {
                    let response = ready!(response.poll(cx))?;
                    let Some(work) = work.take() else {
                        return Poll::Ready(Ok(response.map(ResponseBody::inner)));
                    };
                    match course(&work, response.status(), response.headers()) {
                        Course::PassOn if *this.head => {
                            return Poll::Ready(Ok(response.map(|_| ResponseBody::of_head())));
                        }
                        Course::PassOn => {
                            return Poll::Ready(Ok(response.map(ResponseBody::inner)));
                        }
                        Course::Answer(response) => State::Own { response: Some(response) },
                        Course::Collect => {
                            let (parts, body) = response.into_parts();
                            let body = Collect::new(body, work.longest());
                            State::Collecting { body, head: Some((parts, work)) }
                        }
                    }
                }
                StateProj::Collecting { body, head } => {
                    let body = ready!(body.poll(cx));
                    let (parts, work) = head.take().expect("collected only once");
                    match (whole(&parts, body), work) {
                        (Err(reason), work) => {
                            let response = undescribed(work.described(), reason);
                            State::Own { response: Some(response) }
                        }
                        (Ok(body), Work::Info(rewrite)) => {
                            State::Own { response: Some(finish(parts, *rewrite, &body)) }
                        }
                        (Ok(body), Work::Manifest(plan)) => {
                            let response = Box::pin(manifest::respond(parts, plan, body));
                            State::Describing { response }
                        }
                    }
                }
                StateProj::Describing { response } => {
                    let response = ready!(response.as_mut().poll(cx));
                    return Poll::Ready(Ok(response.map(|body| own(body, *this.head))));
                }
            };
            this.state.set(next);
        }
    }
}

/// What becomes of the inner service's answer, told from its head.
enum Course {
    /// Sound, pictures, PDF at the path of a manifest: as it is.
    PassOn,
    Answer(Response<Bytes>),
    Collect,
}

/// Only a plain 200 can be described.
fn course(work: &Work, status: StatusCode, headers: &HeaderMap) -> Course {
    if status != StatusCode::OK {
        return Course::Answer(refused::answer(work.described(), status, headers));
    }
    // Every other type may be wrong: viewers do not look at it either.
    let is_media = |own: MediaType<'_>| own.is_passive() && !own.is_json();
    if matches!(work, Work::Manifest(_)) && MediaType::all_are(headers, is_media) {
        return Course::PassOn;
    }
    let encodings = headers.get_all(CONTENT_ENCODING);
    if encodings.iter().any(|own| !own.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let reason = "it is compressed although that was not asked for";
        return Course::Answer(undescribed(work.described(), reason));
    }
    Course::Collect
}

/// The body of an answer of ours.
fn own<B>(body: Bytes, head: bool) -> ResponseBody<B> {
    if head { ResponseBody::of_head() } else { ResponseBody::own(body) }
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
fn finish(mut parts: Parts, rewrite: Rewrite, body: &Bytes) -> Response<Bytes> {
    let Rewrite { described, services, in_flow, status, gated, known } = rewrite;
    let Some(body) = edited(body, services, in_flow) else {
        return undescribed(&described, "it is no JSON object");
    };
    let body = Bytes::from(body);
    parts.status = status;
    headers::rewritten(&mut parts.headers);
    if gated {
        headers::gated(&mut parts.headers, status == StatusCode::OK);
    }
    if status != StatusCode::OK {
        return Response::from_parts(parts, body);
    }
    if let Some(tag) = headers::etag(&body) {
        if headers::is_known(known.as_ref(), &tag) {
            parts.status = StatusCode::NOT_MODIFIED;
            parts.headers.insert(ETAG, tag);
            return Response::from_parts(parts, Bytes::new());
        }
        parts.headers.insert(ETAG, tag);
    }
    Response::from_parts(parts, body)
}

/// `None` for what is no JSON object to a browser.
fn edited(body: &[u8], services: Vec<description::Put>, in_flow: bool) -> Option<String> {
    let text = json::decode(body);
    let json = Json::parse(&text).filter(|json| json.is_object(Node::TOP))?;
    let version = HostVersion::of_info(&json);
    let mut edits = Edits::of(&json);
    let services: Vec<_> = services.into_iter().map(|put| put.for_host(version, in_flow)).collect();
    edits.put(Node::TOP, &services);
    if in_flow && version == HostVersion::Three {
        edits.add_context();
    }
    Some(edits.apply())
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
fn undescribed(described: &Described, reason: &'static str) -> Response<Bytes> {
    crate::trace::undescribed(&described.path, reason);
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
