use std::sync::Arc;

use tower_layer::Layer;

use super::Describe;
use crate::core::Core;

/// Puts [`Describe`] around a service; made by [`IiifAuth::describe`](crate::IiifAuth::describe).
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct DescribeLayer {
    core: Arc<Core>,
}

impl DescribeLayer {
    /// The describer of this configuration.
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

impl<S> Layer<S> for DescribeLayer {
    type Service = Describe<S>;

    fn layer(&self, inner: S) -> Describe<S> {
        Describe::new(inner, Arc::clone(&self.core))
    }
}
