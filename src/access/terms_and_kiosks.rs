//! Access services that need no application: terms that are accepted, and kiosks.

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use http_body::Body;

use super::context::Context;
use super::grant::AccessGrant;
use super::opener::Opener;
use super::tab::{Known, Sure};
use super::viewer::Viewer;
use super::{form, pages};
use crate::answer::{Answer, BoxError};
use crate::config::Page;
use crate::core::{Core, ServiceId};
use crate::posted::{self, TooSlow};
use crate::protocol::{Family, Message};
use crate::query;
use crate::respond;

/// Whether being opened is all that a service wants: a kiosk (2.0 §3.3.2), and terms of 1.0 and 0.9, to
/// which the user agreed in the viewer (1.0 §2.1.4).
pub(super) fn grants_at_once(page: &Page, family: Family) -> bool {
    match page {
        Page::Kiosk => true,
        Page::ClickThrough(_) => family != Family::V2,
        Page::Application | Page::None => false,
    }
}

/// Terms that are accepted by a click.
pub(super) fn click_through<B>(
    mut context: Context,
    service: ServiceId,
    terms: &Message,
    body: B,
) -> Answer<Response<Bytes>>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let path = context.core.access[service].path().unwrap_or_default().to_owned();
    match context.parts.method {
        Method::GET | Method::HEAD => {
            let flow = context.flow.clone().or_else(|| context.begin_flow(context.core.now()));
            let Some(flow) = flow else {
                return Answer::Now(pages::failed(&context));
            };
            let mut response = pages::terms(&context, &flow, terms, &path);
            respond::set_cookie(&mut response, flow.set(&context.core).ok());
            Answer::Now(respond::for_method(&context.parts.method, response))
        }
        Method::POST => Answer::later(async move {
            let form = match form::read(&context.core, body).await {
                Ok(form) => form,
                Err(TooSlow) => return posted::too_slow(),
            };
            let Some(decision) = decision(&mut context, form.as_deref()) else {
                return pages::form_refused(&context);
            };
            if decision == "accept" {
                let grant = grant(&context.core, service);
                context.grant(grant).await
            } else {
                context.decline()
            }
        }),
        _ => Answer::Now(respond::method_not_allowed("GET, HEAD, POST")),
    }
}

/// What the user decided, and for which viewer, if the form is one of ours for this browser.
fn decision(context: &mut Context, form: Option<&str>) -> Option<String> {
    let (form, flow) = (form?, context.flow.as_ref()?);
    let secret = query::single(form, "secret").ok()??;
    if !context.is_posted_here() || secret != flow.form_secret() {
        return None;
    }
    let viewer = query::single(form, "viewer").ok()?.map(|text| text.parse()).transpose().ok()?;
    // The page that the form is on knew its viewer.
    context.opener = viewer.map_or(Opener::Nobody, |viewer| {
        let (viewer, realm) = (Viewer::Named(viewer), context.opened(None));
        Opener::Viewer(Known { viewer, realm, sure: Sure::Yes })
    });
    let is_named = matches!(context.opener, Opener::Viewer(_));
    context.helper = context.core.third_party.hand_off && is_named;
    query::single(form, "decision").ok()?.map(Into::into)
}

/// Grants by being opened. Viewers of other tabs have nothing to do with it, and there is no page to
/// choose on.
pub(super) fn at_once(context: Context, service: ServiceId) -> Answer<Response<Bytes>> {
    match context.parts.method {
        Method::GET => Answer::later(async move {
            let grant = grant(&context.core, service).insecure_without_gesture_page();
            context.grant(grant).await
        }),
        // HEAD is safe: it grants nothing.
        Method::HEAD => Answer::Now(respond::empty(StatusCode::OK)),
        _ => Answer::Now(respond::method_not_allowed("GET, HEAD")),
    }
}

/// What such a service grants to whoever clicks.
fn grant(core: &Core, service: ServiceId) -> AccessGrant {
    let service = &core.access[service];
    let grant = AccessGrant::to("").role(service.role()).realm(core.realms[service.realm()].name());
    grant.by_a_click()
}
