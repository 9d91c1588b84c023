//! The body of a layer's response: the inner service's own, or one of ours.

mod held;
mod room;
mod watched;

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use pin_project_lite::pin_project;

pub(crate) use held::Held;
pub(crate) use room::{Room, Share};
pub(crate) use watched::Watched;

pin_project! {
    /// Either the inner service's body, passed on frame by frame, or bytes that a layer wrote.
    ///
    /// Ranges, trailers and streaming of the inner body are untouched. The error type stays the
    /// inner body's, so a layer never adds one.
    pub struct ResponseBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProj]
    enum Kind<B> {
        Inner { #[pin] body: B },
        Own { #[pin] body: Full<Bytes> },
        Held { body: Held },
        Watched { body: Pin<Box<B>>, watched: Box<Watched> },
        OfHead,
    }
}

impl<B> ResponseBody<B> {
    /// The inner service's body.
    pub(crate) fn inner(body: B) -> Self {
        Self { kind: Kind::Inner { body } }
    }

    /// Nothing, in place of a body whose length is not told: that of an answer to a HEAD is not zero.
    pub(crate) fn of_head() -> Self {
        Self { kind: Kind::OfHead }
    }

    /// Bytes of our own.
    pub(crate) fn own(bytes: Bytes) -> Self {
        Self { kind: Kind::Own { body: Full::new(bytes) } }
    }

    /// A document that is given back as it is sent.
    pub(crate) fn held(body: Held) -> Self {
        Self { kind: Kind::Held { body } }
    }

    /// The inner service's body, as far as it may pass.
    pub(crate) fn watched(watched: Watched, body: Pin<Box<B>>) -> Self {
        Self { kind: Kind::Watched { body, watched: Box::new(watched) } }
    }
}

/// Empty, whatever `B` is: outer layers such as time-outs and CORS ask for a `Default` body.
impl<B> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::own(Bytes::new())
    }
}

/// Shows whose body it is and nothing of it: a token page holds a token.
impl<B> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::Inner { .. } | Kind::Watched { .. } => "ResponseBody::Inner(..)",
            Kind::Own { .. } | Kind::Held { .. } | Kind::OfHead => "ResponseBody::Own(..)",
        })
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body<Data = Bytes>,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.project().kind.project() {
            KindProj::Inner { body } => body.poll_frame(cx),
            KindProj::Own { body } => body.poll_frame(cx).map_err(|never| match never {}),
            KindProj::Held { body } => Poll::Ready(body.next().map(|part| Ok(Frame::data(part)))),
            KindProj::Watched { body, watched } => {
                if let Some(before) = watched.before.take() {
                    return Poll::Ready(Some(Ok(Frame::data(before))));
                }
                if watched.is_over {
                    return Poll::Ready(None);
                }
                let frame = ready!(body.as_mut().poll_frame(cx));
                let part = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
                let may_pass = part.is_none_or(|part| watched.may_pass(part));
                Poll::Ready(frame.filter(|_| may_pass))
            }
            KindProj::OfHead => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Inner { body } => body.is_end_stream(),
            Kind::Own { body } => body.is_end_stream(),
            Kind::Held { body } => body.left() == 0,
            Kind::Watched { body, watched } => {
                watched.is_over || (watched.before.is_none() && body.is_end_stream())
            }
            Kind::OfHead => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Inner { body } => body.size_hint(),
            Kind::Own { body } => body.size_hint(),
            Kind::Held { body } => SizeHint::with_exact(body.left() as u64),
            Kind::Watched { body, watched } => {
                let before = watched.before.as_ref().map_or(0, Bytes::len) as u64;
                let rest = body.size_hint();
                let mut hint = SizeHint::new();
                hint.set_lower(rest.lower().saturating_add(before));
                if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(before)) {
                    hint.set_upper(upper);
                }
                hint
            }
            Kind::OfHead => SizeHint::new(),
        }
    }
}
