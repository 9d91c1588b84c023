use tower_layer::Layer;

use super::Token;
use crate::config::IiifAuth;

/// Puts [`Token`] around a service; made by [`IiifAuth::token`].
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct TokenLayer {
    auth: IiifAuth,
}

impl TokenLayer {
    /// The token issuer of this configuration.
    pub fn new(auth: IiifAuth) -> Self {
        Self { auth }
    }
}

impl<S> Layer<S> for TokenLayer {
    type Service = Token<S>;

    fn layer(&self, inner: S) -> Token<S> {
        Token::new(inner, self.auth.clone())
    }
}
