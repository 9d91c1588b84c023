//! From a grant to an access cookie.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::flow::Flow;
use super::grant::{AccessGrant, Who};
use super::{form, pages};
use crate::answer::BoxError;
use crate::aspect::{BoundCookie, Reader, SKEW, Session, SessionId, write_short_text};
use crate::clock::Timestamp;
use crate::config::Core;
use crate::protocol::v2::Profile;
use crate::query;
use crate::seal::{Purpose, Scratch};

/// How long the gesture page may be left open.
const PENDING_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// What of a request matters to a grant in its response.
pub(super) struct Context {
    pub(super) core: Arc<Core>,
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) flow: Option<Flow>,
    /// The access service at the request's own path.
    pub(super) service: Option<usize>,
}

impl Context {
    /// Answers in place of a response with a grant: seals the cookie, or asks for a click first.
    pub(super) async fn grant(self, grant: AccessGrant) -> Response<Bytes> {
        let now = self.core.now();
        let Some(realm) = self.realm(&grant) else {
            crate::trace::failure("access grant", &"it names a realm that is not configured");
            return pages::failed(&self);
        };
        if matches!(grant.who, Who::ByOwnAspect) {
            crate::trace::access(&self.core.realms[realm].name, "granted by its own aspect");
            let mut response = pages::granted(&self);
            append(&mut response, Flow::forget(&self.core).ok());
            return response;
        }
        let Some(cookie) = &self.core.realms[realm].cookie else {
            crate::trace::failure("access grant", &"its realm has no access cookie");
            return pages::failed(&self);
        };
        let session = match self.session(&grant, cookie, now) {
            Ok(Some(session)) => session,
            Ok(None) => return pages::form_refused(&self),
            Err(error) => {
                crate::trace::failure("access grant", &error);
                return pages::failed(&self);
            }
        };
        if grant.gesture_done || self.is_kiosk(realm) || self.is_posted_here() {
            return self.finish(realm, cookie, session, now).await;
        }
        self.ask_for_gesture(realm, &session, now)
    }

    /// Answers the form of the gesture page.
    pub(super) async fn carry_out(self, form: Option<String>) -> Response<Bytes> {
        let now = self.core.now();
        let pending =
            form.filter(|_| self.is_posted_here()).and_then(|form| self.pending(&form, now));
        let Some((realm, session)) = pending else { return pages::form_refused(&self) };
        let Some(cookie) = &self.core.realms[realm].cookie else { return pages::failed(&self) };
        self.finish(realm, cookie, session, now).await
    }

    /// Sets the cookie, if the store can be asked, and closes the tab.
    async fn finish(
        &self,
        realm: usize,
        cookie: &BoundCookie,
        session: Session<'static>,
        now: Timestamp,
    ) -> Response<Bytes> {
        let core = &self.core;
        match self.replace_session(cookie, session.id(), now).await {
            Ok(true) => {}
            Ok(false) => return self.start_again(cookie, session.id(), now),
            Err(error) => {
                crate::trace::failure("revocation store", &error);
                return pages::failed(self);
            }
        }
        let header = match cookie.set(&session, now) {
            Ok(header) => header,
            Err(error) => {
                crate::trace::failure("access cookie", &error);
                return pages::too_large(self);
            }
        };
        crate::trace::access(&core.realms[realm].name, "granted");
        let mut response = pages::granted(self);
        response.headers_mut().append(SET_COOKIE, header);
        append(&mut response, Flow::forget(core).ok());
        response
    }

    /// The session has ended meanwhile, by a logout or a restart: nothing can be made of it, and a
    /// cookie that still holds it would only lead here again.
    fn start_again(&self, cookie: &BoundCookie, id: SessionId, now: Timestamp) -> Response<Bytes> {
        let mut response = pages::form_refused(self);
        if cookie.sessions(&self.headers, now).iter().any(|(own, _)| *own == id) {
            append(&mut response, cookie.delete().ok());
        }
        response
    }

    /// Ends the session that the new one takes the place of; false if the new one has itself been
    /// revoked: a login never goes on with an id that was there before it.
    async fn replace_session(
        &self,
        cookie: &BoundCookie,
        id: SessionId,
        now: Timestamp,
    ) -> Result<bool, BoxError> {
        if self.core.is_revoked(id, now).await? {
            return Ok(false);
        }
        for (old, until) in cookie.sessions(&self.headers, now) {
            if old != id {
                self.core.revoke(old, until, now).await?;
            }
        }
        Ok(true)
    }

    fn realm(&self, grant: &AccessGrant) -> Option<usize> {
        if let Some(name) = &grant.realm {
            return self.core.realm_named(name);
        }
        let of_service = self.service.map(|service| self.core.access[service].realm);
        let of_flow = || self.core.realm_named(&self.flow.as_ref()?.realm);
        of_service.or_else(of_flow).or(Some(0))
    }

    fn session(
        &self,
        grant: &AccessGrant,
        cookie: &BoundCookie,
        now: Timestamp,
    ) -> Result<Option<Session<'static>>, BoxError> {
        let current = self.current_session(cookie, now);
        let mut session = match &grant.who {
            Who::ByOwnAspect => return Ok(None),
            Who::Current => match current {
                Some(current) => current,
                None => return Ok(None),
            },
            Who::New { subject, roles } => {
                let id = self.core.revocations.admit(SessionId::random()?);
                let lifetime = grant.lifetime.unwrap_or(cookie.lifetime());
                let mut session = Session::builder(subject.as_str())
                    .roles(roles.iter().map(String::as_str))
                    .id(id)
                    .lasting(now, lifetime)?;
                // The same user's viewers of before need not ask the user again.
                for origin in
                    current.iter().filter(|old| old.subject() == subject).flat_map(Session::origins)
                {
                    session = session.with_origin(&origin.parse()?)?;
                }
                session
            }
        };
        for origin in self.flow.iter().flat_map(|flow| &flow.origins) {
            session = session.with_origin(origin)?;
        }
        Ok(Some(session))
    }

    /// The session in the request's access cookie, if there is one and it is not known to have
    /// ended. Where that has to be waited for, it is found out before a cookie is made of it.
    pub(super) fn current_session(
        &self,
        cookie: &BoundCookie,
        now: Timestamp,
    ) -> Option<Session<'static>> {
        let mut scratch = Scratch::new();
        let session = cookie.read(&self.headers, now, &mut scratch).ok()?;
        (!self.core.is_known_revoked(session.id(), now)).then(|| session.into_owned())
    }

    fn is_kiosk(&self, realm: usize) -> bool {
        self.service.is_some_and(|service| {
            let service = &self.core.access[service];
            service.realm == realm && service.profile == Profile::Kiosk
        })
    }

    pub(super) fn is_posted_here(&self) -> bool {
        form::is_posted_here(&self.core, &self.method, &self.headers)
    }

    /// Shows the gesture page, with the sealed session in its form.
    fn ask_for_gesture(
        &self,
        realm: usize,
        session: &Session<'_>,
        now: Timestamp,
    ) -> Response<Bytes> {
        let core = &self.core;
        let Some(flow) = self.flow.clone().or_else(|| Flow::begin(now)) else {
            return pages::failed(self);
        };
        let mut payload = Vec::with_capacity(512);
        payload.extend_from_slice(&flow.secret);
        payload.extend_from_slice(&now.as_millis().to_be_bytes());
        let sealed = write_short_text(&mut payload, &core.realms[realm].name).and_then(|()| {
            session.write(&mut payload);
            core.keyring.seal(Purpose::PendingGrant, "", &payload).ok()
        });
        let (Some(sealed), Ok(cookie)) = (sealed, flow.set(core)) else {
            return pages::failed(self);
        };
        crate::trace::access(&core.realms[realm].name, "waits for a click");
        let mut response = pages::gesture(self, &flow, &sealed);
        append(&mut response, Some(cookie));
        response
    }

    /// What the gesture page's form brings back, if it is of this browser and in time.
    fn pending(&self, form: &str, now: Timestamp) -> Option<(usize, Session<'static>)> {
        let flow = self.flow.as_ref()?;
        let sealed = query::single(form, "grant").ok()??;
        let mut scratch = Scratch::new();
        let found = self
            .core
            .keyring
            .open(Purpose::PendingGrant, "", sealed.as_bytes(), &mut scratch)
            .ok()?;
        let mut reader = Reader(scratch.at(found));
        let secret = reader.take(16)?;
        let created = reader.timestamp()?;
        let realm = self.core.realm_named(reader.short_text()?)?;
        let session = reader.session()?;
        let in_time = created <= now.after(SKEW)
            && now < created.after(PENDING_LIFETIME)
            && session.is_plausible(now)
            && now < session.expires_at();
        // Both values come from this very browser, so that time tells an onlooker nothing.
        (in_time && secret == flow.secret).then(|| (realm, session.into_owned()))
    }

    /// The secret of this browser's flow, as a form carries it.
    pub(super) fn form_secret(flow: &Flow) -> String {
        URL_SAFE_NO_PAD.encode(flow.secret)
    }
}

pub(super) fn append(response: &mut Response<Bytes>, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

/// Keeps what the application itself wanted the browser to remember.
pub(super) fn keep_cookies(from: &HeaderMap, response: &mut Response<Bytes>) {
    for cookie in from.get_all(SET_COOKIE) {
        response.headers_mut().append(SET_COOKIE, cookie.clone());
    }
}

/// The status of a page that says that something of ours failed.
pub(super) const FAILED: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
