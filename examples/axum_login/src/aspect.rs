//! An axum-login login as the authorizing aspect: the application's own session cookie, and no other.
//!
//! To be copied. All it knows of the application is its backend, its store, and what `who` says of
//! a user. The session layer has to be around the layers of `tower-iiif-auth`.

use std::sync::Arc;
use std::time::Duration;

use axum_login::{AuthUser, AuthnBackend, UserId};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq;
use tower_iiif_auth::aspect::{
    AspectError, AuthorizingAspect, Head, Reading, Session, SessionBuilder, SessionError, SessionId,
};
use tower_iiif_auth::clock::Timestamp;
use tower_iiif_auth::{Answer, Origin};
use tower_sessions::session::{Id, Record};
use tower_sessions::{Session as AppSession, SessionStore};

/// Where axum-login keeps the user in a session, unless the application named another key.
pub(crate) const LOGIN: &str = "axum-login.data";

/// Where the viewers that the user let in are kept.
const VIEWERS: &str = "iiif.viewers";

/// How many viewers a session remembers.
const MOST_VIEWERS: usize = 8;

/// Longest that a session is good for without another look; the layers take no longer one.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) struct AxumLogin<B: AuthnBackend, S> {
    users: B,
    store: Arc<S>,
    who: fn(&B::User) -> SessionBuilder,
}

impl<B: AuthnBackend, S: SessionStore> AxumLogin<B, S> {
    /// Users of the backend, by the sessions of the store. `who` says what authorizers see of a user.
    pub(crate) fn new(users: B, store: S, who: fn(&B::User) -> SessionBuilder) -> Self {
        Self { users, store: Arc::new(store), who }
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
        Answer::later(async move {
            let session = session?;
            let login: Option<Login<UserId<B>>> = session.get(LOGIN).await.map_err(unavailable)?;
            if login.is_none_or(|login| login.user_id.is_none()) {
                return Err(AspectError::Missing);
            }
            let mut viewers: Vec<String> =
                session.get(VIEWERS).await.map_err(unavailable)?.unwrap_or_default();
            viewers.retain(|own| *own != viewer);
            viewers.push(viewer);
            let surplus = viewers.len().saturating_sub(MOST_VIEWERS);
            viewers.drain(..surplus);
            session.insert(VIEWERS, viewers).await.map_err(unavailable)?;
            // The session layer would do it as well, and say nothing of what failed.
            session.save().await.map_err(unavailable)
        })
    }

    fn log_out(&self, head: &Head<'_>) -> Answer<Result<(), AspectError>> {
        let session = session_of(head);
        Answer::later(async move { session?.flush().await.map_err(unavailable) })
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
            let record = store.load(&id).await.map_err(unavailable)?.ok_or(AspectError::Invalid)?;
            let login: Login<UserId<B>> = field(&record, LOGIN)?.ok_or(AspectError::Missing)?;
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
            let viewers: Vec<String> = field(&record, VIEWERS)?.unwrap_or_default();
            who(&user)
                .id(SessionId::from_bytes(id.0.to_be_bytes()))
                // Without one the session is for no viewer: the user logged in to the application.
                .origins(viewers.iter().filter_map(|viewer| viewer.parse().ok()))
                .lasting(now, left(&record, now))
                .map_err(|error| match error {
                    SessionError::Lifetime(_) => AspectError::Expired,
                    error => unavailable(error),
                })
        })
    }
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
