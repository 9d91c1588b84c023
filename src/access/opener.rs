//! Which viewer opened the tab that a request is of.
//!
//! A flow remembers which viewers wait, and not which tab is whose: a browser sends the same cookies
//! from each. So a tab is told by its own URL, by that of the page that its form is on, or by a value
//! that the application carries along.

use http::header::{ORIGIN, REFERER};
use http::{HeaderMap, HeaderValue};

use super::flow::Flow;
use super::tab::{AccessTab, Known, PARAMETER, Sure};
use super::viewer::Viewer;
use crate::clock::Timestamp;
use crate::core::{Core, ReturnTo};
use crate::fetch_metadata::{is_made_here, referring_origin};
use crate::protocol::Origin;
use crate::query;

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
        flow: Option<&Flow>,
        now: Timestamp,
    ) -> Self {
        let told_by = |path: &str, query: &str| told_by(core, path, query, flow, now);
        let own = || {
            is_made_here(core.public_url.origin(), headers).then(|| told_by(path, query)).flatten()
        };
        let referer = headers.get(REFERER).map(HeaderValue::as_bytes);
        let page = || {
            let (path, query) = page_of_this_site(core, referer?)?;
            told_by(path, query)
        };
        if let Some(known) = own().or_else(page) {
            return Self::Viewer(known);
        }
        if returning(core, path, query, headers).is_some() {
            return Self::Nobody;
        }
        // A page that keeps its URL to itself has no origin either.
        let hidden = headers.get(ORIGIN).is_some_and(|origin| origin.as_bytes() == b"null");
        if referer.is_some() || hidden { Self::Untold } else { Self::Silent }
    }
}

/// Where the login of this tab leads back to, as its own URL says, or that of its page: it was opened by the
/// site's own menu.
pub(super) fn returning(
    core: &Core,
    path: &str,
    query: &str,
    headers: &HeaderMap,
) -> Option<ReturnTo> {
    let told_by = |path: &str, query: &str| {
        let is_of_login = core.access.iter().any(|access| access.covers(path));
        is_of_login.then(|| core.return_to(query)).flatten()
    };
    let referer = || {
        let (path, query) = page_of_this_site(core, headers.get(REFERER)?.as_bytes())?;
        told_by(path, query)
    };
    told_by(path, query).or_else(referer)
}

/// Whether a request comes from a page of a login's: its tab goes on with what it began.
pub(super) fn is_from_login(core: &Core, headers: &HeaderMap) -> bool {
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
fn told_by(
    core: &Core,
    path: &str,
    query: &str,
    flow: Option<&Flow>,
    now: Timestamp,
) -> Option<Known> {
    if !core.access.iter().any(|access| access.covers(path)) {
        return None;
    }
    let tab = query::single(query, PARAMETER).ok().flatten();
    let by_tab = tab.and_then(|tab| AccessTab::from(tab.into_owned()).open_in_url(core, flow, now));
    match by_tab {
        Some(known) if known.sure == Sure::Yes => Some(known),
        // The user saw the page of the viewer that the URL names, if it names one.
        unsure => told_by_origin(core, path, query).or(unsure),
    }
}

/// What the URL tells by which a viewer opens an access service.
fn told_by_origin(core: &Core, path: &str, query: &str) -> Option<Known> {
    let (service, _) = core.access_at(path)?;
    let origin: Origin = query::single(query, "origin").ok()??.parse().ok()?;
    if core.origins.refuses(&origin) {
        return None;
    }
    let realm = core.realms[core.access[service].realm()].name().to_owned();
    Some(Known { viewer: Viewer::Named(origin), realm, sure: Sure::WithFlow })
}
