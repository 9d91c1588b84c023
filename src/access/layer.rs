use tower_layer::Layer;

use super::AccessCookie;
use crate::config::IiifAuth;

/// Puts [`AccessCookie`] around a service; made by [`IiifAuth::access_cookie`].
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct AccessCookieLayer {
    auth: IiifAuth,
}

impl AccessCookieLayer {
    /// The access-cookie setter of this configuration.
    pub fn new(auth: IiifAuth) -> Self {
        Self { auth }
    }
}

impl<S> Layer<S> for AccessCookieLayer {
    type Service = AccessCookie<S>;

    fn layer(&self, inner: S) -> AccessCookie<S> {
        AccessCookie::new(inner, self.auth.clone())
    }
}
