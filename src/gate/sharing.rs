//! Which page's scripts may read content with the user's cookie.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, Method};

use super::verdict::Basis;
use crate::aspect::Head;
use crate::clock::Timestamp;
use crate::core::Core;
use crate::protocol::Origin;
use crate::resource::Resource;
use crate::respond::Sharing;
use crate::session::{Session, Viewers};
use crate::storage_access::only_origin;

impl Core {
    /// Whether any page's scripts may read with a cookie.
    #[inline]
    pub(crate) fn shares(&self) -> bool {
        // A grant is told with its session then: what a tile asks first anyway.
        self.keeps_session && self.scripts.is_on()
    }

    /// Told without a session: for a listed page, and for all that are sure to be none.
    pub(crate) fn shares_with_listed(&self, head: &Head<'_>) -> Sharing {
        match only_origin(head.headers()) {
            Some(page) if is_read(head) && self.scripts.origins.contains(&page) => with(&page),
            _ => Sharing::Anyone,
        }
    }

    /// The same for what this session opens.
    pub(crate) fn shares_with_viewer(&self, head: &Head<'_>, session: &Session<'_>) -> Sharing {
        match self.may_be_bound(head) {
            Some(page) if is_for_this_viewer(session, &page) => with(&page),
            _ => self.shares_with_listed(head),
        }
    }

    /// Whether a session has to be looked for to tell.
    pub(crate) fn must_look_for_viewer(&self, head: &Head<'_>) -> bool {
        self.may_be_bound(head).is_some()
    }

    /// The same for an answer that rests on this: what one session decided is for the viewers of that session,
    /// and not for those of another one that counts for the resource. `None` where it is the same for everyone.
    pub(crate) fn shares_what_rests_on(&self, basis: &Basis, head: &Head<'_>) -> Option<Sharing> {
        match basis {
            Basis::Open => None,
            Basis::Session { session: Some(session), .. } => {
                Some(self.shares_with_viewer(head, session))
            }
            Basis::NotEnough { session: Some(session), .. } => {
                Some(self.shares_with_viewer(head, session))
            }
            Basis::Session { session: None, .. }
            | Basis::NotEnough { session: None, .. }
            | Basis::Nobody(_) => Some(self.shares_with_listed(head)),
        }
    }

    /// The same where the answer is the same for everyone: one of the user's sessions that counts for the
    /// resource may have let the page in.
    pub(crate) async fn shares_with(
        self: &Arc<Self>,
        parts: &Parts,
        resource: &Resource<'_>,
        now: Timestamp,
    ) -> Sharing {
        let head = Head::of_parts(parts);
        let Some(page) = self.may_be_bound(&head) else { return self.shares_with_listed(&head) };
        let realms = self.realms_of(resource);
        for (id, _) in self.realms.with_ids().filter(|(id, _)| realms.contains(*id)) {
            if let Ok(found) = Arc::clone(self).identify(id, &head, now).await {
                if is_for_this_viewer(&found.session, &page) {
                    return with(&page);
                }
            }
        }
        Sharing::Anyone
    }

    /// The same for a preflight, which never has a cookie: what is asked next tells whose session it is,
    /// and is read by nobody else.
    pub(crate) fn shares_preflight(&self, head: &Head<'_>) -> Sharing {
        match only_origin(head.headers()) {
            Some(page) if self.is_listed_or_may_be_bound(&page) => with(&page),
            _ => Sharing::Anyone,
        }
    }

    /// The page that asks, where it hangs on a session whether it may read.
    fn may_be_bound(&self, head: &Head<'_>) -> Option<Origin> {
        if !self.scripts.bound_viewers || !is_read(head) {
            return None;
        }
        let page = only_origin(head.headers())?;
        let open = !self.scripts.origins.contains(&page) && !self.origins.refuses(&page);
        open.then_some(page)
    }

    fn is_listed_or_may_be_bound(&self, page: &Origin) -> bool {
        self.scripts.origins.contains(page)
            || self.scripts.bound_viewers && !self.origins.refuses(page)
    }
}

/// Whether the session names this viewer. One for any viewer names none.
fn is_for_this_viewer(session: &Session<'_>, page: &Origin) -> bool {
    matches!(session.viewers(), Viewers::These(_)) && session.is_bound_to(page)
}

fn is_read(head: &Head<'_>) -> bool {
    matches!(*head.method(), Method::GET | Method::HEAD)
}

/// An origin is spelled in what a header may hold.
fn with(page: &Origin) -> Sharing {
    HeaderValue::try_from(page.as_str()).map_or(Sharing::Anyone, Sharing::With)
}
