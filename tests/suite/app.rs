//! The application behind every host: images, files, a login that believes a header.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE, TRAILER};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use tokio::sync::mpsc;
use tower::Service;

use crate::common;

pub type AppBody = http_body_util::combinators::BoxBody<Bytes, Infallible>;
pub type Sender = mpsc::Sender<Frame<Bytes>>;

/// Length of the file `/files/dir/sec`: more than any window or buffer on the way.
pub const LARGE: usize = 24 << 20;

/// One service for all hosts; clones share what they count.
#[derive(Clone, Default)]
pub struct App {
    calls: Arc<AtomicUsize>,
    stream: Arc<Mutex<Option<Frames>>>,
}

impl App {
    /// How often it was asked.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// The body of the next stream: one frame after the other, as they are sent.
    pub fn next_stream(&self) -> Sender {
        let (sender, frames) = mpsc::channel(1);
        *self.stream.lock().unwrap() = Some(Frames(frames));
        sender
    }

    fn answer<B>(&self, request: Request<B>) -> Response<AppBody> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let stream = self.stream.lock().unwrap().take();
        if let Some(frames) = stream {
            let mut response = Response::new(frames.boxed());
            response.headers_mut().insert(TRAILER, HeaderValue::from_static("x-checksum"));
            return response;
        }
        if request.uri().path() == "/files/dir/sec" {
            let mut response = Response::new(Full::from(large()).boxed());
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(LARGE));
            return response;
        }
        let range = request.headers().get(RANGE).cloned();
        let is_head = *request.method() == Method::HEAD;
        let head = request.map(|_| Full::default());
        let mut response = common::image_server(&head).map(BodyExt::boxed);
        if range.is_some_and(|range| range == "bytes=2-5") {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            *response.body_mut() = Full::from("2345").boxed();
            let part = HeaderValue::from_static("bytes 2-5/22");
            response.headers_mut().insert(CONTENT_RANGE, part);
        }
        if is_head {
            *response.body_mut() = AppBody::default();
        }
        response
    }
}

/// Bytes that differ everywhere.
pub fn large() -> Vec<u8> {
    (0..LARGE / 4).flat_map(|i| u32::try_from(i).unwrap().to_le_bytes()).collect()
}

impl<B> Service<Request<B>> for App {
    type Response = Response<AppBody>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.answer(request)))
    }
}

struct Frames(mpsc::Receiver<Frame<Bytes>>);

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|frame| frame.map(Ok))
    }
}
