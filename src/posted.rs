//! Bodies of requests to our own endpoints: short, and there in time.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Collected, Limited};

use crate::answer::BoxError;
use crate::catch::catch;
use crate::respond;

/// The body was not there in time: who sends it keeps a connection for nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TooSlow;

/// What is said of a form that is too slow.
pub(crate) fn too_slow() -> Response<Bytes> {
    respond::empty(StatusCode::REQUEST_TIMEOUT)
}

/// Reads a body of at most `longest` bytes; `None` if it is longer, or broke off.
pub(crate) async fn read<B>(
    timeout: Duration,
    longest: usize,
    body: B,
) -> Result<Option<Bytes>, TooSlow>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let mut body = pin!(Limited::new(body, longest).collect());
    let mut timer = None;
    poll_fn(|cx| {
        if let Poll::Ready(collected) = body.as_mut().poll(cx) {
            return Poll::Ready(Ok(collected.ok().map(Collected::to_bytes)));
        }
        // Only what has to be waited for needs a timer of tokio's. Where there is none, it panics: then
        // nothing is waited for.
        if timer.is_none() {
            timer = catch(|| Box::pin(tokio::time::sleep(timeout))).ok();
        }
        match &mut timer {
            Some(timer) => timer.as_mut().poll(cx).map(|()| Err(TooSlow)),
            None => Poll::Ready(Err(TooSlow)),
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, ready};

    use http_body::Frame;
    use http_body_util::Full;

    /// A byte every so often, for ever.
    struct Trickle {
        every: Duration,
        next: Pin<Box<tokio::time::Sleep>>,
    }

    fn trickle(every: Duration) -> Trickle {
        Trickle { every, next: Box::pin(tokio::time::sleep(every)) }
    }

    impl Body for Trickle {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            ready!(self.next.as_mut().poll(cx));
            self.next = Box::pin(tokio::time::sleep(self.every));
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"a")))))
        }
    }

    /// LF-07: all of a body has its time, not each piece of it; and it is bounded.
    #[tokio::test(start_paused = true)]
    async fn bounds() {
        let (limit, most) = (Duration::from_secs(10), 8);
        assert!(matches!(read(limit, most, Full::<Bytes>::from("12345678")).await, Ok(Some(_))));
        assert!(matches!(read(limit, most, Full::<Bytes>::from("123456789")).await, Ok(None)));
        let begun = tokio::time::Instant::now();
        assert!(read(limit, most, trickle(Duration::from_secs(9))).await.is_err());
        assert_eq!(begun.elapsed(), limit);
        assert!(matches!(read(limit, most, trickle(Duration::from_secs(1))).await, Ok(None)));
    }
}
