//! From a grant to an access cookie.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::flow::{Flow, Viewer};
use super::grant::{AccessGrant, Who};
use super::pending::{Granted, Offered, Tab, Way};
use super::tab::Opener;
use super::{form, pages};
use crate::answer::BoxError;
use crate::aspect::{BoundCookie, CookieError};
use crate::clock::Timestamp;
use crate::core::{Core, RealmId, ServiceId};
use crate::fetch_metadata::is_said_to_be_made_here;
use crate::hand_off;
use crate::query;
use crate::session::{Session, SessionId};

/// What of a request matters to a grant in its response.
pub(super) struct Context {
    pub(super) core: Arc<Core>,
    pub(super) parts: Parts,
    pub(super) flow: Option<Flow>,
    /// The access service that the request's path belongs to.
    pub(super) service: Option<ServiceId>,
    /// Whether it may as well be a service of another realm's.
    pub(super) is_shared: bool,
    /// Who opened the tab of this request.
    pub(super) opener: Opener,
    /// Whether the flow stays as it is: what is granted at once ends nobody's wait.
    pub(super) keeps_flow: bool,
    /// Whether a click on a page of ours opened the helper window of the hand-off.
    pub(super) helper: bool,
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
        let tab = self.tab(grant.realm.as_deref());
        if self.needs_no_click(&grant, &tab) && !self.needs_helper(&grant, &tab.viewers) {
            let viewer = tab.only();
            return match offered.session_for(viewer) {
                Ok(session) => self.finish(realm, cookie, session, viewer, &tab.realm, now).await,
                Err(error) => {
                    crate::trace::failure("access grant", &error);
                    pages::failed(&self)
                }
            };
        }
        self.ask_for_gesture(realm, &tab, now, true, |viewer| {
            let session = offered.session_for(viewer).map_err(|error| {
                crate::trace::failure("access grant", &error);
                Box::new(pages::failed(&self))
            })?;
            // What fits no cookie after the click need not be asked for.
            cookie.set(&session, now).map_err(|error| Box::new(self.no_cookie(&error)))?;
            Ok(tab.granted(realm, Way::Cookie(session), viewer))
        })
    }

    /// Whether the user has acted on this site for the one viewer that this may be for.
    pub(super) fn needs_no_click(&self, grant: &AccessGrant, tab: &Tab) -> bool {
        let needs_choice = tab.needs_choice() && !grant.for_any_viewer;
        (grant.gesture_done || self.is_posted_here()) && !needs_choice
    }

    /// Answers the form of the gesture page.
    pub(super) async fn carry_out(mut self, form: Option<String>) -> Response<Bytes> {
        let now = self.core.now();
        let pending =
            form.filter(|_| self.is_posted_here()).and_then(|form| self.pending(&form, now));
        let Some(granted) = pending else { return pages::form_refused(&self) };
        let Granted { realm, way, viewer, opened } = granted;
        let session = match way {
            Way::OwnAspect => return self.let_in(realm, viewer.as_ref(), &opened).await,
            Way::Cookie(session) => session,
        };
        let core = Arc::clone(&self.core);
        let Some(cookie) = core.realms[realm].cookie() else { return pages::failed(&self) };
        self.helper = core.third_party.hand_off;
        self.finish(realm, cookie, session, viewer.as_ref(), &opened, now).await
    }

    /// Whether a click has to open the helper window first.
    fn needs_helper(&self, grant: &AccessGrant, viewers: &[Viewer]) -> bool {
        let is_named = |viewer: &Viewer| matches!(viewer, Viewer::Named(_));
        self.core.third_party.hand_off
            && !self.helper
            && !grant.gesture_done
            && viewers.iter().any(is_named)
    }

    /// Answers when the user gave up. No other site's page does so for them: it would leave the
    /// viewers of its choice alone in the flow.
    pub(super) fn decline(&self) -> Response<Bytes> {
        let page = pages::declined(self);
        if !is_said_to_be_made_here(self.core.public_url.origin(), &self.parts.headers) {
            return page;
        }
        self.close_flow(page, |flow| {
            let tab = self.tab(None);
            if let Some(viewer) = tab.only().filter(|_| !tab.needs_choice()) {
                flow.leave(viewer, &tab.realm);
            }
        })
    }

    /// Remembers the flow, after a change, for the viewers of other tabs, or forgets it.
    pub(super) fn close_flow(
        &self,
        mut response: Response<Bytes>,
        change: impl FnOnce(&mut Flow),
    ) -> Response<Bytes> {
        if self.keeps_flow {
            return response;
        }
        let mut flow = self.flow.clone();
        if let Some(flow) = &mut flow {
            change(flow);
        }
        append(&mut response, Flow::close(flow.as_ref(), &self.core).ok());
        response
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
        match self.core.is_revoked(session.id(), now).await {
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
            None => pages::granted(self),
        };
        response.headers_mut().append(SET_COOKIE, header);
        self.close_flow(response, |flow| {
            if let Some(viewer) = viewer {
                flow.leave(viewer, opened);
            }
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
            append(&mut response, cookie.delete().ok());
        }
        response
    }

    fn realm(&self, grant: &AccessGrant) -> Option<RealmId> {
        if let Some(name) = &grant.realm {
            return self.core.realm_named(name);
        }
        let of_service = self.service.map(|service| self.core.access[service].realm());
        let of_tab = || match &self.opener {
            Opener::Viewer(known) => self.core.realm_named(&known.realm),
            Opener::Nobody | Opener::Untold | Opener::Silent => None,
        };
        let of_flow = || self.core.realm_named(&self.flow.as_ref()?.realm);
        of_service.or_else(of_tab).or_else(of_flow).or(Some(RealmId::FIRST))
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
        let lifetime = grant.lifetime.unwrap_or(cookie.lifetime());
        let session = Session::builder(subject.as_str())
            .roles(roles.iter().map(String::as_str))
            .id(self.core.new_id(now).await?)
            .lasting(now, lifetime)?;
        // The same user's viewers of before need not ask the user again; another's gain nothing.
        Ok(match current.filter(|old| old.subject() == subject) {
            Some(old) => offered(session.with_viewers_of(&old)?),
            None => offered(session),
        })
    }

    pub(super) fn is_posted_here(&self) -> bool {
        form::is_posted_here(&self.core, &self.parts.method, &self.parts.headers)
    }

    /// Shows the gesture page: a button for each viewer that waits, whose form holds what is granted,
    /// sealed for that viewer and no other. `hand_off`: whether the click may open the helper window.
    pub(super) fn ask_for_gesture(
        &self,
        realm: RealmId,
        tab: &Tab,
        now: Timestamp,
        hand_off: bool,
        granted: impl Fn(Option<&Viewer>) -> Result<Granted, Box<Response<Bytes>>>,
    ) -> Response<Bytes> {
        let core = &self.core;
        let Some(flow) = self.flow.clone().or_else(|| self.begin_flow(now)) else {
            return pages::failed(self);
        };
        let choices = tab.choices();
        let mut forms = Vec::with_capacity(choices.len());
        for viewer in choices {
            let granted = match granted(viewer) {
                Ok(granted) => granted,
                Err(response) => return *response,
            };
            match granted.seal(core, &flow, now) {
                Some(sealed) => forms.push((viewer, sealed)),
                None => return pages::failed(self),
            }
        }
        let Ok(flow) = flow.set(core) else { return pages::failed(self) };
        crate::trace::access(core.realms[realm].name(), "waits for a click");
        let mut response = pages::gesture(self, &forms, hand_off);
        append(&mut response, Some(flow));
        response
    }

    /// A new flow for this browser, which may have lost one.
    pub(super) fn begin_flow(&self, now: Timestamp) -> Option<Flow> {
        Flow::begin(now, Flow::is_sent(&self.core, &self.parts.headers))
    }

    /// What the gesture page's form brings back, if it is of this browser and in time.
    fn pending(&self, form: &str, now: Timestamp) -> Option<Granted> {
        let flow = self.flow.as_ref()?;
        let sealed = query::single(form, "grant").ok()??;
        Granted::open(&self.core, flow, &sealed, now)
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
