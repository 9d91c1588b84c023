//! What holds on every host, written once: each host runs it over a real socket.

#![allow(unreachable_pub, reason = "a module of a test")]

pub mod app;

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http::header::{HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tower_iiif_auth::{AccessService, IiifAuth, LanguageMap, Realm};

use crate::common::{self, BASE, COOKIE, V, assert_denied, cookie_pair, image, json, posted};
use app::App;

/// A running server with the layers around an [`App`].
pub struct Host {
    pub app: App,
    pub address: SocketAddr,
    /// What every path begins with.
    pub prefix: &'static str,
    pub http2: bool,
}

/// An access control for a host at `prefix`.
pub fn auth(prefix: &str) -> IiifAuth {
    let label = LanguageMap::new("en", "Example Library");
    IiifAuth::builder(format!("{BASE}{prefix}"))
        .keyring(common::keyring())
        .clock(common::clock())
        .images("/iiif/3")
        .files("/files")
        .realm(Realm::new().access(AccessService::active("login", label)))
        .authorizer(common::rules())
        .build()
        .unwrap()
}

/// A socket of this machine's own.
pub async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

impl Host {
    /// A host at the root that speaks HTTP/1.1.
    pub fn new(app: App, address: SocketAddr) -> Self {
        Self { app, address, prefix: "", http2: false }
    }

    /// Sends a request over a connection of its own.
    pub async fn send(&self, mut request: Request<common::Body>) -> Response<Incoming> {
        let stream = TokioIo::new(TcpStream::connect(self.address).await.unwrap());
        let path = format!("{}{}", self.prefix, request.uri());
        if self.http2 {
            *request.uri_mut() = format!("{BASE}{path}").parse().unwrap();
            let handshake = conn::http2::handshake(TokioExecutor::new(), stream);
            let (mut sender, connection) = handshake.await.unwrap();
            tokio::spawn(connection);
            sender.send_request(request).await.unwrap()
        } else {
            *request.uri_mut() = path.parse().unwrap();
            let host = HeaderValue::from_static("iiif.example");
            request.headers_mut().insert("host", host);
            let (mut sender, connection) = conn::http1::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            sender.send_request(request).await.unwrap()
        }
    }

    /// Sends a request and takes the whole answer.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Response<Bytes> {
        let response = self.send(common::request(method, path, headers)).await;
        let (parts, body) = response.into_parts();
        Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
    }

    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
        self.ask(Method::GET, path, headers).await
    }

    /// Logs a user in and returns the `Cookie` field that opens content.
    pub async fn log_in(&self, roles: &str) -> String {
        let page = self.get(&format!("/auth/login?origin={V}"), &[]).await;
        assert_eq!(page.body(), "login page");
        let flow = cookie_pair(&page, "__Host-iiif-flow").expect("the viewer is remembered");
        let form = [("cookie", flow.as_str()), ("origin", BASE), ("x-roles", roles)];
        let granted = self.ask(Method::POST, "/auth/login", &form).await;
        assert_eq!(granted.status(), StatusCode::OK, "{granted:?}");
        cookie_pair(&granted, COOKIE).expect("the login sets the access cookie")
    }

    /// The access token for this cookie.
    pub async fn token(&self, cookie: &str) -> String {
        let path = format!("/auth/token?messageId=m1&origin={V}");
        let page = self.get(&path, &[("cookie", cookie)]).await;
        let (message, origin) = posted(&page).expect("the page posts a message");
        assert_eq!(origin, V);
        message["accessToken"].as_str().expect("a token").to_owned()
    }

    /// The status that the probe tells.
    pub async fn probe(&self, path: &str, headers: &[(&str, &str)]) -> u64 {
        let response = self.get(&format!("/auth/probe{path}"), headers).await;
        assert_eq!(response.status(), StatusCode::OK, "{response:?}");
        json(&response)["status"].as_u64().unwrap()
    }
}

/// Runs everything below on the hosts that `$start` starts.
macro_rules! behaves_like_every_host {
    ($start:expr) => {
        behaves_like_every_host! { $start;
            an_open_image_passes_untouched
            a_locked_image_is_refused_before_the_application_hears_of_it
            the_whole_flow_opens_an_image
            descriptions_tell_of_the_services
            a_wrong_role_is_forbidden
            preflights_are_answered
            ranges_pass_untouched
            frames_and_trailers_pass_as_they_come
            large_bodies_pass_untouched
            heads_have_no_body
        }
    };
    ($start:expr; $($name:ident)*) => {
        $(#[tokio::test]
        async fn $name() {
            crate::suite::$name(&$start.await).await;
        })*
    };
}
pub(crate) use behaves_like_every_host;

pub async fn an_open_image_passes_untouched(host: &Host) {
    let response = host.get(&image("pub"), &[]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.body(), "0123456789 image bytes");
    let headers = response.headers();
    assert_eq!(headers["cache-control"], "public, max-age=86400");
    assert_eq!(headers["etag"], "\"real-etag\"");
    // The server knows the length although it was not said: the size of the body shows through.
    assert_eq!(headers["content-length"], "22");
    assert!(!headers.contains_key("vary"));
    assert!(!headers.contains_key("set-cookie"));
}

pub async fn a_locked_image_is_refused_before_the_application_hears_of_it(host: &Host) {
    for headers in [&[][..], &[("cookie", "__Host-iiif=forged")], &[("authorization", "Bearer x")]]
    {
        assert_denied(&host.get(&image("sec"), headers).await, 401);
        assert_denied(&host.get("/files/sec", headers).await, 401);
    }
    for path in ["/iiif/3/sec/../pub/full/max/0/default.jpg", "/iiif/3/a/b/c", "/files/"] {
        let status = host.get(path, &[]).await.status();
        assert!(status.is_client_error(), "{path}: {status}");
    }
    assert_eq!(host.app.calls(), 0);
}

pub async fn the_whole_flow_opens_an_image(host: &Host) {
    let cookie = host.log_in("A").await;
    let token = host.token(&cookie).await;
    let bearer = format!("Bearer {token}");
    assert_eq!(host.probe("/iiif/3/sec", &[]).await, 401);
    assert_eq!(host.probe("/iiif/3/sec", &[("authorization", &bearer)]).await, 200);
    // A token never opens content; the cookie does.
    assert_denied(&host.get(&image("sec"), &[("authorization", &bearer)]).await, 401);
    let tile = host.get(&image("sec"), &[("cookie", &cookie)]).await;
    assert_eq!(tile.status(), StatusCode::OK);
    assert_eq!(tile.body(), "0123456789 image bytes");
    assert_eq!(tile.headers()["cache-control"], "private, max-age=1792");

    let logout = host.get("/auth/logout", &[("cookie", &cookie)]).await;
    assert_eq!(logout.status(), StatusCode::OK);
    assert_denied(&host.get(&image("sec"), &[("cookie", &cookie)]).await, 401);
    assert_eq!(host.probe("/iiif/3/sec", &[("authorization", &bearer)]).await, 401);
}

pub async fn descriptions_tell_of_the_services(host: &Host) {
    let open = json(&host.get("/iiif/3/pub/info.json", &[]).await);
    assert!(open.get("service").is_none());
    let locked = json(&host.get("/iiif/3/sec/info.json", &[]).await);
    let probe = &locked["service"][0];
    let at = |path: &str| format!("{BASE}{}{path}", host.prefix);
    assert_eq!(probe["id"], at("/auth/probe/iiif/3/sec"));
    let access = &probe["service"][0];
    assert_eq!(access["id"], at("/auth/login"));
    assert_eq!(access["service"][0]["id"], at("/auth/token"));
}

pub async fn a_wrong_role_is_forbidden(host: &Host) {
    let cookie = host.log_in("B").await;
    assert_denied(&host.get(&image("sec"), &[("cookie", &cookie)]).await, 403);
}

pub async fn preflights_are_answered(host: &Host) {
    let headers = [("origin", V), ("access-control-request-method", "GET")];
    for path in ["/auth/probe/iiif/3/sec", "/iiif/3/sec/info.json", &image("sec")] {
        let response = host.ask(Method::OPTIONS, path, &headers).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT, "{path}");
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
    }
    assert_eq!(host.app.calls(), 0);
}

pub async fn ranges_pass_untouched(host: &Host) {
    let cookie = host.log_in("A").await;
    let headers = [("cookie", cookie.as_str()), ("range", "bytes=2-5")];
    let part = host.get("/files/sec", &headers).await;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.headers()["content-range"], "bytes 2-5/22");
    assert_eq!(part.body(), "2345");
}

/// Each frame arrives before the application makes the next one: nothing waits for the rest.
pub async fn frames_and_trailers_pass_as_they_come(host: &Host) {
    let cookie = host.log_in("A").await;
    for (path, cookie) in [("/files/sec", &*cookie), ("/files/pub", "other=1")] {
        let sender = host.app.next_stream();
        // HTTP/1.1 has trailers only for those who say that they read them.
        let headers = [("cookie", cookie), ("te", "trailers")];
        let response = host.send(common::request(Method::GET, path, &headers)).await;
        assert_eq!(response.status(), StatusCode::OK);
        let mut body = response.into_body();
        for text in ["first", "second", "third"] {
            sender.send(Frame::data(Bytes::from(text))).await.unwrap();
            let frame = body.frame().await.unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap(), text);
        }
        let mut trailers = HeaderMap::new();
        trailers.insert("x-checksum", HeaderValue::from_static("abc"));
        sender.send(Frame::trailers(trailers.clone())).await.unwrap();
        drop(sender);
        let last = body.frame().await.unwrap().unwrap();
        assert_eq!(last.into_trailers().unwrap(), trailers);
        assert!(body.frame().await.is_none());
    }
}

pub async fn large_bodies_pass_untouched(host: &Host) {
    let cookie = host.log_in("A").await;
    let response = host.get("/files/dir/sec", &[("cookie", &cookie)]).await;
    assert_eq!(response.headers()["content-length"], app::LARGE.to_string());
    assert!(*response.body() == app::large(), "{} bytes", response.body().len());
}

pub async fn heads_have_no_body(host: &Host) {
    let cookie = host.log_in("A").await;
    for (path, status) in [("pub", 200), ("sec", 401)] {
        let response = host.ask(Method::HEAD, &image(path), &[]).await;
        assert_eq!(response.status().as_u16(), status);
        assert!(response.body().is_empty());
    }
    let response = host.ask(Method::HEAD, &image("sec"), &[("cookie", &cookie)]).await;
    assert_eq!(response.status(), StatusCode::OK);
}
