use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response};
use tower_service::Service;

use super::active::Still;
use super::future::CheckFuture;
use super::private::{Care, Private};
use super::proofs::{Granted, Refused};
use super::{active, lower, refusal};
use crate::answer::BoxFuture;
use crate::aspect::{AspectError, Head};
use crate::authorizer::{Decision, Denial};
use crate::body::ResponseBody;
use crate::clock::Timestamp;
use crate::core::{Core, Found};
use crate::fetch_metadata::is_made_here;
use crate::gate::{Basis, Lack, Progress, Question, Verdict, Watch, finish_decision};
use crate::observe::{Outcome, Place, Reason};
use crate::resource::{Resource, ResourceKind};
use crate::respond;
use crate::storage_access;

/// Lets allowed requests through to `S`; see the [module](crate::check).
///
/// A response that needed a session becomes private to its user: `Cache-Control: private` with an
/// age no longer than the session, `Vary: Cookie`, no headers for shared caches, one
/// `Access-Control-Allow-Origin: *`, no `WWW-Authenticate`. A response that is open to everyone is
/// passed on as it is, but for this:
///
/// Content of either kind, errors of the inner service's included, gets `X-Content-Type-Options: nosniff`
/// and, unless it is an image (not SVG), sound, video, PDF or JSON, `Content-Security-Policy: sandbox` as a
/// further policy, so that what users have deposited does not run with this site's cookies. A tile that is a
/// picture needs neither, and to what else does not run the former is added where there is room for it. Scripts for service workers are refused, and `Service-Worker-Allowed` is left
/// out. See
/// [`ResourceMap::insecure_active_content`](crate::resource::ResourceMap::insecure_active_content).
#[derive(Clone, Debug)]
pub struct Check<S> {
    inner: S,
    core: Arc<Core>,
}

/// What is done with a request.
pub(super) enum Course {
    Forward(Care, Option<Granted>),
    Answer(Response<Bytes>),
}

impl<S> Check<S> {
    pub(super) fn new(inner: S, core: Arc<Core>) -> Self {
        Self { inner, core }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Check<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = CheckFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let core = &self.core;
        let head = Head::of(&request);
        let path = head.uri().path();
        let watch = Watch::begin(core, Place::Content);
        let resource = match core.find(path) {
            Found::Public => {
                return CheckFuture::forwarded(self.inner.call(request), Care::default());
            }
            Found::Refused(why) => {
                watch.refused(core, path, why);
                let refusal = refusal::path(why, &head);
                let refusal = Refused::mark(why.status(), why.into(), None, refusal);
                return CheckFuture::own(refusal);
            }
            Found::Resource(resource) => resource,
        };
        if *head.method() == Method::OPTIONS {
            // Answered without asking, and never passed on: a preflight carries no credentials.
            return CheckFuture::own(respond::preflight());
        }
        if matches!(resource.kind(), ResourceKind::ImageInformation) {
            // Descriptions are for everyone (2.0 §2.1); only reading them is.
            if is_read(head.method()) {
                let keeping = Care::new(None, Still::of(core, &resource));
                return CheckFuture::forwarded(self.inner.call(request), keeping);
            }
            return CheckFuture::own(respond::method_not_allowed("GET, HEAD, OPTIONS"));
        }
        if active::is_service_worker(&resource, head.headers()) && core.keeps_still(&resource) {
            return CheckFuture::own(refusal::service_worker());
        }
        if matches!(resource.kind(), ResourceKind::ImageService)
            && ends_like_a_description(resource.identifier())
        {
            // A server that decodes first takes its base URI for another's description.
            let info = core.public_url.join(&format!("{}/info.json", resource.path()));
            return CheckFuture::own(if is_read(head.method()) {
                refusal::redirect(&info, http::StatusCode::SEE_OTHER, &head)
            } else {
                respond::method_not_allowed("GET, HEAD, OPTIONS")
            });
        }
        let now = core.now();
        let question = Question { head, resource: &resource, now, token: None };
        match core.decide(&question) {
            Progress::Done(mut verdict) if !lower::is_wanted(core, &resource, &verdict) => {
                match course(core, &head, &resource, &mut verdict, now, watch) {
                    Course::Answer(response) => CheckFuture::own(response),
                    Course::Forward(keeping, None) => {
                        CheckFuture::forwarded(self.inner.call(request), keeping)
                    }
                    Course::Forward(keeping, Some(granted)) => {
                        let mut request = request;
                        request.extensions_mut().insert(granted);
                        CheckFuture::forwarded(self.inner.call(request), keeping)
                    }
                }
            }
            progress => {
                let course = decide_later(core, question, progress, watch);
                // The service that was polled ready goes along; its clone stays behind.
                let clone = self.inner.clone();
                let inner = mem::replace(&mut self.inner, clone);
                CheckFuture::deciding(course, inner, request)
            }
        }
    }
}

/// Keeps what is needed to wait.
#[inline(never)]
fn decide_later(
    core: &Arc<Core>,
    question: Question<'_>,
    progress: Progress<Verdict>,
    watch: Watch,
) -> BoxFuture<Course> {
    let (parts, resource) = (question.head.to_parts(), question.resource.clone().into_owned());
    Box::pin(decide(Arc::clone(core), parts, resource, question.now, progress, watch))
}

/// Waits for the decision, and for those on lesser versions.
async fn decide(
    core: Arc<Core>,
    parts: Parts,
    resource: Resource<'static>,
    now: Timestamp,
    progress: Progress<Verdict>,
    watch: Watch,
) -> Course {
    let core = &core;
    let mut verdict = match progress {
        Progress::Done(verdict) => verdict,
        Progress::Waiting(pending) => {
            let (parts, resource) = (parts.clone(), resource.clone());
            finish_decision(Arc::clone(core), parts, resource, now, None, pending).await
        }
    };
    if lower::is_wanted(core, &resource, &verdict) {
        if let Some(location) = lower::location(core, &parts, &resource, now, &verdict).await {
            watch.decided(core, &parts.uri, &resource, Outcome::Redirected, &verdict.basis);
            let head = Head::of_parts(&parts);
            let mut response = refusal::redirect(&location, http::StatusCode::FOUND, &head);
            for_third_parties(core, &head, &resource, &verdict.basis, &mut response);
            return Course::Answer(response);
        }
    }
    course(core, &Head::of_parts(&parts), &resource, &mut verdict, core.now(), watch)
}

/// What a verdict means for a content request.
#[inline]
fn course(
    core: &Core,
    head: &Head<'_>,
    resource: &Resource<'_>,
    verdict: &mut Verdict,
    now: Timestamp,
    watch: Watch,
) -> Course {
    let by_session = matches!(verdict.basis, Basis::Session { .. });
    if by_session && verdict.decision.is_grant() && !is_read(head.method()) {
        if resource.is_image_service() {
            // The cookie comes along with requests of any site: nothing may change by it.
            return Course::Answer(respond::method_not_allowed("GET, HEAD, OPTIONS"));
        }
        // Nor for a file or a call: a foreign page may send one, and the aspect comes along.
        if !is_made_here(core.public_url.origin(), head.headers()) {
            watch.foreign_page(core, head.uri().path(), resource);
            let denial = Denial::never().message(core.texts.denied_foreign.clone());
            let refusal = refusal::denied(&denial, head, &core.texts);
            let (status, reason) = (denial.http_status(), Reason::ForeignPage);
            return Course::Answer(Refused::mark(status, reason, Some(resource), refusal));
        }
    }
    let outcome = (&verdict.decision).into();
    watch.decided(core, head.uri(), resource, outcome, &verdict.basis);
    match (&verdict.decision, &mut verdict.basis) {
        (Decision::Grant, Basis::Session { id, expires_at, session, .. }) => {
            let cookie = core.companion(*id, head.headers(), now);
            let private = Private::until(expires_at.remaining(now))
                .for_third_parties(cookie, core.third_party.storage_access);
            let granted = session.take().map(|session| Granted::to(Some(session)));
            Course::Forward(Care::new(Some(private), Still::of(core, resource)), granted)
        }
        (Decision::Grant, _) => {
            let granted = core.hand_on_session.then(|| Granted::to(None));
            Course::Forward(Care::new(None, Still::of(core, resource)), granted)
        }
        (Decision::Redirect(location), _) => {
            Course::Answer(refusal::redirect(&location.to_string(), http::StatusCode::FOUND, head))
        }
        (Decision::Deny(denial), basis) => {
            if matches!(resource.kind(), ResourceKind::ImageService) && is_read(head.method()) {
                // The base URI of an image service leads to its description (Image API 3.0 §2).
                let info = core.public_url.join(&format!("{}/info.json", resource.path()));
                return Course::Answer(refusal::redirect(&info, http::StatusCode::SEE_OTHER, head));
            }
            let refusal = refusal::denied(denial, head, &core.texts);
            let (status, reason) = (denial.http_status(), basis.reason());
            let mut response = Refused::mark(status, reason, Some(resource), refusal);
            for_third_parties(core, head, resource, basis, &mut response);
            Course::Answer(response)
        }
    }
}

/// Asks a browser that keeps a cookie back, and need not, to come again with it.
fn for_third_parties(
    core: &Core,
    head: &Head<'_>,
    resource: &Resource<'_>,
    basis: &Basis,
    response: &mut Response<Bytes>,
) {
    let headers = response.headers_mut();
    storage_access::vary(core.third_party.storage_access, headers);
    let lacks_cookie = matches!(basis, Basis::Nobody(Lack { error: AspectError::Missing, .. }));
    if is_read(head.method()) && lacks_cookie && core.has_cookie(resource) {
        storage_access::offer_retry(core.third_party.storage_access, head.headers(), headers);
    }
}

fn ends_like_a_description(identifier: &str) -> bool {
    let last = identifier.rsplit_once('/').map_or("", |(_, last)| last);
    last.eq_ignore_ascii_case("info.json")
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}
