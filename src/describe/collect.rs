//! Collecting a body up to a limit, whatever its error type is.

use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use http::header::CONTENT_LENGTH;
use http::response::Parts;
use http_body::Body;

use super::long::is_long;
use crate::answer::{Answer, BoxFuture};
use crate::body::{Room, Share};

/// A whole body, and what it uses of the room.
pub(super) type Collected = Result<(Bytes, Share), NotCollected>;

/// Why there is no whole body.
pub(super) enum NotCollected {
    /// It is longer than the limit; this is its beginning.
    TooLong(Bytes),
    Broken,
    /// There is no memory for it now.
    NoRoom,
}

/// All data of a body, at most `longest` bytes; trailers are dropped.
pub(super) struct Collect<B> {
    /// On the heap, as it may have to go on from here.
    body: Pin<Box<B>>,
    /// Most bodies come in one piece, which is not copied.
    first: Bytes,
    collected: BytesMut,
    longest: usize,
    share: Entry,
}

/// What a body uses of the room.
enum Entry {
    Waiting(BoxFuture<Option<Share>>),
    In(Share),
    Out,
}

/// So many times its own length a manifest takes in all: as it came, where its values stand, and as it is written.
const TIMES: usize = 5;

impl<B: Body> Collect<B> {
    /// What says that it is long waits until there is room for it and for what becomes of it; all else takes
    /// room as it grows.
    pub(super) fn new(body: B, longest: usize, room: &Arc<Room>) -> Self {
        let (first, collected) = (Bytes::new(), BytesMut::new());
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        let share = if is_long(announced) && announced <= longest {
            match room.enter(announced.saturating_mul(TIMES)) {
                Answer::Now(share) => share.map_or(Entry::Out, Entry::In),
                Answer::Later(share) => Entry::Waiting(share),
            }
        } else {
            Entry::In(room.share())
        };
        Self { body: Box::pin(body), first, collected, longest, share }
    }

    /// Until it is whole, or cannot be.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Collected> {
        if let Entry::Waiting(share) = &mut self.share {
            self.share = ready!(share.as_mut().poll(cx)).map_or(Entry::Out, Entry::In);
        }
        let Entry::In(share) = &mut self.share else {
            return Poll::Ready(Err(NotCollected::NoRoom));
        };
        let mut is_too_long = false;
        while !is_too_long {
            let Some(frame) = ready!(self.body.as_mut().poll_frame(cx)) else {
                let nothing = share.room().share();
                let share = mem::replace(share, nothing);
                return Poll::Ready(Ok((self.take(), share)));
            };
            let Ok(frame) = frame else { return Poll::Ready(Err(NotCollected::Broken)) };
            let Ok(mut data) = frame.into_data() else { continue };
            let length = data.remaining();
            if !share.grow(length) {
                return Poll::Ready(Err(NotCollected::NoRoom));
            }
            let data = data.copy_to_bytes(length);
            if self.first.is_empty() && self.collected.is_empty() {
                self.first = data;
            } else {
                if self.collected.is_empty() {
                    let rest = usize::try_from(self.body.size_hint().lower()).unwrap_or(0);
                    let whole = rest.saturating_add(self.first.len() + data.len());
                    self.collected.reserve(whole.min(self.longest));
                    self.collected.extend_from_slice(&mem::take(&mut self.first));
                }
                self.collected.extend_from_slice(&data);
            }
            is_too_long = self.first.len().max(self.collected.len()) > self.longest;
        }
        Poll::Ready(Err(NotCollected::TooLong(self.take())))
    }

    fn take(&mut self) -> Bytes {
        if self.collected.is_empty() {
            mem::take(&mut self.first)
        } else {
            self.collected.split().freeze()
        }
    }

    /// The body, with what was not read of it.
    pub(super) fn into_body(self) -> Pin<Box<B>> {
        self.body
    }
}

/// Whether a whole body has the announced length.
pub(super) fn has_announced_length(parts: &Parts, body: &Bytes) -> bool {
    let announced = parts.headers.get_all(CONTENT_LENGTH).iter();
    let is_right = |length: &str| length.trim().parse() == Ok(body.len());
    // One that is said twice is one (RFC 9110 §8.6).
    announced
        .map(|lengths| lengths.to_str().unwrap_or_default())
        .all(|lengths| lengths.split(',').all(is_right))
}
