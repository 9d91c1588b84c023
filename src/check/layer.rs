use std::sync::Arc;

use tower_layer::Layer;

use super::Check;
use crate::core::Core;

/// Puts [`Check`] around a service; made by [`IiifAuth::check`](crate::IiifAuth::check).
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct CheckLayer {
    core: Arc<Core>,
}

impl CheckLayer {
    /// The checker of this configuration.
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

impl<S> Layer<S> for CheckLayer {
    type Service = Check<S>;

    fn layer(&self, inner: S) -> Check<S> {
        Check::new(inner, Arc::clone(&self.core))
    }
}
