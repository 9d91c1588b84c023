//! A line for whatever is refused, and why: once for each resource and reason.

use std::net::IpAddr;

use http::StatusCode;
use tower_iiif_auth::observe::{Observation, Outcome};

use crate::said::{Once, shown};

#[derive(Default)]
pub(crate) struct Refusals(Once);

impl Refusals {
    /// Says what nobody said yet. A viewer is refused for each tile of a page before its reader logs in:
    /// the page is told of once, and each further time at `debug`.
    pub(crate) fn look_at(&self, seen: &Observation<'_>) {
        if matches!(seen.outcome(), Outcome::Granted | Outcome::Redirected) {
            return;
        }
        let reason = seen.reason().as_str();
        let resource = seen.resource().map(tower_iiif_auth::resource::Resource::path);
        let first = match &resource {
            Some(resource) => self.0.first((&**resource, reason)),
            None => self.0.first((seen.path(), reason)),
        };
        if first {
            tracing::info!(
                target: "refused",
                path = &*shown(seen.path()),
                outcome = seen.outcome().as_str(),
                reason,
                "refused"
            );
        }
    }

    /// Says why the proxy itself refuses a path.
    pub(crate) fn say(&self, path: &str, status: StatusCode, reason: &'static str) {
        if self.0.first((path, reason)) {
            let (path, status) = (&*shown(path), status.as_u16());
            tracing::info!(target: "refused", path, status, reason, "refused");
        }
    }

    /// Says why what a peer sent is no request: its path cannot be relied on.
    pub(crate) fn say_of_peer(&self, peer: IpAddr, reason: &'static str) {
        if self.0.first_lately((peer, reason)) {
            tracing::info!(target: "refused", %peer, reason, "refused: this is no request that is passed on");
        }
    }
}
