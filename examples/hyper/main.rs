//! Restricted pictures on plain hyper, with a login of one password: `cargo run --example hyper`.
#![allow(clippy::print_stdout, reason = "an example talks to who runs it")]

use std::convert::Infallible;
use std::io::Cursor;
use std::net::Ipv4Addr;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use image::{ImageFormat, Rgb, RgbImage};
use tokio::net::TcpListener;
use tower::{BoxError, ServiceBuilder, service_fn};
use tower_iiif_auth::access::AccessGrant;
use tower_iiif_auth::aspect::{IpRanges, PeerAddr};
use tower_iiif_auth::authorizer::RolesFor;
use tower_iiif_auth::{AccessCookie, AccessService, IiifAuth, Keyring, Realm};

const SITE: &str = "http://localhost:3001";
const SIDE: u32 = 512;
const FORM: &str = "<!doctype html><title>Log in</title><form method=post>\
    <input name=password type=password placeholder='open sesame'><button>Log in</button></form>";

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    tracing_subscriber::fmt::init();
    // Who sits in the reading room, behind a proxy on this machine, needs no login.
    let room = IpRanges::new(["192.0.2.0/24"], "reader")?.trusted_proxies(["127.0.0.1"])?;
    let auth = IiifAuth::builder(SITE)
        .keyring(Keyring::generate()?)
        .images("/iiif/3")
        .realm(
            Realm::new()
                .access(AccessService::active("login", "The cave"))
                .aspect(AccessCookie::new().or(room)),
        )
        .authorizer(RolesFor::new().open("gate").roles("cave", ["reader"]))
        .build()?;
    for warning in auth.warnings() {
        tracing::warn!("{warning}");
    }
    let stack = ServiceBuilder::new().layer(auth.layer()).service(service_fn(application));

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 3001)).await?;
    println!(
        "A locked picture: curl -i {SITE}/iiif/3/cave/full/max/0/default.jpg - \
         then log in: curl -c jar -H 'Origin: {SITE}' -d password=open+sesame {SITE}/auth/login - \
         and ask again with: -b jar -o cave.jpg"
    );
    loop {
        let (stream, peer) = listener.accept().await?;
        // hyper says where a connection came from only here.
        let service = ServiceBuilder::new()
            .map_request(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(PeerAddr(peer.ip()));
                request
            })
            .service(stack.clone());
        tokio::spawn(async move {
            let builder = auto::Builder::new(TokioExecutor::new());
            let service = TowerToHyperService::new(service);
            if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
                tracing::debug!(%error, "connection");
            }
        });
    }
}

/// Pictures and the login form. Only what the layers let through comes here.
async fn application(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let segments: Vec<_> = head.uri.path().split('/').skip(1).collect();
    Ok(match (&head.method, &*segments) {
        (&Method::GET, ["auth", "login"]) => answer("text/html", FORM),
        (&Method::POST, ["auth", "login"]) => log_in(body).await,
        (_, ["iiif", "3", id, "info.json"]) => answer("application/json", info(id)),
        (_, ["iiif", "3", _, "full", "max", "0", "default.jpg"]) => answer("image/jpeg", picture()),
        _ => {
            let mut response = answer("text/plain", "not here\n");
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
    })
}

async fn log_in(form: Incoming) -> Response<Full<Bytes>> {
    let form = Limited::new(form, 1024).collect().await;
    if form.is_ok_and(|form| &*form.to_bytes() == b"password=open+sesame") {
        let mut response = Response::default();
        response.extensions_mut().insert(AccessGrant::to("ali").role("reader"));
        response
    } else {
        answer("text/html", FORM)
    }
}

fn info(id: &str) -> String {
    format!(
        r#"{{"@context":"http://iiif.io/api/image/3/context.json","id":"{SITE}/iiif/3/{id}",
"type":"ImageService3","protocol":"http://iiif.io/api/image","profile":"level0",
"width":{SIDE},"height":{SIDE},"sizes":[{{"width":{SIDE},"height":{SIDE}}}]}}"#
    )
}

fn picture() -> Vec<u8> {
    let colour = |x: u32, y: u32| Rgb([(x ^ y).to_le_bytes()[0], 96, 160]);
    let mut jpeg = Cursor::new(Vec::new());
    let drawn = RgbImage::from_fn(SIDE, SIDE, colour).write_to(&mut jpeg, ImageFormat::Jpeg);
    drawn.map(|()| jpeg.into_inner()).unwrap_or_default()
}

fn answer(content_type: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
