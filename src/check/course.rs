//! A content request is handed on, or answered here.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Response, StatusCode};

use super::active::Still;
use super::private::{Care, Private};
use super::proofs::{Granted, Refused};
use super::refusal;
use crate::aspect::Head;
use crate::authorizer::{Decision, Denial};
use crate::clock::Timestamp;
use crate::core::Core;
use crate::fetch_metadata::is_made_here;
use crate::gate::{Basis, Renewal, Verdict, Watch};
use crate::observe::Reason;
use crate::resource::{Resource, ResourceKind};
use crate::respond::{self, Sharing};
use crate::session::{Session, SessionId};
use crate::storage_access;

/// What is done with a request.
pub(super) enum Course {
    /// It goes to the inner service, with a proof of the grant where that is wanted.
    Forward(Care, Option<Granted>),
    Answer(Response<Bytes>),
}

/// What a verdict means for a content request.
#[inline]
pub(super) fn course(
    core: &Arc<Core>,
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
            return Course::Answer(Refused::mark(core, status, reason, Some(resource), refusal));
        }
    }
    if watch.is_heard() {
        let outcome = (&verdict.decision).into();
        watch.decided(core, head.uri(), resource, outcome, &verdict.basis);
    }
    match (&verdict.decision, &mut verdict.basis) {
        (Decision::Grant, Basis::Session { id, expires_at, session, .. }) => {
            let private = Private::until(expires_at.remaining(now))
                .for_third_parties(core.third_party.storage_access);
            let mut kept = Care::new(Some(private), Still::of(core, resource));
            if core.refreshes {
                refresh(&mut kept, core, *id, head, now);
            }
            match session.take() {
                None => Course::Forward(kept, None),
                Some(session) => for_session(core, head, kept, session),
            }
        }
        (Decision::Grant, _) => {
            let kept = Care::new(None, Still::of(core, resource));
            if core.keeps_session {
                for_everyone(core, head, kept)
            } else {
                Course::Forward(kept, None)
            }
        }
        // A grant was made of it.
        (Decision::Signed(_), _) => {
            Course::Answer(refusal::denied(&Denial::later(), head, &core.texts))
        }
        (Decision::Redirect(location), _) => {
            Course::Answer(refusal::redirect(&location.to_string(), StatusCode::FOUND, head))
        }
        (Decision::Deny(denial), basis) => denied(core, head, resource, denial, basis),
    }
}

fn denied(
    core: &Core,
    head: &Head<'_>,
    resource: &Resource<'_>,
    denial: &Denial,
    basis: &Basis,
) -> Course {
    if matches!(resource.kind(), ResourceKind::ImageService) && is_read(head.method()) {
        // The base URI of an image service leads to its description (Image API 3.0 §2).
        let info = core.public_url.join(&format!("{}/info.json", resource.path()));
        return Course::Answer(refusal::redirect(&info, StatusCode::SEE_OTHER, head));
    }
    let refusal = refusal::denied(denial, head, &core.texts);
    let (status, reason) = (denial.http_status(), basis.reason());
    let mut response = Refused::mark(core, status, reason, Some(resource), refusal);
    for_third_parties(core, head, resource, basis, &mut response);
    Course::Answer(response)
}

/// What a session opens, with what is kept of that.
#[inline(never)]
fn for_session(core: &Core, head: &Head<'_>, mut kept: Care, session: Session<'static>) -> Course {
    if core.shares() {
        kept.share(core.shares_with_viewer(head, &session));
    }
    Course::Forward(kept, core.hands_session_on.then(|| Granted::to(Some(session))))
}

/// What is open to everyone.
#[inline(never)]
fn for_everyone(core: &Core, head: &Head<'_>, mut kept: Care) -> Course {
    if core.shares() {
        kept.share(core.shares_with_listed(head));
    }
    Course::Forward(kept, core.hands_session_on.then(|| Granted::to(None)))
}

impl Course {
    /// The same for the page whose scripts may read it.
    pub(super) fn shared(self, sharing: Sharing) -> Self {
        match self {
            Self::Forward(mut kept, granted) => {
                kept.share(sharing);
                Self::Forward(kept, granted)
            }
            Self::Answer(mut response) => {
                sharing.apply(response.headers_mut());
                Self::Answer(response)
            }
        }
    }
}

/// What goes along with the answer so that a session goes on: the cookie of the viewer's partition, and what
/// renews the session.
#[inline(never)]
fn refresh(kept: &mut Care, core: &Arc<Core>, id: SessionId, head: &Head<'_>, now: Timestamp) {
    let renewal = Renewal::due(core, id, head.headers(), now);
    let companion = Renewal::companion(core, id, head.headers(), renewal.as_deref(), now);
    if renewal.is_some() || companion.is_some() {
        kept.renew([companion, renewal]);
    }
}

/// Asks a browser that keeps a cookie back, and need not, to come again with it.
pub(super) fn for_third_parties(
    core: &Core,
    head: &Head<'_>,
    resource: &Resource<'_>,
    basis: &Basis,
    response: &mut Response<Bytes>,
) {
    let headers = response.headers_mut();
    storage_access::vary(core.third_party.storage_access, headers);
    let lacks_cookie = matches!(basis, Basis::Nobody(lack) if lack.is_of_everything());
    if is_read(head.method()) && lacks_cookie && core.has_cookie(resource) {
        storage_access::offer_retry(core.third_party.storage_access, head.headers(), headers);
    }
}

pub(super) fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}
