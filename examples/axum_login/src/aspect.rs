//! An axum-login login as the authorizing aspect: the application's own session cookie, and no other.
//!
//! To be copied. All it knows of the application is its backend, its store, and what `who` says of
//! a user. The session layer has to be around the layers of `tower-iiif-auth`.

use std::sync::Arc;
use std::time::Duration;

use axum_login::{AuthUser, AuthnBackend, UserId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use subtle::ConstantTimeEq;
use tokio::sync::Mutex;
use tower_iiif_auth::aspect::{
    AspectError, AuthorizingAspect, Head, Reading, Session, SessionBuilder, SessionError, SessionId,
};
use tower_iiif_auth::clock::Timestamp;
use tower_iiif_auth::{Answer, Origin};
use tower_sessions::cookie::time::OffsetDateTime;
use tower_sessions::session::{Id, Record};
use tower_sessions::{Session as AppSession, SessionStore};

/// Where axum-login keeps the user in a session, unless the application named another key.
pub(crate) const LOGIN: &str = "axum-login.data";

/// Where a companion keeps what it holds.
const COMPANION: &str = "iiif";

/// How many viewers a session remembers.
const MOST_VIEWERS: usize = 8;

/// Longest that a session is good for without another look; the layers take no longer one.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) struct AxumLogin<B: AuthnBackend, S> {
    users: B,
    store: Arc<S>,
    who: fn(&B::User) -> SessionBuilder,
    /// Taken to change a companion, so that of two viewers at once none is lost.
    turns: Arc<Mutex<()>>,
}

/// What belongs to a session and is kept beside it, in a record of its own of the same store. The
/// session itself is never written here: stores write what has been deleted meanwhile, and a session
/// that was logged out would be back.
#[derive(Default, Deserialize, Serialize)]
struct Companion {
    /// Whom the viewers were let in by: in one session several may log in, one after the other.
    user: Value,
    viewers: Vec<String>,
    /// Whether the session was logged out, whatever is written to it after that.
    ended: bool,
}

impl Companion {
    /// Nobody is sent this id, and no session has it but by a chance of one in 2¹²⁸.
    fn id(Id(session): Id) -> Id {
        Id(!session)
    }

    fn of(record: Option<&Record>) -> Result<Self, AspectError> {
        Ok(record.map(|record| field(record, COMPANION)).transpose()?.flatten().unwrap_or_default())
    }
}

impl<B: AuthnBackend, S: SessionStore> AxumLogin<B, S> {
    /// Users of the backend, by the sessions of the store. `who` says what authorizers see of a user.
    pub(crate) fn new(users: B, store: S, who: fn(&B::User) -> SessionBuilder) -> Self {
        Self { users, store: Arc::new(store), who, turns: Arc::default() }
    }
}

/// What axum-login keeps.
#[derive(Deserialize)]
struct Login<Id> {
    user_id: Option<Id>,
    auth_hash: Option<Vec<u8>>,
}

impl<B, S> AuthorizingAspect for AxumLogin<B, S>
where
    B: AuthnBackend<User: 'static, Error: 'static> + 'static,
    S: SessionStore,
    UserId<B>: 'static,
{
    fn name(&self) -> &'static str {
        "axum-login"
    }

    fn read(&self, head: &Head<'_>, now: Timestamp) -> Reading {
        match session_of(head).map(|session| session.id()) {
            Ok(Some(id)) => self.live(id, now),
            Ok(None) => Answer::Now(Err(AspectError::Missing)),
            Err(error) => Answer::Now(Err(error)),
        }
    }

    // A probe brings a token and no cookie. The token is sealed: nobody reads the id in it.
    fn resume(&self, session: Session<'static>, now: Timestamp) -> Reading {
        self.live(Id(i128::from_be_bytes(*session.id().as_bytes())), now)
    }

    fn bind(&self, head: &Head<'_>, viewer: &Origin) -> Answer<Result<(), AspectError>> {
        let (session, viewer) = (session_of(head), viewer.as_str().to_owned());
        let (store, turns) = (Arc::clone(&self.store), Arc::clone(&self.turns));
        Answer::later(async move {
            let session = session?;
            let login: Option<Login<Value>> = session.get(LOGIN).await.map_err(unavailable)?;
            let user = login.and_then(|login| login.user_id).ok_or(AspectError::Missing)?;
            // One that begins with this very request has no id yet. The session layer would do it as
            // well, and say nothing of what failed.
            if session.id().is_none() {
                session.save().await.map_err(unavailable)?;
            }
            let id = session.id().ok_or(AspectError::Missing)?;
            let _turn = turns.lock().await;
            change(&*store, id, session.expiry_date(), |companion| {
                if companion.user != user {
                    companion.viewers.clear();
                    companion.user = user;
                }
                companion.viewers.retain(|own| *own != viewer);
                companion.viewers.push(viewer);
                let surplus = companion.viewers.len().saturating_sub(MOST_VIEWERS);
                companion.viewers.drain(..surplus);
            })
            .await
        })
    }

    fn log_out(&self, head: &Head<'_>) -> Answer<Result<(), AspectError>> {
        let session = session_of(head);
        let (store, turns) = (Arc::clone(&self.store), Arc::clone(&self.turns));
        Answer::later(async move {
            let session = session?;
            let id = session.id().ok_or(AspectError::Missing)?;
            // Strangers write nothing here.
            let record = store.load(&id).await.map_err(unavailable)?.ok_or(AspectError::Missing)?;
            let turn = turns.lock().await;
            let end = |companion: &mut Companion| companion.ended = true;
            change(&*store, id, record.expiry_date, end).await?;
            drop(turn);
            session.flush().await.map_err(unavailable)
        })
    }
}

impl<B, S> AxumLogin<B, S>
where
    B: AuthnBackend<User: 'static, Error: 'static> + 'static,
    S: SessionStore,
    UserId<B>: 'static,
{
    /// The session as the store has it now.
    fn live(&self, id: Id, now: Timestamp) -> Reading {
        let (users, store, who) = (self.users.clone(), Arc::clone(&self.store), self.who);
        Answer::later(async move {
            let companion_id = Companion::id(id);
            let (record, companion) = tokio::join!(store.load(&id), store.load(&companion_id));
            let record = record.map_err(unavailable)?.ok_or(AspectError::Invalid)?;
            let companion = Companion::of(companion.map_err(unavailable)?.as_ref())?;
            if companion.ended {
                return Err(AspectError::Revoked);
            }
            let login: Login<UserId<B>> = field(&record, LOGIN)?.ok_or(AspectError::Missing)?;
            let logged_in: Option<Login<Value>> = field(&record, LOGIN)?;
            let is_theirs = logged_in.and_then(|login| login.user_id) == Some(companion.user);
            // A visitor's session, of somebody who never logged in.
            let (Some(user), Some(hash)) = (login.user_id, login.auth_hash) else {
                return Err(AspectError::Missing);
            };
            let user = users.get_user(&user).await.map_err(unavailable)?;
            let user = user.ok_or(AspectError::Invalid)?;
            // Another password since: axum-login ends such a session, too.
            if !bool::from(hash.ct_eq(user.session_auth_hash())) {
                return Err(AspectError::Invalid);
            }
            // The viewers of who was here before are not this user's.
            let viewers = companion.viewers.iter().filter(|_| is_theirs);
            who(&user)
                .id(SessionId::from_bytes(id.0.to_be_bytes()))
                // Without one the session is for no viewer: the user logged in to the application.
                .origins(viewers.filter_map(|viewer| viewer.parse().ok()))
                .lasting(now, left(&record, now))
                .map_err(|error| match error {
                    SessionError::Lifetime(_) => AspectError::Expired,
                    error => unavailable(error),
                })
        })
    }
}

/// Changes what belongs to a session; an error where the session was logged out.
async fn change<S: SessionStore>(
    store: &S,
    session: Id,
    until: OffsetDateTime,
    change: impl FnOnce(&mut Companion),
) -> Result<(), AspectError> {
    let id = Companion::id(session);
    let present = store.load(&id).await.map_err(unavailable)?;
    let mut companion = Companion::of(present.as_ref())?;
    if companion.ended {
        return Err(AspectError::Revoked);
    }
    change(&mut companion);
    let companion = serde_json::to_value(companion).map_err(unavailable)?;
    // No shorter than what still writes to the session may take.
    let expiry_date = until.max(OffsetDateTime::now_utc() + LONGEST);
    let data = [(COMPANION.to_owned(), companion)].into();
    let mut record = Record { id, data, expiry_date };
    if present.is_some() {
        return store.save(&record).await.map_err(unavailable);
    }
    // There are stores that save nothing but what is there.
    store.create(&mut record).await.map_err(unavailable)?;
    if record.id == id {
        return Ok(());
    }
    // Another process was faster, and the store has chosen another id.
    store.delete(&record.id).await.map_err(unavailable)?;
    Err(unavailable("two requests changed a session at once: try again"))
}

fn session_of(head: &Head<'_>) -> Result<AppSession, AspectError> {
    head.extensions()
        .get::<AppSession>()
        .cloned()
        .ok_or_else(|| unavailable("put the session layer around the layers of tower-iiif-auth"))
}

fn field<T: DeserializeOwned>(record: &Record, key: &str) -> Result<Option<T>, AspectError> {
    record.data.get(key).cloned().map(serde_json::from_value).transpose().map_err(unavailable)
}

/// How long the store keeps the session.
fn left(record: &Record, now: Timestamp) -> Duration {
    let end = record.expiry_date.unix_timestamp_nanos() / 1_000_000;
    let end = u64::try_from(end).unwrap_or_default();
    Duration::from_millis(end.saturating_sub(now.as_millis())).min(LONGEST)
}

fn unavailable(error: impl Into<tower_iiif_auth::BoxError>) -> AspectError {
    AspectError::Unavailable(error.into())
}
