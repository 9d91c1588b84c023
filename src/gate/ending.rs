//! The sessions of a request, ended.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use crate::aspect::{CookieAttributes, Head, Sessions};
use crate::core::{Core, RealmId, flow_cookie_name};
use crate::revocation::Share;

/// What became of the sessions that a request has in a realm.
pub(crate) struct Ended {
    /// The `Set-Cookie` value that deletes the access cookie, if the realm has one.
    pub(crate) deletion: Option<HeaderValue>,
    /// Whether all that were tried are remembered as ended.
    pub(crate) are_stored: bool,
    /// Whether these were all that there are.
    pub(crate) are_all: bool,
}

impl Core {
    /// Ends every session that a request has in a realm, of the access cookie and of other aspects.
    pub(crate) async fn end_sessions(&self, realm: RealmId, head: &Head<'_>) -> Ended {
        let mut ended = Ended { deletion: None, are_stored: true, are_all: true };
        if let Err(error) = self.log_out(realm, head).await {
            crate::trace::failure("authorizing aspect", &error);
            ended.are_stored = false;
        }
        let realm = &self.realms[realm];
        let now = self.now();
        let Some(cookie) = realm.cookie() else { return ended };
        let Sessions { list, are_all } = cookie.sessions(head.headers(), now);
        for session in list {
            let share = Share::of(realm.name(), session.is_of_nobody);
            if let Err(error) = self.revoke(share, session.id, session.until, now).await {
                crate::trace::failure("revocation store", &error);
                ended.are_stored = false;
            }
        }
        ended.are_all = are_all;
        ended.deletion = cookie.delete().ok();
        ended
    }

    /// The `Set-Cookie` value that has a browser forget its flow, to which gesture pages are tied, if it sent
    /// one: what waits for a click there would be a session of who is logged out.
    pub(crate) fn end_of_flow(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let secure = self.public_url.is_https();
        let flow = CookieAttributes::of_flow(flow_cookie_name(secure), secure);
        flow.values(headers).next()?;
        flow.set("", Duration::ZERO).ok()
    }
}
