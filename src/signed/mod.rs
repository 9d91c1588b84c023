//! Signed locations: a path that carries, sealed, which resource it opens, for which session, and until
//! when (2.0 §5.2, `location`).
//!
//! What lies below one is found by the path without the capability, and decided on anew by the session
//! that is sealed in it and by no other: cookies and headers of the request have no say.

mod capability;
mod plain;
mod verdict;

pub(crate) use capability::base;
pub(crate) use plain::{SignedRequest, no_referrer};
pub(crate) use verdict::{Located, decide, is_signed};
