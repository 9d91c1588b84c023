//! Which viewer opened the tab that a request is of.
//!
//! A flow remembers which viewers wait, and not which tab is whose: a browser sends the same cookies
//! from each. So a tab is told by its own URL, by that of the page that its form is on, or by a value
//! that the application carries along.

use std::fmt;

use http::header::{ORIGIN, REFERER};
use http::{HeaderMap, HeaderValue};

use super::flow::{AccessFlow, LIFETIME, Viewer};
use super::pending::Tab;
use super::seal::Context;
use crate::clock::SKEW;
use crate::clock::Timestamp;
use crate::core::Core;
use crate::fetch_metadata::{is_made_here, referring_origin};
use crate::protocol::Origin;
use crate::query;
use crate::seal::Scratch;
use crate::seal::{Reader, write_short_text};

/// First byte of what is sealed.
const LAYOUT: u8 = 1;

/// The name of the parameter that carries an [`AccessTab`] in a URL.
pub(super) const PARAMETER: &str = "tab";

/// What tells the tab of a login from others: which viewer opened it, sealed, for a day.
///
/// The layer knows the tab of a form that is posted to the URL it was opened by, `?origin=` and all, or
/// from a page at that URL. A login that leaves this URL, for further steps or an identity provider,
/// carries the tab along: [`AccessFlow::tab`](super::AccessFlow::tab) gives it, to be kept with the
/// login, by the `state` for example. It comes back among the extensions of the response, beside the
/// [`AccessGrant`](super::AccessGrant) or [`AccessDeclined`](super::AccessDeclined); or as the parameter
/// `tab` in the URL of a page or form of this site, at any path of the login. Without it the user is
/// asked on the gesture page which viewer the login was for.
///
/// It holds no secret and opens nothing. Keep it tied to the browser that it is of, as the `state` is.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::access::{AccessFlow, AccessGrant, AccessTab};
///
/// // As the login begins: `state` is remembered, and the tab with it.
/// fn remembered<B>(request: &http::Request<B>) -> Option<String> {
///     let tab = request.extensions().get::<AccessFlow>()?.tab()?;
///     Some(tab.as_str().to_owned())
/// }
///
/// // As the user comes back.
/// fn welcome(user: &str, tab: Option<String>) -> http::Response<()> {
///     let mut response = http::Response::new(());
///     response.extensions_mut().insert(AccessGrant::to(user));
///     if let Some(tab) = tab {
///         response.extensions_mut().insert(AccessTab::from(tab));
///     }
///     response
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct AccessTab(String);

impl AccessTab {
    /// As it is written: up to 500 ASCII characters that need no escape in a URL, form or cookie.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value for a tab that this viewer opened, to log in to this realm.
    pub(super) fn seal(core: &Core, viewer: &Viewer, realm: &str, now: Timestamp) -> Option<Self> {
        let mut payload = vec![LAYOUT];
        payload.extend_from_slice(&now.as_millis().to_be_bytes());
        for text in [realm, viewer.as_str()] {
            write_short_text(&mut payload, text)?;
        }
        core.seals.tab().seal(&payload).ok().map(Self)
    }

    /// Whose tab it is, if it is one of ours and in time.
    pub(super) fn open(&self, core: &Core, now: Timestamp) -> Option<Known> {
        let mut scratch = Scratch::new();
        let found = core.seals.tab().open(self.0.as_bytes(), &mut scratch).ok()?;
        let mut reader = Reader(scratch.at(found));
        if reader.byte()? != LAYOUT {
            return None;
        }
        let created = reader.timestamp()?;
        let realm = core.realm_named(reader.short_text()?)?;
        let viewer = Viewer::parse(reader.short_text()?)?;
        let in_time = created <= now.after(SKEW) && now < created.after(LIFETIME);
        let admitted = match &viewer {
            Viewer::Named(origin) => !core.origins.refuses(origin),
            Viewer::Unnamed => core.compatibility.any_viewer_in_0_9,
        };
        let realm = core.realms[realm].name().to_owned();
        (reader.0.is_empty() && in_time && admitted).then_some(Known {
            viewer,
            realm,
            needs_flow: false,
        })
    }
}

/// Takes back what [`as_str`](Self::as_str) gave. What is none counts as no tab.
impl From<String> for AccessTab {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Shows nothing.
impl fmt::Debug for AccessTab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessTab([redacted])")
    }
}

/// The viewer that opened a tab, and the name of the realm that it wants a login of.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) viewer: Viewer,
    pub(super) realm: String,
    /// Whether a URL alone says so: without a flow beside it the user is asked.
    pub(super) needs_flow: bool,
}

/// Who opened the tab that a request is of.
#[derive(Clone)]
pub(super) enum Opener {
    /// This viewer.
    Viewer(Known),
    /// No viewer: the page is one of ours that would know.
    Nobody,
    /// A browser that does not tell. The user is asked.
    Untold,
    /// A client that says nothing of any page, as no browser does.
    Silent,
}

impl Opener {
    /// What the request itself tells: its own URL, if a page of this site made it, or that of this page.
    pub(super) fn of(
        core: &Core,
        path: &str,
        query: &str,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Self {
        let own = || {
            is_made_here(core.public_url.origin(), headers)
                .then(|| told_by(core, path, query, now))
                .flatten()
        };
        let referer = headers.get(REFERER).map(HeaderValue::as_bytes);
        let page = || {
            let (path, query) = page_of_this_site(core, referer?)?;
            told_by(core, path, query, now)
        };
        if let Some(known) = own().or_else(page) {
            return Self::Viewer(known);
        }
        // A page that keeps its URL to itself has no origin either.
        let hidden = headers.get(ORIGIN).is_some_and(|origin| origin.as_bytes() == b"null");
        if referer.is_some() || hidden { Self::Untold } else { Self::Silent }
    }
}

/// Whether a request comes from a page of a login's: its tab goes on with what it began.
fn is_from_login(core: &Core, headers: &HeaderMap) -> bool {
    let referer = headers.get(REFERER).map(HeaderValue::as_bytes);
    let page = referer.and_then(|referer| page_of_this_site(core, referer));
    page.is_some_and(|(path, _)| core.access.iter().any(|access| access.covers(path)))
}

/// The viewer of 0.9 that opens a login without an origin, as far as the configuration has one.
pub(super) fn unnamed(core: &Core, headers: &HeaderMap) -> Option<Viewer> {
    let own = core.compatibility;
    let referring = own.origin_from_referer.then(|| referring_origin(headers)).flatten();
    let referring = referring.filter(|origin| !core.origins.refuses(origin));
    referring.map(Viewer::Named).or_else(|| own.any_viewer_in_0_9.then_some(Viewer::Unnamed))
}

/// Whether a service that is opened without a viewer is opened by none: by a link of the site's own, or
/// by the user. Another site may be where the login comes back from.
pub(super) fn is_opened_by_nobody(core: &Core, headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    site != Some(b"cross-site") && !is_from_login(core, headers)
}

/// Path and query of a page of this site, as they arrive here.
fn page_of_this_site<'r>(core: &Core, referer: &'r [u8]) -> Option<(&'r str, &'r str)> {
    let referer = std::str::from_utf8(referer).ok()?;
    let rest = referer.strip_prefix(core.public_url.as_str())?;
    let rest = rest.split('#').next().unwrap_or_default();
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    (path.is_empty() || path.starts_with('/')).then_some((path, query))
}

/// What a URL of this site tells of its tab.
fn told_by(core: &Core, path: &str, query: &str, now: Timestamp) -> Option<Known> {
    if !core.access.iter().any(|access| access.covers(path)) {
        return None;
    }
    if let Ok(Some(tab)) = query::single(query, PARAMETER) {
        if let Some(known) = AccessTab(tab.into_owned()).open(core, now) {
            return Some(known);
        }
    }
    let (service, _) = core.access_at(path)?;
    let origin: Origin = query::single(query, "origin").ok()??.parse().ok()?;
    if core.origins.refuses(&origin) {
        return None;
    }
    let realm = core.realms[core.access[service].realm()].name().to_owned();
    Some(Known { viewer: Viewer::Named(origin), realm, needs_flow: true })
}

impl Context {
    /// Whom a grant in this tab may be for; `named` is the realm that the application granted by name.
    pub(super) fn tab(&self, named: Option<&str>) -> Tab {
        let realm = self.opened(named);
        let sure = |viewers, realm| Tab { viewers, realm, is_guess: false, has_others: false };
        match (&self.opener, &self.flow) {
            (Opener::Viewer(Known { viewer, realm, needs_flow }), flow) => Tab {
                is_guess: *needs_flow && flow.is_none(),
                ..sure(vec![viewer.clone()], realm.clone())
            },
            (Opener::Nobody, _) | (_, None) => sure(Vec::new(), realm),
            (Opener::Untold | Opener::Silent, Some(flow)) => {
                let (own, all) = (flow.viewers(&realm), flow.all_viewers());
                // A path of the service itself tells whose tab it is. Elsewhere the realm that was
                // opened last may be another tab's: then nobody is chosen for the user.
                let is_of_service = self.service.is_some() && !self.is_shared;
                let is_told = is_of_service || named.is_some() && !own.is_empty();
                let is_realms = is_told || own.len() == all.len();
                let is_guess = !is_realms || matches!(self.opener, Opener::Untold);
                let viewers = if is_realms { own } else { all };
                Tab { viewers, realm, is_guess, has_others: flow.has_others }
            }
        }
    }

    /// The viewer that this tab is known or taken to be for.
    pub(super) fn viewer(&self) -> Option<Viewer> {
        let tab = self.tab(None);
        tab.only().filter(|_| !tab.has_others).cloned()
    }

    /// The name of the realm whose service was opened in this tab.
    pub(super) fn opened(&self, named: Option<&str>) -> String {
        let realm = |own| self.core.realms[self.core.access[own].realm()].name().to_owned();
        let of_flow = || self.flow.as_ref().map(|flow| flow.realm.clone());
        let elsewhere = || named.map(ToOwned::to_owned).or_else(of_flow).unwrap_or_default();
        self.service.filter(|_| !self.is_shared).map_or_else(elsewhere, realm)
    }

    /// What the application is told of the login that this request is of, if of any.
    pub(super) fn access_flow(&self, now: Timestamp) -> Option<AccessFlow> {
        let core = &self.core;
        let flow = self.flow.as_ref()?;
        let cookie = self
            .service
            .map(|service| core.access[service].realm())
            .or_else(|| core.realm_named(&flow.realm))
            .and_then(|realm| core.realms[realm].cookie());
        let session = cookie.and_then(|cookie| self.current_session(cookie, now));
        let tab = match &self.opener {
            Opener::Viewer(own) => AccessTab::seal(core, &own.viewer, &own.realm, now),
            Opener::Nobody | Opener::Untold | Opener::Silent => None,
        };
        Some(AccessFlow::new(self.viewer().as_ref(), tab, session))
    }
}
