//! The session of a request that asks for no content.

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;

use super::token_session::TokenSession;
use crate::answer::BoxError;
use crate::aspect::{AspectError, BoundCookie, Chosen, Head};
use crate::clock::Timestamp;
use crate::core::{Core, RealmId};
use crate::seal::Scratch;
use crate::session::Session;

/// A session that lives: it was read, has not ended, and was not logged out.
///
/// It is true of the moment at which it was asked for, and is of the one realm. What it may open is for the
/// authorizer to say.
#[derive(Clone)]
pub struct LiveSession {
    realm: Box<str>,
    session: Session<'static>,
}

impl LiveSession {
    pub(crate) fn new(core: &Core, realm: RealmId, session: Session<'static>) -> Self {
        Self { realm: core.realms[realm].name().into(), session }
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> &Session<'static> {
        &self.session
    }

    /// The name of its realm; empty for the unnamed one.
    #[must_use]
    pub fn realm(&self) -> &str {
        &self.realm
    }
}

impl fmt::Debug for LiveSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveSession")
            .field("realm", &self.realm)
            .field("session", &self.session)
            .finish()
    }
}

impl Core {
    /// The first live session of these realms, in their order; or what is lacking.
    pub(crate) async fn live_session(
        self: &Arc<Self>,
        realms: impl IntoIterator<Item = RealmId>,
        head: &Head<'_>,
    ) -> Result<LiveSession, AspectError> {
        let now = self.now();
        let mut lacks = AspectError::Missing;
        for realm in realms {
            match Arc::clone(self).identify(realm, head, now).await {
                Ok(TokenSession { session, .. }) => {
                    return Ok(LiveSession::new(self, realm, session));
                }
                Err(error) => lacks = lacks.or_better(error),
            }
        }
        Err(lacks)
    }

    /// The live session in a request's access cookies; none where there are several.
    pub(crate) async fn cookie_session(
        &self,
        cookie: &BoundCookie,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Option<Session<'static>>, BoxError> {
        let (mut chosen, mut skip) = (Chosen::default(), 0);
        loop {
            let found = {
                let mut scratch = Scratch::new();
                let found = cookie.find(headers, now, &mut scratch, skip);
                found
                    .ok()
                    .and_then(|found| Some((found.session(&scratch).ok()?.into_owned(), found)))
            };
            let Some((session, found)) = found.filter(|(_, found)| !chosen.is_before(found)) else {
                break;
            };
            skip = found.index + 1;
            let is_over = self.is_of_before(found.issued_at())
                || self.is_ended(cookie.realm(), &session, now).await?;
            if !is_over && chosen.take_in(session, found.is_partitioned()).is_err() {
                return Ok(None);
            }
        }
        Ok(chosen.into_session().filter(|_| !cookie.are_too_many(headers)))
    }
}
