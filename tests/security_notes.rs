//! The security notes, as far as they are about 2.0: SEC.

mod common;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use common::shapes::assert_probe_service;
use common::steps::{action, fields};
use common::{
    BASE, Body, COOKIE, Publisher, V, assert_denied, builder, clock, cookie_pair, form, image,
    json, request, set_cookies, text,
};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use tower::service_fn;
use tower_iiif_auth::access::{AccessFlow, AccessGrant};
use tower_iiif_auth::aspect::{Head, Session, SessionId};
use tower_iiif_auth::authorizer::{AccessRequest, Denial};
use tower_iiif_auth::clock::{SystemClock, Timestamp};
use tower_iiif_auth::resource::{Resource, ResourceKind};
use tower_iiif_auth::revocation::{InMemory, Revocations};
use tower_iiif_auth::{
    AccessCookie, AccessService, Answer, BoxError, IiifAuth, IiifAuthBuilder, Keyring, Realm,
};

async fn with_token() -> (Publisher, String, String) {
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let token = publisher.token(&cookie).await;
    (publisher, cookie, token)
}

#[tokio::test]
async fn a_token_never_opens_content() {
    let (publisher, _, token) = with_token().await;
    let bearer = format!("Bearer {token}");
    for (query, headers) in [
        ("", vec![("authorization", bearer.clone())]),
        ("", vec![("authorization", bearer.clone()), ("origin", V.to_owned())]),
        ("", vec![("cookie", format!("{COOKIE}={token}"))]),
        ("", vec![("cookie", format!("{COOKIE}={token}")), ("authorization", bearer.clone())]),
        ("?token=", vec![]),
        ("?access_token=", vec![]),
    ] {
        for path in [image("sec"), "/files/sec".to_owned()] {
            let query = if query.is_empty() { String::new() } else { format!("{query}{token}") };
            let headers: Vec<_> = headers.iter().map(|(name, own)| (*name, own.as_str())).collect();
            // SEC-1, CON-2: the content routes look at the aspect alone.
            assert_denied(&publisher.get(&format!("{path}{query}"), &headers).await, 401);
        }
    }
    assert_eq!(publisher.result("/iiif/3/sec", Some(&token)).await["status"], 200);
    // SEC-1: nor does a good aspect need one, or mind a bad one.
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    let headers = [("cookie", cookie.as_str()), ("authorization", "Bearer junk")];
    assert_eq!(publisher.get(&image("sec"), &headers).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_token_counts_for_probes_of_its_service_only() {
    let (publisher, _, token) = with_token().await;
    let bearer = format!("Bearer {token}");
    let as_cookie = format!("{COOKIE}={token}");
    // SEC-2: not at another realm's probe.
    assert_eq!(publisher.result("/iiif/3/sec2", Some(&token)).await["status"], 401);
    for headers in [[("authorization", &*bearer)], [("cookie", &*as_cookie)]] {
        // SEC-2: it is no aspect that gives another token,
        let page = publisher.get(&format!("/auth/token?messageId=1&origin={V}"), &headers).await;
        let (message, _) = common::posted(&page).unwrap();
        assert_eq!(message["type"], "AuthAccessTokenError2");
        // SEC-2: it ends no session,
        publisher.get("/auth/logout", &headers).await;
        assert_eq!(publisher.result("/iiif/3/sec", Some(&token)).await["status"], 200);
        // SEC-2: and is no login that an access service goes on with.
        let page = publisher.get(&format!("/auth/login?origin={V}"), &headers).await;
        assert!(common::set_cookie_value(&page, COOKIE).is_none());
    }
    // SEC-13: it is good for its own viewer, for minutes, and for reading.
    for (method, origin, status) in [
        (Method::GET, Some(V), 200),
        (Method::GET, Some("https://evil.example"), 401),
        (Method::GET, Some("null"), 401),
        (Method::GET, None, 200),
    ] {
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(origin.map(|origin| ("origin", origin)));
        let probe = request(method, "/auth/probe/iiif/3/sec", &headers);
        assert_eq!(json(&publisher.send(probe).await)["status"], status, "{origin:?}");
    }
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
        let probe = request(method, "/auth/probe/iiif/3/sec", &[("authorization", &bearer)]);
        assert_eq!(publisher.send(probe).await.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
    publisher.clock.advance(Duration::from_secs(300));
    assert_eq!(publisher.result("/iiif/3/sec", Some(&token)).await["status"], 401);
}

#[tokio::test]
async fn token_and_cookie_are_strangers() {
    let (publisher, cookie, token) = with_token().await;
    let again = publisher.token(&cookie).await;
    // SEC-3: different values, of which neither holds the other nor anything to be read.
    assert_ne!(token, again);
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let (inside_cookie, inside_token) = (bytes(&cookie), bytes(&token));
    let holds = |hay: &[u8], needle: &[u8]| hay.windows(needle.len()).any(|own| own == needle);
    for part in inside_cookie[2..].chunks_exact(12) {
        assert!(!holds(&inside_token, part));
    }
    for plain in ["u1", "viewer.example", "access-cookie"] {
        let long = plain.len() > 4;
        assert!(!long || !holds(&inside_token, plain.as_bytes()), "{plain}");
        assert!(!long || !holds(&inside_cookie, plain.as_bytes()), "{plain}");
    }
    // SEC-3: neither is taken for the other.
    assert_denied(
        &publisher.get(&image("sec"), &[("cookie", &format!("{COOKIE}={token}"))]).await,
        401,
    );
    assert_eq!(publisher.result("/iiif/3/sec", Some(&cookie)).await["status"], 401);
}

#[tokio::test]
async fn descriptions_say_what_the_thing_is_and_no_more() {
    let publisher = Publisher::new();
    let info = json(&publisher.get("/iiif/3/sec/info.json", &[]).await);
    // SEC-4: not empty: it identifies the thing and carries the services.
    assert_eq!(info["id"], "https://iiif.example/iiif/3/sec");
    assert_eq!(info["type"], "ImageService3");
    assert_probe_service(&info["service"][0], false);
    let clock = clock();
    let hidden = Publisher::of(builder(&clock).authorize_with(|_| Denial::absent()), clock);
    for path in ["/iiif/3/sec/info.json", "/iiif/3/none/info.json"] {
        let description = hidden.get(path, &[]).await;
        // SEC-4: a thing whose very being is secret has none.
        assert_eq!(description.status(), StatusCode::NOT_FOUND);
        assert_eq!(text(&description), "404 Not Found\n");
    }
    assert_eq!(hidden.calls(), 0);
    // SEC-4: a refusal of content holds nothing of the content.
    assert_denied(&publisher.get(&image("sec"), &[]).await, 401);
}

#[tokio::test]
async fn sessions_last_minutes() {
    let clock = clock();
    let realm = Realm::new().access(AccessService::kiosk("room").role("A"));
    let publisher = Publisher::of(of_one(realm).clock(clock.clone()), clock);
    let page = publisher.get("/auth/room", &[]).await;
    let cookie = cookie_pair(&page, COOKIE).unwrap();
    // SEC-6: half an hour by default, told to the browser and kept to by the server.
    assert!(set_cookies(page.headers()).iter().any(|own| own.contains("Max-Age=1800")));
    publisher.clock.advance(Duration::from_secs(1799));
    let tile = publisher.get(&image("sec"), &[("cookie", &cookie)]).await;
    assert_eq!(tile.status(), StatusCode::OK);
    publisher.clock.advance(Duration::from_secs(1));
    assert_denied(&publisher.get(&image("sec"), &[("cookie", &cookie)]).await, 401);
    // SEC-6: never more than a day.
    let month = AccessCookie::new().lifetime(Duration::from_secs(30 * 24 * 60 * 60));
    let realm = Realm::new().access(AccessService::kiosk("room")).aspect(month);
    assert!(of_one(realm).build().is_err());
}

fn of_one(realm: Realm) -> IiifAuthBuilder {
    IiifAuth::builder(BASE)
        .keyring(common::keyring())
        .images("/iiif/3")
        .realm(realm)
        .authorizer(common::rules())
}

#[tokio::test]
async fn cors_is_without_credentials_everywhere() {
    let (publisher, cookie, token) = with_token().await;
    let cookie = format!("{COOKIE}={cookie}");
    let bearer = format!("Bearer {token}");
    let headers = [
        ("origin", "https://evil.example"),
        ("cookie", cookie.as_str()),
        ("authorization", bearer.as_str()),
    ];
    for (path, open) in [
        (image("sec"), true),
        (image("sec2"), true),
        ("/iiif/3/sec/info.json".to_owned(), true),
        ("/files/sec".to_owned(), true),
        ("/auth/probe/iiif/3/sec".to_owned(), true),
        (format!("/auth/token?messageId=1&origin={V}"), false),
        ("/auth/token".to_owned(), false),
        (format!("/auth/login?origin={V}"), false),
        ("/auth/continue".to_owned(), false),
        ("/auth/other/logout".to_owned(), false),
    ] {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            let response = publisher.send(request(method.clone(), &path, &headers)).await;
            let allowed: Vec<_> =
                response.headers().get_all("access-control-allow-origin").iter().collect();
            // SEC-8: `*` or nothing, never the asker's own origin, never credentials.
            let expected: &[&str] = if open { &["*"] } else { &[] };
            assert_eq!(allowed, expected, "{method} {path}");
            assert!(!response.headers().contains_key("access-control-allow-credentials"));
        }
    }
    // SEC-8: also where the image server says otherwise.
    let clock = clock();
    let publisher = Publisher::before(builder(&clock), clock, |request| {
        let mut response = common::image_server(request);
        let origin = HeaderValue::from_static("https://evil.example");
        response.headers_mut().append("access-control-allow-origin", origin);
        let allow = HeaderValue::from_static("true");
        response.headers_mut().insert("access-control-allow-credentials", allow);
        response
    });
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    for path in [image("sec"), "/iiif/3/sec/info.json".to_owned()] {
        let response = publisher.get(&path, &[("cookie", &cookie)]).await;
        let allowed = response.headers().get_all("access-control-allow-origin");
        assert_eq!(allowed.iter().collect::<Vec<_>>(), ["*"], "{path}");
        assert!(!response.headers().contains_key("access-control-allow-credentials"));
    }
}

/// An image server behind a login of its own.
fn challenging(request: &Request<Body>) -> Response<Body> {
    if request.uri().path().starts_with("/auth/") {
        return common::image_server(request);
    }
    let mut response = Response::new(Full::from("no"));
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    let basic = HeaderValue::from_static("Basic realm=\"images\"");
    response.headers_mut().insert("www-authenticate", basic);
    response
}

#[tokio::test]
async fn an_image_server_s_challenge_is_not_passed_on() {
    let clock = clock();
    let publisher = Publisher::before(builder(&clock), clock, challenging);
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    for (path, inner) in [
        (image("sec"), true),
        ("/iiif/3/sec/info.json".to_owned(), true),
        ("/iiif/3/sec".to_owned(), true),
        (image("sec2"), false),
        ("/auth/probe/iiif/3/sec".to_owned(), false),
    ] {
        let calls = publisher.calls();
        let response = publisher.send(request(Method::GET, &path, &[("cookie", &cookie)])).await;
        assert_eq!(publisher.calls() > calls, inner, "{path}");
        // CON-11: browsers would open a dialogue.
        assert!(!response.headers().contains_key("www-authenticate"), "{path}");
    }
}

/// What a store is told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<[u8; 16]>>>);

impl Revocations for Told {
    fn is_revoked(&self, id: SessionId, _: Timestamp) -> Answer<Result<bool, BoxError>> {
        self.0.lock().unwrap().push(*id.as_bytes());
        Answer::Now(Ok(false))
    }

    fn revoke(&self, id: SessionId, _: Timestamp, _: Timestamp) -> Answer<Result<(), BoxError>> {
        self.0.lock().unwrap().push(*id.as_bytes());
        Answer::Now(Ok(()))
    }
}

#[tokio::test]
async fn a_store_and_a_url_hold_nothing_to_log_in_with() {
    let clock = clock();
    let told = Told::default();
    let publisher = Publisher::of(builder(&clock).revocations(told.clone()), clock);
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let token = publisher.token(&cookie).await;
    publisher.probe_status("/iiif/3/sec", Some(&token)).await;
    publisher.get("/auth/logout", &[("cookie", &format!("{COOKIE}={cookie}"))]).await;
    let ids = told.0.lock().unwrap().clone();
    assert!(ids.len() >= 3);
    for id in ids {
        for spelling in [URL_SAFE_NO_PAD.encode(id), STANDARD.encode(id)] {
            // SEC-10: the store's keys are no part of cookie or token, nor accepted as one.
            assert!(!cookie.contains(&spelling) && !token.contains(&spelling));
            let as_cookie = format!("{COOKIE}={spelling}");
            assert_denied(&publisher.get(&image("sec"), &[("cookie", &as_cookie)]).await, 401);
            assert_eq!(publisher.probe_status("/iiif/3/sec", Some(&spelling)).await, 401);
        }
    }
}

/// An application whose user's name is told from everything else.
fn application(request: &Request<Body>) -> Response<Body> {
    let mut response = common::image_server(request);
    if request.uri().path() == "/auth/login" && request.method() == Method::POST {
        response.extensions_mut().insert(AccessGrant::to(SUBJECT).role("A"));
    }
    if request.uri().path() == "/back" {
        response.extensions_mut().insert(AccessGrant::to(SUBJECT).role("A"));
    }
    response
}

const SUBJECT: &str = "ada.lovelace";

/// A whole dance with detours; everything secret that was seen on the way.
async fn dance(publisher: &Publisher) -> Vec<String> {
    let mut secrets = vec![SUBJECT.to_owned(), STANDARD.encode(common::key(7))];
    let keep = |secrets: &mut Vec<String>, response: &Response<Bytes>| {
        for cookie in set_cookies(response.headers()) {
            let value = cookie.split(['=', ';']).nth(1).unwrap();
            if !value.is_empty() {
                secrets.push(value.to_owned());
            }
        }
    };
    let page = publisher.get(&format!("/auth/login?origin={V}&state=qqq"), &[]).await;
    keep(&mut secrets, &page);
    let flow = cookie_pair(&page, "__Host-iiif-flow").unwrap();
    let done = publisher.send(form("/auth/login", &[("cookie", &flow)], "password=hunter2")).await;
    keep(&mut secrets, &done);
    let cookie = cookie_pair(&done, COOKIE).unwrap();
    // A gesture page.
    let gesture = publisher.get("/back?code=qqq", &[("cookie", &flow)]).await;
    keep(&mut secrets, &gesture);
    let body = format!("{}continue", fields(&gesture));
    secrets.push(fields(&gesture).split(['=', '&']).nth(1).unwrap().to_owned());
    assert_eq!(action(&gesture), "/auth/continue");
    let flow = cookie_pair(&gesture, "__Host-iiif-flow").unwrap();
    let again = publisher.send(form("/auth/continue", &[("cookie", &flow)], &body)).await;
    keep(&mut secrets, &again);
    // Tokens and their use, good and bad.
    let cookie_2 = cookie_pair(&again, COOKIE).unwrap();
    let token = publisher.token_at("/auth/token", &cookie_2).await;
    secrets.push(token.clone());
    secrets.push(format!("Bearer {token}"));
    for value in [&*format!("Bearer {token}"), "Bearer wrong-token-qqq", "Basic cXFxOnFxcQ=="] {
        let headers = [("authorization", value), ("cookie", cookie_2.as_str())];
        for path in ["/auth/probe/iiif/3/sec?x=qqq", "/iiif/3/sec/info.json?x=qqq", "/x?qqq"] {
            publisher.get(path, &headers).await;
        }
        publisher.get(&format!("{}?x=qqq", image("sec")), &headers).await;
        publisher.get(&image("sec"), &[("authorization", value)]).await;
    }
    secrets.push("qqq".to_owned());
    secrets.push("hunter2".to_owned());
    for bad in [&cookie, "__Host-iiif=junkjunkjunk"] {
        publisher.get(&image("sec"), &[("cookie", bad)]).await;
        publisher.get(&format!("/auth/token?messageId=mmm&origin={V}"), &[("cookie", bad)]).await;
    }
    secrets.push("junkjunkjunk".to_owned());
    publisher.get("/auth/token?origin=ooo", &[]).await;
    publisher.get("/auth/logout?t=qqq", &[("cookie", &cookie_2)]).await;
    publisher.get(&image("sec"), &[("cookie", &cookie_2)]).await;
    publisher.clock.advance(Duration::from_secs(7200));
    publisher.get(&image("sec"), &[("cookie", &cookie_2)]).await;
    secrets
}

#[cfg(feature = "tracing")]
fn dancing() -> Publisher {
    let clock = clock();
    Publisher::before(builder(&clock).public_paths(["/back"]), clock, application)
}

/// SEC-10: events are part of the crate only with the feature.
#[cfg(feature = "tracing")]
#[tokio::test]
async fn nothing_secret_is_logged() {
    let log = common::logs::record();
    let secrets = dance(&dancing()).await;
    let log = log.text();
    // That the events were heard at all.
    for word in ["decision", "token service", "access service", "logout service", "issued"] {
        assert!(log.contains(word), "{word} is missing in {log}");
    }
    assert!(secrets.len() > 8);
    for secret in secrets {
        // SEC-10
        assert!(!log.contains(&secret), "{secret} in {log}");
    }
}

#[tokio::test]
async fn nothing_secret_is_shown_by_debug() {
    let flows = Arc::new(Mutex::new(vec![]));
    let (clock, seen) = (clock(), Arc::clone(&flows));
    let publisher = Publisher::before(builder(&clock).public_paths(["/back"]), clock, {
        move |request| {
            let flow = request.extensions().get::<AccessFlow>();
            seen.lock().unwrap().extend(flow.map(|flow| format!("{flow:?}")));
            application(request)
        }
    });
    let mut secrets = dance(&publisher).await;
    let id = SessionId::random().unwrap();
    secrets.push(format!("{:?}", id.as_bytes()));
    let session = Session::builder(SUBJECT)
        .role("A")
        .id(id)
        .origin(V.parse().unwrap())
        .lasting(Timestamp::from_millis(0), Duration::from_secs(60))
        .unwrap();
    let headers = [("authorization", "Bearer zzz"), ("cookie", "zzz")];
    let asked = request(Method::GET, "/a?zzz", &headers);
    secrets.push("zzz".to_owned());
    let resource = Resource::new("/a", "b", ResourceKind::Content, "Image");
    let question = AccessRequest::new(resource, Some(session.clone()), Timestamp::default());
    let auth = &publisher.auth;
    let inner = service_fn(async |_: Request<Body>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let stack = tower::Layer::layer(&auth.layer(), inner);
    let flows = flows.lock().unwrap().join(" ");
    let shown = [
        flows,
        format!("{auth:?} {:?} {:?}", auth.layer(), auth.services()),
        format!("{:?} {:?} {:?}", auth.check(), auth.describe(), auth.probe()),
        format!("{:?} {:?} {:?}", auth.token(), auth.set_access_cookie(), auth.logout()),
        format!("{:?}", builder(&publisher.clock).clock(SystemClock)),
        format!("{:?} {:?}", common::keyring(), Keyring::generate().unwrap()),
        format!("{session:?} {id:?} {:?}", Session::builder(SUBJECT).role("A")),
        format!("{:?} {question:?}", Head::of(&asked)),
        format!("{:?}", AccessGrant::to(SUBJECT).role("A")),
        format!("{:?} {:?}", InMemory::new().unwrap(), AccessCookie::new()),
        format!("{:?}", publisher.get(&format!("/auth/login?origin={V}"), &[]).await.headers()),
        {
            let headers = [("origin", BASE)];
            let done = publisher.send(request(Method::POST, "/auth/login", &headers)).await;
            format!("{:?}", done.headers())
        },
    ]
    .join("\n");
    drop(stack);
    assert!(shown.contains("AccessFlow") && shown.contains("Sensitive"), "{shown}");
    for secret in secrets {
        // SEC-10
        assert!(!shown.contains(&secret), "{secret} in {shown}");
    }
    // SEC-10: neither bytes of a key nor a cookie, in whatever spelling.
    let bytes = format!("{:?}", common::key(7));
    assert!(!shown.contains(bytes.trim_matches(['[', ']'])));
}
