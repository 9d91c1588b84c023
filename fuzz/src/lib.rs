//! The publisher that every target asks, through the same layers as in earnest.
//!
//! `pub` is open to everyone, `sec` needs the role `A`; all else is denied. Nothing waits, so that a
//! request is one call, and nothing is remembered, so that an input does the same every time.

use std::convert::Infallible;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
use tower_iiif_auth::access::AccessGrant;
use tower_iiif_auth::aspect::{Session, SessionId};
use tower_iiif_auth::authorizer::RolesFor;
use tower_iiif_auth::clock::{SetClock, Timestamp};
use tower_iiif_auth::fuzzing::{self, Sealed};
use tower_iiif_auth::protocol::Family;
use tower_iiif_auth::resource::{Dialect, Families, ImageApi};
use tower_iiif_auth::revocation::Revocations;
use tower_iiif_auth::{AccessCookie, AccessService, Answer, IiifAuth, Keyring, LanguageMap, Message, Realm, ThirdPartyCookies};

#[path = "../../tests/common/readings.rs"]
pub mod readings;

use readings::Server;

/// The bases whose server is known, each with how that server reads a path.
pub const DIALECTS: [(&str, Server); 5] = [
    ("/iiif/3/", Server::Any),
    ("/iiif/iip/", Server::IipImage),
    ("/iiif/can/", Server::Cantaloupe { substitute: Some("__"), four: false }),
    ("/iiif/can4/", Server::Cantaloupe { substitute: None, four: true }),
    ("/iiif/ark/", Server::Segments),
];

/// Where the publisher is.
pub const BASE: &str = "https://iiif.example";
/// The viewer that logs in.
pub const VIEWER: &str = "https://viewer.example";
/// The name of the access cookie.
pub const COOKIE: &str = "__Host-iiif";
/// A tile of the resource that needs the role `A`.
pub const TILE: &str = "/iiif/3/sec/full/max/0/default.jpg";

type Body = Full<Bytes>;

/// The layers around an image server.
pub struct Publisher {
    pub auth: IiifAuth,
    pub keyring: Keyring,
    stack: BoxCloneSyncService<Request<Body>, Response<Bytes>, Infallible>,
    info: Arc<Mutex<Bytes>>,
}

/// One for all inputs.
pub static PUBLISHER: LazyLock<Publisher> = LazyLock::new(Publisher::new);

/// The access cookie of a user with the role `A`, of one with the role `B`, and tokens of the first.
pub static COOKIE_A: LazyLock<String> = LazyLock::new(|| PUBLISHER.cookie("A"));
pub static COOKIE_B: LazyLock<String> = LazyLock::new(|| PUBLISHER.cookie("B"));
pub static TOKEN: LazyLock<String> = LazyLock::new(|| PUBLISHER.token("/auth/token"));
pub static TOKEN_V1: LazyLock<String> = LazyLock::new(|| PUBLISHER.token("/auth/token/1"));

/// The time of every request.
pub fn now() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000)
}

/// Nobody ever logged out.
struct Never;

impl Revocations for Never {
    fn is_revoked(&self, _: SessionId, _: Timestamp) -> Answer<Result<bool, BoxError>> {
        Answer::Now(Ok(false))
    }

    fn revoke(&self, _: SessionId, _: Timestamp, _: Timestamp) -> Answer<Result<(), BoxError>> {
        Answer::Now(Ok(()))
    }

    fn claim(&self, _: SessionId, _: Timestamp, _: Timestamp) -> Answer<Result<bool, BoxError>> {
        Answer::Now(Ok(true))
    }
}

impl Publisher {
    fn new() -> Self {
        let keyring = Keyring::generate().expect("random bytes");
        let message = Message::new(LanguageMap::new("en", "Please log in").with("de", "Bitte"));
        let auth = IiifAuth::builder(BASE)
            .keyring(keyring.clone())
            .clock(SetClock::at(now()))
            .images("/iiif/3")
            .resources(ImageApi::new("/iiif/2").families([Family::V1, Family::V09]))
            .resources(ImageApi::new("/iiif/all").families(Families::new(Family::ALL)))
            .resources(ImageApi::new("/iiif/iip").dialect(Dialect::iipimage()))
            .resources(
                ImageApi::new("/iiif/can").dialect(Dialect::cantaloupe().slash_substitute("__")),
            )
            .resources(
                ImageApi::new("/iiif/can4").dialect(Dialect::cantaloupe().scale_by_hyphen()),
            )
            .resources(ImageApi::new("/iiif/ark").dialect(Dialect::general().several_segments()))
            .files("/files")
            .third_party_cookies(
                ThirdPartyCookies::default().hand_off().storage_access().grant_page(),
            )
            .realm(
                Realm::new()
                    .access(AccessService::active("login", "Library").message(message))
                    .aspect(AccessCookie::new().lifetime(Duration::from_secs(600))),
            )
            .revocations(Never)
            .authorizer(
                RolesFor::new()
                    .open("pub")
                    .open("dir/pub")
                    .roles("sec", ["A"])
                    .roles("dir/sec", ["A"]),
            )
            .build()
            .expect("a good configuration");
        let info = Arc::new(Mutex::new(Bytes::new()));
        let served = Arc::clone(&info);
        let server = service_fn(move |request: Request<Body>| {
            let response = image_server(&request, &served);
            async move { Ok::<_, Infallible>(response) }
        });
        let stack = ServiceBuilder::new().layer(auth.layer()).service(server);
        let stack = service_fn(move |request| {
            let stack = stack.clone();
            async move {
                let (parts, body) = stack.oneshot(request).await?.into_parts();
                let body = body.collect().await.expect("a body without errors").to_bytes();
                Ok(Response::from_parts(parts, body))
            }
        });
        Self { auth, keyring, stack: BoxCloneSyncService::new(stack), info }
    }

    /// Sends a request; nothing that it meets has to wait.
    pub fn send(&self, request: Request<Body>) -> Response<Bytes> {
        let answer = self.stack.clone().oneshot(request).now_or_never().expect("nothing waits");
        let Ok(response) = answer;
        assert!(response.status() != StatusCode::INTERNAL_SERVER_ERROR, "{response:?}");
        response
    }

    /// GET with these header fields; what is no field value is left out.
    pub fn get(&self, uri: &str, headers: &[(HeaderName, &[u8])]) -> Response<Bytes> {
        self.send(request(Method::GET, uri.parse().expect("a path of the target's own"), headers))
    }

    /// What the image server answers to `info.json` from now on.
    pub fn set_info(&self, info: &[u8]) {
        *self.info.lock().expect("held for no panic") = Bytes::copy_from_slice(info);
    }

    /// What a user who logged in from the viewer has in the browser.
    fn cookie(&self, role: &str) -> String {
        let session = Session::builder("u1")
            .role(role)
            .origin(VIEWER.parse().expect("an origin"))
            .lasting(now(), Duration::from_secs(600))
            .expect("a session");
        fuzzing::seal(&self.keyring, Sealed::Cookie, &fuzzing::written(&session)).expect("a cookie")
    }

    fn token(&self, service: &str) -> String {
        let uri = format!("{service}?messageId=1&origin={VIEWER}");
        let cookie = format!("{COOKIE}={}", *COOKIE_A);
        let page = self.get(&uri, &[(header::COOKIE, cookie.as_bytes())]);
        let (message, _) = posted(&page).expect("a message");
        message["accessToken"].as_str().expect("a token").to_owned()
    }
}

fn image_server(request: &Request<Body>, info: &Mutex<Bytes>) -> Response<Body> {
    let path = request.uri().path();
    if path.starts_with("/auth/") {
        let mut response = Response::new(Full::from("the login form"));
        if *request.method() == Method::POST {
            response.extensions_mut().insert(AccessGrant::to("u1").role("B"));
        }
        return response;
    }
    if path.ends_with("/info.json") {
        return Response::new(Full::from(info.lock().expect("held for no panic").clone()));
    }
    if let Some(session) = request.extensions().get::<Session<'static>>() {
        assert!(session.has_role("A"));
    }
    Response::new(Full::from("image bytes"))
}

/// A request with these header fields; what is no field value is left out.
pub fn request(method: Method, uri: Uri, headers: &[(HeaderName, &[u8])]) -> Request<Body> {
    let mut request = Request::new(Full::default());
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            request.headers_mut().append(name, value);
        }
    }
    request
}

/// Input with what no fuzzer can guess put in: `{A}` and `{B}` become access cookies, `{T}` and `{1}`
/// access tokens of 2.0 and 1.0.
pub fn fill(input: &[u8]) -> Vec<u8> {
    let mut filled = Vec::with_capacity(input.len());
    let mut rest = input;
    while let Some((&byte, after)) = rest.split_first() {
        let place = match rest {
            [b'{', b'A', b'}', ..] => &COOKIE_A,
            [b'{', b'B', b'}', ..] => &COOKIE_B,
            [b'{', b'T', b'}', ..] => &TOKEN,
            [b'{', b'1', b'}', ..] => &TOKEN_V1,
            _ => {
                filled.push(byte);
                rest = after;
                continue;
            }
        };
        filled.extend_from_slice(place.as_bytes());
        rest = &rest[3..];
    }
    filled
}

/// What a token page posts, and to whom.
pub fn posted(page: &Response<Bytes>) -> Option<(Value, String)> {
    let html = std::str::from_utf8(page.body()).expect("pages are text");
    let data = html.split_once("<script type=\"application/json\" id=\"post\">")?.1;
    let data = data.split_once("</script>")?.0;
    let post: Value = serde_json::from_str(data).expect("JSON");
    Some((post["message"].clone(), post["targetOrigin"].as_str()?.to_owned()))
}

/// The status that a probe tells.
pub fn probed(response: &Response<Bytes>) -> u64 {
    assert_eq!(response.status(), StatusCode::OK);
    let result: Value = serde_json::from_slice(response.body()).expect("JSON");
    result["status"].as_u64().expect("a status")
}
