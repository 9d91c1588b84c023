use tower_layer::Layer;

use super::Probe;
use crate::config::IiifAuth;

/// Puts [`Probe`] around a service; made by [`IiifAuth::probe`].
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct ProbeLayer {
    auth: IiifAuth,
}

impl ProbeLayer {
    /// The probe responder of this configuration.
    pub fn new(auth: IiifAuth) -> Self {
        Self { auth }
    }
}

impl<S> Layer<S> for ProbeLayer {
    type Service = Probe<S>;

    fn layer(&self, inner: S) -> Probe<S> {
        Probe::new(inner, self.auth.clone())
    }
}
