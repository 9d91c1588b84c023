//! Descriptions of 1.0 and 0.9: their status tells whether the content is to be had (1.0 §3,
//! 0.9.2 §3.1), so that they are decided on like content, with a token besides.

use std::sync::Arc;

use http::StatusCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::description;
use super::plan::{Plan, Rewrite};
use crate::answer::Answer;
use crate::aspect::Head;
use crate::authorizer::{Decision, Denial, Remedy};
use crate::config::Core;
use crate::gate::{
    Basis, Progress, Question, TokenSession, Verdict, decide_and_wait, finish_decision,
};
use crate::protocol::Family;
use crate::query;
use crate::resource::Resource;
use crate::token::{bearer, sealed};

/// The parameter in the URI of a lower tier's description: the identifier of the tier that it was
/// asked for in place of, whose services it carries (requirements V1-DESC-6).
const TIER_OF: &str = "tier-of";

const PARAMETER: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b':');

/// A request for a description, as far as its plan depends on it.
struct Asked {
    whole: Resource<'static>,
    /// The resource in whose place this one is shown.
    higher: Option<Resource<'static>>,
    /// Whether the request has a token of 0.9.
    has_v09_token: bool,
}

pub(super) fn course(core: &Arc<Core>, head: &Head<'_>, whole: Resource<'static>) -> Answer<Plan> {
    let now = core.now();
    let (token, family) = token(core, head, &whole).unzip();
    let asked = Asked {
        higher: higher(core, &whole, head.uri().query().unwrap_or_default()),
        has_v09_token: family == Some(Family::V09),
        whole: whole.clone(),
    };
    let question = Question { head: *head, resource: whole, now, token };
    let progress = core.decide(&question);
    match progress {
        Progress::Done(verdict) if !has_substitutes(&verdict) => {
            Answer::Now(plan(core, &asked, &verdict))
        }
        progress => {
            let core = Arc::clone(core);
            let parts = head.to_parts();
            let (resource, token) = (question.resource.into_owned(), question.token);
            Answer::Later(Box::pin(async move {
                let verdict = match progress {
                    Progress::Done(verdict) => verdict,
                    Progress::Waiting(pending) => {
                        let (core, parts) = (Arc::clone(&core), parts.clone());
                        let (resource, token) = (resource.clone(), token.clone());
                        finish_decision(core, parts, resource, now, token, pending).await
                    }
                };
                if let Decision::Deny(denial) = &verdict.decision {
                    // From lower tiers nobody is led in a circle.
                    if asked.higher.is_none() {
                        for lower in denial.siblings(&resource) {
                            let verdict =
                                decide_and_wait(&core, &parts, &lower, now, token.clone()).await;
                            if verdict.decision.is_grant() {
                                return Plan::Lower(location(&core, &lower, &resource));
                            }
                        }
                    }
                }
                plan(&core, &asked, &verdict)
            }))
        }
    }
}

/// The session of a token of 1.0 or 0.9, and which of the two it is of (requirements CON-2). That its
/// service is one that the document declares is looked at with the session.
fn token(core: &Core, head: &Head<'_>, whole: &Resource<'_>) -> Option<(TokenSession, Family)> {
    let token = bearer::token(head.headers())?;
    let mut families = core.families_of(whole).described().map(Family::from);
    families.find_map(|family| {
        Some((sealed::open(core, &[family], token, head.headers(), core.now())?, family))
    })
}

fn higher(core: &Core, whole: &Resource<'_>, request_query: &str) -> Option<Resource<'static>> {
    let identifier = query::single(request_query, TIER_OF).ok()??;
    let path = whole.sibling(&identifier).path();
    core.find_whole(&path).ok().map(Resource::into_owned)
}

fn location(core: &Core, lower: &Resource<'_>, higher: &Resource<'_>) -> String {
    let higher = utf8_percent_encode(higher.identifier(), PARAMETER);
    core.public_url.join(&format!("{}/info.json?{TIER_OF}={higher}", lower.path()))
}

fn has_substitutes(verdict: &Verdict) -> bool {
    matches!(&verdict.decision, Decision::Deny(denial) if !denial.substitutes().is_empty())
}

fn plan(core: &Core, asked: &Asked, verdict: &Verdict) -> Plan {
    let basis = verdict.basis_word();
    let status = match (&verdict.decision, &verdict.basis) {
        (Decision::Grant, Basis::Open) if asked.higher.is_none() => return Plan::Open,
        (Decision::Grant | Decision::Redirect(_), _) => StatusCode::OK,
        (Decision::Deny(denial), _) if denial.remedy() == Remedy::Absent => return Plan::Absent,
        (Decision::Deny(denial), basis) => denied(core, asked, denial, basis),
    };
    crate::trace::decided("description", &asked.whole.path(), status.as_u16(), basis);
    let described = asked.higher.as_ref().unwrap_or(&asked.whole);
    let mut services = description::put_cookie_services(core, described);
    // The probe of a higher tier would speak of another image than this document.
    let in_flow = asked.higher.is_none() && core.families_of(described).contains(Family::V2);
    if in_flow {
        services.extend(description::put_probe(core, described));
    }
    if services.is_empty() {
        return Plan::Undescribed;
    }
    Plan::Rewrite(Box::new(Rewrite {
        path: asked.whole.path(),
        services,
        in_flow,
        status,
        gated: true,
        longest: core.longest_info,
        known: None,
    }))
}

/// The status of a refused description: 401, also where no login helps, as clients know no other
/// (requirements CON-10).
fn denied(core: &Core, asked: &Asked, denial: &Denial, basis: &Basis) -> StatusCode {
    match denial.remedy() {
        Remedy::Later => StatusCode::SERVICE_UNAVAILABLE,
        Remedy::Never
            if core.compatibility.strict_0_9_2
                && asked.has_v09_token
                && matches!(basis, Basis::NotEnough { of_token: true }) =>
        {
            StatusCode::FORBIDDEN
        }
        _ => StatusCode::UNAUTHORIZED,
    }
}
