//! The body of a document of ours.

use bytes::{Bytes, BytesMut};

use super::edit::Finished;
use crate::body::{Held, ResponseBody, Share};

/// Chunks are given back one by one as they are sent.
const CHUNK: usize = 64 * 1024;

/// What is sent in place of an inner body.
pub(super) enum Sent {
    Own(Bytes),
    Held(Held),
}

impl From<Bytes> for Sent {
    fn from(bytes: Bytes) -> Self {
        Self::Own(bytes)
    }
}

impl Sent {
    /// A document, which uses so much of the room.
    pub(super) fn of(mut chunks: Vec<Bytes>, share: Share) -> Self {
        match chunks.pop() {
            Some(only) if chunks.is_empty() => Self::Own(only),
            Some(last) => {
                chunks.push(last);
                Self::Held(Held::new(chunks, share))
            }
            None => Self::Own(Bytes::new()),
        }
    }

    pub(super) fn into_body<B>(self, head: bool) -> ResponseBody<B> {
        match self {
            _ if head => ResponseBody::of_head(),
            Self::Own(bytes) => ResponseBody::own(bytes),
            Self::Held(document) => ResponseBody::held(document),
        }
    }
}

/// The document in chunks.
pub(super) fn chunks(document: &Finished<'_>) -> Vec<Bytes> {
    let mut chunks = Vec::with_capacity(document.longest() / CHUNK + 1);
    let mut chunk = BytesMut::with_capacity(document.longest().min(CHUNK));
    for piece in document.pieces() {
        let mut piece = piece.as_bytes();
        while piece.len() > CHUNK - chunk.len() {
            let (now, later) = piece.split_at(CHUNK - chunk.len());
            chunk.extend_from_slice(now);
            chunks.push(std::mem::replace(&mut chunk, BytesMut::with_capacity(CHUNK)).freeze());
            piece = later;
        }
        chunk.extend_from_slice(piece);
    }
    chunks.push(chunk.freeze());
    chunks
}
