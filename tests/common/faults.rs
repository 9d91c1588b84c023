//! Parts that fail.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tower_iiif_auth::aspect::SessionId;
use tower_iiif_auth::clock::Timestamp;
use tower_iiif_auth::revocation::{InMemory, Revocations};
use tower_iiif_auth::{Answer, BoxError};

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
