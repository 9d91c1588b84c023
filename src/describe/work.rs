//! What is done with the inner service's answer.

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, Response, StatusCode};

use super::described::Described;
use super::manifest::ManifestPlan;
use super::plan::{Relocated, Rewrite};
use super::refused;
use super::unpack::codings;
use crate::body::Watched;
use crate::media_type::MediaType;

/// What is done with the inner service's document.
pub(super) enum Work {
    Info(Box<Rewrite>),
    Manifest(Box<ManifestPlan>),
    Signed(Box<Relocated>),
}

impl Work {
    pub(super) fn longest(&self) -> usize {
        match self {
            Self::Info(rewrite) => rewrite.described.core.limits.info_bytes(),
            Self::Signed(relocated) => relocated.described.core.limits.info_bytes(),
            Self::Manifest(plan) => plan.settings.longest,
        }
    }

    pub(super) fn described(&self) -> &Described {
        match self {
            Self::Info(rewrite) => &rewrite.described,
            Self::Signed(relocated) => &relocated.described,
            Self::Manifest(plan) => &plan.described,
        }
    }

    /// Only a plain 200 can be described.
    pub(super) fn course(&self, status: StatusCode, headers: &HeaderMap) -> Course {
        if status != StatusCode::OK {
            return Course::Answer(refused::answer(self.described(), status, headers));
        }
        // Every other type may be wrong: viewers do not look at it either.
        let is_media = |own: MediaType<'_>| own.is_passive() && !own.is_json();
        if matches!(self, Self::Manifest(_)) && MediaType::all_are(headers, is_media) {
            return Course::PassOn;
        }
        Course::Collect
    }

    /// What looks at a document that is longer than the limit while it passes. `None` if there is no
    /// telling, or something of ours was seen already.
    pub(super) fn watch(&self, parts: &Parts, before: Bytes) -> Option<Watched> {
        match self {
            Self::Manifest(plan) if codings(&parts.headers).is_empty() => plan.watch(before),
            _ => None,
        }
    }
}

/// What becomes of the inner service's answer, told from its head.
pub(super) enum Course {
    /// Sound, pictures, PDF at the path of a manifest: as it is.
    PassOn,
    Answer(Response<Bytes>),
    Collect,
}
