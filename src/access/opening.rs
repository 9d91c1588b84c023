//! An access service is opened: who may do so, and for which viewer.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Response};

use super::context::Context;
use super::flow::Flow;
use super::opener::{Opener, is_from_login, is_opened_by_nobody, returning, unnamed};
use super::pages;
use super::tab::{Known, Sure};
use super::terms_and_kiosks::grants_at_once;
use super::viewer::Viewer;
use crate::client_identity::check_code;
use crate::clock::Timestamp;
use crate::config::Page;
use crate::core::ServiceId;
use crate::fetch_metadata::is_opened_in_tab;
use crate::protocol::{Family, Origin};
use crate::query;

/// Remembers the viewer that opens a service; the flow is returned if the browser has to be told.
pub(super) fn open(
    context: &mut Context,
    service: ServiceId,
    family: Family,
) -> Result<Option<Flow>, Box<Response<Bytes>>> {
    let core = Arc::clone(&context.core);
    let access = &core.access[service];
    let now = core.now();
    let query = context.parts.uri.query().unwrap_or_default();
    // Whatever the method: a client that is no browser may post to a login.
    if family == Family::V09 && check_code(&core, access.realm(), query, now).is_err() {
        return Err(Box::new(pages::viewer_refused(context)));
    }
    // Access services are opened in tabs. An image or frame of a foreign page may not smuggle its
    // origin into a login, nor a kiosk's session into a browser.
    if !is_opened_in_tab(&context.parts.headers) {
        return match access.page() {
            Page::Application => Ok(None),
            _ => Err(Box::new(pages::form_refused(context))),
        };
    }
    if context.parts.method != Method::GET {
        return Ok(None);
    }
    let viewer = match origin(context, query)?.map(Viewer::Named) {
        None if family == Family::V09 => unnamed(&core, &context.parts.headers),
        viewer => viewer,
    };
    let realm = core.realms[access.realm()].name().to_owned();
    if let Some(viewer) = viewer {
        context.opener = Opener::Viewer(Known { viewer, realm, sure: Sure::Yes });
    } else if !matches!(access.page(), Page::Application) {
        context.opener = Opener::Nobody;
    }
    if grants_at_once(access.page(), family) {
        context.keeps_flow = true;
        return Ok(None);
    }
    remember(context, service, now).map(Some)
}

/// The `origin` that the viewer gives, if it gives one.
fn origin(context: &Context, query: &str) -> Result<Option<Origin>, Box<Response<Bytes>>> {
    let bad = || Box::new(pages::bad_origin(context));
    let Some(text) = query::single(query, "origin").map_err(|_| bad())? else { return Ok(None) };
    let origin: Origin = text.parse().map_err(|_| bad())?;
    if context.core.origins.refuses(&origin) {
        return Err(Box::new(pages::viewer_refused(context)));
    }
    Ok(Some(origin))
}

/// The flow, in which the viewer waits from now on.
fn remember(
    context: &mut Context,
    service: ServiceId,
    now: Timestamp,
) -> Result<Flow, Box<Response<Bytes>>> {
    let is_new = context.flow.is_none();
    let Some(mut flow) = context.flow.take().or_else(|| context.begin_flow(now)) else {
        return Err(Box::new(pages::failed(context)));
    };
    let core = &context.core;
    let viewer = match &context.opener {
        Opener::Viewer(known) => Some(known.viewer.clone()),
        Opener::Nobody | Opener::Untold | Opener::Silent => None,
    };
    // A flow that begins so is of nobody's tab, wherever its link was.
    flow.has_others |=
        viewer.is_none() && (is_new || is_opened_by_nobody(core, &context.parts.headers));
    if viewer.is_none() {
        let (uri, headers) = (&context.parts.uri, &context.parts.headers);
        let query = uri.query().unwrap_or_default();
        let told = returning(core, uri.path(), query, headers);
        // A login that goes on where it began leads back to where it said then.
        let goes_on = told.is_none() && is_from_login(core, headers);
        flow.set_return_to(if goes_on { flow.return_to().cloned() } else { told });
        context.back = flow.return_to().map(|back| back.as_str().to_owned());
    }
    flow.open(core, &core.access[service], viewer, now);
    context.flow = Some(flow.clone());
    Ok(flow)
}
