use tower_layer::Layer;

use super::ClientIdentity;
use crate::config::IiifAuth;

/// Puts [`ClientIdentity`] around a service; made by [`IiifAuth::client_identity`].
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct ClientIdentityLayer {
    auth: IiifAuth,
}

impl ClientIdentityLayer {
    /// The client identity service of this configuration.
    pub fn new(auth: IiifAuth) -> Self {
        Self { auth }
    }
}

impl<S> Layer<S> for ClientIdentityLayer {
    type Service = ClientIdentity<S>;

    fn layer(&self, inner: S) -> ClientIdentity<S> {
        ClientIdentity::new(inner, self.auth.clone())
    }
}
