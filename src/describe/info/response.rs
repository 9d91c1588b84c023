//! An `info.json` on its way back.

use std::sync::Arc;

use bytes::Bytes;
use http::response::Parts;
use http::{Response, StatusCode};

use super::super::answer::{busy, plain, undescribed};
use super::super::edit::Finished;
use super::super::long::{is_long, off_worker};
use super::super::plan::Rewrite;
use super::super::sent::{Chunks, Sent, chunks};
use super::super::unpack::{codings, unpacked};
use super::super::{headers, json};
use super::document::{Edited, edited};
use crate::answer::Answer;
use crate::body::Share;

/// The answer in place of the inner service's, whose whole body this is: at once where that is short.
pub(in super::super) fn respond(
    parts: Parts,
    rewrite: Box<Rewrite>,
    body: Bytes,
    share: Share,
) -> Answer<Response<Sent>> {
    if !is_long(body.len()) {
        return Answer::Now(answer(parts, &rewrite, &body, share));
    }
    Answer::later(async move {
        let (room, bytes) = (Arc::clone(share.room()), body.len());
        match off_worker(&room, bytes, move || answer(parts, &rewrite, &body, share)).await {
            Ok(response) => response,
            Err(error) => {
                crate::trace::failure("describer", &error);
                plain(StatusCode::INTERNAL_SERVER_ERROR).map(Sent::from)
            }
        }
    })
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
        let short = (!is_long(document.longest())).then(|| chunks(document));
        let tag = match short.as_ref().and_then(Chunks::only) {
            _ if !is_kept => None,
            Some(written) => headers::etag_of(written),
            None => headers::etag(document),
        };
        let is_known = tag.as_ref().is_some_and(|tag| headers::is_known(known.as_ref(), tag));
        let chunks = (!is_known).then(|| short.unwrap_or_else(|| chunks(document)));
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
    headers::rewritten(&mut parts.headers, tag);
    if *gated {
        headers::gated(&mut parts.headers, is_kept);
    }
    let Some(chunks) = chunks else {
        parts.status = StatusCode::NOT_MODIFIED;
        return Response::from_parts(parts, Sent::Own(Bytes::new()));
    };
    if share.resize(chunks.bytes()) {
        Response::from_parts(parts, Sent::of(chunks, share))
    } else {
        busy(described).map(Sent::from)
    }
}
