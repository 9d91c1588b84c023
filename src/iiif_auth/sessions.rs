//! Sessions, for what an application does with them itself.

use std::fmt;
use std::sync::Arc;

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};

use super::IiifAuth;
use crate::answer::BoxError;
use crate::aspect::{AspectError, BoundCookie, CookieError, Head};
use crate::authorizer::{Decision, Denial};
use crate::core::{Found, RealmId};
use crate::find_session::{FindSessionLayer, LiveSession};
use crate::gate::{Ended, decide_and_wait};
use crate::resource::ResourceKind;
use crate::revocation::Share;
use crate::session::{SessionError, SessionId};

impl IiifAuth {
    /// The finder of sessions, for an application's own pages.
    pub fn find_session(&self) -> FindSessionLayer {
        FindSessionLayer::new(Arc::clone(&self.core))
    }

    /// The live session of a request, anywhere: read, in time and not logged out, as it would be asked for a
    /// tile. Of several realms the first that has one counts, in the order in which they were given.
    ///
    /// # Errors
    ///
    /// What is lacking: mostly [`AspectError::Missing`], as nobody is in. [`AspectError::Unavailable`] where
    /// it could not be found out.
    ///
    /// # Example
    ///
    /// ```
    /// use http::Request;
    /// use tower_iiif_auth::IiifAuth;
    /// use tower_iiif_auth::aspect::Head;
    ///
    /// async fn greeting<B>(auth: &IiifAuth, request: &Request<B>) -> String {
    ///     match auth.live_session(Head::of(request)).await {
    ///         Ok(live) => format!("You are {}.", live.session().subject()),
    ///         Err(_) => "Nobody is logged in.".to_owned(),
    ///     }
    /// }
    /// ```
    pub async fn live_session(&self, head: Head<'_>) -> Result<LiveSession, AspectError> {
        let realms = self.core.realms.with_ids().map(|(realm, _)| realm).collect::<Vec<_>>();
        self.core.live_session(realms, &head).await
    }

    /// The same in one realm; empty for the unnamed one.
    ///
    /// # Errors
    ///
    /// As for [`live_session`](Self::live_session), and [`AspectError::Unavailable`] where there is no realm
    /// of this name.
    pub async fn live_session_in(
        &self,
        realm: &str,
        head: Head<'_>,
    ) -> Result<LiveSession, AspectError> {
        let realm = self.realm(realm).map_err(|error| AspectError::Unavailable(error.into()))?;
        self.core.live_session([realm], &head).await
    }

    /// What the checker would decide for a request of this user's for `path` (without scheme and host) below
    /// a base: for a page that says what its visitor may see. It is the same decision, with all sessions that
    /// the request has. Of a path that names no resource it is [`Denial::absent`].
    ///
    /// Of an image service's URI or description it is about the image as a whole, of a tile's or thumbnail's
    /// about that. The answer is for showing: what is fetched is decided on again.
    ///
    /// # Example
    ///
    /// ```
    /// use http::Request;
    /// use tower_iiif_auth::IiifAuth;
    /// use tower_iiif_auth::aspect::Head;
    ///
    /// async fn mark<B>(auth: &IiifAuth, request: &Request<B>, path: &str) -> &'static str {
    ///     if auth.decide(Head::of(request), path).await.is_grant() { "open to you" } else { "closed" }
    /// }
    /// ```
    pub async fn decide(&self, head: Head<'_>, path: &str) -> Decision {
        let core = &self.core;
        let asked = match core.find(path) {
            Found::Resource(found) if matches!(found.kind(), ResourceKind::ImageInformation) => {
                found.into_owned().whole()
            }
            Found::Resource(found) => found.into_owned(),
            Found::Public | Found::Signed(_) | Found::Refused(_) => return Denial::absent().into(),
        };
        decide_and_wait(core, &head.to_parts(), &asked, core.now(), None).await.decision
    }

    /// Ends every session that a request has, in all realms, with the tokens that stand for them: a logout in
    /// a handler of the application's own. The cookies that it returns have to go along with the answer,
    /// also where it failed.
    ///
    /// The handler has to look whether its own page asked for it: a form that is posted, and guarded against
    /// forgery.
    ///
    /// # Example
    ///
    /// ```
    /// use http::{Request, Response, StatusCode};
    /// use tower_iiif_auth::IiifAuth;
    /// use tower_iiif_auth::aspect::Head;
    ///
    /// async fn log_out<B>(auth: &IiifAuth, request: &Request<B>) -> Response<()> {
    ///     let mut response = Response::new(());
    ///     let logged_out = auth.log_out(Head::of(request)).await;
    ///     logged_out.set_cookies(response.headers_mut());
    ///     if logged_out.outcome().is_err() {
    ///         *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE; // copies of the cookie live on
    ///     }
    ///     response
    /// }
    /// ```
    pub async fn log_out(&self, head: Head<'_>) -> LoggedOut {
        let cookies = self.core.end_of_flow(head.headers()).into_iter().collect();
        let mut logged_out = LoggedOut { cookies, failure: None };
        for (realm, _) in self.core.realms.with_ids() {
            logged_out.take_in(self.core.end_sessions(realm, &head).await);
        }
        logged_out
    }

    /// The same in one realm; empty for the unnamed one.
    pub async fn log_out_of(&self, realm: &str, head: Head<'_>) -> LoggedOut {
        let cookies = self.core.end_of_flow(head.headers()).into_iter().collect();
        let mut logged_out = LoggedOut { cookies, failure: None };
        match self.realm(realm) {
            Ok(realm) => logged_out.take_in(self.core.end_sessions(realm, &head).await),
            Err(error) => logged_out.failure = Some(error),
        }
        logged_out
    }

    /// Ends the session `id` of a realm's access cookie (empty for the unnamed realm), and the tokens that
    /// stand for it: at once here, and within the store's staleness at other nodes.
    ///
    /// [`Session::id`](crate::aspect::Session::id) gives the id: from [`live_session`](Self::live_session),
    /// from [`Granted`](crate::check::Granted), or from the [`LiveSession`] among the extensions of the
    /// response that a grant becomes.
    ///
    /// # Errors
    ///
    /// Where it cannot be remembered: then the session goes on.
    pub async fn end_session(&self, realm: &str, id: SessionId) -> Result<(), SessionsError> {
        let (realm, cookie) = self.cookie(realm)?;
        let now = self.core.now();
        let share = Share::of(self.core.realms[realm].name(), false);
        let until = now.after(cookie.times().longest);
        self.core.revoke(share, id, until, now).await.map_err(SessionsError::NotStored)
    }

    /// Ends every session of a subject in a realm (empty for the unnamed one), with the tokens that stand for
    /// them, in whatever browser they are: the password was changed, the account closed, a role taken away.
    /// At once here, and within the store's staleness at other nodes. Who logs in after that is in.
    ///
    /// It ends sessions of the access cookie, and is remembered for as long as one of them could live.
    /// Sessions of an aspect of the application's own are ended where they are kept.
    ///
    /// # Errors
    ///
    /// Where it cannot be remembered, and for an empty subject, who is nobody in particular.
    pub async fn end_sessions_of(&self, realm: &str, subject: &str) -> Result<(), SessionsError> {
        let (realm, cookie) = self.cookie(realm)?;
        if subject.is_empty() {
            return Err(SessionsError::Nobody);
        }
        let (name, now) = (self.core.realms[realm].name(), self.core.now());
        let until = now.after(cookie.times().longest);
        let ended = self.core.end_subject(name, subject, until, now).await;
        ended.map_err(SessionsError::NotStored)
    }

    /// Gives the user of a request a session with other roles, without a new login: the same user, for the
    /// same viewers, until the same end. The session of before is ended, with its tokens. It is that of the
    /// access cookie of a realm; empty for the unnamed one.
    ///
    /// The cookie that it returns has to go along with the answer, or the user is logged out.
    ///
    /// # Errors
    ///
    /// Where there is no such session, or it cannot be ended.
    ///
    /// # Example
    ///
    /// ```
    /// use http::{Request, Response};
    /// use tower_iiif_auth::aspect::Head;
    /// use tower_iiif_auth::{IiifAuth, SessionsError};
    ///
    /// async fn pass_bought<B>(auth: &IiifAuth, request: &Request<B>) -> Result<Response<()>, SessionsError> {
    ///     let cookie = auth.reissue("", Head::of(request), ["reader", "member"]).await?;
    ///     let mut response = Response::new(());
    ///     response.headers_mut().append(http::header::SET_COOKIE, cookie);
    ///     Ok(response)
    /// }
    /// ```
    pub async fn reissue<R: AsRef<str>>(
        &self,
        realm: &str,
        head: Head<'_>,
        roles: impl IntoIterator<Item = R>,
    ) -> Result<HeaderValue, SessionsError> {
        let (realm, cookie) = self.cookie(realm)?;
        let roles: Vec<R> = roles.into_iter().collect();
        let now = self.core.now();
        let lacking = |error| SessionsError::Lacking(error);
        let old = self.core.cookie_session(cookie, head.headers(), now).await;
        let old = old.map_err(|error| lacking(AspectError::Unavailable(error)))?;
        let old = old.ok_or(lacking(AspectError::Missing))?;
        let id = self.core.new_id(now).await.map_err(SessionsError::NotStored)?;
        let new = old.again_as(id, roles.iter().map(AsRef::as_ref));
        let new = new.map_err(SessionsError::Session)?;
        // Before anything is ended: a session that fits no cookie takes the place of none.
        let header = cookie.set(&new, now).map_err(SessionsError::Cookie)?;
        let share = Share::of(self.core.realms[realm].name(), old.subject().is_empty());
        let until = cookie.times().end_of(&old);
        // One caller alone ends it: what a logout has ended meanwhile does not go on under another id.
        match self.core.claim(share, old.id(), until, now).await {
            Ok(true) => {}
            Ok(false) => return Err(lacking(AspectError::Revoked)),
            Err(error) => return Err(SessionsError::NotStored(error)),
        }
        let ended = self.core.revoke(share, old.id(), until, now).await;
        ended.map_err(SessionsError::NotStored)?;
        Ok(header)
    }

    fn realm(&self, name: &str) -> Result<RealmId, SessionsError> {
        self.core.realm_named(name).ok_or_else(|| SessionsError::NoRealm(name.to_owned()))
    }

    fn cookie(&self, realm: &str) -> Result<(RealmId, &BoundCookie), SessionsError> {
        let id = self.realm(realm)?;
        let cookie = self.core.realms[id].cookie();
        Ok((id, cookie.ok_or_else(|| SessionsError::NoCookie(realm.to_owned()))?))
    }
}

/// What became of a logout: made by [`IiifAuth::log_out`].
#[derive(Debug)]
#[must_use = "the browser keeps its cookies until `set_cookies` deletes them"]
pub struct LoggedOut {
    cookies: Vec<HeaderValue>,
    failure: Option<SessionsError>,
}

impl LoggedOut {
    fn take_in(&mut self, ended: Ended) {
        self.cookies.extend(ended.deletion);
        if !ended.are_stored {
            self.failure = Some(SessionsError::NotStored("it was logged".into()));
        } else if !ended.are_all {
            self.failure.get_or_insert(SessionsError::TooMany);
        }
    }

    /// Adds the `Set-Cookie` fields that delete the access cookies.
    pub fn set_cookies(&self, headers: &mut HeaderMap) {
        for cookie in &self.cookies {
            headers.append(SET_COOKIE, cookie.clone());
        }
    }

    /// Whether all sessions were ended.
    ///
    /// # Errors
    ///
    /// Where that could not be remembered, copies of the cookie go on to work, and the user has to know.
    pub fn outcome(self) -> Result<(), SessionsError> {
        self.failure.map_or(Ok(()), Err)
    }
}

/// Why sessions could not be ended or changed.
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionsError {
    /// There is no realm of this name.
    NoRealm(String),
    /// The realm has no access cookie: its sessions are not the layers'.
    NoCookie(String),
    /// An empty subject, who is nobody in particular.
    Nobody,
    /// The request has no such session.
    Lacking(AspectError),
    /// The store of ended sessions is down, too slow or full, or cannot do it.
    NotStored(BoxError),
    /// There are more than the eight sessions that one request ends.
    TooMany,
    /// There can be no session like this.
    Session(SessionError),
    /// The session does not fit a cookie.
    Cookie(CookieError),
}

impl fmt::Display for SessionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRealm(name) => write!(f, "there is no realm {name:?}"),
            Self::NoCookie(realm) => {
                write!(f, "realm {realm:?} has no access cookie: its aspects keep its sessions")
            }
            Self::Nobody => f.write_str("the subject is empty, which is nobody in particular"),
            Self::Lacking(error) => write!(f, "there is no such session: {error}"),
            Self::NotStored(_) => f.write_str("it could not be stored that the session has ended"),
            Self::TooMany => f.write_str("there are more sessions than one request ends"),
            Self::Session(error) => error.fmt(f),
            Self::Cookie(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SessionsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Lacking(error) => Some(error),
            Self::NotStored(error) => Some(&**error),
            Self::Session(error) => Some(error),
            Self::Cookie(error) => Some(error),
            Self::NoRealm(_) | Self::NoCookie(_) | Self::Nobody | Self::TooMany => None,
        }
    }
}
