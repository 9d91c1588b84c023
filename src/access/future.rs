use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS};
use http::{HeaderMap, HeaderValue, Response};
use pin_project_lite::pin_project;

use super::flow::Flow;
use super::grant::{AccessDeclined, AccessGrant};
use super::pages;
use super::seal::{Context, keep_cookies};
use crate::answer::BoxFuture;
use crate::body::ResponseBody;
use crate::page::keep_opener;

pin_project! {
    /// The response of [`AccessCookie`](super::AccessCookie).
    pub struct AccessCookieFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F> {
        Untouched { #[pin] future: F },
        Watched { #[pin] future: F, watch: Option<Box<Watch>> },
        Own { response: Option<Response<Bytes>> },
        Working { response: BoxFuture<Response<Bytes>> },
    }
}

/// What to do with the application's response.
struct Watch {
    context: Context,
    /// The flow to remember from now on.
    remember: Option<Flow>,
}

impl<F> AccessCookieFuture<F> {
    pub(super) fn untouched(future: F) -> Self {
        Self { state: State::Untouched { future } }
    }

    pub(super) fn watched(future: F, context: Context, remember: Option<Flow>) -> Self {
        Self {
            state: State::Watched { future, watch: Some(Box::new(Watch { context, remember })) },
        }
    }

    pub(super) fn own(response: Response<Bytes>) -> Self {
        Self { state: State::Own { response: Some(response) } }
    }

    pub(super) fn working(
        response: impl Future<Output = Response<Bytes>> + Send + 'static,
    ) -> Self {
        Self { state: State::Working { response: Box::pin(response) } }
    }
}

impl<F, B, E> Future for AccessCookieFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        loop {
            let mut this = self.as_mut().project();
            let next = match this.state.as_mut().project() {
                StateProj::Untouched { future } => {
                    let response = ready!(future.poll(cx))?;
                    return Poll::Ready(Ok(response.map(ResponseBody::inner)));
                }
                StateProj::Own { response } => {
                    let response = response.take().expect("future polled after completion");
                    return Poll::Ready(Ok(response.map(ResponseBody::own)));
                }
                StateProj::Working { response } => {
                    let response = ready!(response.as_mut().poll(cx));
                    return Poll::Ready(Ok(response.map(ResponseBody::own)));
                }
                StateProj::Watched { future, watch } => {
                    let mut response = ready!(future.poll(cx))?;
                    let watch = watch.take().expect("future polled after completion");
                    let grant = response.extensions_mut().remove::<AccessGrant>();
                    let declined = response.extensions_mut().remove::<AccessDeclined>();
                    match (grant, declined) {
                        (Some(grant), _) => {
                            let headers = response.into_parts().0.headers;
                            State::Working {
                                response: Box::pin(async move {
                                    let mut response = watch.context.grant(grant).await;
                                    keep_cookies(&headers, &mut response);
                                    response
                                }),
                            }
                        }
                        (None, Some(AccessDeclined)) => {
                            let mut own = pages::declined(&watch.context);
                            keep_cookies(response.headers(), &mut own);
                            State::Own { response: Some(own) }
                        }
                        (None, None) => {
                            watch.finish(response.headers_mut());
                            return Poll::Ready(Ok(response.map(ResponseBody::inner)));
                        }
                    }
                }
            };
            this.state.set(next);
        }
    }
}

impl Watch {
    /// A step of the login: the viewer is remembered, the page is not framed, and the viewer keeps
    /// its handle on the tab.
    fn finish(&self, headers: &mut HeaderMap) {
        let core = &self.context.core;
        if self.context.service.is_none() && self.context.flow.is_none() {
            return;
        }
        if let Some(Ok(cookie)) = self.remember.as_ref().map(|flow| flow.set(core)) {
            headers.append(http::header::SET_COOKIE, cookie);
        }
        if self.context.service.is_none() {
            // Some other page, visited while a login is open elsewhere: only its tie stays whole.
            keep_opener(headers);
            return;
        }
        keep_opener(headers);
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        headers.append(CONTENT_SECURITY_POLICY, HeaderValue::from_static("frame-ancestors 'none'"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

impl<F> fmt::Debug for AccessCookieFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessCookieFuture").finish_non_exhaustive()
    }
}
