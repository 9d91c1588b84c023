//! Who asks for an access token.

use std::borrow::Cow;
use std::sync::Arc;

use super::cause::Cause;
use super::live::Live;
use super::source::Source;
use super::token_session::TokenSession;
use crate::aspect::{AspectError, Head};
use crate::clock::Timestamp;
use crate::core::{Core, RealmId, RealmSet};
use crate::seal::Scratch;

impl Core {
    /// The first live session of a realm and the aspect it was read from, for the token service.
    pub(crate) async fn identify(
        self: Arc<Self>,
        realm: RealmId,
        head: &Head<'_>,
        now: Timestamp,
    ) -> Result<TokenSession<'static>, AspectError> {
        let mut lacks = Cause::MISSING;
        for (id, candidate) in self.candidates.of_realm(realm) {
            // The scratch, too, stays out of what is kept while waiting.
            let live = {
                let (realms, mut scratch, mut place) =
                    (RealmSet::only(realm), Scratch::new(), None);
                let places = (&mut scratch, &mut place);
                match self.live(Source::Aspect(id), realms, head, None, now, places) {
                    Live::Skip => continue,
                    Live::Now(session) => Ok(session.map(|own| own.clone().into_owned())),
                    Live::Later(pending) => Err(pending),
                }
            };
            let session = match live {
                Ok(session) => session,
                Err(pending) => self.finish_live(pending, head, now).await,
            };
            match session {
                Ok(session) => {
                    let aspect = Cow::Owned(candidate.name().to_owned());
                    return Ok(TokenSession { realm, aspect, session });
                }
                Err(cause) => lacks = lacks.or_better(cause),
            }
        }
        lacks.log();
        Err(lacks.into())
    }
}
