//! The pages of the access service.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Serialize;

use super::context::Context;
use super::flow::Flow;
use super::viewer::Viewer;
use crate::core::RealmId;
use crate::page::{self, Button, Page};
use crate::protocol::v1::Version;
use crate::protocol::{LanguageMap, Message};
use crate::respond;

/// The user is in: closes the tab that a viewer opened, or leads back to where the user was.
pub(super) fn granted(context: &Context, viewer: Option<&Viewer>) -> Response<Bytes> {
    let back = || back(context).filter(|_| viewer.is_none());
    back().unwrap_or_else(|| closing(context, &context.core.texts.granted))
}

/// Closes the tab, once the helper window has the code.
pub(super) fn handing_off(context: &Context, realm: RealmId, sealed: &str) -> Response<Bytes> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct HandOff<'a> {
        code: &'a str,
        token_services: Vec<String>,
    }
    let core = &context.core;
    let own = core.public_url.browser_path(core.realms[realm].token_path());
    let older = Version::ALL.iter().map(|version| format!("{own}/{}", version.digit()));
    let token_services = older.chain([own.clone()]).collect();
    Page::new(&core.texts.granted, page::accept_language(&context.parts.headers))
        .handing_off(&core.texts.close, &HandOff { code: sealed, token_services })
        .respond(StatusCode::OK)
}

/// The user declined: the same.
pub(super) fn declined(context: &Context) -> Response<Bytes> {
    let back = || back(context).filter(|_| context.whom(None).viewers.is_empty());
    back().unwrap_or_else(|| closing(context, &context.core.texts.declined))
}

/// Leads back to where a login of the site's own began.
fn back(context: &Context) -> Option<Response<Bytes>> {
    context.back.as_deref().map(respond::see_other)
}

fn closing(context: &Context, message: &Message) -> Response<Bytes> {
    Page::new(message, page::accept_language(&context.parts.headers))
        .closing(&context.core.texts.close)
        .respond(StatusCode::OK)
}

/// What a click on the gesture page is for besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HandOff {
    No,
    /// It may open the helper window.
    Opens,
    /// The same, and a helper that is there already need not wait for it: the user has acted on this site for
    /// this one viewer.
    IsClicked,
}

/// Asks for a click that names the viewer: one form for each that waits, with its sealed grant.
/// Unless `hand_off` is `No`, the click opens the helper window, where there is one.
pub(super) fn gesture(
    context: &Context,
    forms: &[(Option<&Viewer>, String)],
    hand_off: HandOff,
) -> Response<Bytes> {
    let core = &context.core;
    let language = page::accept_language(&context.parts.headers);
    let action = core.public_url.browser_path(core.endpoints.continuing());
    let helper = helper(context).filter(|_| hand_off != HandOff::No);
    let mut page = Page::new(&core.texts.gesture, language);
    if hand_off == HandOff::IsClicked {
        page = page.after_a_click();
    }
    for (viewer, sealed) in forms {
        let text = match viewer {
            Some(Viewer::Named(viewer)) => {
                let host = viewer.as_str().split_once("://").map_or("", |(_, host)| host);
                core.texts.gesture_button.best(language).replace("{viewer}", host)
            }
            None if forms.len() > 1 => core.texts.gesture_button_nobody.best(language),
            Some(Viewer::Unnamed) | None => core.texts.gesture_button_plain.best(language),
        };
        // A code goes to a viewer that the page has named.
        let named = matches!(viewer, Some(Viewer::Named(_)));
        page = page.opening_helper(helper.as_deref().filter(|_| named));
        page = page.form(&action, &[("grant", sealed)], &[Button { value: "continue", text }]);
    }
    page.respond(StatusCode::OK)
}

/// Shows terms, to be accepted or declined.
pub(super) fn terms(
    context: &Context,
    flow: &Flow,
    terms: &Message,
    path: &str,
) -> Response<Bytes> {
    let core = &context.core;
    let language = page::accept_language(&context.parts.headers);
    let button = |value, text: &LanguageMap| Button { value, text: text.best(language) };
    let secret = flow.form_secret();
    let mut hidden = vec![("secret", &*secret)];
    let viewer = context.viewer();
    if let Some(Viewer::Named(viewer)) = &viewer {
        hidden.push(("viewer", viewer.as_str()));
    }
    let helper = helper(context);
    let mut page = Page::new(terms, language);
    if let (Some(helper), Some(Viewer::Named(_))) = (&helper, &viewer) {
        page = page.opening_helper(Some(helper));
    }
    page.form(
        &core.public_url.browser_path(path),
        &hidden,
        &[button("accept", &core.texts.accept), button("decline", &core.texts.decline)],
    )
    .respond(StatusCode::OK)
}

/// The helper window that a click opens, where the hand-off is on.
fn helper(context: &Context) -> Option<String> {
    let core = &context.core;
    let on = core.third_party.hand_off;
    on.then(|| core.public_url.browser_path(core.endpoints.hand_off()))
}

/// The form is not from here, or too old: 403, and no cookie.
pub(super) fn form_refused(context: &Context) -> Response<Bytes> {
    crate::trace::access("", "form refused");
    page::plain(StatusCode::FORBIDDEN, &context.core.texts.form_refused, &context.parts.headers)
}

/// Something of ours failed: 503, and no cookie.
pub(super) fn failed(context: &Context) -> Response<Bytes> {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    page::plain(status, &context.core.texts.grant_failed, &context.parts.headers)
}

/// The session does not fit a cookie: 500, and none is set.
pub(super) fn too_large(context: &Context) -> Response<Bytes> {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    page::plain(status, &context.core.texts.grant_failed, &context.parts.headers)
}

/// The `origin` parameter is no origin: 400, without a script and without a byte of it.
pub(super) fn bad_origin(context: &Context) -> Response<Bytes> {
    page::plain(StatusCode::BAD_REQUEST, &context.core.texts.bad_request, &context.parts.headers)
}

/// The viewer is not on the allow-list: 403.
pub(super) fn viewer_refused(context: &Context) -> Response<Bytes> {
    page::plain(StatusCode::FORBIDDEN, &context.core.texts.viewer_refused, &context.parts.headers)
}
