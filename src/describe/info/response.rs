//! An `info.json` on its way back.

use std::sync::Arc;

use bytes::Bytes;
use http::header::ETAG;
use http::response::Parts;
use http::{Response, StatusCode};

use super::super::answer::{busy, plain, undescribed};
use super::super::edit::Finished;
use super::super::long::off_worker;
use super::super::plan::Rewrite;
use super::super::sent::{Sent, chunks};
use super::super::unpack::{codings, unpacked};
use super::super::{headers, json};
use super::document::{Edited, edited};
use crate::body::Share;

/// The answer in place of the inner service's, whose whole body this is.
pub(in super::super) async fn respond(
    parts: Parts,
    rewrite: Box<Rewrite>,
    body: Bytes,
    share: Share,
) -> Response<Sent> {
    let (room, bytes) = (Arc::clone(share.room()), body.len());
    match off_worker(&room, bytes, move || answer(parts, &rewrite, &body, share)).await {
        Ok(response) => response,
        Err(error) => {
            crate::trace::failure("describer", &error);
            plain(StatusCode::INTERNAL_SERVER_ERROR).map(Sent::from)
        }
    }
}

fn answer(mut parts: Parts, rewrite: &Rewrite, body: &Bytes, mut share: Share) -> Response<Sent> {
    let Rewrite { described, status, gated, known, .. } = rewrite;
    let longest = described.core.limits.info_bytes();
    let plain = match unpacked(body, &codings(&parts.headers), longest) {
        Ok(plain) => plain,
        Err(reason) => return undescribed(described, reason).map(Sent::from),
    };
    let text = json::decode(&plain);
    // A refusal is not kept, and needs no tag.
    let is_kept = *status == StatusCode::OK;
    let write = |document: &Finished<'_>| {
        let tag = is_kept.then(|| headers::etag(document)).flatten();
        let is_known = tag.as_ref().is_some_and(|tag| headers::is_known(known.as_ref(), tag));
        let chunks = if is_known { None } else { Some(chunks(document)) };
        (tag, chunks)
    };
    let (tag, chunks) = match edited(&text, rewrite, write) {
        Edited::No => {
            return undescribed(
                described,
                "it is no JSON object that a browser reads, or has too many values",
            )
            .map(Sent::from);
        }
        // An open image's, as the inner service wrote it.
        Edited::Same => return Response::from_parts(parts, Sent::Own(body.clone())),
        Edited::Written(written) => written,
    };
    parts.status = *status;
    headers::rewritten(&mut parts.headers);
    if *gated {
        headers::gated(&mut parts.headers, is_kept);
    }
    if let Some(tag) = tag {
        parts.headers.insert(ETAG, tag);
    }
    let Some(chunks) = chunks else {
        parts.status = StatusCode::NOT_MODIFIED;
        return Response::from_parts(parts, Sent::Own(Bytes::new()));
    };
    share.shrink_to(0);
    if share.grow(chunks.iter().map(Bytes::len).sum()) {
        Response::from_parts(parts, Sent::of(chunks, share))
    } else {
        busy(described).map(Sent::from)
    }
}
