//! Bounds on what users' own parts may do to a request: take too long, panic.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use crate::answer::{BoxError, BoxFuture};
pub(super) use crate::catch::catch;

/// Waits for a part; a panic and too long a wait become errors.
pub(super) async fn within<T>(
    timeout: Duration,
    mut part: BoxFuture<Result<T, BoxError>>,
) -> Result<T, BoxError> {
    // A timer needs tokio's, and without one it panics: that denies, too.
    let mut timer = catch(|| Box::pin(tokio::time::sleep(timeout)))?;
    poll_fn(move |cx| {
        match catch(|| part.as_mut().poll(cx)) {
            Err(panic) => return Poll::Ready(Err(panic)),
            Ok(Poll::Ready(outcome)) => return Poll::Ready(outcome),
            Ok(Poll::Pending) => {}
        }
        Pin::new(&mut timer).poll(cx).map(|()| Err(TooSlow(timeout).into()))
    })
    .await
}

/// It took longer than configured.
#[derive(Debug)]
pub(super) struct TooSlow(Duration);

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it took longer than {:?}", self.0)
    }
}

impl std::error::Error for TooSlow {}
