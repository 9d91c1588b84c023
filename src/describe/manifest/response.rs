//! A manifest on its way back.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, ETAG};
use http::response::Parts;
use http::{HeaderValue, Response, StatusCode};

use super::super::answer::{busy, plain, undescribed};
use super::super::described::Described;
use super::super::edit::{Finished, NotDescribable};
use super::super::long::off_worker;
use super::super::sent::{Chunks, Sent, chunks};
use super::super::unpack::{codings, unpacked};
use super::super::{headers, json};
use super::edit::{Outcome, Taken, Undescribed, described};
use super::left_out::LeftOut;
use super::watch::Watch;
use crate::answer::BoxError;
use crate::body::{Share, Watched};
use crate::config::Manifests;
use crate::core::Core;
use crate::resource::Resource;

/// What is done with a manifest.
pub(in super::super) struct ManifestPlan {
    pub(in super::super) described: Described,
    pub(in super::super) settings: Manifests,
    /// The client's `If-None-Match`.
    pub(in super::super) known: Option<HeaderValue>,
}

impl ManifestPlan {
    /// `resource`: what its path names, if it names one.
    pub(in super::super) fn new(
        core: &Arc<Core>,
        settings: &Manifests,
        path: &str,
        resource: Option<&Resource<'_>>,
    ) -> Self {
        let base = resource.map(|resource| resource.base().to_owned());
        let described =
            Described { core: Arc::clone(core), path: path.to_owned(), base, asked: None };
        Self { described, settings: settings.clone(), known: None }
    }

    /// What looks at a document that is longer than the limit, of which this is the beginning. `None`
    /// if that shows something of ours, or is of no object.
    pub(in super::super) fn watch(&self, before: Bytes) -> Option<Watched> {
        let Described { core, path, .. } = &self.described;
        let mut watch = Watch::new(Arc::clone(core), self.settings.how);
        let start = before.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&before).trim_ascii_start();
        if !start.starts_with(b"{") || !watch.look(&before) {
            return None;
        }
        let path = path.clone();
        let look = move |part: &[u8]| {
            let may_pass = watch.look(part);
            if !may_pass {
                crate::trace::undescribed(&path, "it is longer than the limit: it was broken off");
            }
            may_pass
        };
        Some(Watched::new(before, Box::new(look)))
    }
}

/// A described document: its tag, and its bytes unless the client has them.
struct Written {
    tag: Option<HeaderValue>,
    chunks: Option<(Chunks, Share)>,
}

/// The answer in place of the inner service's, whose whole body this is.
pub(in super::super) async fn respond(
    mut parts: Parts,
    plan: Box<ManifestPlan>,
    body: Bytes,
    mut share: Share,
) -> Response<Sent> {
    let Described { core, path, .. } = &plan.described;
    let text = match text_of(&parts, &body, plan.settings.longest, &share).await {
        Ok(Ok(text)) => text,
        Ok(Err(reason)) => return undescribed(&plan.described, reason).map(Sent::from),
        Err(error) => return later(&error),
    };
    let is_same = body.as_ptr_range().contains(&text.as_ptr());
    if !is_same && !share.grow(text.len()) {
        return busy(&plan.described).map(Sent::from);
    }
    let (known, rest) = (plan.known.clone(), share.split());
    let write = move |document: &Finished<'_>, rest| Written::of(document, known.as_ref(), rest);
    let settings = (&plan.settings).into();
    let outcome = match described(core, settings, text, Taken::Documents, rest, write).await {
        Ok(outcome) => outcome,
        // A page, a picture's bytes without a type: nothing that a viewer reads as a manifest.
        Err(Undescribed::NoJson) if !headers::says_json(&parts.headers) => Outcome::nothing(),
        Err(Undescribed::NoJson) => {
            return undescribed(
                &plan.described,
                "it is no JSON that a browser reads, or has too many values",
            )
            .map(Sent::from);
        }
        Err(Undescribed::Not(NotDescribable(reason))) => {
            return undescribed(&plan.described, reason).map(Sent::from);
        }
        Err(Undescribed::NoRoom) => return busy(&plan.described).map(Sent::from),
        Err(Undescribed::Later(error)) => return later(&error),
    };
    tell_left_out(core, path, &outcome.left_out);
    let Some(written) = outcome.written else {
        let same = parts.headers.get(ETAG);
        if same.is_some_and(|tag| headers::is_known(plan.known.as_ref(), tag)) {
            return not_modified(parts);
        }
        return Response::from_parts(parts, Sent::of(body.into(), share));
    };
    let Some(Written { tag, chunks }) = written else {
        return busy(&plan.described).map(Sent::from);
    };
    headers::rewritten(&mut parts.headers, tag);
    match chunks {
        Some((chunks, share)) => Response::from_parts(parts, Sent::of(chunks, share)),
        None => not_modified(parts),
    }
}

impl Written {
    /// `None` if there is no room for it beside what it is made of.
    fn of(document: &Finished<'_>, known: Option<&HeaderValue>, mut share: Share) -> Option<Self> {
        let tag = headers::etag(document);
        if tag.as_ref().is_some_and(|tag| headers::is_known(known, tag)) {
            return Some(Self { tag, chunks: None });
        }
        share.grow(document.longest()).then_some(())?;
        let chunks = chunks(document);
        share.resize(chunks.bytes()).then_some(Self { tag, chunks: Some((chunks, share)) })
    }
}

/// The text as browsers read it.
async fn text_of(
    parts: &Parts,
    body: &Bytes,
    longest: usize,
    share: &Share,
) -> Result<Result<Bytes, &'static str>, BoxError> {
    let (codings, body) = (codings(&parts.headers), body.clone());
    if codings.is_empty() {
        return Ok(Ok(json::decoded(body)));
    }
    let text = move || unpacked(&body, &codings, longest).map(json::decoded);
    off_worker(share.room(), usize::MAX, text).await
}

fn later(error: &BoxError) -> Response<Sent> {
    crate::trace::failure("authorizer", error);
    plain(StatusCode::SERVICE_UNAVAILABLE).map(Sent::from)
}

/// Says once a path, for each reason, what could not be placed.
fn tell_left_out(core: &Core, path: &str, left_out: &[LeftOut]) {
    for (index, first) in left_out.iter().enumerate() {
        let of_reason = |own: &&LeftOut| own.reason() == first.reason();
        if left_out[..index].iter().any(|own| of_reason(&own)) {
            continue;
        }
        let reason = first.reason().as_str();
        if core.sites.is_new_at(path, reason) {
            let count = left_out.iter().filter(of_reason).count();
            crate::trace::misplaced(path, first.id(), reason, count);
        }
    }
}

fn not_modified(mut parts: Parts) -> Response<Sent> {
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Sent::Own(Bytes::new()))
}
