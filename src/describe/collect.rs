//! Collecting a body up to a limit, whatever its error type is.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use http::header::CONTENT_LENGTH;
use http::response::Parts;
use http_body::Body;
use pin_project_lite::pin_project;

/// Why there is no whole body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CollectError {
    TooLong,
    Broken,
}

pin_project! {
    /// All data of a body, at most `room` bytes; trailers are dropped.
    pub(super) struct Collect<B> {
        #[pin]
        body: B,
        collected: BytesMut,
        room: usize,
    }
}

impl<B: Body> Collect<B> {
    pub(super) fn new(body: B, room: usize) -> Self {
        Self { body, collected: BytesMut::new(), room }
    }
}

impl<B: Body> Future for Collect<B> {
    type Output = Result<Bytes, CollectError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.body.size_hint().lower() > *this.room as u64 {
            return Poll::Ready(Err(CollectError::TooLong));
        }
        while let Some(frame) = ready!(this.body.as_mut().poll_frame(cx)) {
            let Ok(frame) = frame else { return Poll::Ready(Err(CollectError::Broken)) };
            let Ok(mut data) = frame.into_data() else { continue };
            if data.remaining() > *this.room {
                return Poll::Ready(Err(CollectError::TooLong));
            }
            *this.room -= data.remaining();
            let data = data.copy_to_bytes(data.remaining());
            this.collected.extend_from_slice(&data);
        }
        Poll::Ready(Ok(this.collected.split().freeze()))
    }
}

/// The whole document, or what is wrong with it.
pub(super) fn whole(
    parts: &Parts,
    body: Result<Bytes, CollectError>,
) -> Result<Bytes, &'static str> {
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
