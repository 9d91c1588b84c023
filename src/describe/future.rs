use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::response::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::answer::{busy, lower, plain, undescribed};
use super::collect::{Collect, NotCollected, has_announced_length};
use super::info::signed;
use super::plan::{Plan, Planned};
use super::sent::Sent;
use super::work::{Course, Work};
use super::{info, manifest};
use crate::answer::{Answer, BoxFuture};
use crate::body::{ResponseBody, Share};
use crate::respond::Sharing;

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
        // For which page's scripts it is, where that is told.
        sharing: Option<Box<Sharing>>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, F, ReqBody, ResBody>
    where
        ResBody: Body,
    {
        Own { response: Option<Response<Bytes>> },
        Deciding { plan: BoxFuture<Planned>, allowed: Option<(S, Request<ReqBody>)> },
        Inner { #[pin] response: F, work: Option<Work> },
        Collecting { collect: Option<(Collect<ResBody>, Parts, Work)> },
        Describing { response: BoxFuture<Response<Sent>> },
        Described { response: Option<Response<Sent>> },
        Passing { response: Option<Response<ResponseBody<ResBody>>> },
    }
}

impl<S, ReqBody, ResBody> DescribeFuture<S, ReqBody, ResBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body<Data = Bytes>,
{
    fn new(state: State<S, S::Future, ReqBody, ResBody>, head: bool) -> Self {
        Self { state, head, sharing: None }
    }

    /// Passes the inner service's response on.
    pub(super) fn inner(response: S::Future) -> Self {
        Self::new(State::Inner { response, work: None }, false)
    }

    /// Answers in place of the inner service.
    pub(super) fn own(status: StatusCode, method: &Method) -> Self {
        let state = State::Own { response: Some(plain(status)) };
        Self::new(state, *method == Method::HEAD)
    }

    /// The same with this response.
    pub(super) fn answer(response: Response<Bytes>) -> Self {
        Self::new(State::Own { response: Some(response) }, false)
    }

    pub(super) fn deciding(plan: BoxFuture<Planned>, inner: S, request: Request<ReqBody>) -> Self {
        let head = *request.method() == Method::HEAD;
        Self::new(State::Deciding { plan, allowed: Some((inner, request)) }, head)
    }

    /// Carries out a plan: `inner` is ready.
    pub(super) fn planned(plan: Plan, inner: &mut S, request: Request<ReqBody>) -> Self {
        let head = *request.method() == Method::HEAD;
        Self::new(State::of(plan, inner, request), head)
    }
}

impl<S, ReqBody, ResBody> State<S, S::Future, ReqBody, ResBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body<Data = Bytes>,
{
    fn of(mut plan: Plan, inner: &mut S, mut request: Request<ReqBody>) -> Self {
        plan.prepare(&mut request);
        match plan {
            Plan::Open => Self::Inner { response: inner.call(request), work: None },
            Plan::Rewrite(rewrite) => {
                Self::Inner { response: inner.call(request), work: Some(Work::Info(rewrite)) }
            }
            Plan::Manifest(plan) => {
                Self::Inner { response: inner.call(request), work: Some(Work::Manifest(plan)) }
            }
            Plan::Signed(plan) => {
                Self::Inner { response: inner.call(request), work: Some(Work::Signed(plan)) }
            }
            Plan::Closed(status) => Self::Own { response: Some(signed::closed(status)) },
            Plan::Lower(location) => Self::Own { response: Some(lower(&location)) },
            Plan::Absent => Self::Own { response: Some(plain(StatusCode::NOT_FOUND)) },
            Plan::Undescribed => Self::Own { response: Some(plain(StatusCode::BAD_GATEWAY)) },
        }
    }
}

impl<S, F, ReqBody, ResBody> State<S, F, ReqBody, ResBody>
where
    ResBody: Body<Data = Bytes>,
{
    /// What comes of what was collected.
    fn collected(
        collected: Result<(Bytes, Share), NotCollected>,
        body: Collect<ResBody>,
        parts: Parts,
        work: Work,
        head: bool,
    ) -> Self {
        match collected {
            Ok(collected) if has_announced_length(&parts, &collected.0) => {
                match described(parts, work, collected) {
                    Answer::Now(response) => Self::Described { response: Some(response) },
                    Answer::Later(response) => Self::Describing { response },
                }
            }
            not => {
                let not = not.err().unwrap_or(NotCollected::Broken);
                Self::not_collected(not, body, parts, &work, head)
            }
        }
    }

    /// What is answered where there is no whole document.
    fn not_collected(
        not: NotCollected,
        body: Collect<ResBody>,
        parts: Parts,
        work: &Work,
        head: bool,
    ) -> Self {
        let described = work.described();
        let response = match not {
            NotCollected::Broken => {
                undescribed(described, "it broke off, or is not as long as announced")
            }
            NotCollected::NoRoom => busy(described),
            NotCollected::TooLong(before) => match work.watch(&parts, before) {
                Some(watched) => {
                    let body = if head {
                        ResponseBody::of_head()
                    } else {
                        ResponseBody::watched(watched, body.into_body())
                    };
                    return Self::Passing { response: Some(Response::from_parts(parts, body)) };
                }
                None => undescribed(described, "it is longer than the limit"),
            },
        };
        Self::Own { response: Some(response) }
    }
}

fn described(parts: Parts, work: Work, (body, share): (Bytes, Share)) -> Answer<Response<Sent>> {
    match work {
        Work::Info(rewrite) => info::respond(parts, rewrite, body, share),
        Work::Manifest(plan) => Answer::later(manifest::respond(parts, plan, body, share)),
        Work::Signed(plan) => Answer::later(signed::respond(parts, plan, body, share)),
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
                    return done(this.sharing, response.map(|body| own(body, *this.head)));
                }
                StateProj::Passing { response } => {
                    let response = response.take().expect("future polled after completion");
                    return done(this.sharing, response);
                }
                StateProj::Deciding { plan, allowed } => {
                    let (plan, sharing) = ready!(plan.as_mut().poll(cx));
                    *this.sharing = sharing.map(Box::new);
                    let (mut inner, request) = allowed.take().expect("decided only once");
                    State::of(plan, &mut inner, request)
                }
                StateProj::Inner { response, work } => {
                    let response = ready!(response.poll(cx))?;
                    let Some(work) = work.take() else {
                        return done(this.sharing, response.map(ResponseBody::inner));
                    };
                    match work.course(response.status(), response.headers()) {
                        Course::PassOn if *this.head => {
                            return done(this.sharing, response.map(|_| ResponseBody::of_head()));
                        }
                        Course::PassOn => {
                            return done(this.sharing, response.map(ResponseBody::inner));
                        }
                        Course::Answer(response) => State::Own { response: Some(response) },
                        Course::Collect => {
                            let (parts, body) = response.into_parts();
                            let room = &work.described().core.room;
                            let body = Collect::new(body, work.longest(), room);
                            State::Collecting { collect: Some((body, parts, work)) }
                        }
                    }
                }
                StateProj::Collecting { collect } => {
                    let (body, _, _) = collect.as_mut().expect("collected only once");
                    let collected = ready!(body.poll(cx));
                    let (body, parts, work) = collect.take().expect("collected only once");
                    State::collected(collected, body, parts, work, *this.head)
                }
                StateProj::Described { response } => {
                    let response = response.take().expect("future polled after completion");
                    return done(this.sharing, response.map(|body| body.into_body(*this.head)));
                }
                StateProj::Describing { response } => {
                    let response = ready!(response.as_mut().poll(cx));
                    return done(this.sharing, response.map(|body| body.into_body(*this.head)));
                }
            };
            this.state.set(next);
        }
    }
}

/// A response as it goes out.
#[inline]
fn done<B, E>(
    sharing: &mut Option<Box<Sharing>>,
    mut response: Response<B>,
) -> Poll<Result<Response<B>, E>> {
    if let Some(sharing) = sharing.take() {
        sharing.apply(response.headers_mut());
    }
    Poll::Ready(Ok(response))
}

/// The body of an answer of ours.
fn own<B>(body: Bytes, head: bool) -> ResponseBody<B> {
    if head { ResponseBody::of_head() } else { ResponseBody::own(body) }
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
