//! From a URI that 1.0 or 0.9 know to the application's login.

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderValue, Response, StatusCode};

use super::context::Context;
use super::flow::Flow;
use super::opener::Opener;
use super::pages;
use super::tab::{AccessTab, Known, PARAMETER};
use super::viewer::Viewer;
use crate::core::ServiceId;
use crate::page::{keep_opener, refuse_frames};
use crate::query;
use crate::respond;

/// Leads from the URI that 1.0 or 0.9 know to the application's login. The viewer is remembered
/// here, and told to the login's URL, so that its tab is known by it; what is left of the query goes
/// along.
pub(super) fn to_login(
    context: &Context,
    service: ServiceId,
    remember: Option<Flow>,
) -> Response<Bytes> {
    let core = &context.core;
    let query = context.parts.uri.query().unwrap_or_default();
    let path = core.access[service].path().unwrap_or_default();
    let mut rest = query::without(query, &["origin", "code", PARAMETER]);
    let told = match &context.opener {
        Opener::Viewer(Known { viewer: Viewer::Named(origin), .. }) => format!("origin={origin}"),
        Opener::Viewer(Known { viewer, realm, .. }) => {
            let flow = remember.as_ref().or(context.flow.as_ref());
            let tab = flow.and_then(|flow| AccessTab::seal(core, flow, viewer, realm, core.now()));
            tab.map_or_else(String::new, |tab| format!("{PARAMETER}={}", tab.as_str()))
        }
        Opener::Nobody | Opener::Untold | Opener::Silent => String::new(),
    };
    if !told.is_empty() && !rest.is_empty() {
        rest.insert(0, '&');
    }
    let mut location = core.public_url.browser_path(path);
    if !told.is_empty() || !rest.is_empty() {
        location = format!("{location}?{told}{rest}");
    }
    // The method stays: clients that are no browsers may post what they know (1.0 §2.1.3).
    let mut response = respond::empty(StatusCode::TEMPORARY_REDIRECT);
    let Ok(location) = HeaderValue::try_from(location) else { return pages::failed(context) };
    response.headers_mut().insert(LOCATION, location);
    keep_opener(response.headers_mut());
    refuse_frames(response.headers_mut());
    respond::set_cookie(&mut response, remember.and_then(|flow| flow.set(core).ok()));
    response
}
