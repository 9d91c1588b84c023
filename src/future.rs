//! The future of the layers that answer some requests themselves and pass on all others.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use pin_project_lite::pin_project;

use crate::answer::{Answer, BoxFuture};
use crate::body::ResponseBody;

pin_project! {
    /// The response of a service layer: the inner service's, or the layer's own.
    pub struct ResponseFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F> {
        Inner { #[pin] future: F },
        Own { response: Option<Response<Bytes>> },
        Working { response: BoxFuture<Response<Bytes>> },
    }
}

impl<F> ResponseFuture<F> {
    /// Passes the inner service's response on.
    pub(crate) fn inner(future: F) -> Self {
        Self { state: State::Inner { future } }
    }

    /// Answers at once.
    pub(crate) fn own(response: Response<Bytes>) -> Self {
        Self { state: State::Own { response: Some(response) } }
    }

    /// Answers when the work is done.
    pub(crate) fn working(
        response: impl Future<Output = Response<Bytes>> + Send + 'static,
    ) -> Self {
        Self::answered(Answer::later(response))
    }

    /// Answers at once, or when that is there.
    pub(crate) fn answered(answer: Answer<Response<Bytes>>) -> Self {
        match answer {
            Answer::Now(response) => Self::own(response),
            Answer::Later(response) => Self { state: State::Working { response } },
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProj::Inner { future } => Poll::Ready(
                ready!(future.poll(cx)).map(|response| response.map(ResponseBody::inner)),
            ),
            StateProj::Own { response } => {
                let response = response.take().expect("future polled after completion");
                Poll::Ready(Ok(response.map(ResponseBody::own)))
            }
            StateProj::Working { response } => {
                Poll::Ready(Ok(ready!(response.as_mut().poll(cx)).map(ResponseBody::own)))
            }
        }
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
