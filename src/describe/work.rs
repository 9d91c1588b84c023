//! What is done with the inner service's answer.

use bytes::Bytes;
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, Response, StatusCode};

use super::answer::undescribed;
use super::described::Described;
use super::manifest::ManifestPlan;
use super::plan::{Relocated, Rewrite};
use super::refused;
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
        let encodings = headers.get_all(CONTENT_ENCODING);
        if encodings.iter().any(|own| !own.as_bytes().eq_ignore_ascii_case(b"identity")) {
            let reason = "it is compressed although that was not asked for";
            return Course::Answer(undescribed(self.described(), reason));
        }
        Course::Collect
    }
}

/// What becomes of the inner service's answer, told from its head.
pub(super) enum Course {
    /// Sound, pictures, PDF at the path of a manifest: as it is.
    PassOn,
    Answer(Response<Bytes>),
    Collect,
}
