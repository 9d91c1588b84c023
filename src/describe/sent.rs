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
    pub(super) fn of(Chunks { mut before, last, of_one }: Chunks, share: Share) -> Self {
        if before.is_empty() {
            return Self::Own(last);
        }
        before.push(last);
        Self::Held(Held::new(before, of_one, share))
    }

    pub(super) fn into_body<B>(self, head: bool) -> ResponseBody<B> {
        match self {
            _ if head => ResponseBody::of_head(),
            Self::Own(bytes) => ResponseBody::own(bytes),
            Self::Held(document) => ResponseBody::held(document),
        }
    }
}

/// A document in chunks: nearly always one.
pub(super) struct Chunks {
    before: Vec<Bytes>,
    last: Bytes,
    /// Whether they are parts of one piece of memory.
    of_one: bool,
}

impl Chunks {
    /// How long the document is.
    pub(super) fn bytes(&self) -> usize {
        self.before.iter().map(Bytes::len).sum::<usize>() + self.last.len()
    }

    /// The only one, if it is one.
    pub(super) fn only(&self) -> Option<&Bytes> {
        self.before.is_empty().then_some(&self.last)
    }
}

impl From<Bytes> for Chunks {
    fn from(mut last: Bytes) -> Self {
        let mut before = Vec::new();
        while last.len() > CHUNK {
            before.push(last.split_to(CHUNK));
        }
        Self { before, last, of_one: true }
    }
}

/// The document in chunks.
pub(super) fn chunks(document: &Finished<'_>) -> Chunks {
    let mut before = Vec::with_capacity(document.longest() / CHUNK);
    let mut chunk = BytesMut::with_capacity(document.longest().min(CHUNK));
    document.pieces(|piece| {
        let mut piece = piece.as_bytes();
        while piece.len() > CHUNK - chunk.len() {
            let (now, later) = piece.split_at(CHUNK - chunk.len());
            chunk.extend_from_slice(now);
            before.push(std::mem::replace(&mut chunk, BytesMut::with_capacity(CHUNK)).freeze());
            piece = later;
        }
        chunk.extend_from_slice(piece);
    });
    Chunks { before, last: chunk.freeze(), of_one: false }
}
