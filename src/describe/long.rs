//! Long work beside the runtime's workers, so that tiles do not wait for it.

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::answer::BoxError;

/// A document of so many bytes is read and written in about a hundred microseconds.
const LONG: usize = 32 * 1024;

/// Whether a document of so many bytes is one.
pub(super) fn is_long(bytes: usize) -> bool {
    bytes >= LONG
}

/// Does `work` on a document of so many bytes: here, or on a thread for what takes long. Without a tokio
/// runtime it is done here.
///
/// # Errors
///
/// If it panicked, or the runtime ends.
pub(super) async fn off_worker<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, BoxError> {
    if !is_long(bytes) || Handle::try_current().is_err() {
        return Ok(work());
    }
    spawn_blocking(work).await.map_err(Into::into)
}
