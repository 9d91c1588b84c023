//! What a grant becomes: a session in the access cookie, and a tab that closes.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::header::SET_COOKIE;

use super::context::Context;
use super::grant::{AccessGrant, Who};
use super::pages;
use super::pending::{Granted, Offered, Way};
use super::viewer::Viewer;
use crate::answer::BoxError;
use crate::aspect::{BoundCookie, CookieError};
use crate::clock::Timestamp;
use crate::core::RealmId;
use crate::gate::LiveSession;
use crate::hand_off;
use crate::respond;
use crate::session::{Session, SessionId};

impl Context {
    /// Answers in place of a response with a grant: seals the cookie, or asks for a click first.
    pub(super) async fn grant(self, grant: AccessGrant) -> Response<Bytes> {
        let now = self.core.now();
        let Some(realm) = self.realm(&grant) else {
            crate::trace::failure("access grant", &"it names a realm that is not configured");
            return pages::failed(&self);
        };
        if matches!(grant.who, Who::ByOwnAspect) {
            return self.grant_by_own_aspect(&grant, realm, now).await;
        }
        let Some(cookie) = self.core.realms[realm].cookie() else {
            crate::trace::failure("access grant", &"its realm has no access cookie");
            return pages::failed(&self);
        };
        let offered = match self.offered(&grant, cookie, now).await {
            Ok(Some(offered)) => offered,
            Ok(None) => return self.start_again(cookie, None, now),
            Err(error) => {
                crate::trace::failure("access grant", &error);
                return pages::failed(&self);
            }
        };
        let whom = self.whom(grant.realm.as_deref());
        let is_clicked = self.needs_no_click(&grant, &whom);
        if is_clicked && !self.needs_helper(&grant, &whom.viewers) {
            let viewer = whom.only();
            return match offered.session_for(viewer) {
                Ok(session) => self.finish(realm, cookie, session, viewer, &whom.realm, now).await,
                Err(error) => {
                    crate::trace::failure("access grant", &error);
                    pages::failed(&self)
                }
            };
        }
        // Who has to choose a viewer has not clicked for one yet.
        let hand_off = if is_clicked && !whom.needs_choice() {
            pages::HandOff::IsClicked
        } else {
            pages::HandOff::Opens
        };
        self.ask_for_gesture(realm, &whom, now, hand_off, |viewer| {
            let session = offered.session_for(viewer).map_err(|error| {
                crate::trace::failure("access grant", &error);
                Box::new(pages::failed(&self))
            })?;
            // What fits no cookie after the click need not be asked for.
            cookie.set(&session, now).map_err(|error| Box::new(self.no_cookie(&error)))?;
            Ok(Granted::new(&whom, realm, Way::Cookie(session), viewer, self.back.clone()))
        })
    }

    /// The session that is granted, not yet for this viewer; none if there is none to go on with.
    async fn offered(
        &self,
        grant: &AccessGrant,
        cookie: &BoundCookie,
        now: Timestamp,
    ) -> Result<Option<Offered>, BoxError> {
        let current = self.live_session(cookie, now).await?;
        let offered = |session| Some(Offered { session, for_any: grant.for_any_viewer });
        let Who::New { subject, roles } = &grant.who else {
            return Ok(current.and_then(offered));
        };
        let again = |own: &&Session<'_>| Self::is_given_again(grant, own, cookie, now);
        if let Some(session) = current.as_ref().filter(again).cloned() {
            return Ok(offered(session));
        }
        let session = Session::builder(subject.as_str())
            .roles(roles.iter().map(String::as_str))
            .id(self.core.new_id(now).await?);
        let era = self.core.era_of(cookie.realm(), subject, now).await?;
        let session = cookie.times().begin(session, grant.lifetime, now)?.in_era(era);
        // The same user's viewers of before need not ask the user again; another's gain nothing.
        Ok(match current.filter(|old| old.subject() == subject) {
            Some(old) => offered(session.with_viewers_of(&old)?),
            None => offered(session),
        })
    }

    /// Answers the form of the gesture page.
    pub(super) async fn carry_out(mut self, form: Option<String>) -> Response<Bytes> {
        let now = self.core.now();
        let pending =
            form.filter(|_| self.is_posted_here()).and_then(|form| self.pending(&form, now));
        let Some(granted) = pending else { return pages::form_refused(&self) };
        let Granted { realm, way, viewer, opened, back } = granted;
        self.back = back;
        let session = match way {
            Way::OwnAspect => return self.let_in(realm, viewer.as_ref(), &opened).await,
            Way::Cookie(session) => session,
        };
        let core = Arc::clone(&self.core);
        let Some(cookie) = core.realms[realm].cookie() else { return pages::failed(&self) };
        self.helper = core.third_party.hand_off;
        self.finish(realm, cookie, session, viewer.as_ref(), &opened, now).await
    }

    /// Sets the cookie, if the store can be asked, and closes the tab.
    async fn finish(
        &self,
        realm: RealmId,
        cookie: &BoundCookie,
        session: Session<'static>,
        viewer: Option<&Viewer>,
        opened: &str,
        now: Timestamp,
    ) -> Response<Bytes> {
        let session = match self.with_viewers_since(cookie, session, now).await {
            Ok(session) => session,
            Err(error) => {
                crate::trace::failure("revocation store", &error);
                return pages::failed(self);
            }
        };
        // Before anything is ended: a session that fits no cookie takes the place of none.
        let header = match cookie.set(&session, now) {
            Ok(header) => header,
            Err(error) => return self.no_cookie(&error),
        };
        match self.core.is_ended(cookie.realm(), &session, now).await {
            Ok(false) => {}
            Ok(true) => return self.start_again(cookie, Some(session.id()), now),
            Err(error) => {
                crate::trace::failure("revocation store", &error);
                return pages::failed(self);
            }
        }
        if let Err(error) = self.end_others(cookie, session.id(), now).await {
            crate::trace::failure("revocation store", &error);
            return pages::failed(self);
        }
        crate::trace::access(self.core.realms[realm].name(), "granted");
        let mut response = match self.hand_off(realm, cookie, &session, viewer, now) {
            Some(code) => pages::handing_off(self, realm, &code),
            None => pages::granted(self, viewer),
        };
        response.headers_mut().append(SET_COOKIE, header);
        response.extensions_mut().insert(LiveSession::new(&self.core, realm, session));
        self.close_flow(response, |flow| match viewer {
            Some(viewer) => flow.leave(viewer, opened),
            None => flow.set_return_to(None),
        })
    }

    /// The code for the viewer of this tab, where a helper window waits for one.
    fn hand_off(
        &self,
        realm: RealmId,
        cookie: &BoundCookie,
        session: &Session<'_>,
        viewer: Option<&Viewer>,
        now: Timestamp,
    ) -> Option<String> {
        let Some(Viewer::Named(viewer)) = viewer.filter(|_| self.helper) else { return None };
        // A little longer than the other cookie: it may not fit where that one does.
        let fits = cookie.set_partitioned(session, now)?;
        let sealed = fits
            .map_err(BoxError::from)
            .and_then(|_| hand_off::issue(&self.core, realm, viewer, session, now));
        sealed.map_err(|error| crate::trace::failure("hand-off", &error)).ok()
    }

    fn no_cookie(&self, error: &CookieError) -> Response<Bytes> {
        crate::trace::failure("access cookie", error);
        pages::too_large(self)
    }

    /// The session to go on with has ended meanwhile, by a logout or a restart: that one, or all
    /// there are. A cookie that still holds it would only lead here again.
    fn start_again(
        &self,
        cookie: &BoundCookie,
        id: Option<SessionId>,
        now: Timestamp,
    ) -> Response<Bytes> {
        let mut response = pages::form_refused(self);
        let sessions = cookie.sessions(&self.parts.headers, now).list;
        if sessions.iter().any(|own| id.is_none_or(|id| own.id == id)) {
            respond::set_cookie(&mut response, cookie.delete().ok());
        }
        response
    }
}
