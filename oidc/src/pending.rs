//! Logins that have gone to the provider and not come back: remembered by the browser that they began
//! in, in a cookie for each, and by nothing else.
//!
//! A `__Host-` cookie can be set by this host alone, so that nobody plants a login of theirs; what it
//! holds is no secret to the browser it is for. `SameSite=Lax` comes along when the provider leads
//! back, and with nothing that other sites embed: so what another site sends wipes no login, as each has a
//! cookie of its own.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cookie::{Cookie, SameSite};
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};

/// How long a user may take at the provider.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// How many tabs may be at the provider at once. The oldest makes room.
const MOST: usize = 10;

/// One login: what its return has to fit.
#[derive(Serialize, Deserialize)]
pub(crate) struct Login {
    pub(crate) state: String,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
    /// Which viewer the login is for, as the layers tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tab: Option<String>,
    /// Whether the provider was asked to ask for the password again.
    #[serde(default)]
    pub(crate) again: bool,
    /// In seconds since 1970.
    pub(crate) since: u64,
}

/// Shows nothing of it.
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login([redacted])")
    }
}

impl Login {
    pub(crate) fn new(state: String, nonce: String, verifier: String, again: bool) -> Self {
        Self { state, nonce, verifier, tab: None, again, since: now() }
    }

    fn is_over(&self) -> bool {
        now() >= self.since.saturating_add(LIFETIME.as_secs())
    }
}

/// All of a browser's that are at the provider.
pub(crate) struct Logins {
    all: Vec<Login>,
    secure: bool,
}

impl Logins {
    pub(crate) fn read(headers: &HeaderMap, secure: bool) -> Self {
        let prefix = prefix(secure);
        let mut all = Vec::new();
        for field in headers.get_all(COOKIE) {
            for pair in field.as_bytes().split(|byte| *byte == b';') {
                let Ok(pair) = std::str::from_utf8(pair.trim_ascii()) else { continue };
                let Some((name, value)) = pair.split_once('=') else { continue };
                let Some(state) = name.trim_end().strip_prefix(prefix) else { continue };
                let value = value.trim().trim_matches('"');
                let login = URL_SAFE_NO_PAD
                    .decode(value)
                    .ok()
                    .and_then(|json| serde_json::from_slice::<Login>(&json).ok());
                all.extend(login.filter(|own| own.state == state && !own.is_over()));
            }
        }
        all.sort_by_key(|own| own.since);
        Self { all, secure }
    }

    /// The cookies of a login that begins, and of those that make room for it.
    pub(crate) fn begin(mut self, login: &Login) -> Vec<HeaderValue> {
        let surplus = (self.all.len() + 1).saturating_sub(MOST);
        let gone: Vec<_> = self.all.drain(..surplus).collect();
        let mut cookies: Vec<_> =
            gone.iter().filter_map(|own| self.cookie(&own.state, "", Duration::ZERO)).collect();
        if let Ok(json) = serde_json::to_vec(login) {
            cookies.extend(self.cookie(&login.state, &URL_SAFE_NO_PAD.encode(json), LIFETIME));
        }
        cookies
    }

    /// The login that comes back with this state, and the cookie that ends it. It is there once.
    pub(crate) fn take(mut self, state: &str) -> Option<(Login, Option<HeaderValue>)> {
        let index = self.all.iter().position(|login| login.state == state)?;
        let login = self.all.remove(index);
        let ended = self.cookie(&login.state, "", Duration::ZERO);
        Some((login, ended))
    }

    fn cookie(&self, state: &str, value: &str, lifetime: Duration) -> Option<HeaderValue> {
        let name = format!("{}{state}", prefix(self.secure));
        let cookie = Cookie::build((name, value.to_owned()))
            .path("/")
            .secure(self.secure)
            .http_only(true)
            .same_site(SameSite::Lax)
            .max_age(lifetime.try_into().ok()?);
        let mut value = HeaderValue::try_from(cookie.build().to_string()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// On plain http, on this machine, browsers take no `__Host-` cookie.
fn prefix(secure: bool) -> &'static str {
    if secure { "__Host-oidc-" } else { "oidc-" }
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(state: &str) -> Login {
        Login::new(state.into(), "n".into(), "v".into(), false)
    }

    fn pair(state: &str) -> String {
        let cookies = Logins { all: Vec::new(), secure: true }.begin(&login(state));
        cookies[0].to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    /// Other cookies, however they look and wherever they stand, lose no login.
    #[test]
    fn a_login_is_found_among_other_cookies() {
        let pair = pair("s");
        let value = pair.split_once('=').unwrap().1;
        for fields in [
            vec![pair.clone()],
            vec![format!("a=1; {pair}; b=2")],
            vec!["a=1".to_owned(), pair.clone(), "b=2".to_owned()],
            vec![format!("name=Zoë; {pair}")],
            vec!["name=Zoë".to_owned(), pair.clone()],
            vec![format!("__Host-oidc-s=\"{value}\"")],
            vec![format!("__Host-oidc-s=junk; {pair}")],
        ] {
            let mut headers = HeaderMap::new();
            for field in &fields {
                headers.append(COOKIE, HeaderValue::from_bytes(field.as_bytes()).unwrap());
            }
            assert!(Logins::read(&headers, true).take("s").is_some(), "{fields:?}");
            assert!(Logins::read(&headers, true).take("t").is_none(), "{fields:?}");
        }
        let renamed = format!("__Host-oidc-t={value}");
        let headers = HeaderMap::from_iter([(COOKIE, renamed.parse().unwrap())]);
        assert!(Logins::read(&headers, true).take("t").is_none(), "a name is no other's");
    }

    /// EX-05: each login has a cookie of its own, and only the oldest of many makes room.
    #[test]
    fn ex_05_one_cookie_a_state() {
        let pairs: Vec<_> = (0..MOST).map(|number| pair(&format!("s{number}"))).collect();
        let with =
            |pairs: &[String]| HeaderMap::from_iter([(COOKIE, pairs.join("; ").parse().unwrap())]);
        let few = Logins::read(&with(&pairs[1..]), true).begin(&login("new"));
        assert_eq!(few.len(), 1);
        let many = Logins::read(&with(&pairs), true).begin(&login("new"));
        let many: Vec<_> = many.iter().map(|own| own.to_str().unwrap()).collect();
        assert!(many.len() == 2 && many[0].contains("Max-Age=0"), "{many:?}");
        assert!(many[1].starts_with("__Host-oidc-new="), "{many:?}");
    }
}
