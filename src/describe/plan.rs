//! What is done with a description.

use http::{HeaderValue, Method, Request, StatusCode};

use super::described::Described;
use super::description::Wanted;
use super::headers;
use super::manifest::ManifestPlan;
use crate::resource::Resource;

pub(super) enum Plan {
    /// It is open to everyone: passed on.
    Open,
    /// As if it were not there.
    Absent,
    /// Services are put in.
    Rewrite(Box<Rewrite>),
    /// A lesser version is described at this URI (1.0 §3.2).
    Lower(String),
    /// It may be a manifest, whose content gets services.
    Manifest(Box<ManifestPlan>),
    /// It is protected and no access service is for it: refused.
    Undescribed,
}

impl Plan {
    /// What everybody may see is passed on, or gets the right id where that was asked for.
    pub(super) fn open(described: Described, whole: Resource<'static>) -> Self {
        if !described.core.public_ids || described.asked.is_none() {
            return Self::Open;
        }
        let wanted = Wanted { resource: whole, in_flow: false, in_older_families: false };
        let status = StatusCode::OK;
        Self::Rewrite(Box::new(Rewrite { described, wanted, status, gated: false, known: None }))
    }

    /// Prepares a request whose answer will be rewritten.
    pub(super) fn prepare<B>(&mut self, request: &mut Request<B>) {
        let known = match self {
            Self::Rewrite(rewrite) => &mut rewrite.known,
            Self::Manifest(plan) => &mut plan.known,
            Self::Open | Self::Absent | Self::Lower(_) | Self::Undescribed => return,
        };
        *known = headers::ask_plainly(request.headers_mut());
        // What a HEAD is answered with is told by the document (RFC 9110 §9.3.2).
        *request.method_mut() = Method::GET;
    }
}

/// What is put into a description, and how it is answered.
pub(super) struct Rewrite {
    pub(super) described: Described,
    pub(super) wanted: Wanted,
    /// The answer's status, where the inner service has the document.
    pub(super) status: StatusCode,
    /// Whether the answer depends on who asks.
    pub(super) gated: bool,
    /// The client's `If-None-Match`.
    pub(super) known: Option<HeaderValue>,
}
