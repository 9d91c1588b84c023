//! Which layers a request of a self-check comes by. Without the feature `testing` nothing is.

/// A layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Station {
    Probe,
    Token,
    ClientIdentity,
    Logout,
    SetAccessCookie,
    Describe,
    Check,
}

/// A request came by; `core` is the layer's configuration.
#[cfg(not(feature = "testing"))]
#[inline]
pub(crate) fn comes_by<B, C>(_: &http::Request<B>, _: Station, _: &C) {}

#[cfg(feature = "testing")]
pub(crate) use walked::{Seen, Walk, comes_by};

#[cfg(feature = "testing")]
mod walked {
    use std::sync::{Arc, Mutex, PoisonError};

    use http::Request;

    use super::Station;

    /// What comes along with a request of a self-check.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct Walk(Arc<Mutex<Vec<Seen>>>);

    /// A layer, and the path that it saw.
    #[derive(Clone, Debug)]
    pub(crate) struct Seen {
        pub(crate) station: Station,
        pub(crate) path: String,
        /// Where its configuration is: there may be several.
        pub(crate) core: usize,
    }

    impl Walk {
        pub(crate) fn seen(&self) -> Vec<Seen> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
        }
    }

    #[inline]
    pub(crate) fn comes_by<B, C>(request: &Request<B>, station: Station, core: &C) {
        let Some(walk) = request.extensions().get::<Walk>() else { return };
        let path = request.uri().path().to_owned();
        let seen = Seen { station, path, core: std::ptr::from_ref(core).addr() };
        walk.0.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    }
}
