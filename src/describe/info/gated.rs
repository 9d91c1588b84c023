//! Descriptions of 1.0 and 0.9: their status tells whether the content is to be had (1.0 §3,
//! 0.9.2 §3.1), so that they are decided on like content, with a token besides.

use std::sync::Arc;

use http::StatusCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::described::Described;
use super::super::description::Wanted;
use super::super::plan::{Plan, Planned, Relocated, Rewrite};
use crate::answer::{Answer, BoxError};
use crate::aspect::{AspectError, Head};
use crate::authorizer::{Decision, Denial, Remedy};
use crate::clock::Timestamp;
use crate::core::Core;
use crate::gate::{
    Basis, Progress, Question, Source, TokenSession, Verdict, Watch, finish_decision,
    first_granted_sibling,
};
use crate::observe::{Outcome, Place};
use crate::protocol::Family;
use crate::query;
use crate::resource::Resource;
use crate::respond::Sharing;
use crate::seal::Scratch;
use crate::signed;
use crate::token::{bearer, sealed};

/// The parameter in the URI of a lower tier's description: the identifier of the tier that it was
/// asked for in place of, whose services it carries (requirements V1-DESC-6). Anybody can write it: it
/// is believed only where that tier's denial of nobody leads here.
const TIER_OF: &str = "tier-of";

const PARAMETER: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b':');

/// A request for a description, as far as its plan depends on it.
struct Asked {
    whole: Resource<'static>,
    path: String,
    /// The resource in whose place this one is shown.
    higher: Option<Resource<'static>>,
    /// Whether the request has a token of 0.9.
    has_v09_token: bool,
}

pub(in super::super) fn course(
    core: &Arc<Core>,
    head: &Head<'_>,
    whole: Resource<'static>,
) -> Answer<Planned> {
    let now = core.now();
    let watch = Watch::begin(core, Place::Description);
    let mut scratch = Scratch::new();
    let (token, bad_token) = match token(core, head, &whole, now, &mut scratch).transpose() {
        Ok(token) => (token, None),
        Err(error) => (None, Some(error)),
    };
    let (family, token) = token.unzip();
    let has_v09_token = family == Some(Family::V09);
    let question = Question { head: *head, resource: &whole, now, token: token.as_ref() };
    let progress = core.decide(&question);
    let higher = higher(core, &whole, head.uri().query().unwrap_or_default(), now);
    match (progress, higher) {
        (Progress::Done(verdict), Answer::Now(higher)) if verdict.with_substitutes().is_none() => {
            let verdict = verdict.with_bad_token(bad_token);
            let path = head.uri().path().to_owned();
            let asked = Asked { whole, path, higher, has_v09_token };
            let (outcome, plan) = plan(core, &asked, &verdict, token.as_ref());
            watch.decided(core, head.uri(), &asked.whole, outcome, &verdict.basis);
            Answer::Now((plan, sharing(core, head, &verdict.basis)))
        }
        (progress, higher) => {
            let core = Arc::clone(core);
            let (parts, token) = (head.to_parts(), token.map(TokenSession::into_owned));
            Answer::later(async move {
                let verdict = match progress {
                    Progress::Done(verdict) => verdict,
                    Progress::Waiting(pending) => {
                        let (core, parts) = (Arc::clone(&core), parts.clone());
                        finish_decision(core, parts, whole.clone(), now, token.clone(), pending)
                            .await
                    }
                };
                let verdict = verdict.with_bad_token(bad_token);
                let higher = match higher {
                    Answer::Now(higher) => higher,
                    Answer::Later(higher) => higher.await,
                };
                // From lower tiers nobody is led in a circle.
                if higher.is_none() {
                    let token = token.as_ref();
                    let lower = first_granted_sibling(&core, &parts, &whole, now, token, &verdict);
                    if let Some(lower) = lower.await {
                        let outcome = Outcome::Redirected;
                        watch.decided(&core, &parts.uri, &whole, outcome, &verdict.basis);
                        let basis = lower.rests_on(&verdict);
                        let sharing = sharing(&core, &Head::of_parts(&parts), basis);
                        return (Plan::Lower(location(&core, &lower.resource, &whole)), sharing);
                    }
                }
                let path = parts.uri.path().to_owned();
                let asked = Asked { whole, path, higher, has_v09_token };
                let (outcome, plan) = plan(&core, &asked, &verdict, token.as_ref());
                watch.decided(&core, &parts.uri, &asked.whole, outcome, &verdict.basis);
                (plan, sharing(&core, &Head::of_parts(&parts), &verdict.basis))
            })
        }
    }
}

/// The session of a token of 1.0 or 0.9, and which of the two it is of (requirements CON-2). That its
/// service is one that the document declares is looked at with the session.
fn token<'s>(
    core: &Core,
    head: &Head<'_>,
    whole: &Resource<'_>,
    now: Timestamp,
    scratch: &'s mut Scratch,
) -> Option<Result<(Family, TokenSession<'s>), AspectError>> {
    let token = bearer::token(head.headers())?;
    let families: Vec<_> = core.families_of(whole).described().map(Family::from).collect();
    Some(sealed::open(core, &families, token, head.headers(), now, scratch))
}

/// The resource in whose place this one is shown, if the request names one and it is so for everyone:
/// what is open or hidden lends its services to nobody.
fn higher(
    core: &Arc<Core>,
    whole: &Resource<'static>,
    request_query: &str,
    now: Timestamp,
) -> Answer<Option<Resource<'static>>> {
    let Some(named) = named(core, whole, request_query) else { return Answer::Now(None) };
    match core.decide_as_nobody(&named, now) {
        Answer::Now(outcome) => Answer::Now(leads_to(named, whole, outcome)),
        Answer::Later(outcome) => {
            let (core, whole) = (Arc::clone(core), whole.clone());
            Answer::later(async move {
                let outcome = core.within_time(outcome).await;
                leads_to(named, &whole, outcome)
            })
        }
    }
}

fn named(core: &Core, whole: &Resource<'_>, request_query: &str) -> Option<Resource<'static>> {
    let identifier = query::single(request_query, TIER_OF).ok()??;
    let path = whole.sibling(&identifier).path();
    core.find_whole(&path).ok().map(Resource::into_owned)
}

/// The resource `higher`, if the decision on it offers `whole` in its place.
fn leads_to(
    higher: Resource<'static>,
    whole: &Resource<'_>,
    decision: Result<Decision, BoxError>,
) -> Option<Resource<'static>> {
    match decision {
        Ok(Decision::Deny(denial)) => {
            let leads = denial.siblings(&higher).any(|lower| lower.path() == whole.path());
            leads.then(|| higher.through(denial.services()))
        }
        Ok(_) => None,
        Err(error) => {
            crate::trace::failure("authorizer", &error);
            None
        }
    }
}

fn location(core: &Core, lower: &Resource<'_>, higher: &Resource<'_>) -> String {
    let higher = utf8_percent_encode(&higher.full_identifier(), PARAMETER).to_string();
    core.public_url.join(&format!("{}/info.json?{TIER_OF}={higher}", lower.path()))
}

/// For which page's scripts an answer is that rests on this, where it tells.
fn sharing(core: &Core, head: &Head<'_>, basis: &Basis) -> Option<Sharing> {
    if core.shares() { core.shares_what_rests_on(basis, head) } else { None }
}

/// What is done, and what that tells of the content.
fn plan(
    core: &Arc<Core>,
    asked: &Asked,
    verdict: &Verdict,
    token: Option<&TokenSession<'_>>,
) -> (Outcome, Plan) {
    if let Some(location) = location_of(core, asked, verdict, token) {
        return (Outcome::Granted, Plan::Signed(Box::new(location)));
    }
    let (outcome, status) = match (&verdict.decision, &verdict.basis) {
        (Decision::Grant, Basis::Open) if asked.higher.is_none() => {
            let described = Described::information(core, &asked.whole, &asked.path);
            return (Outcome::Granted, Plan::open(described, asked.whole.clone()));
        }
        (Decision::Grant | Decision::Signed(_) | Decision::Redirect(_), _) => {
            (Outcome::Granted, StatusCode::OK)
        }
        (Decision::Deny(denial), _) if denial.remedy() == Remedy::Absent => {
            return (Outcome::NotFound, Plan::Absent);
        }
        (Decision::Deny(denial), basis) => denied(core, asked, denial, basis),
    };
    let own = asked.whole.clone().through(verdict.services.as_ref());
    let described = asked.higher.as_ref().unwrap_or(&own);
    // The probe of a higher tier would speak of another image than this document.
    let in_flow = asked.higher.is_none() && core.families_of(described).contains(Family::V2);
    let wanted = Wanted { resource: described.clone(), in_flow, in_older_families: true };
    if !wanted.is_there(core) {
        return (outcome, Plan::Undescribed);
    }
    let rewrite = Rewrite {
        described: Described::information(core, &asked.whole, &asked.path),
        wanted,
        status,
        gated: true,
        known: None,
    };
    (outcome, Plan::Rewrite(Box::new(rewrite)))
}

/// The description of the signed location that the token's session may have the image under, where the base
/// leads there. A probe of 2.0 says the same of it.
fn location_of(
    core: &Arc<Core>,
    asked: &Asked,
    verdict: &Verdict,
    token: Option<&TokenSession<'_>>,
) -> Option<Relocated> {
    let is_theirs = asked.higher.is_none()
        && core.families_of(&asked.whole).has_signed_descriptions()
        && signed::is_signed(core, verdict);
    let base = signed::base(core, &asked.whole, token.filter(|_| is_theirs)?, core.now())?;
    Some(Relocated {
        id: core.public_url.join(&format!("{base}{}", asked.whole.path())),
        described: Described::information(core, &asked.whole, &asked.path),
    })
}

/// The status of a refused description: 401, also where no login helps, as clients know no other
/// (requirements CON-10).
fn denied(core: &Core, asked: &Asked, denial: &Denial, basis: &Basis) -> (Outcome, StatusCode) {
    match denial.remedy() {
        Remedy::Later => (Outcome::Unavailable, StatusCode::SERVICE_UNAVAILABLE),
        Remedy::Never
            if core.compatibility.strict_0_9_2
                && asked.has_v09_token
                && matches!(basis, Basis::NotEnough { source: Source::Token, .. }) =>
        {
            (Outcome::Forbidden, StatusCode::FORBIDDEN)
        }
        _ => (Outcome::Unauthorized, StatusCode::UNAUTHORIZED),
    }
}
