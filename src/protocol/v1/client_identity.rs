//! What a client identity service reads and answers (0.9.2 §2.4).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A client that says who it is.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientIdentity {
    /// The id of the client software; `None` if it is missing.
    pub client_id: Option<String>,
    /// Its secret; `None` if it is missing.
    pub client_secret: Option<String>,
}

/// Shows neither id nor secret.
impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientIdentity").finish_non_exhaustive()
    }
}

/// The answer to a client that was recognised. Errors are [`TokenMessage`](super::TokenMessage)s.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientIdentityMessage<'a> {
    /// What the client sends as `code` to the login and token services.
    pub authorization_code: &'a str,
}

/// Shows nothing of the code.
impl fmt::Debug for ClientIdentityMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientIdentityMessage").finish_non_exhaustive()
    }
}
