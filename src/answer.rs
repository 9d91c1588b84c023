//! An answer that is there at once, or comes later.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// What a question of this crate's traits is answered with: at once, or after waiting.
///
/// `Now` is the fast path: a layer goes on within the same call, without a future, an allocation
/// or a copy of the request. `Later` holds a future for what really has to wait, such as a
/// database; it owns what it needs, and a layer gives it a limited time.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::Answer;
///
/// let at_once: Answer<u8> = Answer::Now(7);
/// let waits: Answer<u8> = Answer::later(async { 7 });
/// ```
pub enum Answer<T> {
    /// The answer.
    Now(T),
    /// A future of it.
    Later(BoxFuture<T>),
}

/// A future on the heap that can move between threads.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Any error, as users' own parts return it. It is logged and never sent to a client.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl<T> Answer<T> {
    /// An answer that has to wait for `future`.
    pub fn later(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self::Later(Box::pin(future))
    }
}

impl<T: fmt::Debug> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now(answer) => f.debug_tuple("Now").field(answer).finish(),
            Self::Later(_) => f.write_str("Later(..)"),
        }
    }
}
