//! For which viewers a session is.

use std::fmt;

use crate::seal::Reader;

/// For which viewers a session is: whose origins get access tokens for it, where
/// [`OriginPolicy::Bound`](crate::OriginPolicy::Bound) holds.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use tower_iiif_auth::aspect::{Session, Viewers};
/// use tower_iiif_auth::clock::{Clock, SystemClock};
///
/// let lasting = |builder: tower_iiif_auth::aspect::SessionBuilder| {
///     builder.lasting(SystemClock.now(), Duration::from_secs(600))
/// };
/// assert!(matches!(lasting(Session::builder("ada"))?.viewers(), Viewers::None));
/// let bound = lasting(Session::builder("ada").origin("https://viewer.example".parse()?))?;
/// let Viewers::These(viewers) = bound.viewers() else { panic!("it is for one viewer") };
/// assert_eq!(viewers.iter().collect::<Vec<_>>(), ["https://viewer.example"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Viewers<'s> {
    /// For none: it opens content, and nobody gets a token for it.
    None,
    /// For these.
    These(ViewerOrigins<'s>),
    /// For any, by a word of the application's own.
    Any,
}

/// The origins of one viewer or more.
#[derive(Clone, Copy)]
pub struct ViewerOrigins<'s> {
    /// As they stand in the session. There is one at the least.
    pub(super) list: &'s [u8],
}

impl<'s> ViewerOrigins<'s> {
    /// Each of them, the latest last.
    pub fn iter(&self) -> impl Iterator<Item = &'s str> + use<'s> {
        Reader(self.list).short_texts()
    }
}

/// Shows nothing: where users come from stays out of logs.
impl fmt::Debug for ViewerOrigins<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ViewerOrigins([redacted])")
    }
}
