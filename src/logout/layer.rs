use tower_layer::Layer;

use super::Logout;
use crate::config::IiifAuth;

/// Puts [`Logout`] around a service; made by [`IiifAuth::logout`].
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct LogoutLayer {
    auth: IiifAuth,
}

impl LogoutLayer {
    /// The logout service of this configuration.
    pub fn new(auth: IiifAuth) -> Self {
        Self { auth }
    }
}

impl<S> Layer<S> for LogoutLayer {
    type Service = Logout<S>;

    fn layer(&self, inner: S) -> Logout<S> {
        Logout::new(inner, self.auth.clone())
    }
}
