//! Ending a session.

use std::sync::Arc;

use bytes::Bytes;
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{Response, StatusCode};

use crate::aspect::Head;
use crate::core::{Core, RealmId};
use crate::gate::Ended;
use crate::page::{self, Page};
use crate::respond;

/// Ends every session of the realm in this request, deletes the cookie, and closes the tab. What waits for
/// a click in this browser ends with it: it would be a session of who is logged out.
pub(super) async fn answer(core: Arc<Core>, realm: RealmId, parts: Parts) -> Response<Bytes> {
    let Ended { deletion, are_stored, are_all } =
        core.end_sessions(realm, &Head::of_parts(&parts)).await;
    let headers = &parts.headers;
    let language = page::accept_language(headers);
    let outcome = match (are_stored, are_all) {
        (false, _) => "not stored",
        (true, false) => "too many sessions",
        (true, true) => "logged out",
    };
    crate::trace::logout(core.realms[realm].name(), outcome);
    let return_to = core.return_to(parts.uri.query().unwrap_or_default());
    let mut response = if let Some(back) = return_to.filter(|_| are_stored && are_all) {
        respond::see_other(back.as_str())
    } else if are_stored && are_all {
        Page::new(&core.texts.logged_out, language)
            .closing(&core.texts.close)
            .respond(StatusCode::OK)
    } else {
        // It stays open: the user has to know that copies of the cookie still work.
        page::plain(StatusCode::SERVICE_UNAVAILABLE, &core.texts.logout_failed, headers)
    };
    for deletion in deletion.into_iter().chain(core.end_of_flow(headers)) {
        response.headers_mut().append(SET_COOKIE, deletion);
    }
    response
}
