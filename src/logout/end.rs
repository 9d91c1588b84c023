//! Ending a session.

use std::sync::Arc;

use bytes::Bytes;
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{Response, StatusCode};

use crate::aspect::Head;
use crate::config::Core;
use crate::page::{self, Page};

/// Ends every session of the realm in this request, deletes the cookie, and closes the tab.
pub(super) async fn answer(core: Arc<Core>, realm: usize, parts: Parts) -> Response<Bytes> {
    let mut stored = true;
    if let Err(error) = core.log_out(realm, &Head::of_parts(&parts)).await {
        crate::trace::failure("authorizing aspect", &error);
        stored = false;
    }
    let headers = parts.headers;
    let realm = &core.realms[realm];
    let language = page::accept_language(&headers);
    let now = core.now();
    let mut deletion = None;
    if let Some(cookie) = &realm.cookie {
        for (id, until) in cookie.sessions(&headers, now) {
            if let Err(error) = core.revoke(id, until, now).await {
                crate::trace::failure("revocation store", &error);
                stored = false;
            }
        }
        deletion = cookie.delete().ok();
    }
    crate::trace::logout(&realm.name, if stored { "logged out" } else { "not stored" });
    let mut response = if stored {
        Page::new(&core.texts.logged_out, language)
            .closing(&core.texts.close)
            .respond(StatusCode::OK)
    } else {
        // It stays open: the user has to know that copies of the cookie still work.
        page::plain(StatusCode::SERVICE_UNAVAILABLE, &core.texts.logout_failed, &headers)
    };
    if let Some(deletion) = deletion {
        response.headers_mut().append(SET_COOKIE, deletion);
    }
    response
}
