//! What is known of a provider before it is asked.

use std::fmt;
use std::time::Duration;

/// How old the provider's keys are at least when an unknown one has them fetched again: strangers
/// must not make this server ask the provider all the time.
const KEYS_REST: Duration = Duration::from_secs(60);

/// What is known of a provider before it is asked.
pub struct Settings {
    /// The provider, as it names itself.
    pub issuer: String,
    /// As registered there.
    pub client_id: String,
    /// Of a client that is not public.
    pub client_secret: Option<String>,
    /// Asked for besides `openid`.
    pub scopes: Vec<String>,
    /// The claim that holds a user's roles; a dot leads into an object.
    pub roles_claim: String,
    /// Who else an ID token may be for, beside this client.
    pub audiences: Vec<String>,
    /// Certificates that are trusted besides the system's, PEM.
    pub ca: Option<Vec<u8>>,
    /// Where the provider sends users back to.
    pub redirect: String,
    /// How old its keys are at least when an unknown one has them fetched again.
    pub keys_rest: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            client_id: String::new(),
            client_secret: None,
            scopes: Vec::new(),
            roles_claim: "roles".to_owned(),
            audiences: Vec::new(),
            ca: None,
            redirect: String::new(),
            keys_rest: KEYS_REST,
        }
    }
}

/// Shows no secret.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
