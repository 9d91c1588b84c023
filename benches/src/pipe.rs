//! HTTP/1.1 by hyper over a pipe in memory: all of a server but the kernel.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::Router;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::runtime::{Builder, Runtime};

use crate::images::Images;
use crate::request::Template;

/// Bytes of a tile, and of the pipe.
const TILE_BYTES: usize = 20 * 1024;
const PIPE_BYTES: usize = 64 * 1024;

/// The outcome of a future that does not wait.
pub fn now<F: Future>(future: F) -> F::Output {
    let Poll::Ready(outcome) = pin!(future).poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("it waits")
    };
    outcome
}

/// Tiles of 20 KB.
#[must_use]
pub fn tiles() -> Images {
    Images::of(TILE_BYTES)
}

/// A route to images, as applications have it.
pub fn router(images: Images) -> Router {
    Router::new().route_service("/iiif/3/{*image}", images)
}

/// Requests over one connection to `router`, each read to the end of its body.
pub fn repeat(router: Router, template: Template) -> impl FnMut() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut sender = runtime.block_on(connect(router));
    move || fetch(&runtime, &mut sender, &template)
}

fn fetch(runtime: &Runtime, sender: &mut SendRequest<Empty<bytes::Bytes>>, template: &Template) {
    runtime.block_on(async {
        let request = template.request().map(|_| Empty::new());
        sender.ready().await.expect("a connection");
        let response = sender.send_request(request).await.expect("a response");
        assert_eq!(response.status(), 200);
        let mut body = response.into_body();
        let mut length = 0;
        while let Some(frame) = body.frame().await {
            length += frame.expect("a frame").data_ref().map_or(0, bytes::Bytes::len);
        }
        assert_eq!(length, TILE_BYTES);
    });
}

async fn connect(router: Router) -> SendRequest<Empty<bytes::Bytes>> {
    let (here, there) = tokio::io::duplex(PIPE_BYTES);
    let service = TowerToHyperService::new(router);
    let server = hyper::server::conn::http1::Builder::new();
    tokio::spawn(server.serve_connection(TokioIo::new(there), service));
    let (sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(here)).await.expect("a connection");
    tokio::spawn(connection);
    sender
}
