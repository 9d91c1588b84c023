//! Ending a session.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::aspect::{CookieAttributes, Head, Sessions};
use crate::core::{Core, RealmId, flow_cookie_name};
use crate::page::{self, Page};
use crate::revocation::Share;

/// Ends every session of the realm in this request, deletes the cookie, and closes the tab. What waits for
/// a click in this browser ends with it: it would be a session of who is logged out.
pub(super) async fn answer(core: Arc<Core>, realm: RealmId, parts: Parts) -> Response<Bytes> {
    let (mut stored, mut too_many) = (true, false);
    if let Err(error) = core.log_out(realm, &Head::of_parts(&parts)).await {
        crate::trace::failure("authorizing aspect", &error);
        stored = false;
    }
    let headers = parts.headers;
    let realm = &core.realms[realm];
    let language = page::accept_language(&headers);
    let now = core.now();
    let mut deletion = None;
    if let Some(cookie) = realm.cookie() {
        let Sessions { list, are_all } = cookie.sessions(&headers, now);
        for session in list {
            let share = Share::of(realm.name(), session.is_of_nobody);
            if let Err(error) = core.revoke(share, session.id, session.until, now).await {
                crate::trace::failure("revocation store", &error);
                stored = false;
            }
        }
        too_many = !are_all;
        deletion = cookie.delete().ok();
    }
    let outcome = match (stored, too_many) {
        (false, _) => "not stored",
        (true, true) => "too many sessions",
        (true, false) => "logged out",
    };
    crate::trace::logout(realm.name(), outcome);
    let mut response = if stored && !too_many {
        Page::new(&core.texts.logged_out, language)
            .closing(&core.texts.close)
            .respond(StatusCode::OK)
    } else {
        // It stays open: the user has to know that copies of the cookie still work.
        page::plain(StatusCode::SERVICE_UNAVAILABLE, &core.texts.logout_failed, &headers)
    };
    for deletion in deletion.into_iter().chain(end_of_flow(&core, &headers)) {
        response.headers_mut().append(SET_COOKIE, deletion);
    }
    response
}

/// The `Set-Cookie` value that has a browser forget its flow, to which gesture pages are tied, if it sent
/// one.
fn end_of_flow(core: &Core, headers: &HeaderMap) -> Option<HeaderValue> {
    let secure = core.public_url.is_https();
    let flow = CookieAttributes::of_flow(flow_cookie_name(secure), secure);
    flow.values(headers).next()?;
    flow.set("", Duration::ZERO).ok()
}
