use tower_layer::Layer;

use super::Describe;
use crate::config::IiifAuth;

/// Puts [`Describe`] around a service; made by [`IiifAuth::describe`].
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct DescribeLayer {
    auth: IiifAuth,
}

impl DescribeLayer {
    /// The describer of this configuration.
    pub fn new(auth: IiifAuth) -> Self {
        Self { auth }
    }
}

impl<S> Layer<S> for DescribeLayer {
    type Service = Describe<S>;

    fn layer(&self, inner: S) -> Describe<S> {
        Describe::new(inner, self.auth.clone())
    }
}
