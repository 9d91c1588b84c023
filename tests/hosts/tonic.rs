//! tonic: images over its own server, and what a gRPC client reads.

use std::io;

use bytes::{BufMut, Bytes, BytesMut};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method};
use http_body::Frame;
use prost::Message as _;
use tonic::metadata::MetadataValue;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Status, client};
use tonic_prost::ProstCodec;
use tower_iiif_auth::authorizer::{
    AccessRequest, Authorizer, Decision, Denial, from_async_fn, from_fn,
};
use tower_iiif_auth::{AccessService, IiifAuth, Realm};

use crate::common::{self, BASE, assert_denied};
use crate::gallery::{Description, GalleryClient, GalleryServer, Listing, Nothing, Picture};
use crate::suite::app::App;
use crate::suite::{self, Host, behaves_like_every_host, listen};

/// Images, login and gRPC service behind one stack, on one port.
async fn serve(auth: &IiifAuth) -> Host {
    let (listener, address) = listen().await;
    let app = App::default();
    let router = Routes::new(GalleryServer)
        .into_axum_router()
        .route_service("/gallery.Gallery/Watch", app.clone())
        .route_service("/iiif/{*image}", app.clone())
        .route_service("/files/{*file}", app.clone())
        .route_service("/auth/{*service}", app.clone());
    let server = Server::builder().accept_http1(true).layer(auth.layer());
    let connections = TcpIncoming::from(listener);
    tokio::spawn(server.serve_with_incoming(Routes::from(router), connections));
    Host::new(app, address)
}

mod http1 {
    use super::*;

    async fn start() -> Host {
        serve(&suite::auth("")).await
    }

    behaves_like_every_host! { start() }
}

mod http2 {
    use super::*;

    async fn start() -> Host {
        Host { http2: true, ..serve(&suite::auth("")).await }
    }

    behaves_like_every_host! { start() }
}

/// Methods by the last part of their path.
fn policy(request: &AccessRequest<'_>) -> Result<Decision, io::Error> {
    Ok(match request.identifier() {
        "Titles" => Decision::Grant,
        "Erase" => Denial::never().into(),
        "Hidden" => Denial::absent().into(),
        "Closed" => Denial::later().into(),
        "Broken" => return Err(io::Error::other("the catalogue is down")),
        _ if request.has_role("A") => Decision::Grant,
        _ if request.session().is_some() => Denial::never().into(),
        _ => Denial::login().into(),
    })
}

fn at_once() -> impl Authorizer {
    from_fn(|request: &AccessRequest<'_>| policy(request).unwrap_or(Denial::later().into()))
}

fn later() -> impl Authorizer {
    from_async_fn(async |request: AccessRequest<'static>| {
        tokio::task::yield_now().await;
        policy(&request)
    })
}

fn gallery(authorizer: impl Authorizer) -> IiifAuth {
    IiifAuth::builder(BASE)
        .keyring(common::keyring())
        .clock(common::clock())
        .files("/gallery.Gallery")
        .images("/iiif/3")
        .public_paths(["/grpc.health.v1.Health/*"])
        .realm(Realm::new().access(AccessService::active("login", "Example Library")))
        .authorizer(authorizer)
        .build()
        .unwrap()
}

async fn connect(host: &Host) -> Channel {
    Endpoint::from_shared(format!("http://{}", host.address)).unwrap().connect().await.unwrap()
}

/// A message with this cookie as metadata.
fn with_cookie<M>(message: M, cookie: &str) -> Request<M> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("cookie", cookie.parse().unwrap());
    request
}

fn picture() -> Picture {
    Picture { id: "map".to_owned() }
}

#[tokio::test]
async fn grpc_clients_read_refusals_as_their_own() {
    grpc_refusals(at_once()).await;
}

#[tokio::test]
async fn grpc_clients_read_late_refusals_as_their_own() {
    grpc_refusals(later()).await;
}

async fn grpc_refusals(authorizer: impl Authorizer) {
    let host = serve(&gallery(authorizer)).await;
    let mut client = GalleryClient::new(connect(&host).await);
    for (path, code) in [
        ("/gallery.Gallery/Describe", Code::Unauthenticated),
        ("/gallery.Gallery/Erase", Code::PermissionDenied),
        ("/gallery.Gallery/Hidden", Code::NotFound),
        ("/gallery.Gallery/Closed", Code::Unavailable),
        ("/gallery.Gallery/Broken", Code::Unavailable),
        ("/gallery.Other/Describe", Code::NotFound),
        ("/gallery.Gallery/a//b", Code::InvalidArgument),
    ] {
        let refusal = client.call::<_, Listing>(Request::new(Nothing {}), path).await;
        assert_eq!(refusal.unwrap_err().code(), code, "{path}");
    }
    assert_eq!(host.app.calls(), 0);
    // Past the layers, at a service that is not there.
    let path = "/grpc.health.v1.Health/Check";
    let refusal = client.call::<_, Listing>(Request::new(Nothing {}), path).await;
    assert_eq!(refusal.unwrap_err().code(), Code::Unimplemented);
}

#[tokio::test]
async fn grpc_methods_open_with_the_cookie_as_metadata() {
    grpc_cookie(at_once()).await;
}

#[tokio::test]
async fn grpc_methods_open_late_with_the_cookie_as_metadata() {
    grpc_cookie(later()).await;
}

async fn grpc_cookie(authorizer: impl Authorizer) {
    let host = serve(&gallery(authorizer)).await;
    let mut client = GalleryClient::new(connect(&host).await);
    let listing = client.titles(Request::new(Nothing {})).await.unwrap();
    assert_eq!(listing.titles, ["The map"]);

    let reader = host.log_in("A").await;
    let text = client.describe(with_cookie(picture(), &reader)).await.unwrap().text;
    assert_eq!(text, "map: drawn by hand in 1923");
    let stranger = host.log_in("B").await;
    let refusal = client.describe(with_cookie(picture(), &stranger)).await.unwrap_err();
    assert_eq!(refusal.code(), Code::PermissionDenied);
    // As for images: a token is no key.
    let token = host.token(&reader).await;
    let mut request = Request::new(picture());
    let bearer = MetadataValue::try_from(format!("Bearer {token}")).unwrap();
    request.metadata_mut().insert("authorization", bearer);
    assert_eq!(client.describe(request).await.unwrap_err().code(), Code::Unauthenticated);
}

/// Messages arrive one by one, and the status of the trailers with all that it carries.
#[tokio::test]
async fn grpc_streams_and_trailers_pass_untouched() {
    let host = serve(&gallery(at_once())).await;
    let cookie = host.log_in("A").await;
    let mut client = client::Grpc::new(connect(&host).await);
    client.ready().await.unwrap();
    let sender = host.app.next_stream();
    let path = PathAndQuery::from_static("/gallery.Gallery/Watch");
    let request = with_cookie(Nothing {}, &cookie);
    let codec = ProstCodec::<Nothing, Description>::default();
    let stream = client.server_streaming(request, path, codec).await.unwrap();
    let mut messages = stream.into_inner();
    for text in ["first", "second"] {
        sender.send(Frame::data(message(text))).await.unwrap();
        assert_eq!(messages.message().await.unwrap().unwrap().text, text);
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("15"));
    trailers.insert("grpc-message", HeaderValue::from_static("the%20rest%20is%20lost"));
    trailers.insert("x-lost", HeaderValue::from_static("3"));
    sender.send(Frame::trailers(trailers)).await.unwrap();
    drop(sender);
    let status: Status = messages.message().await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::DataLoss, "the rest is lost"));
    assert_eq!(status.metadata().get("x-lost").unwrap(), "3");
}

/// One gRPC message, as it is framed.
fn message(text: &str) -> Bytes {
    let body = Description { text: text.to_owned() }.encode_to_vec();
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(u32::try_from(body.len()).unwrap());
    frame.extend_from_slice(&body);
    frame.freeze()
}

/// A refusal that reads as gRPC is for gRPC: an image that is asked for with that content type is
/// refused like any other, so that no cache keeps an empty 200 in its place.
#[tokio::test]
async fn images_are_not_refused_as_grpc() {
    let host = Host { http2: true, ..serve(&suite::auth("")).await };
    let headers = [("content-type", "application/grpc")];
    let refusal = host.ask(Method::GET, &common::image("sec"), &headers).await;
    assert_denied(&refusal, 401);
    let refusal = host.ask(Method::GET, "/files/sec", &headers).await;
    assert_denied(&refusal, 401);
    let refusal = host.ask(Method::POST, "/files/sec", &headers).await;
    assert_eq!(refusal.headers()["grpc-status"], "16");
    assert_eq!(refusal.headers()["cache-control"], "no-store");
}
