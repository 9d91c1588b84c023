//! `authorize_url`: somebody else decides, and is asked once for a resource and a session.
//!
//! An answer is kept for its time, in bounded memory. An error is kept by nobody: whatever is no clear
//! answer is an error, and the layers make 503 of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tower_iiif_auth::authorizer::{AccessRequest, Authorizer, Decision, Denial, Substitute};
use tower_iiif_auth::{Answer, BoxError, LanguageMap, Message};

use crate::body::boxed;
use crate::upstream::Servers;

/// How many questions are under way at once.
const AT_A_TIME: usize = 64;

/// An answer is a few texts.
const LONGEST: usize = 64 << 10;

/// Whatever an answer says, it is asked again after a day.
const LONGEST_AGE: Duration = Duration::from_secs(86_400);

/// How many bytes of answers are kept, their keys included.
const MOST_BYTES: u64 = 64 << 20;

/// Where it is asked, and what is kept.
pub(crate) struct Settings {
    pub(crate) servers: Arc<Servers>,
    pub(crate) target: PathAndQuery,
    pub(crate) public_url: String,
    pub(crate) timeout: Duration,
    pub(crate) max_age: Duration,
    pub(crate) cache: usize,
    pub(crate) secret: Option<HeaderValue>,
}

#[derive(Clone)]
pub(crate) struct External(Arc<Inner>);

struct Inner {
    settings: Settings,
    kept: Cache<String, Kept, Weight>,
    turns: Semaphore,
}

#[derive(Clone)]
struct Kept {
    decision: Decision,
    until: Instant,
    /// How long the answer was, which is as much as its texts take.
    bytes: u64,
}

/// In bytes, roughly.
#[derive(Clone)]
struct Weight(u64);

impl Weighter<String, Kept> for Weight {
    fn weight(&self, key: &String, kept: &Kept) -> u64 {
        (key.len() as u64 + kept.bytes + 128).max(self.0)
    }
}

/// The question.
#[derive(Serialize)]
struct Question<'q> {
    resource: String,
    base: &'q str,
    identifier: &'q str,
    session: Option<Who<'q>>,
}

#[derive(Serialize)]
struct Who<'q> {
    subject: &'q str,
    roles: Vec<&'q str>,
}

/// The answer: no more than this, as what is not understood may be a restriction.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    allow: bool,
    because: Option<Because>,
    heading: Option<Text>,
    note: Option<Text>,
    substitute: Option<String>,
    max_age: Option<u64>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Because {
    Login,
    Never,
    Absent,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    One(String),
    Several(BTreeMap<String, String>),
}

impl Text {
    fn read(self) -> Result<LanguageMap, String> {
        match self {
            Self::One(text) => Ok(text.into()),
            Self::Several(texts) => {
                let mut texts = texts.into_iter();
                let (language, text) = texts.next().ok_or("a text is in no language")?;
                let first = LanguageMap::new(language, text);
                Ok(texts.fold(first, |all, (language, text)| all.with(language, text)))
            }
        }
    }
}

impl External {
    pub(crate) fn new(settings: Settings) -> Self {
        let count = settings.cache.max(1);
        // No more than that many, and no more than so many bytes.
        let least = (MOST_BYTES / count as u64).max(1);
        let kept = Cache::with_weighter(count, MOST_BYTES, Weight(least));
        Self(Arc::new(Inner { settings, kept, turns: Semaphore::new(AT_A_TIME) }))
    }
}

impl Authorizer for External {
    fn authorize(&self, request: &AccessRequest<'_>) -> Answer<Result<Decision, BoxError>> {
        let key = key(request);
        if let Some(kept) = self.0.kept.get(&key).filter(|own| Instant::now() < own.until) {
            return Answer::Now(Ok(kept.decision));
        }
        let (inner, request) = (Arc::clone(&self.0), request.clone().into_owned());
        Answer::later(async move { inner.learn(key, &request).await })
    }
}

/// What an answer is good for. No part holds a line feed that could begin another: the lengths stand
/// before them.
fn key(request: &AccessRequest<'_>) -> String {
    let mut key = request.resource().path();
    if let Some(session) = request.session() {
        let subject = session.subject();
        key = format!("{}\n{key}\n{}\n{subject}", key.len(), subject.len());
        for role in session.roles() {
            for part in ["\n", &role.len().to_string(), "\n", role] {
                key.push_str(part);
            }
        }
    }
    key
}

impl Inner {
    /// One question at a time for one key: who waits meanwhile gets the same answer.
    async fn learn(&self, key: String, request: &AccessRequest<'_>) -> Result<Decision, BoxError> {
        loop {
            match self.kept.get_value_or_guard_async(&key).await {
                Ok(kept) if Instant::now() < kept.until => return Ok(kept.decision),
                Ok(old) => {
                    self.kept.remove_if(&key, |own| own.until == old.until);
                }
                Err(place) => {
                    let asked =
                        tokio::time::timeout(self.settings.timeout, self.ask(request)).await;
                    let asked = asked.map_err(|_| "authorize_url did not answer in time")?;
                    let (decision, age, bytes) =
                        asked.map_err(|error| format!("authorize_url: {error}"))?;
                    if !age.is_zero() {
                        let until = Instant::now() + age;
                        let kept = Kept { decision: decision.clone(), until, bytes };
                        // Where it has no room any more, it is not kept.
                        drop(place.insert(kept));
                    }
                    return Ok(decision);
                }
            }
        }
    }

    async fn ask(&self, request: &AccessRequest<'_>) -> Result<(Decision, Duration, u64), String> {
        let _turn = self.turns.acquire().await.map_err(|error| error.to_string())?;
        let resource = request.resource();
        let session = request.session();
        let question = Question {
            resource: format!("{}{}", self.settings.public_url, resource.path()),
            base: if resource.base().is_empty() { "/" } else { resource.base() },
            identifier: resource.identifier(),
            session: session
                .map(|own| Who { subject: own.subject(), roles: own.roles().collect() }),
        };
        let question = serde_json::to_vec(&question).map_err(|error| error.to_string())?;
        let said = self.said(Bytes::from(question)).await?;
        let bytes = said.len() as u64;
        let said: Said = serde_json::from_slice(&said)
            .map_err(|error| format!("the answer is not as documented: {error}"))?;
        let age = said.max_age.map_or(self.settings.max_age, Duration::from_secs).min(LONGEST_AGE);
        Ok((decision(said, session.is_some())?, age, bytes))
    }

    async fn said(&self, question: Bytes) -> Result<Bytes, String> {
        let head = self.head(question.len());
        let mut again = true;
        let answer = loop {
            let body = boxed(Full::new(question.clone()));
            match self.settings.servers.send(&head, &self.settings.target, Some(body)).await {
                Ok(answer) => break answer.response,
                // A kept connection may have been closed; nothing comes of it if it is asked twice.
                Err(error) if again => {
                    tracing::debug!(why = error.why, "authorize_url is asked again");
                    again = false;
                }
                Err(error) => return Err(error.why),
            }
        };
        if answer.status() != StatusCode::OK {
            return Err(format!("the answer is {}", answer.status().as_u16()));
        }
        let body = Limited::new(answer.into_body(), LONGEST).collect().await;
        body.map(http_body_util::Collected::to_bytes).map_err(|error| error.to_string())
    }

    fn head(&self, length: usize) -> Parts {
        let (mut head, ()) = Request::new(()).into_parts();
        head.method = Method::POST;
        let json = HeaderValue::from_static("application/json");
        head.headers.insert(CONTENT_TYPE, json.clone());
        head.headers.insert(ACCEPT, json);
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        if let Some(secret) = &self.settings.secret {
            head.headers.insert(AUTHORIZATION, secret.clone());
        }
        head
    }
}

fn decision(said: Said, has_session: bool) -> Result<Decision, String> {
    let Said { allow, because, heading, note, substitute, .. } = said;
    if allow {
        let plain =
            because.is_none() && heading.is_none() && note.is_none() && substitute.is_none();
        return if plain {
            Ok(Decision::Grant)
        } else {
            Err("an answer allows and refuses at once".to_owned())
        };
    }
    let mut denial = match (because, has_session) {
        (Some(Because::Absent), _) => Denial::absent(),
        (Some(Because::Never), _) | (None, true) => Denial::never(),
        (Some(Because::Login), _) | (None, false) => Denial::login(),
    };
    match (heading, note) {
        (Some(heading), note) => {
            let mut message = Message::new(heading.read()?);
            if let Some(note) = note {
                message = message.note(note.read()?);
            }
            denial = denial.message(message);
        }
        (None, Some(_)) => return Err("a note needs a heading".to_owned()),
        (None, None) => {}
    }
    if let Some(identifier) = substitute {
        denial = denial.substitute(Substitute::of_same_base(identifier));
    }
    Ok(denial.into())
}
