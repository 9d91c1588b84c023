//! Sessions that go on while they are used.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue};

use crate::clock::Timestamp;
use crate::core::{Core, RealmId};
use crate::fetch_metadata::is_speculative;
use crate::session::{Session, SessionId, SessionKey};

/// A session whose cookie is due when the request that used it is answered.
#[derive(Clone)]
pub(crate) struct Renewal {
    core: Arc<Core>,
    realm: RealmId,
    session: Session<'static>,
    /// Whether it is of the cookie of the viewer's partition.
    is_partitioned: bool,
}

impl Renewal {
    /// That of the session `id` in this request's cookies, if one is due. What is loaded in advance uses
    /// nothing.
    pub(crate) fn due(
        core: &Arc<Core>,
        id: SessionId,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Option<Box<Self>> {
        if !core.renews {
            return None;
        }
        let (realm, (session, is_partitioned)) =
            core.realms.with_ids().find_map(|(realm, bound)| {
                Some((realm, bound.cookie()?.to_renew(id, headers, now)?))
            })?;
        let core = Arc::clone(core);
        (!is_speculative(headers)).then(|| Box::new(Self { core, realm, session, is_partitioned }))
    }

    /// What the viewer's partition of this request is to get for the session `id`, if anything: the browser may
    /// not send the other cookie by itself next time. Where `renewal` is of the partition that is enough.
    pub(crate) fn companion(
        core: &Arc<Core>,
        id: SessionId,
        headers: &HeaderMap,
        renewal: Option<&Self>,
        now: Timestamp,
    ) -> Option<Box<Self>> {
        if renewal.is_some_and(|renewal| renewal.is_partitioned) {
            return None;
        }
        let (realm, session) = core.companion(id, headers, now)?;
        Some(Box::new(Self { core: Arc::clone(core), realm, session, is_partitioned: true }))
    }

    /// The `Set-Cookie` value, as the answer goes out. Since the request came in the session may have been
    /// ended, by a logout or by another login in its place: it is renewed only where it is known that it
    /// was not.
    pub(crate) fn cookie(&self) -> Option<HeaderValue> {
        let (core, session) = (&self.core, &self.session);
        let (realm, now) = (&core.realms[self.realm], core.now());
        let cookie = realm.cookie()?;
        let key = SessionKey::new(realm.name(), session);
        let lives = core.is_known_ended(&key, now) == Some(false)
            && !core.is_of_before(session.issued_at())
            && now < session.expires_at();
        if !lives {
            return None;
        }
        let header = if self.is_partitioned {
            cookie.set_partitioned(session, now)?
        } else {
            cookie.set(session, now)
        };
        header.map_err(|error| crate::trace::failure("access cookie", &error)).ok()
    }
}

/// Shows nothing of the session.
impl fmt::Debug for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewal").field("realm", &self.realm).finish_non_exhaustive()
    }
}
