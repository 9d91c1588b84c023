//! Logins that have gone to the provider and not come back: remembered by the browser that they began
//! in, in a cookie, and by nothing else.
//!
//! A `__Host-` cookie can be set by this host alone, so that nobody plants a login of theirs; what it
//! holds is no secret to the browser it is for. `SameSite=Lax` comes along when the provider leads
//! back, and with nothing that other sites embed.

use std::time::{Duration, SystemTime};

use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cookie::{Cookie, SameSite};
use serde::{Deserialize, Serialize};
use tower_iiif_auth::aspect::cookies;

/// How long a user may take at the provider.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// How many tabs may be at the provider at once.
const MOST: usize = 4;

/// One login: what its return has to fit.
#[derive(Serialize, Deserialize)]
pub(crate) struct Login {
    pub(crate) state: String,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
    /// Which viewer the login is for, as the layers tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tab: Option<String>,
    /// In seconds since 1970.
    since: u64,
}

impl Login {
    pub(crate) fn new(state: String, nonce: String, verifier: String) -> Self {
        Self { state, nonce, verifier, tab: None, since: now() }
    }
}

/// All of a browser's, the last one last.
#[derive(Default)]
pub(crate) struct Logins(Vec<Login>);

impl Logins {
    pub(crate) fn read(headers: &HeaderMap, secure: bool) -> Self {
        // Of several the first that can be read: on plain http others can set one of this name, too.
        let logins = cookies(headers, name(secure)).find_map(|value| {
            let json = URL_SAFE_NO_PAD.decode(value).ok()?;
            serde_json::from_slice::<Vec<Login>>(&json).ok()
        });
        let mut logins = logins.unwrap_or_default();
        logins.retain(|login| now() < login.since.saturating_add(LIFETIME.as_secs()));
        Self(logins)
    }

    pub(crate) fn begin(&mut self, login: Login) {
        self.0.push(login);
        let surplus = self.0.len().saturating_sub(MOST);
        self.0.drain(..surplus);
    }

    /// The login that comes back with this state. It is there once.
    pub(crate) fn take(&mut self, state: &str) -> Option<Login> {
        let index = self.0.iter().position(|login| login.state == state)?;
        Some(self.0.remove(index))
    }

    /// The `Set-Cookie` value from now on.
    pub(crate) fn set(&self, secure: bool) -> Option<HeaderValue> {
        let json = serde_json::to_vec(&self.0).ok()?;
        let lifetime = if self.0.is_empty() { Duration::ZERO } else { LIFETIME };
        let cookie = Cookie::build((name(secure), URL_SAFE_NO_PAD.encode(json)))
            .path("/")
            .secure(secure)
            .http_only(true)
            .same_site(SameSite::Lax)
            .max_age(lifetime.try_into().ok()?);
        let mut value = HeaderValue::try_from(cookie.build().to_string()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// On plain http, on this machine, browsers take no `__Host-` cookie.
fn name(secure: bool) -> &'static str {
    if secure { "__Host-oidc" } else { "oidc" }
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use axum::http::header::COOKIE;

    use super::*;

    /// Other cookies, however they look and wherever they stand, lose no login.
    #[test]
    fn a_login_is_found_among_other_cookies() {
        let mut logins = Logins::default();
        logins.begin(Login::new("s".into(), "n".into(), "v".into()));
        let set = logins.set(true).unwrap();
        let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
        let value = pair.split_once('=').unwrap().1;
        for fields in [
            vec![pair.clone()],
            vec![format!("a=1; {pair}; b=2")],
            vec!["a=1".to_owned(), pair.clone(), "b=2".to_owned()],
            vec![format!("name=Zoë; {pair}")],
            vec!["name=Zoë".to_owned(), pair.clone()],
            vec![format!("__Host-oidc=\"{value}\"")],
            vec![format!("__Host-oidc=junk; {pair}")],
        ] {
            let mut headers = HeaderMap::new();
            for field in &fields {
                headers.append(COOKIE, HeaderValue::from_bytes(field.as_bytes()).unwrap());
            }
            assert!(Logins::read(&headers, true).take("s").is_some(), "{fields:?}");
        }
    }
}
