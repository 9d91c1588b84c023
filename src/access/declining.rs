//! What becomes of a login that the user gave up.

use bytes::Bytes;
use http::Response;

use super::context::Context;
use super::pages;
use crate::fetch_metadata::is_said_to_be_made_here;

impl Context {
    /// Answers when the user gave up. No other site's page does so for them: it would leave the
    /// viewers of its choice alone in the flow.
    pub(super) fn decline(&self) -> Response<Bytes> {
        let page = pages::declined(self);
        if !is_said_to_be_made_here(self.core.public_url.origin(), &self.parts.headers) {
            return page;
        }
        self.close_flow(page, |flow| {
            let whom = self.whom(None);
            if let Some(viewer) = whom.only().filter(|_| !whom.needs_choice()) {
                flow.leave(viewer, &whom.realm);
            }
        })
    }
}
