use std::sync::Arc;

use tower_layer::Layer;

use super::AccessCookie;
use crate::core::Core;

/// Puts [`AccessCookie`] around a service; made by [`IiifAuth::access_cookie`](crate::IiifAuth::access_cookie).
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct AccessCookieLayer {
    core: Arc<Core>,
}

impl AccessCookieLayer {
    /// The access-cookie setter of this configuration.
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

impl<S> Layer<S> for AccessCookieLayer {
    type Service = AccessCookie<S>;

    fn layer(&self, inner: S) -> AccessCookie<S> {
        AccessCookie::new(inner, Arc::clone(&self.core))
    }
}
