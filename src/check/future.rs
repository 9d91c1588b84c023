use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::course::Course;
use super::private::Care;
use crate::answer::BoxFuture;
use crate::body::ResponseBody;

pin_project! {
    /// The response of [`Check`](super::Check).
    pub struct CheckFuture<S, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        #[pin]
        state: State<S, S::Future, ReqBody>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, F, ReqBody> {
        Forwarded { #[pin] response: F, care: Care },
        Own { response: Option<Response<Bytes>> },
        Deciding { course: BoxFuture<Course>, allowed: Option<(S, Request<ReqBody>)> },
    }
}

impl<S, ReqBody> CheckFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    pub(super) fn forwarded(response: S::Future, care: Care) -> Self {
        Self { state: State::Forwarded { response, care } }
    }

    pub(super) fn own(response: Response<Bytes>) -> Self {
        Self { state: State::Own { response: Some(response) } }
    }

    /// Goes this course: `inner` is ready.
    pub(super) fn decided(course: Course, inner: &mut S, request: Request<ReqBody>) -> Self {
        Self { state: State::of(course, inner, request) }
    }

    pub(super) fn deciding(course: BoxFuture<Course>, inner: S, request: Request<ReqBody>) -> Self {
        Self { state: State::Deciding { course, allowed: Some((inner, request)) } }
    }
}

impl<S, ReqBody> State<S, S::Future, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    #[inline]
    fn of(course: Course, inner: &mut S, mut request: Request<ReqBody>) -> Self {
        match course {
            Course::Answer(response) => Self::Own { response: Some(response) },
            Course::Forward(care, granted) => {
                if let Some(granted) = granted {
                    request.extensions_mut().insert(granted);
                }
                Self::Forwarded { response: inner.call(request), care }
            }
        }
    }
}

impl<S, ReqBody, ResBody> Future for CheckFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let mut this = self.as_mut().project();
            let next = match this.state.as_mut().project() {
                StateProj::Forwarded { response, care } => {
                    let mut response = ready!(response.poll(cx))?;
                    care.apply(response.status(), response.headers_mut());
                    return Poll::Ready(Ok(response.map(ResponseBody::inner)));
                }
                StateProj::Own { response } => {
                    let response = response.take().expect("future polled after completion");
                    return Poll::Ready(Ok(response.map(ResponseBody::own)));
                }
                StateProj::Deciding { course, allowed } => {
                    let course = ready!(course.as_mut().poll(cx));
                    let (mut inner, request) = allowed.take().expect("decided only once");
                    State::of(course, &mut inner, request)
                }
            };
            this.state.set(next);
        }
    }
}

impl<S, ReqBody> fmt::Debug for CheckFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckFuture").finish_non_exhaustive()
    }
}
