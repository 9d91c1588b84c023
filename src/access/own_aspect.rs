//! Grants by an aspect of the application's own: nothing is sealed, and the aspect is told of the
//! viewer.

use bytes::Bytes;
use http::Response;

use super::context::Context;
use super::grant::AccessGrant;
use super::pages;
use super::pending::{Granted, Way};
use super::viewer::Viewer;
use crate::aspect::{AspectError, Head};
use crate::clock::Timestamp;
use crate::core::RealmId;

impl Context {
    /// Lets this tab's viewer in, or asks for a click first: no page that opens the access service
    /// lets itself in.
    pub(super) async fn grant_by_own_aspect(
        &self,
        grant: &AccessGrant,
        realm: RealmId,
        now: Timestamp,
    ) -> Response<Bytes> {
        let whom = self.whom(grant.realm.as_deref());
        if self.needs_no_click(grant, &whom) {
            return self.let_in(realm, whom.only(), &whom.realm).await;
        }
        // There is no cookie of ours that could be handed off.
        self.ask_for_gesture(realm, &whom, now, pages::HandOff::No, |viewer| {
            Ok(Granted::new(&whom, realm, Way::OwnAspect, viewer, self.back.clone()))
        })
    }

    /// Tells the realm's aspects of the viewer, and closes the tab.
    pub(super) async fn let_in(
        &self,
        realm: RealmId,
        viewer: Option<&Viewer>,
        opened: &str,
    ) -> Response<Bytes> {
        // One that did not name itself (0.9) cannot be told from others: nothing is bound to it.
        if let Some(Viewer::Named(origin)) = viewer {
            match self.core.bind(realm, &Head::of_parts(&self.parts), origin).await {
                Ok(()) => {}
                Err(AspectError::Unavailable(error)) => {
                    crate::trace::failure("authorizing aspect", &error);
                    return pages::failed(self);
                }
                Err(_) => return pages::form_refused(self),
            }
        }
        crate::trace::access(self.core.realms[realm].name(), "granted by its own aspect");
        self.close_flow(pages::granted(self, viewer), |flow| match viewer {
            Some(viewer) => flow.leave(viewer, opened),
            None => flow.set_return_to(None),
        })
    }
}
