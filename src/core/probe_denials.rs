//! The results of probes that are denied with a general text, written once.

use bytes::Bytes;

use crate::config::Texts;
use crate::protocol::v2::probe_result::{DeniedStatus, ProbeResult};

/// One for each status.
pub(crate) struct ProbeDenials([(DeniedStatus, Bytes); 5]);

impl ProbeDenials {
    pub(super) fn of(texts: &Texts) -> Self {
        use DeniedStatus::{BadRequest, Forbidden, NotFound, Unauthorized, Unavailable};
        let all = [
            (Unauthorized, &texts.denied_login),
            (Forbidden, &texts.denied_never),
            (NotFound, &texts.denied_absent),
            (BadRequest, &texts.denied_absent),
            (Unavailable, &texts.denied_later),
        ];
        Self(all.map(|(status, message)| {
            let message = message.clone();
            (status, ProbeResult::Denied { status, message, substitutes: Vec::new() }.write())
        }))
    }

    /// The one of this status.
    pub(crate) fn get(&self, status: DeniedStatus) -> Bytes {
        let own = self.0.iter().find(|(own, _)| *own == status);
        own.map_or_else(Bytes::new, |(_, body)| body.clone())
    }
}
