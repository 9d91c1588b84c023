//! An image server that describes a manifest, for `benches/http/manifests` and `benches/http/stalled`:
//! `manifests ADDRESS CANVASES [SECONDS]`, where `SECONDS` is how long a client may read nothing of one, and
//! `manifests print CANVASES`, which prints the manifest.
//!
//! It prints a cookie to ask for tiles with, then serves HTTP/1.1 on a thread for each core. Besides tiles
//! there are, in pieces as an image server behind it would send them:
//!
//! - `/manifests/1`, which is described,
//! - `/streamed/in`, the same manifest, which is not,
//! - `/streamed/out`, the bytes that describing it comes to.

#![allow(clippy::print_stdout, reason = "the script reads it")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::env;
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use axum::serve::ListenerExt;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::net::TcpListener;
use tower::ServiceExt;
use tower_iiif_auth::{Keyring, Limits};
use tower_iiif_auth_benches::cases::{ROLES, manifest};
use tower_iiif_auth_benches::ours::{Publisher, builder, key};
use tower_iiif_auth_benches::pipe;

/// What comes at once of a document.
const PIECE: usize = 32 * 1024;

/// A document in pieces.
struct Pieces(VecDeque<Bytes>);

impl Pieces {
    fn of(mut document: Bytes) -> Self {
        let mut pieces = VecDeque::new();
        while !document.is_empty() {
            pieces.push_back(document.split_to(document.len().min(PIECE)));
        }
        Self(pieces)
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.iter().map(|piece| piece.len() as u64).sum())
    }
}

fn document(text: &Bytes) -> Response<Body> {
    let mut response = Response::new(Body::new(Pieces::of(text.clone())));
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

fn publisher(pause: Option<u64>) -> Result<Publisher, Box<dyn Error>> {
    let pause = pause.map_or(Duration::from_secs(60), Duration::from_secs);
    let auth = builder(Keyring::from_bytes(&key())?)
        .files("/files")
        .manifests("/manifests")
        .public_paths(["/manifests/*", "/streamed/*"])
        .limits(Limits::new().max_read_pause(pause))
        .build()?;
    Ok(Publisher::with(auth))
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(address), Some(canvases)) = (arguments.next(), arguments.next()) else {
        return Err("usage: manifests ADDRESS CANVASES [SECONDS]".into());
    };
    if address == "print" {
        println!("{}", manifest(canvases.parse()?));
        return Ok(());
    }
    let pause = arguments.next().map(|text| text.parse()).transpose()?;
    let publisher = publisher(pause)?;
    // Outside of the runtime: nothing of it waits.
    let cookie = publisher.cookie(ROLES);
    let text = Bytes::from(manifest(canvases.parse()?));
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(serve(&address, publisher, text, &cookie))
}

async fn serve(
    address: &str,
    publisher: Publisher,
    text: Bytes,
    cookie: &str,
) -> Result<(), Box<dyn Error>> {
    let of = |text: &Bytes| {
        let text = text.clone();
        get(move || async move { document(&text) })
    };
    let stack = |router: Router| router.layer(publisher.auth.layer());
    let first = stack(Router::new().route("/manifests/1", of(&text)));
    let described = first.oneshot(Request::get("/manifests/1").body(Body::empty())?).await?;
    let described = described.into_body().collect().await?.to_bytes();
    if described.len() <= text.len() {
        return Err("the manifest is not described".into());
    }
    println!("{cookie}\n{} {}", text.len(), described.len());
    let app = stack(
        pipe::router(pipe::tiles())
            .route("/manifests/1", of(&text))
            .route("/streamed/in", of(&text))
            .route("/streamed/out", of(&described)),
    );
    let listener = TcpListener::bind(address).await?.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            eprintln!("{error}");
        }
    });
    axum::serve(listener, app).await?;
    Ok(())
}
