//! A small collection behind the IIIF Authorization Flow API 2.0, and its predecessors 1.0 and 0.9, to
//! be looked at in a browser.
//!
//! ```sh
//! cargo run --example quickstart
//! ```
//!
//! An axum application that stacks the crate's layers on an image server the way a user would:
//! `access.rs` says who may see what, `login.rs` is the application's own login, `main.rs` puts the
//! layers around everything.

mod access;
mod arguments;
mod bases;
mod handlist;
mod login;
mod manifests;
mod site;
mod sound;
mod store;
#[path = "../support/mod.rs"]
mod support;

use std::net::SocketAddr;
use std::process::ExitCode;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use tokio::net::TcpListener;
use tower::Layer;
use tower_iiif_auth::aspect::PeerAddr;

use arguments::{Arguments, Command};
use bases::BASES;
use support::images::ImageServer;

/// The pictures, with the length of their longer side in pixels.
const PICTURES: [(&str, u32); 9] = [
    ("open", 9000),
    ("terms", 9000),
    ("reader", 12000),
    ("curator", 9000),
    ("embargoed", 9000),
    ("tiered", 12000),
    ("tiered-small", 1000),
    ("reading-room", 9000),
    ("foyer", 9000),
];

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    let outcome = match Arguments::parse() {
        Ok(Command::Help) => print(arguments::HELP),
        Ok(Command::Serve(arguments)) => serve(*arguments).await,
        Err(message) => Err(format!("{message} (try --help)")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("quickstart: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> Result<(), String> {
    // First: a port in use is the commonest mistake.
    let listener = TcpListener::bind(arguments.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", arguments.listen))?;
    let app = application(&arguments).await?.layer(from_fn(peer_address));

    print(&format!(
        "Open {}/ in a browser. Stop with Ctrl-C.\nIn the reading room: {}.\n\
         Where browsers block third-party cookies: {}.\n",
        arguments.public_url(),
        arguments.reading_room(),
        arguments.third_party_cookies(),
    ))?;
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) })
        .await
        .map_err(|error| format!("the server stopped: {error}"))
}

async fn application(arguments: &Arguments) -> Result<Router, String> {
    let images = match &arguments.images {
        Some(folder) => ImageServer::from_folder(folder, &PICTURES)?,
        None => ImageServer::rendered(&PICTURES),
    };
    let auth = access::configure(arguments).await?;
    let public_url = arguments.public_url();
    let pictures = BASES.iter().fold(Router::new(), |router, base| {
        let as_clients_see_it = format!("{public_url}{}", base.images);
        router.merge(images.routes(base.images, &as_clients_see_it, base.api))
    });
    let site = Router::new()
        .merge(pictures)
        .route(handlist::PATH, get(handlist::serve))
        .merge(sound::routes())
        .route("/auth/login", get(login::form).post(login::submit))
        .merge(manifests::routes(public_url, &images, &auth))
        .merge(site::routes(public_url));
    // Around the router and not within it, by `Router::layer`: below a signed location the layers change the
    // path, and the routes are to be found by what it is then.
    Ok(Router::new().fallback_service(auth.layer().layer(site)))
}

/// Tells the layers where a connection comes from: the reading room goes by address.
async fn peer_address(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    request.extensions_mut().insert(PeerAddr(peer.ip()));
    next.run(request).await
}

/// Prints, also into a pipe that was closed.
fn print(text: &str) -> Result<(), String> {
    use std::io::Write;
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| format!("cannot print: {error}"))
}

#[cfg(test)]
mod tests;
