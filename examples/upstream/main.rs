//! Restricted pictures of an image server that is there already, which hyper asks:
//!
//! ```text
//! cargo run --example upstream -- http://127.0.0.1:8182
//! ```
//!
//! It shows how an upstream is wrapped, and forwards the least that pictures need. A proxy for operators,
//! with what real servers and fronts ask for, is `iiif-auth-proxy`.
#![allow(clippy::print_stdout, reason = "an example talks to who runs it")]

use std::net::Ipv4Addr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, RANGE};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::{BoxError, ServiceBuilder, service_fn};
use tower_iiif_auth::authorizer::RolesFor;
use tower_iiif_auth::resource::{Dialect, ImageApi, Resource};
use tower_iiif_auth::{AccessService, IiifAuth, Keyring, Message, Realm};

const SITE: &str = "http://localhost:3004";
const BASE: &str = "/iiif/3";

type Body = UnsyncBoxBody<Bytes, hyper::Error>;

/// The image server, and how it reads identifiers.
#[derive(Clone)]
struct Upstream {
    client: Client<HttpConnector, Empty<Bytes>>,
    authority: Authority,
    images: ImageApi,
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    tracing_subscriber::fmt::init();
    let url: Uri = std::env::args().nth(1).ok_or("name the image server's URL")?.parse()?;
    let authority = url.authority().ok_or("the image server's URL has no host")?.clone();
    let images = ImageApi::new(BASE).dialect(Dialect::cantaloupe());
    let terms = Message::new("Terms of use").note("For private study only.");
    let access = AccessService::click_through("accept", "The archive", terms).role("reader");
    let auth = IiifAuth::builder(SITE)
        .keyring(Keyring::generate()?)
        .resources(images.clone())
        .realm(Realm::new().access(access))
        .authorizer(RolesFor::new().open("cover*").roles("*", ["reader"]))
        .build()?;

    // An image server closes what nobody uses: before it does so, the client has let go.
    let client = Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(Duration::from_secs(4))
        .build_http();
    let upstream = Upstream { client, authority, images };
    let forward = service_fn(move |request| forward(upstream.clone(), request));
    let stack = ServiceBuilder::new().layer(auth.layer()).service(forward);

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 3004)).await?;
    println!("{url} as {SITE}{BASE}");
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(stack.clone());
        tokio::spawn(async move {
            let builder = auto::Builder::new(TokioExecutor::new());
            if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
                tracing::debug!(%error, "connection");
            }
        });
    }
}

/// Asks for the one spelling that was decided on, and takes along what a picture needs: no cookie, no
/// token, no query and no forwarding header of a client's own.
async fn forward(
    upstream: Upstream,
    request: Request<Incoming>,
) -> Result<Response<Body>, http::Error> {
    let Ok(image) = Resource::find(&upstream.images, request.uri().path()) else {
        return only(StatusCode::NOT_FOUND);
    };
    let uri = Uri::builder()
        .scheme(Scheme::HTTP)
        .authority(upstream.authority.clone())
        .path_and_query(PathAndQuery::try_from(image.request_path())?)
        .build()?;
    let mut headers = HeaderMap::new();
    for name in [ACCEPT, RANGE, IF_NONE_MATCH, IF_MODIFIED_SINCE] {
        if let Some(value) = request.headers().get(&name) {
            headers.insert(name, value.clone());
        }
    }
    let mut asked = Request::builder().method(request.method()).uri(uri).body(Empty::new())?;
    *asked.headers_mut() = headers;
    // Of these Cantaloupe makes the `id` of a description.
    asked.headers_mut().insert("x-forwarded-proto", HeaderValue::from_static("http"));
    asked.headers_mut().insert("x-forwarded-host", HeaderValue::from_static("localhost:3004"));
    match upstream.client.request(asked).await {
        Ok(answer) => Ok(answer.map(BodyExt::boxed_unsync)),
        Err(error) => {
            tracing::warn!(%error, "the image server gave no answer");
            only(StatusCode::BAD_GATEWAY)
        }
    }
}

fn only(status: StatusCode) -> Result<Response<Body>, http::Error> {
    let nothing = Empty::new().map_err(|never| match never {});
    Response::builder().status(status).body(nothing.boxed_unsync())
}
