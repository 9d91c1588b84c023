use tower_layer::Layer;

use super::Check;
use crate::config::IiifAuth;

/// Puts [`Check`] around a service; made by [`IiifAuth::check`].
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct CheckLayer {
    auth: IiifAuth,
}

impl CheckLayer {
    /// The checker of this configuration.
    pub fn new(auth: IiifAuth) -> Self {
        Self { auth }
    }
}

impl<S> Layer<S> for CheckLayer {
    type Service = Check<S>;

    fn layer(&self, inner: S) -> Check<S> {
        Check::new(inner, self.auth.clone())
    }
}
