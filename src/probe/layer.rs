use std::sync::Arc;

use tower_layer::Layer;

use super::Probe;
use crate::core::Core;

/// Puts [`Probe`] around a service; made by [`IiifAuth::probe`](crate::IiifAuth::probe).
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct ProbeLayer {
    core: Arc<Core>,
}

impl ProbeLayer {
    /// The probe responder of this configuration.
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

impl<S> Layer<S> for ProbeLayer {
    type Service = Probe<S>;

    fn layer(&self, inner: S) -> Probe<S> {
        Probe::new(inner, Arc::clone(&self.core))
    }
}
