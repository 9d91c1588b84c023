//! What a client identity service reads and answers (0.9.2 §2.4).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A client that says who it is.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClientIdentity {
    /// The id of the client software; `None` if it is missing.
    pub(crate) client_id: Option<String>,
    /// Its secret; `None` if it is missing.
    pub(crate) client_secret: Option<String>,
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
pub(crate) struct ClientIdentityMessage<'a> {
    /// What the client sends as `code` to the login and token services.
    pub(crate) authorization_code: &'a str,
}

/// Shows nothing of the code.
impl fmt::Debug for ClientIdentityMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientIdentityMessage").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// V09-CID-5, SEC-10
    #[test]
    fn neither_shows_what_it_holds() {
        let body = r#"{"clientId":"the-client","clientSecret":"the-secret"}"#;
        let identity: ClientIdentity = serde_json::from_str(body).unwrap();
        let message = ClientIdentityMessage { authorization_code: "the-code" };
        let shown = format!("{identity:?} {message:?}");
        assert!(shown.contains("ClientIdentityMessage") && !shown.contains("the-"), "{shown}");
    }
}
