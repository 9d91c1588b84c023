//! What everybody may see of a manifest: the authorizer is asked as nobody, once a resource.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use crate::answer::{Answer, BoxError, BoxFuture};
use crate::authorizer::{Decision, Remedy};
use crate::catch::catch;
use crate::core::Core;
use crate::resource::Resource;

/// How many answers are waited for at a time.
const AT_ONCE: usize = 32;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Open,
    /// By these access services, where the rule says them.
    Protected(Option<Arc<[Box<str>]>>),
    /// As if it were not there.
    Hidden,
}

/// What everybody may see of each resource, by its path.
#[derive(Default)]
pub(super) struct Standings {
    pub(super) all: HashMap<String, Standing>,
    /// What the authorizer said to the first on which it could not decide.
    pub(super) undecided: Option<BoxError>,
}

impl Standings {
    fn insert(&mut self, path: String, outcome: Result<Decision, BoxError>) {
        let standing = match outcome {
            Ok(decision) => Standing::of(&decision),
            // The content is denied while this lasts; that it is protected may be told.
            Err(error) => {
                crate::trace::failure("authorizer", &error);
                self.undecided.get_or_insert(error);
                Standing::Protected(None)
            }
        };
        self.all.insert(path, standing);
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
    let mut standings = Standings::default();
    standings.insert(String::new(), outcome);
    standings.all.into_values().next().unwrap_or(Standing::Protected(None))
}

/// Asks for each; all together take no longer than one decision may.
pub(super) async fn of_all(
    core: &Arc<Core>,
    resources: HashMap<String, Resource<'static>>,
) -> Result<Standings, BoxError> {
    let mut standings = Standings::default();
    let mut asked = resources.into_iter();
    let now = core.now();
    // Without a timer or a task, as long as nothing has to wait.
    for (path, resource) in asked.by_ref() {
        match core.decide_as_nobody(&resource, now) {
            Answer::Now(outcome) => {
                standings.insert(path, outcome);
            }
            Answer::Later(outcome) => {
                let core = Arc::clone(core);
                let first = (path, outcome);
                let all = waiting(Arc::clone(&core), standings, asked, first);
                return core.within_time(Box::pin(all)).await;
            }
        }
    }
    Ok(standings)
}

async fn waiting(
    core: Arc<Core>,
    mut standings: Standings,
    mut asked: impl Iterator<Item = (String, Resource<'static>)>,
    first: (String, BoxFuture<Result<Decision, BoxError>>),
) -> Result<Standings, BoxError> {
    let now = core.now();
    let mut under_way = vec![first];
    loop {
        while under_way.len() < AT_ONCE {
            let Some((path, resource)) = asked.next() else { break };
            match core.decide_as_nobody(&resource, now) {
                Answer::Now(outcome) => {
                    standings.insert(path, outcome);
                }
                Answer::Later(outcome) => under_way.push((path, outcome)),
            }
        }
        if under_way.is_empty() {
            return Ok(standings);
        }
        poll_fn(|cx| {
            let before = under_way.len();
            under_way.retain_mut(|(path, outcome)| {
                let outcome = match catch(|| outcome.as_mut().poll(cx)) {
                    Ok(Poll::Pending) => return true,
                    Ok(Poll::Ready(outcome)) => outcome,
                    Err(panic) => Err(panic),
                };
                standings.insert(std::mem::take(path), outcome);
                false
            });
            if under_way.len() < before { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}
