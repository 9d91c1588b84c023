use std::sync::Arc;

use tower_layer::Layer;

use super::Logout;
use crate::core::Core;

/// Puts [`Logout`] around a service; made by [`IiifAuth::logout`](crate::IiifAuth::logout).
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct LogoutLayer {
    core: Arc<Core>,
}

impl LogoutLayer {
    /// The logout service of this configuration.
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

impl<S> Layer<S> for LogoutLayer {
    type Service = Logout<S>;

    fn layer(&self, inner: S) -> Logout<S> {
        Logout::new(inner, Arc::clone(&self.core))
    }
}
