//! What is done with a description.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, Method, Request, StatusCode};

use super::described::Described;
use super::description::Wanted;
use super::headers;
use super::manifest::ManifestPlan;
use crate::answer::Answer;
use crate::core::Core;
use crate::resource::Resource;
use crate::respond::Sharing;

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
    /// It is described below a signed location.
    Signed(Box<Relocated>),
    /// A signed location does not open it.
    Closed(StatusCode),
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
            // It is never stored, so that nobody knows it already.
            Self::Signed(_) => &mut None,
            Self::Closed(_) | Self::Open | Self::Absent | Self::Lower(_) | Self::Undescribed => {
                return;
            }
        };
        *known = headers::ask_plainly(request.headers_mut());
        // What a HEAD is answered with is told by the document (RFC 9110 §9.3.2).
        *request.method_mut() = Method::GET;
    }
}

/// A description that names another place than it comes from.
pub(super) struct Relocated {
    pub(super) described: Described,
    /// The URI of the image service there.
    pub(super) id: String,
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

/// A plan, and for which page's scripts the answer is, where that is told by now.
pub(super) type Planned = (Plan, Option<Sharing>);

/// The plan, and where scripts may read with the cookie, for which page the answer is. A plan that does not tell
/// is the same for everyone.
pub(super) fn with_sharing(
    core: &Arc<Core>,
    planned: Answer<Planned>,
    page: Option<(Parts, Resource<'static>)>,
) -> Answer<Planned> {
    let Some((parts, whole)) = page else { return planned };
    let core = Arc::clone(core);
    Answer::later(async move {
        let (plan, told) = match planned {
            Answer::Now(planned) => planned,
            Answer::Later(planned) => planned.await,
        };
        let sharing = match told {
            Some(sharing) => sharing,
            None => core.shares_with(&parts, &whole, core.now()).await,
        };
        (plan, Some(sharing))
    })
}
