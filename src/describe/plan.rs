//! What is done with a description.

use std::sync::Arc;

use http::{HeaderValue, StatusCode};

use super::description::Put;
use super::manifest::ManifestPlan;
use crate::core::Core;
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

/// Which document is described.
pub(super) struct Described {
    pub(super) core: Arc<Core>,
    /// The path that it is asked for at.
    pub(super) path: String,
    /// The base that it lies below; none for a manifest that is no resource.
    pub(super) base: Option<String>,
}

impl Described {
    /// The information document of a whole.
    pub(super) fn information(core: &Arc<Core>, whole: &Resource<'_>) -> Self {
        Self {
            core: Arc::clone(core),
            path: format!("{}/info.json", whole.path()),
            base: Some(whole.base().to_owned()),
        }
    }
}

/// What is put into a description, and how it is answered.
pub(super) struct Rewrite {
    pub(super) described: Described,
    pub(super) services: Vec<Put>,
    /// Whether the 2.0 context is needed for them.
    pub(super) in_flow: bool,
    /// The answer's status, where the inner service has the document.
    pub(super) status: StatusCode,
    /// Whether the answer depends on who asks.
    pub(super) gated: bool,
    /// The client's `If-None-Match`.
    pub(super) known: Option<HeaderValue>,
}
