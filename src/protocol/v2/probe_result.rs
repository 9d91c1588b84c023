//! What a probe answers (2.0 §5.2).

use bytes::Bytes;
use serde::Serialize;

use super::{CONTEXT, ContentResource};
use crate::protocol::{LanguageMap, Message};

/// An `AuthProbeResult2`.
///
/// The variants hold just what the specification lets stand together: a `location` only beside
/// 302, a `substitute` only beside a denial.
#[derive(Clone, Debug)]
pub(crate) enum ProbeResult {
    /// The user would see the resource: status 200.
    Granted,
    /// The user would be sent elsewhere: status 302.
    Redirected {
        /// Where to; of the original resource's type.
        location: ContentResource,
    },
    /// The user would be refused.
    Denied {
        /// The status that the content route would answer: 401, 403, 404, 503 …
        status: DeniedStatus,
        /// What to tell the user.
        message: Message,
        /// What the user may see in its place, the best first.
        substitutes: Vec<ContentResource>,
    },
}

/// The status of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeniedStatus {
    /// 400: the probe's own path names no resource unambiguously.
    BadRequest,
    /// 401: an access service, or a substitute, can still help.
    Unauthorized,
    /// 403: nothing can.
    Forbidden,
    /// 404: there is no such resource, or none that this user may know of.
    NotFound,
    /// 503: no decision could be had.
    Unavailable,
}

impl DeniedStatus {
    /// The number on the wire.
    #[must_use]
    pub(crate) const fn as_u16(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Unavailable => 503,
        }
    }
}

impl ProbeResult {
    /// As it stands in a response.
    pub(crate) fn write(&self) -> Bytes {
        serde_json::to_vec(self).expect("strings and maps with text keys are JSON").into()
    }
}

impl Serialize for ProbeResult {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a> {
            #[serde(rename = "@context")]
            context: &'static str,
            #[serde(rename = "type")]
            kind: &'static str,
            status: u16,
            #[serde(skip_serializing_if = "Option::is_none")]
            location: Option<&'a ContentResource>,
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            substitute: &'a [ContentResource],
            #[serde(skip_serializing_if = "Option::is_none")]
            heading: Option<&'a LanguageMap>,
            #[serde(skip_serializing_if = "Option::is_none")]
            note: Option<&'a LanguageMap>,
        }
        let plain = |status| Wire {
            context: CONTEXT,
            kind: "AuthProbeResult2",
            status,
            location: None,
            substitute: &[],
            heading: None,
            note: None,
        };
        match self {
            Self::Granted => plain(200),
            Self::Redirected { location } => Wire { location: Some(location), ..plain(302) },
            Self::Denied { status, message, substitutes } => Wire {
                substitute: substitutes,
                heading: Some(message.heading()),
                note: message.note_text(),
                ..plain(status.as_u16())
            },
        }
        .serialize(serializer)
    }
}
