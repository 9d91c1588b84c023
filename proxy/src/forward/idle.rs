//! A body that may not stand still for too long.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep};

use crate::body::BoxError;

pin_project! {
    /// Ends in an error when the sender is silent for `limit`. While nobody reads, no time is counted:
    /// a slow reader is no fault of the sender's. Trailers are left out: what was taken out of the head
    /// does not come in behind the body.
    pub(super) struct Idle<B> {
        #[pin]
        body: B,
        limit: Duration,
        timer: Pin<Box<Sleep>>,
        waiting: bool,
    }
}

impl<B> Idle<B> {
    pub(super) fn new(body: B, limit: Duration) -> Self {
        Self { body, limit, timer: Box::pin(sleep(limit)), waiting: false }
    }
}

impl<B: Body<Error: Into<BoxError>>> Body for Idle<B> {
    type Data = B::Data;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        let this = self.project();
        if let Poll::Ready(frame) = this.body.poll_frame(cx) {
            *this.waiting = false;
            let frame = frame.filter(|frame| frame.as_ref().map_or(true, Frame::is_data));
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        if !*this.waiting {
            *this.waiting = true;
            this.timer.as_mut().reset(Instant::now() + *this.limit);
        }
        ready!(this.timer.as_mut().poll(cx));
        Poll::Ready(Some(Err("the body stood still for too long".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
