use std::sync::Arc;

use tower_layer::Layer;

use super::SetAccessCookie;
use crate::core::Core;

/// Puts [`SetAccessCookie`] around a service; made by [`IiifAuth::set_access_cookie`](crate::IiifAuth::set_access_cookie).
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct SetAccessCookieLayer {
    core: Arc<Core>,
}

impl SetAccessCookieLayer {
    /// The access-cookie setter of this configuration.
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

impl<S> Layer<S> for SetAccessCookieLayer {
    type Service = SetAccessCookie<S>;

    fn layer(&self, inner: S) -> SetAccessCookie<S> {
        SetAccessCookie::new(inner, Arc::clone(&self.core))
    }
}
