//! How long the image server may think, counted from when it was sent something last.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

/// When a request's last part went out: an upload may take longer than the answer to it.
#[derive(Clone)]
pub(super) struct LastSent(Arc<Mutex<Instant>>);

/// The time is over.
pub(super) struct Over;

impl LastSent {
    pub(super) fn now() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    pub(super) fn again(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn at(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `answer` comes to, if it does so within `limit`.
    pub(super) async fn patient<T>(
        &self,
        limit: Duration,
        answer: impl Future<Output = T>,
    ) -> Result<T, Over> {
        let mut answer = pin!(answer);
        loop {
            let deadline = self.at() + limit;
            match timeout_at(deadline, &mut answer).await {
                Ok(answer) => return Ok(answer),
                // Something was sent meanwhile.
                Err(_) if self.at() + limit > deadline => {}
                Err(_) => return Err(Over),
            }
        }
    }
}
