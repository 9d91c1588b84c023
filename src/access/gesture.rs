//! The click that a grant may need: the gesture page, and what its form brings back.

use bytes::Bytes;
use http::Response;

use super::context::Context;
use super::grant::AccessGrant;
use super::pages;
use super::pending::Granted;
use super::viewer::Viewer;
use super::whom::Whom;
use crate::clock::Timestamp;
use crate::core::RealmId;
use crate::query;
use crate::respond;

impl Context {
    /// Whether the user has acted on this site for the one viewer that this may be for.
    pub(super) fn needs_no_click(&self, grant: &AccessGrant, whom: &Whom) -> bool {
        let needs_choice = whom.needs_choice() && !grant.for_any_viewer;
        (grant.gesture_done || self.is_posted_here()) && !needs_choice
    }

    /// Whether a click has to open the helper window first.
    pub(super) fn needs_helper(&self, grant: &AccessGrant, viewers: &[Viewer]) -> bool {
        let is_named = |viewer: &Viewer| matches!(viewer, Viewer::Named(_));
        self.core.third_party.hand_off
            && !self.helper
            && !grant.gesture_done
            && viewers.iter().any(is_named)
    }

    /// Shows the gesture page: a button for each viewer that waits, whose form holds what is granted,
    /// sealed for that viewer and no other. `hand_off`: whether the click may open the helper window, and
    /// whether the form that was answered was as good a click, if a helper is there.
    pub(super) fn ask_for_gesture(
        &self,
        realm: RealmId,
        whom: &Whom,
        now: Timestamp,
        hand_off: pages::HandOff,
        granted: impl Fn(Option<&Viewer>) -> Result<Granted, Box<Response<Bytes>>>,
    ) -> Response<Bytes> {
        let core = &self.core;
        let Some(flow) = self.flow.clone().or_else(|| self.begin_flow(now)) else {
            return pages::failed(self);
        };
        let choices = whom.choices();
        let mut forms = Vec::with_capacity(choices.len());
        for viewer in choices {
            let granted = match granted(viewer) {
                Ok(granted) => granted,
                Err(response) => return *response,
            };
            match granted.seal(core, &flow, now) {
                Some(sealed) => forms.push((viewer, sealed)),
                None => return pages::failed(self),
            }
        }
        let Ok(flow) = flow.set(core) else { return pages::failed(self) };
        crate::trace::access(core.realms[realm].name(), "waits for a click");
        let mut response = pages::gesture(self, &forms, hand_off);
        respond::set_cookie(&mut response, Some(flow));
        response
    }

    /// What the gesture page's form brings back, if it is of this browser and in time.
    pub(super) fn pending(&self, form: &str, now: Timestamp) -> Option<Granted> {
        let flow = self.flow.as_ref()?;
        let sealed = query::single(form, "grant").ok()??;
        Granted::open(&self.core, flow, &sealed, now)
    }
}
