//! A gRPC service and its images on one port, behind one stack: open to a reading room by address.
//!
//! ```text
//! cargo run --example tonic
//! cargo run --example tonic -- --demo
//! ```
//!
//! With `--demo` it calls itself as a gRPC client and prints what it reads.
#![allow(clippy::print_stdout, reason = "an example talks to who runs it")]

mod gallery;
#[path = "../support/mod.rs"]
mod support;

use std::net::{Ipv4Addr, SocketAddr};

use http::Request;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::transport::server::{TcpConnectInfo, TcpIncoming};
use tonic::transport::{Channel, Server};
use tower::{BoxError, ServiceBuilder};
use tower_iiif_auth::aspect::{IpRanges, PeerAddr};
use tower_iiif_auth::authorizer::RolesFor;
use tower_iiif_auth::{AccessService, IiifAuth, Keyring, Realm};

use gallery::{GalleryClient, GalleryServer, Nothing, Picture};
use support::images::{ImageApi, ImageServer};

const SITE: &str = "http://localhost:3002";
const VISITOR: &str = "192.0.2.7";

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    tracing_subscriber::fmt::init();
    // A proxy on this machine tells who is in the reading room.
    let reading_room =
        IpRanges::new(["192.0.2.0/24"], "visitor")?.trusted_proxies(["127.0.0.1", "::1"])?;
    let auth = IiifAuth::builder(SITE)
        .keyring(Keyring::generate()?)
        .files("/gallery.Gallery")
        .images("/iiif/3")
        .realm(
            Realm::new()
                .access(AccessService::external().label("Reading room"))
                .aspect(reading_room),
        )
        // The methods of a gRPC service are resources like any other.
        .authorizer(RolesFor::new().open("Titles").roles("*", ["visitor"]))
        .build()?;
    for warning in auth.warnings() {
        tracing::warn!("{warning}");
    }

    let images = ImageServer::rendered(&[("map", 2000)]);
    let images = images.routes("/iiif/3", &format!("{SITE}/iiif/3"), ImageApi::V3);
    let router = Routes::new(GalleryServer).into_axum_router().merge(images);
    let layers = ServiceBuilder::new().map_request(with_peer).layer(auth.layer()).into_inner();
    let listener = TcpIncoming::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 3002)))?;
    let server = Server::builder()
        .accept_http1(true)
        .layer(layers)
        .serve_with_incoming(Routes::from(router), listener);

    if std::env::args().any(|argument| argument == "--demo") {
        tokio::select! {
            outcome = server => outcome?,
            outcome = demo() => outcome?,
        }
    } else {
        println!(
            "A picture for the reading room: curl -i {SITE}/iiif/3/map/full/400,/0/default.jpg - \
             and from its computers: -H 'X-Forwarded-For: {VISITOR}' -o map.jpg - \
             gRPC: cargo run --example tonic -- --demo"
        );
        server.await?;
    }
    Ok(())
}

/// Tells the layers what tonic knows of the connection.
fn with_peer(mut request: Request<Body>) -> Request<Body> {
    let peer = request.extensions().get::<TcpConnectInfo>().and_then(TcpConnectInfo::remote_addr);
    if let Some(peer) = peer {
        request.extensions_mut().insert(PeerAddr(peer.ip()));
    }
    request
}

async fn demo() -> Result<(), BoxError> {
    let mut client = GalleryClient::new(Channel::from_static(SITE).connect().await?);
    let titles = client.titles(tonic::Request::new(Nothing {})).await?.titles;
    println!("Titles from anywhere:         {titles:?}");

    let picture = Picture { id: "map".to_owned() };
    let refusal = client.describe(tonic::Request::new(picture.clone())).await;
    println!("Describe from anywhere:       {:?}", refusal.map_err(|status| status.code()));

    let mut request = tonic::Request::new(picture);
    request.metadata_mut().insert("x-forwarded-for", VISITOR.parse()?);
    println!("Describe in the reading room: {:?}", client.describe(request).await?.text);
    Ok(())
}
