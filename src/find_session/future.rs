use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::answer::BoxFuture;
use crate::gate::Renewal;
use crate::respond;

/// A request whose session was looked for.
pub(super) struct Found {
    pub(super) parts: Parts,
    /// For the answer, if its session is to go on.
    pub(super) renewal: Option<Box<Renewal>>,
}

pin_project! {
    /// The response of [`FindSession`](super::FindSession).
    pub struct FindSessionFuture<S, ReqBody>
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
        Finding { finding: BoxFuture<Found>, rest: Option<(S, ReqBody)> },
        Passed { #[pin] response: F, renewal: Option<Box<Renewal>> },
    }
}

impl<S, ReqBody> FindSessionFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    pub(super) fn finding(finding: BoxFuture<Found>, inner: S, body: ReqBody) -> Self {
        Self { state: State::Finding { finding, rest: Some((inner, body)) } }
    }
}

impl<S, ReqBody, ResBody> Future for FindSessionFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Output = Result<Response<ResBody>, S::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let mut this = self.as_mut().project();
            let next = match this.state.as_mut().project() {
                StateProj::Finding { finding, rest } => {
                    let Found { parts, renewal } = ready!(finding.as_mut().poll(cx));
                    let (mut inner, body) = rest.take().expect("found only once");
                    let response = inner.call(Request::from_parts(parts, body));
                    State::Passed { response, renewal }
                }
                StateProj::Passed { response, renewal } => {
                    let mut response = ready!(response.poll(cx))?;
                    if let Some(renewal) = renewal.take() {
                        renew(&renewal, response.headers_mut());
                    }
                    return Poll::Ready(Ok(response));
                }
            };
            this.state.set(next);
        }
    }
}

/// The cookie of a renewed session goes along with the answer, which is kept by nobody then. An answer with
/// cookies of its own stays as it is: it may begin or end a session.
fn renew(renewal: &Renewal, headers: &mut HeaderMap) {
    if headers.contains_key(SET_COOKIE) {
        return;
    }
    if let Some(cookie) = renewal.cookie() {
        headers.append(SET_COOKIE, cookie);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
        respond::tell_caches_nothing_else(headers);
    }
}

impl<S, ReqBody> fmt::Debug for FindSessionFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FindSessionFuture").finish_non_exhaustive()
    }
}
