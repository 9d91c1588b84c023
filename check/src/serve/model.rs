//! The state of the model server, and which door leads where.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode};
use ring::rand::{SecureRandom, SystemRandom};

use super::items::{self, Item, More, Realm};
use super::manifests::{self, Of};

pub(super) type Answer = Response<Bytes>;

pub(super) struct Asked {
    pub(super) method: Method,
    /// As it came.
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// All values of a parameter.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        let query = self.query.as_deref().unwrap_or_default();
        url::form_urlencoded::parse(query.as_bytes())
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .collect()
    }

    pub(super) fn field(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(&self.body)
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

pub(super) struct Session {
    pub(super) realm: Realm,
    pub(super) origins: HashSet<String>,
    pub(super) ended: bool,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) sessions: HashMap<String, Session>,
    /// Token to session and family.
    pub(super) tokens: HashMap<String, (String, u8)>,
}

pub(super) struct Model {
    /// Scheme, host and port, as browsers type them.
    pub(super) base: String,
    mutant: Option<String>,
    state: Mutex<State>,
    random: SystemRandom,
}

impl Model {
    pub(super) fn new(base: String, mutant: Option<String>) -> Self {
        Self { base, mutant, state: Mutex::default(), random: SystemRandom::new() }
    }

    /// Whether this mistake is to be made.
    pub(super) fn is(&self, mistake: &str) -> bool {
        debug_assert!(
            super::MUTANTS.iter().any(|mutant| mutant.name == mistake),
            "{mistake} is in no table"
        );
        self.mutant.as_deref() == Some(mistake)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(super) fn secret(&self) -> String {
        let mut bytes = [0; 20];
        // Without random bytes there is no value at all.
        if self.random.fill(&mut bytes).is_err() {
            return String::new();
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The cookie's value, whatever it is worth.
    #[expect(clippy::unused_self, reason = "reads as its neighbours do")]
    pub(super) fn cookie(&self, asked: &Asked, realm: Realm) -> Option<String> {
        let name = format!("model-{}", realm.name());
        asked
            .headers
            .get_all("cookie")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
    }

    /// The value of a live session that this cookie or token stands for.
    pub(super) fn live(&self, value: &str, realm: Realm) -> Option<String> {
        let state = self.state();
        let found = state.sessions.get_key_value(value).or_else(|| {
            let begins = |key: &str| key.len() == value.len() && key.get(..8) == value.get(..8);
            self.is("cookie-tampered")
                .then(|| state.sessions.iter().find(|(key, _)| begins(key)))?
        });
        found
            .filter(|(_, session)| session.realm == realm && !session.ended)
            .map(|(key, _)| key.clone())
    }

    /// The status that content has for this request, by its cookie alone.
    pub(super) fn decide(&self, asked: &Asked, item: &Item) -> StatusCode {
        let Some(realm) = item.realm else { return StatusCode::OK };
        let cookie = self.cookie(asked, realm);
        let in_session = cookie.as_ref().is_some_and(|value| {
            self.live(value, realm).is_some()
                || (self.is("logout-closes-content") && self.state().sessions.contains_key(value))
        });
        self.status(item, in_session)
    }

    pub(super) fn status(&self, item: &Item, in_session: bool) -> StatusCode {
        match item.more {
            More::Broken => StatusCode::SERVICE_UNAVAILABLE,
            _ if item.realm.is_none() => StatusCode::OK,
            More::Forbidden if in_session => StatusCode::FORBIDDEN,
            More::Moved if !in_session => StatusCode::FOUND,
            _ if self.is("content-answers") => StatusCode::INTERNAL_SERVER_ERROR,
            _ if in_session && !matches!(item.realm, Some(Realm::Error(_))) => StatusCode::OK,
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    pub(super) fn answer(&self, asked: &Asked) -> Answer {
        let segments: Vec<_> = asked.path.split('/').skip(1).collect();
        let reads = asked.method == Method::GET || asked.method == Method::HEAD;
        match &*segments {
            [""] if reads => super::pages::index(self),
            ["outside"] => super::login::outside(self, asked),
            ["manifest.json"] => manifests::three(self, asked, "3", Of::Everything),
            ["errors.json"] => manifests::three(self, asked, "3", Of::Errors),
            ["manifest-4.json"] => manifests::three(self, asked, "4", Of::Everything),
            ["manifest-1.json"] => manifests::two(self, asked, 1, Of::Everything),
            ["manifest-0.json"] => manifests::two(self, asked, 0, Of::Everything),
            [file, item] if file.starts_with("manifest") => {
                match (*file, item.strip_suffix(".json").and_then(items::find)) {
                    ("manifest", Some(item)) => manifests::three(self, asked, "3", Of::One(item)),
                    ("manifest-4", Some(item)) => manifests::three(self, asked, "4", Of::One(item)),
                    ("manifest-1", Some(item)) => manifests::two(self, asked, 1, Of::One(item)),
                    ("manifest-0", Some(item)) => manifests::two(self, asked, 0, Of::One(item)),
                    _ => self.stray(asked),
                }
            }
            ["iiif", base, item, rest @ ..] => match (items::base(base), items::find(item)) {
                (Some(base), Some(item)) => super::content::image(self, asked, base, item, rest),
                _ => self.stray(asked),
            },
            ["file", item] => match items::find(item) {
                Some(item) if item.kind != items::Kind::Image => {
                    super::content::bytes(self, asked, item)
                }
                _ => self.stray(asked),
            },
            ["probe", base, item] => match items::find(item) {
                Some(item) if *base == "file" || items::base(base).is_some() => {
                    super::probe::answer(self, asked, base, item)
                }
                _ => self.stray(asked),
            },
            ["access", family, realm] => match (family.parse(), items::realm(realm)) {
                (Ok(family @ 0..=2), Some(realm)) => {
                    super::login::access(self, asked, family, realm)
                }
                _ => self.stray(asked),
            },
            ["token", family, realm] => match (family.parse(), items::realm(realm)) {
                (Ok(family @ 0..=2), Some(realm)) => {
                    super::token::answer(self, asked, family, realm)
                }
                _ => self.stray(asked),
            },
            ["logout", family, realm] => match (family.parse::<u8>(), items::realm(realm)) {
                (Ok(0..=2), Some(realm)) => super::login::logout(self, asked, realm),
                _ => self.stray(asked),
            },
            _ => self.stray(asked),
        }
    }

    /// What is not there; and where some servers look once more.
    fn stray(&self, asked: &Asked) -> Answer {
        super::content::stray(self, asked).unwrap_or_else(|| {
            page(StatusCode::NOT_FOUND, "Not there", "<p>There is nothing of that name.</p>")
        })
    }
}

pub(super) fn respond(status: StatusCode, kind: &str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    set(&mut answer, "content-type", kind);
    answer
}

pub(super) fn set(answer: &mut Answer, name: &'static str, value: &str) {
    if let Ok(value) = value.parse() {
        answer.headers_mut().insert(name, value);
    }
}

pub(super) fn json(status: StatusCode, value: &serde_json::Value) -> Answer {
    respond(status, "application/json", value.to_string())
}

/// A page of the server's own, which nobody frames.
pub(super) fn page(status: StatusCode, title: &str, body: &str) -> Answer {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><link rel=\"icon\" href=\"data:,\">\
         <title>{title}</title><style>{}</style></head><body><h1>{title}</h1>{body}</body></html>",
        include_str!("page.css")
    );
    let mut answer = respond(status, "text/html; charset=utf-8", html);
    set(&mut answer, "cache-control", "no-store");
    set(&mut answer, "content-security-policy", "frame-ancestors 'none'");
    set(&mut answer, "x-content-type-options", "nosniff");
    answer
}

pub(super) fn allow(answer: &mut Answer) {
    set(answer, "access-control-allow-origin", "*");
}

/// What a browser is told before it sends a token.
pub(super) fn preflight() -> Answer {
    let mut answer = respond(StatusCode::NO_CONTENT, "text/plain", "");
    allow(&mut answer);
    set(&mut answer, "access-control-allow-methods", "GET, HEAD");
    set(&mut answer, "access-control-allow-headers", "Authorization");
    answer
}

/// For text and attributes.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
