//! Bounds on what users' own parts may do to a request: take too long, panic.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use crate::answer::{BoxError, BoxFuture};

/// Runs a part; a panic becomes an error.
pub(super) fn catch<T>(part: impl FnOnce() -> T) -> Result<T, BoxError> {
    // Nothing of ours is touched by the part: it gets shared references, and owns what it panics in.
    catch_unwind(AssertUnwindSafe(part)).map_err(|_| Failure::Panic.into())
}

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
        Pin::new(&mut timer).poll(cx).map(|()| Err(Failure::TooSlow(timeout).into()))
    })
    .await
}

#[derive(Debug)]
enum Failure {
    Panic,
    TooSlow(Duration),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panic => f.write_str("it panicked, or waits outside of a tokio runtime"),
            Self::TooSlow(timeout) => write!(f, "it took longer than {timeout:?}"),
        }
    }
}

impl std::error::Error for Failure {}
