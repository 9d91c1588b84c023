//! What aspects of the application's own are told: a viewer was let in, the user logged out.

use super::limits;
use crate::answer::{Answer, BoxError};
use crate::aspect::{AspectError, AuthorizingAspect, Head};
use crate::core::{CandidateAspect, Core, RealmId};
use crate::protocol::Origin;

impl Core {
    /// Tells the aspects of a realm which viewer the user has let in.
    pub(crate) async fn bind(
        &self,
        realm: RealmId,
        head: &Head<'_>,
        viewer: &Origin,
    ) -> Result<(), AspectError> {
        self.tell(realm, |aspect| aspect.bind(head, viewer)).await
    }

    /// Ends the sessions of a realm's aspects. That there is none is as good.
    pub(crate) async fn log_out(&self, realm: RealmId, head: &Head<'_>) -> Result<(), BoxError> {
        match self.tell(realm, |aspect| aspect.log_out(head)).await {
            Err(AspectError::Unavailable(error)) => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Tells every aspect of a realm but the access cookie. It is good if all could be reached, and
    /// one of them has the user.
    async fn tell(
        &self,
        realm: RealmId,
        say: impl Fn(&dyn AuthorizingAspect) -> Answer<Result<(), AspectError>>,
    ) -> Result<(), AspectError> {
        let mut outcome = Err(AspectError::Missing);
        for (_, candidate) in self.candidates.of_realm(realm) {
            let CandidateAspect::Other(aspect) = candidate.aspect() else { continue };
            let told = match limits::catch(|| say(&**aspect)) {
                Ok(Answer::Now(told)) => told,
                Ok(Answer::Later(told)) => {
                    let told = Box::pin(async { Ok(told.await) });
                    let told = limits::within(self.limits.decision_time(), told).await;
                    told.unwrap_or_else(|error| Err(AspectError::Unavailable(error)))
                }
                Err(panic) => Err(AspectError::Unavailable(panic)),
            };
            outcome = match (outcome, told) {
                (Err(AspectError::Unavailable(error)), _)
                | (_, Err(AspectError::Unavailable(error))) => Err(AspectError::Unavailable(error)),
                (Ok(()), _) | (_, Ok(())) => Ok(()),
                (Err(one), Err(other)) => Err(one.or_better(other)),
            };
        }
        outcome
    }
}
