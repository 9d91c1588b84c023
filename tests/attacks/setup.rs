//! Parts that fail, and short words for what most attacks need.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Response, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tower_iiif_auth::aspect::SessionId;
use tower_iiif_auth::clock::Timestamp;
use tower_iiif_auth::revocation::{InMemory, Revocations};
use tower_iiif_auth::{Answer, BoxError};

use crate::common::{BASE, COOKIE, Publisher, V, text};

/// The probe's path for an identifier below the image base.
pub fn probe(identifier: &str) -> String {
    format!("/iiif/3/{identifier}")
}

pub fn info(identifier: &str) -> String {
    format!("/iiif/3/{identifier}/info.json")
}

/// `__Host-iiif=…`
pub fn pair(cookie: &str) -> String {
    format!("{COOKIE}={cookie}")
}

pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// TOK: the token page for a query, with or without the access cookie.
pub async fn token_page(
    publisher: &Publisher,
    query: &str,
    cookie: Option<&str>,
) -> Response<Bytes> {
    let cookie = cookie.map(pair);
    let headers: Vec<_> = cookie.iter().map(|pair| ("cookie", pair.as_str())).collect();
    publisher.get(&format!("/auth/token?{query}"), &headers).await
}

/// The query of a well-behaved viewer.
pub fn query() -> String {
    format!("messageId=m1&origin={V}")
}

/// P(n): the status of a probe with this `Authorization` value.
pub async fn authorized(publisher: &Publisher, identifier: &str, value: &str) -> u64 {
    let result = publisher.probe(&probe(identifier), &[("authorization", value)]).await;
    status_of(&result)
}

pub fn status_of(result: &Value) -> u64 {
    assert_eq!(result["type"], "AuthProbeResult2");
    result["status"].as_u64().unwrap()
}

/// "ok": denied, 400 or 404, by us and without a byte of the image.
#[track_caller]
pub fn assert_kept(response: &Response<Bytes>, what: &str) {
    let status = response.status().as_u16();
    let headers = response.headers();
    // An image service as a whole leads to its description, whether or not it exists.
    let location = headers.get(header::LOCATION).map_or("", |value| value.to_str().unwrap());
    let described = status == 303 && location.starts_with(BASE) && location.ends_with("/info.json");
    assert!(described || [400, 401, 403, 404].contains(&status), "{what}: {response:?}");
    let cache = headers.get(header::CACHE_CONTROL).map(|value| value.to_str().unwrap());
    assert!(cache.is_some_and(|value| value.contains("no-store")), "{what}: {response:?}");
    for name in ["etag", "last-modified", "accept-ranges", "content-range", "www-authenticate"] {
        assert!(!headers.contains_key(name), "{what}: {name} in {response:?}");
    }
    assert!(!text(response).contains("image bytes"), "{what}");
}

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Fault {
    #[default]
    None,
    /// It says so at once.
    Error,
    /// It says so later.
    ErrorLater,
    /// It never answers.
    Hang,
    /// It answers well after a time.
    Slow(Duration),
    /// It panics at once.
    Panic,
    /// Its future panics.
    PanicLater,
}

pub const FAULTS: [Fault; 6] = [
    Fault::Error,
    Fault::ErrorLater,
    Fault::Hang,
    Fault::Slow(Duration::from_secs(30)),
    Fault::Panic,
    Fault::PanicLater,
];

impl Fault {
    /// The answer of a part with this fault, which otherwise would be `well`.
    pub fn answer<T: Send + 'static>(self, well: T) -> Answer<Result<T, BoxError>> {
        match self {
            Self::None => Answer::Now(Ok(well)),
            Self::Error => Answer::Now(Err("secret cause".into())),
            Self::ErrorLater => Answer::later(async {
                tokio::task::yield_now().await;
                Err("secret cause".into())
            }),
            Self::Hang => Answer::later(std::future::pending()),
            Self::Slow(time) => Answer::later(async move {
                tokio::time::sleep(time).await;
                Ok(well)
            }),
            Self::Panic => panic!("the part panics"),
            Self::PanicLater => Answer::later(async {
                tokio::task::yield_now().await;
                panic!("the part panics later")
            }),
        }
    }
}

/// A revocation store that several nodes share, that counts, and that fails as told.
#[derive(Clone)]
pub struct Store {
    list: Arc<InMemory>,
    pub look_up: Arc<Mutex<Fault>>,
    pub write: Arc<Mutex<Fault>>,
    pub admits: Arc<Mutex<Option<SessionId>>>,
    pub until: Arc<Mutex<Option<Timestamp>>>,
    calls: Arc<AtomicUsize>,
}

impl Store {
    pub fn new() -> Self {
        Self {
            list: Arc::new(InMemory::new().unwrap()),
            look_up: Arc::default(),
            write: Arc::default(),
            admits: Arc::default(),
            until: Arc::default(),
            calls: Arc::default(),
        }
    }

    pub fn fail(&self, fault: Fault) {
        *self.look_up.lock().unwrap() = fault;
        *self.write.lock().unwrap() = fault;
    }

    /// How often it was asked or written to.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }
}

impl Revocations for Store {
    fn admit(&self, id: SessionId) -> SessionId {
        self.admits.lock().unwrap().unwrap_or_else(|| self.list.admit(id))
    }

    fn is_revoked(&self, id: SessionId, now: Timestamp) -> Answer<Result<bool, BoxError>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let fault = *self.look_up.lock().unwrap();
        let Answer::Now(Ok(revoked)) = self.list.is_revoked(id, now) else { unreachable!() };
        fault.answer(revoked)
    }

    fn revoke(
        &self,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<Result<(), BoxError>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        *self.until.lock().unwrap() = Some(until);
        let fault = *self.write.lock().unwrap();
        if fault == Fault::None {
            return self.list.revoke(id, until, now);
        }
        fault.answer(())
    }
}
