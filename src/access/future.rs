use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Response};
use pin_project_lite::pin_project;

use super::context::Context;
use super::flow::Flow;
use super::grant::{AccessDeclined, AccessGrant};
use super::opener::Opener;
use super::tab::AccessTab;
use crate::answer::Answer;
use crate::body::ResponseBody;
use crate::future::ResponseFuture;
use crate::page::{keep_opener, refuse_frames};

pin_project! {
    /// The response of [`SetAccessCookie`](super::SetAccessCookie).
    pub struct SetAccessCookieFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F> {
        Settled { #[pin] response: ResponseFuture<F> },
        Watched { #[pin] future: F, watch: Option<Box<Watch>> },
    }
}

/// What to do with the application's response.
struct Watch {
    context: Context,
    /// The flow to remember from now on.
    remember: Option<Flow>,
}

impl<F> SetAccessCookieFuture<F> {
    /// Passes the application's response on, or answers in its place.
    pub(super) fn settled(response: ResponseFuture<F>) -> Self {
        Self { state: State::Settled { response } }
    }

    /// Looks at the application's response first.
    pub(super) fn watched(future: F, context: Context, remember: Option<Flow>) -> Self {
        let watch = Some(Box::new(Watch { context, remember }));
        Self { state: State::Watched { future, watch } }
    }

    /// Answers at once.
    pub(super) fn own(response: Response<Bytes>) -> Self {
        Self::settled(ResponseFuture::own(response))
    }

    /// Answers at once, or when that is there.
    pub(super) fn answered(answer: Answer<Response<Bytes>>) -> Self {
        Self::settled(ResponseFuture::answered(answer))
    }
}

impl<F, B, E> Future for SetAccessCookieFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        loop {
            let mut this = self.as_mut().project();
            let next = match this.state.as_mut().project() {
                StateProj::Settled { response } => return response.poll(cx),
                StateProj::Watched { future, watch } => {
                    let mut response = ready!(future.poll(cx))?;
                    let watch = watch.take().expect("future polled after completion");
                    match watch.finish(&mut response) {
                        Some(own) => own,
                        None => return Poll::Ready(Ok(response.map(ResponseBody::inner))),
                    }
                }
            };
            this.state.set(State::Settled { response: next });
        }
    }
}

impl Watch {
    /// What is answered in place of the application's response, if anything is.
    fn finish<F, B>(mut self, response: &mut Response<B>) -> Option<ResponseFuture<F>> {
        let grant = response.extensions_mut().remove::<AccessGrant>();
        let declined = response.extensions_mut().remove::<AccessDeclined>();
        let tab = response.extensions_mut().remove::<AccessTab>();
        if let Some(known) =
            tab.and_then(|tab| tab.open(&self.context.core, self.context.core.now()))
        {
            self.context.opener = Opener::Viewer(known);
        }
        if grant.is_some() || declined.is_some() {
            self.context.back = own_redirect(response).or(self.context.back);
        }
        if let Some(grant) = grant {
            let headers = std::mem::take(response.headers_mut());
            return Some(ResponseFuture::working(async move {
                let mut own = self.context.grant(grant).await;
                keep_cookies(&headers, &mut own);
                own
            }));
        }
        if declined.is_some() {
            let mut own = self.context.decline();
            keep_cookies(response.headers(), &mut own);
            return Some(ResponseFuture::own(own));
        }
        self.step(response.headers_mut());
        None
    }

    /// A step of the login: the viewer is remembered, the page is not framed, and the viewer keeps
    /// its handle on the tab.
    fn step(&self, headers: &mut HeaderMap) {
        let core = &self.context.core;
        // Other pages, visited while a login is open somewhere, stay as they are.
        if self.context.service.is_none() {
            return;
        }
        if let Some(Ok(cookie)) = self.remember.as_ref().map(|flow| flow.set(core)) {
            headers.append(SET_COOKIE, cookie);
        }
        keep_opener(headers);
        refuse_frames(headers);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// Keeps what the application itself wanted the browser to remember.
fn keep_cookies(from: &HeaderMap, response: &mut Response<Bytes>) {
    for cookie in from.get_all(SET_COOKIE) {
        response.headers_mut().append(SET_COOKIE, cookie.clone());
    }
}

impl<F> fmt::Debug for SetAccessCookieFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetAccessCookieFuture").finish_non_exhaustive()
    }
}

/// Where the application itself goes on to.
fn own_redirect<B>(response: &Response<B>) -> Option<String> {
    let location = response.headers().get(LOCATION).filter(|_| response.status().is_redirection());
    location.and_then(|location| location.to_str().ok()).map(ToOwned::to_owned)
}
