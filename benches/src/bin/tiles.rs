//! An image server of 20 KB tiles on loopback, for `benches/http/run`: `tiles LAYERS ADDRESS`, where
//! `LAYERS` is `none`, `nothing` (a layer that does nothing), `check` or `all`.
//!
//! It prints the credentials to ask with, then serves HTTP/1.1 and HTTP/2 on one thread.

#![allow(clippy::print_stdout, reason = "the script reads it")]

use std::env;
use std::error::Error;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tower_iiif_auth_benches::cases::ROLES;
use tower_iiif_auth_benches::ours::Publisher;
use tower_iiif_auth_benches::pipe;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(layers), Some(address)) = (arguments.next(), arguments.next()) else {
        return Err("usage: tiles LAYERS ADDRESS".into());
    };
    let publisher = Publisher::new();
    let cookie = publisher.cookie(ROLES);
    println!("{cookie}\n{}", publisher.token(&cookie));
    let app = match &*layers {
        "none" => pipe::router(pipe::tiles()),
        "nothing" => pipe::router(pipe::tiles()).layer(tower::layer::util::Identity::new()),
        "check" => pipe::router(pipe::tiles()).layer(publisher.auth.check()),
        "all" => pipe::router(pipe::tiles())
            .fallback(|| async { http::StatusCode::NOT_FOUND })
            .layer(publisher.auth.layer()),
        _ => return Err("LAYERS is none, nothing, check or all".into()),
    };
    // With Nagle's algorithm each tile over HTTP/2 would wait for the client's acknowledgement, 40 ms.
    let listener = TcpListener::bind(address).await?.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            eprintln!("{error}");
        }
    });
    axum::serve(listener, app).await?;
    Ok(())
}
