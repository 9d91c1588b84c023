//! The publisher that the integration tests ask: the fixture of the attack table.
//!
//! `pub` is open, `sec` and `dir/sec` need role A, `sec2` needs role B and has an access and token
//! service of its own. The clock stands still until a test moves it.

#![allow(dead_code, unreachable_pub, reason = "no test file uses all of it")]

pub mod families;
pub mod faults;
pub mod logs;
pub mod readings;
pub mod shapes;
pub mod steps;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use tower::util::BoxCloneSyncService;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_iiif_auth::access::AccessGrant;
use tower_iiif_auth::authorizer::RolesFor;
use tower_iiif_auth::clock::{SetClock, Timestamp};
use tower_iiif_auth::{
    AccessCookie, AccessService, IiifAuth, IiifAuthBuilder, Keyring, LanguageMap, Message, Realm,
    ResponseBody,
};

/// Where the publisher is.
pub const BASE: &str = "https://iiif.example";
/// The viewer's origin.
pub const V: &str = "https://viewer.example";
/// The cookie of the unnamed realm.
pub const COOKIE: &str = "__Host-iiif";

pub type Body = Full<Bytes>;
type Stack = BoxCloneSyncService<Request<Body>, Response<Bytes>, Infallible>;

/// A publisher with all layers around an image server that counts its calls.
#[derive(Clone)]
pub struct Publisher {
    pub auth: IiifAuth,
    pub clock: SetClock,
    stack: Stack,
    calls: Arc<AtomicUsize>,
}

/// 32 bytes that look random, different for each seed.
pub fn key(seed: u8) -> Vec<u8> {
    (0..32).map(|i: u8| i.wrapping_mul(37).wrapping_add(seed)).collect()
}

pub fn keyring() -> Keyring {
    logs::listen();
    Keyring::from_bytes(&key(7)).unwrap()
}

pub fn clock() -> SetClock {
    logs::listen();
    SetClock::at(Timestamp::from_millis(1_800_000_000_000))
}

/// The rules of the fixture.
pub fn rules() -> RolesFor {
    RolesFor::new().open("pub").roles("sec", ["A"]).roles("dir/sec", ["A"]).roles("sec2", ["B"])
}

/// The fixture's configuration, to be changed and built.
pub fn builder(clock: &SetClock) -> IiifAuthBuilder {
    bare(clock)
        .realm(
            Realm::new()
                .access(
                    AccessService::active("login", LanguageMap::new("en", "Example Library"))
                        .message(Message::new(LanguageMap::new("en", "Please log in"))),
                )
                .aspect(AccessCookie::new().lifetime(Duration::from_secs(600))),
        )
        .realm(
            Realm::named("other")
                .access(AccessService::active("login", "Other Library").protects(["sec2"])),
        )
}

/// The same without realms.
pub fn bare(clock: &SetClock) -> IiifAuthBuilder {
    IiifAuth::builder(BASE)
        .keyring(keyring())
        .clock(clock.clone())
        .images("/iiif/3")
        .files("/files")
        .authorizer(rules())
}

impl Publisher {
    pub fn new() -> Self {
        let clock = clock();
        Self::of(builder(&clock), clock)
    }

    /// A publisher of this configuration, before the fixture's image server.
    pub fn of(builder: IiifAuthBuilder, clock: SetClock) -> Self {
        Self::before(builder, clock, image_server)
    }

    /// A publisher of this configuration, before an inner service of the test's own.
    pub fn before(
        builder: IiifAuthBuilder,
        clock: SetClock,
        answer: impl Fn(&Request<Body>) -> Response<Body> + Clone + Send + Sync + 'static,
    ) -> Self {
        let auth = builder.build().unwrap();
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&calls);
        let inner = service_fn(move |request: Request<Body>| {
            counter.fetch_add(1, Ordering::SeqCst);
            let response = answer(&request);
            async move { Ok::<_, Infallible>(response) }
        });
        let stack = ServiceBuilder::new().layer(auth.layer()).service(inner);
        let stack = service_fn(move |request| {
            let stack = stack.clone();
            async move { Ok::<_, Infallible>(collect(stack.oneshot(request).await.unwrap()).await) }
        });
        Self { auth, clock, stack: BoxCloneSyncService::new(stack), calls }
    }

    /// How often the image server was asked.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    pub async fn send(&self, request: Request<Body>) -> Response<Bytes> {
        self.stack.clone().oneshot(request).await.unwrap()
    }

    /// GET with these header fields.
    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
        self.send(request(Method::GET, path, headers)).await
    }

    /// Logs a user with these roles in from a viewer and returns the value of the access cookie.
    pub async fn log_in(&self, roles: &[&str], origin: Option<&str>) -> String {
        let query = origin.map_or_else(String::new, |origin| format!("?origin={origin}"));
        let page = self.get(&format!("/auth/login{query}"), &[]).await;
        let flow = cookie_pair(&page, "__Host-iiif-flow").expect("the viewer is remembered");
        let response = self
            .send(request(
                Method::POST,
                "/auth/login",
                &[("cookie", &flow), ("origin", BASE), ("x-roles", &roles.join(","))],
            ))
            .await;
        assert_eq!(response.status(), StatusCode::OK, "{response:?}");
        set_cookie_value(&response, COOKIE).expect("the login sets the access cookie")
    }

    /// The same without a viewer, in a step: where the hand-off is on, there is nobody to hand off to.
    pub async fn log_in_directly(&self, roles: &[&str]) -> String {
        let headers = [("origin", BASE), ("x-roles", &*roles.join(","))];
        let response = self.send(request(Method::POST, "/auth/login", &headers)).await;
        set_cookie_value(&response, COOKIE).expect("the login sets the access cookie")
    }

    /// The message that the token service posts, with the origin it is posted to.
    pub async fn token_message(&self, query: &str, headers: &[(&str, &str)]) -> (Value, String) {
        let page = self.get(&format!("/auth/token?{query}"), headers).await;
        posted(&page).unwrap_or_else(|| panic!("no message in {page:?}"))
    }

    /// An access token for this cookie and the viewer V.
    pub async fn token(&self, cookie: &str) -> String {
        let cookie = format!("{COOKIE}={cookie}");
        let query = format!("messageId=m1&origin={V}");
        let (message, _) = self.token_message(&query, &[("cookie", &cookie)]).await;
        message["accessToken"].as_str().unwrap_or_else(|| panic!("{message}")).to_owned()
    }

    /// The result of the probe at this path, after checking what every probe response has.
    pub async fn probe(&self, path: &str, headers: &[(&str, &str)]) -> Value {
        let response = self.get(&format!("/auth/probe{path}"), headers).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(!response.headers().contains_key(header::SET_COOKIE));
        json(&response)
    }

    pub async fn probe_status(&self, path: &str, token: Option<&str>) -> u64 {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> =
            bearer.iter().map(|value| ("authorization", value.as_str())).collect();
        self.probe(path, &headers).await["status"].as_u64().unwrap()
    }
}

/// An image server, and the application's login: it believes the header `x-roles`.
pub fn image_server(request: &Request<Body>) -> Response<Body> {
    let path = request.uri().path();
    if path.starts_with("/auth/") {
        let mut response = Response::new(Full::from("login page"));
        if *request.method() == Method::POST {
            if let Some(roles) = request.headers().get("x-roles") {
                let roles = roles.to_str().unwrap().split(',').filter(|role| !role.is_empty());
                response.extensions_mut().insert(AccessGrant::to("u1").roles(roles));
            }
        }
        return response;
    }
    let (content_type, body) = if path.ends_with("/info.json") {
        ("application/json", Full::from(info(path)))
    } else {
        ("image/jpeg", Full::from("0123456789 image bytes"))
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::ETAG, HeaderValue::from_static("\"real-etag\""));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    response
}

fn info(path: &str) -> String {
    let id = path.trim_end_matches("/info.json");
    serde_json::json!({
        "@context": "http://iiif.io/api/image/3/context.json",
        "id": format!("{BASE}{id}"),
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level1",
        "width": 8000,
        "height": 6000,
    })
    .to_string()
}

/// `GET /iiif/3/{identifier}/full/max/0/default.jpg`
pub fn image(identifier: &str) -> String {
    format!("/iiif/3/{identifier}/full/max/0/default.jpg")
}

pub fn request(method: Method, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::default()).unwrap()
}

/// A form posted from a page of the publisher's own.
pub fn form(path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut request = request(Method::POST, path, headers);
    request.headers_mut().insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
    *request.body_mut() = Full::from(body.to_owned());
    request
}

async fn collect<B>(response: Response<ResponseBody<B>>) -> Response<Bytes>
where
    ResponseBody<B>: http_body::Body<Data = Bytes>,
    <ResponseBody<B> as http_body::Body>::Error: std::fmt::Debug,
{
    let (parts, body) = response.into_parts();
    Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

pub fn text(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).unwrap()
}

pub fn json(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap_or_else(|e| panic!("{e}: {}", text(response)))
}

/// The value of the one `Set-Cookie` of this name.
pub fn set_cookie_value(response: &Response<Bytes>, name: &str) -> Option<String> {
    let pair = cookie_pair(response, name)?;
    Some(pair[name.len() + 1..].to_owned())
}

/// `name=value` of the one `Set-Cookie` of this name.
pub fn cookie_pair(response: &Response<Bytes>, name: &str) -> Option<String> {
    let mut all = set_cookies(response.headers())
        .into_iter()
        .filter(|cookie| cookie.strip_prefix(name).is_some_and(|rest| rest.starts_with('=')));
    let found = all.next()?;
    assert!(all.next().is_none(), "{name} is set twice");
    Some(found.split(';').next().unwrap().to_owned())
}

pub fn set_cookies(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(header::SET_COOKIE)
        .iter()
        .map(|cookie| cookie.to_str().unwrap().to_owned())
        .collect()
}

/// What the page posts, and to whom: read from the page as a browser would.
pub fn posted(page: &Response<Bytes>) -> Option<(Value, String)> {
    let html = text(page);
    let data = html.split_once("<script type=\"application/json\" id=\"post\">")?.1;
    let data = data.split_once("</script>")?.0;
    let post: Value = serde_json::from_str(data).unwrap();
    assert_eq!(html.matches("window.parent.postMessage(").count(), 1);
    Some((post["message"].clone(), post["targetOrigin"].as_str()?.to_owned()))
}

/// What every refusal of content has in common (DENY).
pub fn assert_denied(response: &Response<Bytes>, status: u16) {
    assert_eq!(response.status().as_u16(), status, "{response:?}");
    let headers = response.headers();
    assert!(headers[header::CACHE_CONTROL].to_str().unwrap().contains("no-store"));
    for name in ["www-authenticate", "etag", "last-modified", "accept-ranges", "content-range"] {
        assert!(!headers.contains_key(name), "{name} in {response:?}");
    }
    assert!(!text(response).contains("image bytes"));
    assert_eq!(headers.get_all(header::ACCESS_CONTROL_ALLOW_ORIGIN).iter().count(), 1);
}
