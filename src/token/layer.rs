use std::sync::Arc;

use tower_layer::Layer;

use super::Token;
use crate::core::Core;

/// Puts [`Token`] around a service; made by [`IiifAuth::token`](crate::IiifAuth::token).
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct TokenLayer {
    core: Arc<Core>,
}

impl TokenLayer {
    /// The token issuer of this configuration.
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

impl<S> Layer<S> for TokenLayer {
    type Service = Token<S>;

    fn layer(&self, inner: S) -> Token<S> {
        Token::new(inner, Arc::clone(&self.core))
    }
}
