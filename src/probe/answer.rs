//! A probe is answered: what is asked for, by whose token, and what is decided.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response};

use super::{location, result};
use crate::answer::Answer;
use crate::aspect::{AspectError, Head};
use crate::clock::Timestamp;
use crate::core::Core;
use crate::gate::{Progress, Question, TokenSession, Verdict, Watch, finish_decision};
use crate::observe::{Outcome, Place};
use crate::protocol::Family;
use crate::resource::{Refusal, Resource};
use crate::respond;
use crate::seal::Scratch;
use crate::signed;
use crate::token::{bearer, sealed};

/// The answer to a request whose path, after the probe's prefix, is `path`.
pub(super) fn answer(core: &Arc<Core>, head: &Head<'_>, path: &str) -> Answer<Response<Bytes>> {
    match *head.method() {
        // Before anything is asked: a preflight has no credentials.
        Method::OPTIONS => return Answer::Now(respond::preflight(head.headers())),
        Method::GET | Method::HEAD => {}
        _ => {
            let mut response = respond::method_not_allowed("GET, HEAD, OPTIONS");
            respond::allow_any_origin(response.headers_mut());
            return Answer::Now(response);
        }
    }
    let watch = Watch::begin(core, Place::Probe);
    let named = named(core, head, path);
    let resource = named.as_ref().map_err(|refusal| *refusal).and_then(|own| asked_for(core, own));
    let resource = match resource {
        Ok(resource) => resource,
        Err(refusal) => {
            watch.refused(core, head.uri().path(), refusal);
            let result = result::refused(core, refusal);
            return Answer::Now(result::respond(head.method(), result));
        }
    };
    let now = core.now();
    let mut scratch = Scratch::new();
    let token = bearer::token(head.headers())
        .map(|token| sealed::open(core, &[Family::V2], token, head.headers(), now, &mut scratch));
    let (token, bad_token) = match token.transpose() {
        Ok(token) => (token.map(|(_, token)| token), None),
        Err(error) => (None, Some(error)),
    };
    let question = Question { head: *head, resource: &resource, now, token: token.as_ref() };
    match core.decide(&question) {
        Progress::Done(verdict) if verdict.with_substitutes().is_none() => {
            let verdict = verdict.with_bad_token(bad_token);
            let location = location::signed(core, &resource, &verdict, token.as_ref(), now);
            let outcome = outcome(&verdict, location.is_some());
            watch.decided(core, head.uri(), &resource, outcome, &verdict.basis);
            let result = result::plain(core, &resource, verdict, location);
            Answer::Now(result::respond(head.method(), result))
        }
        // A substitute is decided on like the resource itself, which may have to wait.
        progress => {
            let token = token.map(TokenSession::into_owned);
            let asked = Asked {
                parts: head.to_parts(),
                resource: resource.into_owned(),
                now,
                token,
                bad_token,
            };
            Answer::later(finish(Arc::clone(core), asked, progress, watch))
        }
    }
}

/// The path of what a probe is about: behind its own or, where there is nothing, in its query.
fn named<'p>(core: &Core, head: &Head<'p>, path: &'p str) -> Result<Cow<'p, str>, Refusal> {
    if path.is_empty() {
        let in_query = core.path_in_probe_query(head.uri().query().unwrap_or_default())?;
        return Ok(in_query.unwrap_or_default());
    }
    Ok(Cow::Borrowed(path))
}

/// The resource that a probe is about. Where 2.0 is not spoken there is no probe either (requirements
/// CON-13).
fn asked_for<'p>(core: &'p Core, path: &'p str) -> Result<Resource<'p>, Refusal> {
    let resource = core.find_whole(path)?;
    let spoken = core.families_of(&resource).contains(Family::V2);
    if spoken { Ok(resource) } else { Err(Refusal::Unknown) }
}

/// What is answered, as operators hear of it.
fn outcome(verdict: &Verdict, located: bool) -> Outcome {
    if located { Outcome::Redirected } else { (&verdict.decision).into() }
}

/// What is kept of a probe while it waits.
struct Asked {
    parts: Parts,
    resource: Resource<'static>,
    now: Timestamp,
    token: Option<TokenSession<'static>>,
    bad_token: Option<AspectError>,
}

/// Waits for the decision, and for those on substitutes.
async fn finish(
    core: Arc<Core>,
    asked: Asked,
    progress: Progress<Verdict>,
    watch: Watch,
) -> Response<Bytes> {
    let Asked { parts, resource, now, token, bad_token } = asked;
    let verdict = match progress {
        Progress::Done(verdict) => verdict,
        Progress::Waiting(pending) => {
            let (core, parts, resource) = (Arc::clone(&core), parts.clone(), resource.clone());
            finish_decision(core, parts, resource, now, token.clone(), pending).await
        }
    };
    let verdict = verdict.with_bad_token(bad_token);
    let outcome = outcome(&verdict, signed::is_signed(&core, &verdict));
    watch.decided(&core, &parts.uri, &resource, outcome, &verdict.basis);
    let method = parts.method.clone();
    let result = result::with_substitutes(&core, parts, &resource, now, token, verdict).await;
    result::respond(&method, result)
}
