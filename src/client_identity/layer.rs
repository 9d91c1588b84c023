use std::sync::Arc;

use tower_layer::Layer;

use super::ClientIdentity;
use crate::core::Core;

/// Puts [`ClientIdentity`] around a service; made by [`IiifAuth::client_identity`](crate::IiifAuth::client_identity).
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct ClientIdentityLayer {
    core: Arc<Core>,
}

impl ClientIdentityLayer {
    /// The client identity service of this configuration.
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

impl<S> Layer<S> for ClientIdentityLayer {
    type Service = ClientIdentity<S>;

    fn layer(&self, inner: S) -> ClientIdentity<S> {
        ClientIdentity::new(inner, Arc::clone(&self.core))
    }
}
