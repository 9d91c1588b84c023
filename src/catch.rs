//! Users' own parts may panic: that ends the request, and nothing else.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::answer::BoxError;

/// Runs a part; a panic becomes an error.
#[inline]
pub(crate) fn catch<T>(part: impl FnOnce() -> T) -> Result<T, BoxError> {
    // Nothing of ours is touched by the part: it gets shared references, and owns what it panics in.
    catch_unwind(AssertUnwindSafe(part)).map_err(|_| Panic.into())
}

#[derive(Debug)]
struct Panic;

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it panicked, or waits outside of a tokio runtime")
    }
}

impl std::error::Error for Panic {}
