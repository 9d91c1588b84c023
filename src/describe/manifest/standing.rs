//! What everybody may see of a manifest: the authorizer is asked as nobody, once a resource.

use std::sync::Arc;

use crate::answer::{Answer, BoxError};
use crate::authorizer::{Decision, NotAsked, Remedy};
use crate::core::Core;
use crate::resource::Resource;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Open,
    /// By these access services, where the rule says them.
    Protected(Option<Arc<[Box<str>]>>),
    /// As if it were not there.
    Hidden,
}

/// What everybody may see of each resource, in the order in which they were asked for.
#[derive(Default)]
pub(super) struct Standings {
    pub(super) all: Vec<Standing>,
    /// What the authorizer said to the first on which it could not decide.
    pub(super) undecided: Option<BoxError>,
}

impl Standings {
    fn of(count: usize, outcomes: Vec<Result<Decision, BoxError>>) -> Self {
        let mut standings = Self::default();
        outcomes.into_iter().take(count).for_each(|outcome| standings.push(outcome));
        while standings.all.len() < count {
            standings.push(Err(NotAsked.into()));
        }
        standings
    }

    fn push(&mut self, outcome: Result<Decision, BoxError>) {
        self.all.push(match outcome {
            Ok(decision) => Standing::of(&decision),
            // The content is denied while this lasts; that it is protected may be told.
            Err(error) => {
                if self.undecided.is_none() {
                    crate::trace::failure("authorizer", &error);
                    self.undecided = Some(error);
                }
                Standing::Protected(None)
            }
        });
    }
}

impl Standing {
    fn of(decision: &Decision) -> Self {
        match decision {
            Decision::Grant => Self::Open,
            Decision::Deny(denial) if denial.remedy() == Remedy::Absent => Self::Hidden,
            decision => Self::Protected(decision.services().cloned()),
        }
    }
}

/// What everybody may see of one resource.
pub(super) async fn of_one(core: &Arc<Core>, resource: &Resource<'static>) -> Standing {
    let outcome = match core.decide_as_nobody(resource, core.now()) {
        Answer::Now(outcome) => outcome,
        Answer::Later(outcome) => core.within_time(outcome).await,
    };
    let standings = Standings::of(1, vec![outcome]);
    standings.all.into_iter().next().unwrap_or(Standing::Protected(None))
}

/// Asks for all; together they take no longer than one decision may.
pub(super) async fn of_all(
    core: &Arc<Core>,
    shown: &[Resource<'static>],
) -> Result<Standings, BoxError> {
    if shown.is_empty() {
        return Ok(Standings::default());
    }
    let outcomes = match core.decide_all_as_nobody(shown, core.now()) {
        Answer::Now(outcomes) => outcomes,
        Answer::Later(outcomes) => core.within_time(Box::pin(async { Ok(outcomes.await) })).await?,
    };
    Ok(Standings::of(shown.len(), outcomes))
}
