//! A line and a few counts for each request, when the last byte of its answer is gone.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::{Buf, Bytes};
use http::{Method, Response, StatusCode, Version};
use http_body::{Body as _, Frame, SizeHint};

use crate::body::{Body, BoxError, boxed};
use crate::config::AccessLog;
use crate::metrics::Metrics;

/// A request that is being answered.
pub(crate) struct Entry {
    pub(crate) method: Method,
    /// Without the query, in which values may be secret, and [cut](crate::said::shown).
    pub(crate) path: String,
    pub(crate) version: Version,
    pub(crate) route: String,
    pub(crate) client: Option<IpAddr>,
    pub(crate) log: AccessLog,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) begun: Instant,
}

impl Entry {
    /// Follows the answer's body to its end.
    pub(crate) fn follow(self, response: Response<Body>) -> Response<Body> {
        let status = response.status();
        response.map(|body| {
            let complete = body.is_end_stream();
            boxed(Followed { body, entry: self, status, bytes: 0, complete })
        })
    }
}

struct Followed {
    body: Body,
    entry: Entry,
    status: StatusCode,
    bytes: u64,
    /// Otherwise the client went away, or the image server did.
    complete: bool,
}

impl http_body::Body for Followed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    self.bytes += data.remaining() as u64;
                }
                self.complete = self.body.is_end_stream();
            }
            Poll::Ready(Some(Err(error))) => {
                tracing::warn!(%error, path = self.entry.path, "the image server's body broke off");
            }
            Poll::Ready(None) => self.complete = true,
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        let Self { entry, status, bytes, .. } = self;
        // The answer to HEAD has a body that nobody reads.
        let complete = self.complete || entry.method == Method::HEAD;
        let duration = entry.begun.elapsed();
        entry.metrics.ended(&entry.route, &entry.method, *status, duration, *bytes);
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: "access",
                    method = %entry.method,
                    path = entry.path,
                    version = ?entry.version,
                    status = status.as_u16(),
                    bytes,
                    milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
                    client = entry.client.map(tracing::field::display),
                    complete,
                    "request"
                )
            };
        }
        match entry.log {
            AccessLog::On => line!(info),
            AccessLog::IfAsked => line!(debug),
            AccessLog::Off => {}
        }
    }
}
