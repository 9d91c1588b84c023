//! Descriptions of 2.0: for everyone, whatever the decision on the content (2.0 §2.1).

use std::sync::Arc;

use http::StatusCode;

use super::super::described::Described;
use super::super::description::Wanted;
use super::super::plan::{Plan, Planned, Rewrite};
use crate::answer::{Answer, BoxError};
use crate::authorizer::{Decision, Remedy};
use crate::core::Core;
use crate::resource::Resource;

pub(in super::super) fn course(
    core: &Arc<Core>,
    path: &str,
    whole: Resource<'static>,
) -> Answer<Planned> {
    match core.decide_as_nobody(&whole, core.now()) {
        Answer::Now(outcome) => Answer::Now((plan(core, path, whole, outcome), None)),
        Answer::Later(outcome) => {
            let (core, path) = (Arc::clone(core), path.to_owned());
            Answer::later(async move {
                let outcome = core.within_time(outcome).await;
                (plan(&core, &path, whole, outcome), None)
            })
        }
    }
}

/// What is done with the description of a resource on which nobody's decision is `outcome`.
fn plan(
    core: &Arc<Core>,
    path: &str,
    whole: Resource<'static>,
    outcome: Result<Decision, BoxError>,
) -> Plan {
    let services = outcome.as_ref().ok().and_then(Decision::services).cloned();
    let whole = whole.through(services.as_ref());
    let described = Described::information(core, &whole, path);
    match outcome {
        Ok(Decision::Grant) => return Plan::open(described, whole),
        Ok(Decision::Deny(denial)) if denial.remedy() == Remedy::Absent => return Plan::Absent,
        Ok(_) => {}
        // The content is denied while this lasts; that it is protected may be told.
        Err(error) => crate::trace::failure("authorizer", &error),
    }
    let wanted = Wanted { resource: whole, in_flow: true, in_older_families: false };
    if !wanted.is_there(core) {
        return Plan::Undescribed;
    }
    Plan::Rewrite(Box::new(Rewrite {
        described,
        wanted,
        status: StatusCode::OK,
        gated: false,
        known: None,
    }))
}
