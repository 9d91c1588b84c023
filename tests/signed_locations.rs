//! Signed locations: what opens one resource without a cookie, for one session, for minutes.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use common::{
    BASE, Body, COOKIE, Publisher, V, bare, builder, clock, image, image_server, json, logs,
    request, rules, text,
};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use serde_json::Value;
use tower_iiif_auth::authorizer::{
    AccessRequest, Authorizer, Decision, Denial, Substitute, from_async_fn, from_fn,
};
use tower_iiif_auth::check::Granted;
use tower_iiif_auth::clock::SetClock;
use tower_iiif_auth::resource::{Dialect, Files, ImageApi};
use tower_iiif_auth::{
    AccessCookie, AccessService, ConfigError, IiifAuthBuilder, Keyring, Limits, Realm,
};

/// What the image server saw.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<(String, HeaderMap, bool)>>>);

impl Seen {
    fn last(&self) -> (String, HeaderMap, bool) {
        self.0.lock().unwrap().last().expect("the image server was asked").clone()
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

fn signing(clock: &SetClock) -> IiifAuthBuilder {
    builder(clock)
        .authorizer(rules().signed_locations())
        .signed_locations()
        .session_extension()
        .limits(Limits::new().max_location_lifetime(Duration::from_secs(120)))
}

fn publisher() -> (Publisher, Seen) {
    let clock = clock();
    of(signing(&clock), clock)
}

fn of(builder: IiifAuthBuilder, clock: SetClock) -> (Publisher, Seen) {
    let seen = Seen::default();
    let server = seen.clone();
    let publisher = Publisher::before(builder, clock, move |request: &Request<Body>| {
        let target = request.uri().path_and_query().unwrap().as_str().to_owned();
        if !target.starts_with("/auth/") {
            let granted = request.extensions().get::<Granted>();
            let has_session = granted.is_some_and(|granted| granted.session().is_some());
            server.0.lock().unwrap().push((target, request.headers().clone(), has_session));
        }
        image_server(request)
    });
    (publisher, seen)
}

async fn token(publisher: &Publisher, roles: &[&str]) -> String {
    let cookie = publisher.log_in(roles, Some(V)).await;
    publisher.token(&cookie).await
}

async fn probe(publisher: &Publisher, path: &str, token: &str) -> Value {
    publisher.probe(path, &[("authorization", &format!("Bearer {token}"))]).await
}

/// The path of a location.
fn path_of(location: &Value) -> String {
    let id = location["id"].as_str().unwrap_or_else(|| panic!("{location}"));
    id.strip_prefix(BASE).expect("it is this publisher's").to_owned()
}

/// The path of the location of `/files/sec`, or with the image server's path of `sec`.
async fn located(publisher: &Publisher, path: &str) -> String {
    let token = token(publisher, &["A"]).await;
    let result = probe(publisher, path, &token).await;
    assert_eq!(result["status"], 302, "{result}");
    path_of(&result["location"])
}

fn capability(path: &str) -> &str {
    path.strip_prefix("/auth/signed/").unwrap().split('/').next().unwrap()
}

/// What every answer below a signed location has.
fn assert_private(response: &Response<Bytes>, capability: &str) {
    let headers = response.headers();
    assert_eq!(headers["referrer-policy"], "no-referrer", "{response:?}");
    assert_eq!(headers.get_all("access-control-allow-origin").iter().count(), 1);
    assert_eq!(headers["access-control-allow-origin"], "*");
    assert!(!headers.contains_key("access-control-allow-credentials"));
    let cache = headers["cache-control"].to_str().unwrap();
    assert!(cache.contains("no-store") || cache.starts_with("private"), "{cache}");
    if !response.status().is_success() && !response.status().is_redirection() {
        assert!(!text(response).contains(capability), "{response:?}");
    }
}

/// 2.0 §5.2: `status` 302 with a `location` of the same type, for a token of a session that the authorizer
/// grants under one; everybody else is answered as ever.
#[tokio::test]
async fn the_probe_says_where() {
    let (publisher, _) = publisher();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let token = publisher.token(&cookie).await;
    for (path, kind) in
        [("/iiif/3/sec", "Image"), ("/files/sec", "Dataset"), ("/iiif/3/dir%2Fsec", "Image")]
    {
        let result = probe(&publisher, path, &token).await;
        assert_eq!(result["type"], "AuthProbeResult2");
        assert_eq!(result["status"], 302, "{path}: {result}");
        assert!(result.get("substitute").is_none() && result.get("heading").is_none());
        let location = &result["location"];
        assert_eq!(location["type"], kind);
        let id = path_of(location);
        let base = format!("/auth/signed/{}{path}", capability(&id));
        if kind == "Image" {
            assert_eq!(id, format!("{base}/full/max/0/default.jpg"));
            let service = &location["service"][0];
            assert_eq!(service["id"], format!("{BASE}{base}"));
            assert_eq!(service["type"], "ImageService3");
            assert!(service.get("service").is_none());
        } else {
            assert_eq!(id, base);
            assert!(location.get("service").is_none());
        }
    }
    // Open: no location; without a token: none either, whatever cookie comes along.
    assert_eq!(probe(&publisher, "/iiif/3/pub", &token).await["status"], 200);
    let by_cookie = [("cookie", &*format!("{COOKIE}={cookie}"))];
    assert_eq!(publisher.probe("/iiif/3/sec", &by_cookie).await["status"], 200);
    assert_eq!(publisher.probe_status("/iiif/3/sec", None).await, 401);
    assert_eq!(probe(&publisher, "/iiif/3/sec2", &token).await["status"], 401);
    // Each probe gives another.
    let one = path_of(&probe(&publisher, "/files/sec", &token).await["location"]);
    let other = path_of(&probe(&publisher, "/files/sec", &token).await["location"]);
    assert_ne!(one, other);
}

#[tokio::test]
async fn only_where_it_is_switched_on_and_answered() {
    for (builder, status) in [
        (|clock: &SetClock| builder(clock).authorizer(rules().signed_locations()), 200),
        (|clock: &SetClock| builder(clock).signed_locations(), 200),
        (|clock: &SetClock| signing(clock), 302),
        (
            |clock: &SetClock| {
                signing(clock).authorizer(rules().signed_locations().only(["/files/*"]))
            },
            200,
        ),
    ] as [(fn(&SetClock) -> IiifAuthBuilder, u64); 4]
    {
        let clock = clock();
        let (publisher, seen) = of(builder(&clock), clock);
        let token = token(&publisher, &["A"]).await;
        assert_eq!(probe(&publisher, "/iiif/3/sec", &token).await["status"], status);
        let before = seen.count();
        let response = publisher.get("/auth/signed/AQAA/iiif/3/sec/info.json", &[]).await;
        assert!(matches!(response.status().as_u16(), 401 | 404), "{response:?}");
        assert_eq!(seen.count(), before);
    }
}

/// All that an authorizer may be made of says it; nobody is never given one.
#[tokio::test]
async fn authorizers_that_say_so() {
    fn by_hand(request: &AccessRequest<'_>) -> Decision {
        match request.signed_location() {
            Some(signed) if request.has_role("A") => Decision::Signed(signed),
            _ => Denial::login().into(),
        }
    }
    type Change = fn(IiifAuthBuilder) -> IiifAuthBuilder;
    let all: [(Change, u64); 7] = [
        (|own| own.authorizer(from_fn(by_hand)), 302),
        (
            |own| {
                own.authorizer(from_async_fn(|request| async move {
                    Ok::<_, std::convert::Infallible>(by_hand(&request))
                }))
            },
            302,
        ),
        (|own| own.authorizer(from_fn(by_hand).and(from_fn(|_| true))), 302),
        (|own| own.authorizer(from_fn(|_| true).and(from_fn(by_hand))), 302),
        (|own| own.authorizer(from_fn(|_| false).or(from_fn(by_hand))), 302),
        (|own| own.authorizer(from_fn(by_hand).and(from_fn(|_| false))), 401),
        (
            |own| {
                let later = from_async_fn(|request| async move {
                    Ok::<_, std::convert::Infallible>(request.has_role("A"))
                });
                own.authorizer(later.signed_locations())
            },
            302,
        ),
    ];
    for (index, (change, status)) in all.into_iter().enumerate() {
        let clock = clock();
        let (publisher, seen) = of(change(signing(&clock)), clock);
        let cookie = publisher.log_in(&["A"], Some(V)).await;
        let token = publisher.token(&cookie).await;
        let result = probe(&publisher, "/files/x", &token).await;
        assert_eq!(result["status"], status, "{index}");
        if status == 302 {
            let path = path_of(&result["location"]);
            assert_eq!(publisher.get(&path, &[]).await.status(), 200, "{index}");
            assert_eq!(seen.last().0, "/files/x");
            // With the cookie it is a grant.
            let cookie = format!("{COOKIE}={cookie}");
            let content = publisher.get("/files/x", &[("cookie", &cookie)]).await;
            assert_eq!(content.status(), 200, "{index}");
        }
    }
    // One that is kept and given to nobody opens nothing.
    let kept = Arc::new(Mutex::new(None));
    let keeps = Arc::clone(&kept);
    let clock = clock();
    let builder = signing(&clock).authorize_with(move |request| {
        let mut kept = keeps.lock().unwrap();
        *kept = kept.or(request.signed_location());
        kept.map_or_else(|| Denial::login().into(), Decision::Signed)
    });
    let (publisher, _) = of(builder, clock);
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let cookie = format!("{COOKIE}={cookie}");
    assert_eq!(publisher.get("/files/x", &[("cookie", &cookie)]).await.status(), 200);
    assert!(kept.lock().unwrap().is_some());
    assert_eq!(publisher.get("/files/x", &[]).await.status(), 401);
    assert_eq!(publisher.probe_status("/files/x", None).await, 401);
}

/// Content needs no cookie there, is nobody's to keep, and the image server sees the ordinary request.
#[tokio::test]
async fn content_below_a_location() {
    let (publisher, seen) = publisher();
    let file = located(&publisher, "/files/sec").await;
    let headers = [("range", "bytes=2-5"), ("accept", "*/*"), ("if-none-match", "\"x\"")];
    let response = publisher.get(&format!("{file}?download=1"), &headers).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_private(&response, capability(&file));
    assert_eq!(response.headers()["cache-control"], "private, max-age=120");
    let (target, headers, has_session) = seen.last();
    assert_eq!(target, "/files/sec?download=1");
    assert_eq!(headers["range"], "bytes=2-5");
    assert_eq!(headers["if-none-match"], "\"x\"");
    assert!(has_session, "it was granted to the session");

    let head = publisher.send(request(Method::HEAD, &file, &[])).await;
    assert_eq!(head.status(), StatusCode::OK);
    publisher.clock.advance(Duration::from_secs(100));
    let late = publisher.get(&file, &[]).await;
    assert_eq!(late.headers()["cache-control"], "private, max-age=20", "no longer than it opens");

    let picture = located(&publisher, "/iiif/3/dir%2Fsec").await;
    let base = picture.strip_suffix("/full/max/0/default.jpg").unwrap();
    for below in ["full/max/0/default.jpg", "0,0,512,512/512,/0/default.jpg"] {
        let tile = publisher.get(&format!("{base}/{below}"), &[("origin", V)]).await;
        assert_eq!(tile.status(), StatusCode::OK);
        assert_private(&tile, capability(&picture));
        assert_eq!(seen.last().0, format!("/iiif/3/dir%2Fsec/{below}"));
    }
    // A referrer would tell the image server's log.
    let referer = format!("{BASE}{picture}");
    publisher.get(&picture, &[("referer", &referer)]).await;
    let (_, headers, _) = seen.last();
    let all: Vec<_> = headers.values().map(|value| value.to_str().unwrap()).collect();
    assert!(!all.iter().any(|value| value.contains(capability(&picture))), "{all:?}");
}

/// The description names the place that it is at, and no services: a viewer goes on from there.
#[tokio::test]
async fn a_description_below_a_location() {
    let (publisher, seen) = publisher();
    let picture = located(&publisher, "/iiif/3/dir%2Fsec").await;
    let base = picture.strip_suffix("/full/max/0/default.jpg").unwrap();
    for path in [format!("{base}/info.json"), format!("{base}/info.json?x=1")] {
        let response = publisher.get(&path, &[("origin", V), ("if-none-match", "*")]).await;
        assert_eq!(response.status(), StatusCode::OK, "{response:?}");
        assert_private(&response, capability(&picture));
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert!(!response.headers().contains_key("etag"));
        let info = json(&response);
        assert_eq!(info["id"], format!("{BASE}{base}"));
        assert_eq!(info["width"], 8000);
        assert!(info.get("service").is_none());
        assert!(seen.last().0.starts_with("/iiif/3/dir%2Fsec/info.json"));
    }
    let head = publisher.send(request(Method::HEAD, &format!("{base}/info.json"), &[])).await;
    assert_eq!((head.status(), head.body().len()), (StatusCode::OK, 0));
    // The base URI leads there.
    let base_uri = publisher.get(base, &[]).await;
    assert_eq!(base_uri.status(), StatusCode::SEE_OTHER);
    assert_eq!(base_uri.headers()["location"], format!("{BASE}{base}/info.json"));
    assert_private(&base_uri, capability(&picture));
    // The ordinary one stays as it was.
    let ordinary = json(&publisher.get("/iiif/3/dir%2Fsec/info.json", &[]).await);
    assert_eq!(ordinary["id"], format!("{BASE}/iiif/3/dir%2Fsec"));
    assert_eq!(ordinary["service"][0]["type"], "AuthProbeService2");
}

/// Whatever is not sealed for exactly this resource opens nothing, and is answered the same.
#[tokio::test]
async fn what_opens_nothing() {
    let clock = clock();
    let builder = signing(&clock)
        .resources(Files::new("/scans"))
        .resources(ImageApi::new("/cantaloupe").dialect(Dialect::cantaloupe()))
        .authorize_with(|request| match request.signed_location() {
            Some(signed) => Decision::Signed(signed),
            None => (request.identifier() == "pub").into(),
        });
    let (publisher, seen) = of(builder, clock);
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let token = publisher.token(&cookie).await;
    let at = async |path: &str| path_of(&probe(&publisher, path, &token).await["location"]);
    let (file, picture) = (at("/files/sec").await, at("/iiif/3/sec").await);
    let (file, picture) = (capability(&file), capability(&picture));
    let page = at("/cantaloupe/book;2").await;
    let page = capability(&page);
    let other = {
        let other = Keyring::from_bytes(&common::key(8)).unwrap();
        let clock = publisher.clock.clone();
        let (publisher, _) = of(signing(&clock).keyring(other), clock);
        located(&publisher, "/files/sec").await
    };
    let mut flipped = file.to_owned().into_bytes();
    flipped[40] = if flipped[40] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).unwrap();
    let long = "A".repeat(4000);
    let cases = [
        // Another resource: of the same name elsewhere, another name, an open one, another page.
        (file, "/scans/sec", 401),
        (file, "/files/sec2", 401),
        (file, "/files/pub", 401),
        (file, "/iiif/3/sec/full/max/0/default.jpg", 401),
        (file, "/iiif/3/sec/info.json", 401),
        (picture, "/files/sec", 401),
        (picture, "/iiif/3/sec2/full/max/0/default.jpg", 401),
        (picture, "/iiif/3/dir%2Fsec/info.json", 401),
        (page, "/cantaloupe/book/full/max/0/default.jpg", 401),
        (page, "/cantaloupe/book;1/full/max/0/default.jpg", 401),
        (page, "/cantaloupe/book;3/info.json", 401),
        // Another purpose.
        (&token, "/files/sec", 401),
        (&cookie, "/files/sec", 401),
        // No value of this keyring's, or cut, or grown.
        (capability(&other), "/files/sec", 401),
        (&flipped, "/files/sec", 401),
        (&file[..file.len() - 1], "/files/sec", 401),
        (&file[..60], "/files/sec", 401),
        (&*format!("{file}A"), "/files/sec", 401),
        (&*format!("{file}{file}"), "/files/sec", 401),
        ("x", "/files/sec", 401),
        (&*long, "/files/sec", 401),
        (&*file.to_ascii_lowercase(), "/files/sec", 401),
        // No path that says one thing.
        (file, "/files/../files/sec", 400),
        (file, "/files/x/%2e%2e/sec", 400),
        (file, "/files//sec", 400),
        (file, "/files/sec%00", 400),
        (file, "/files/%2573ec", 400),
        (file, "/files/sec;x", 400),
        (picture, "/iiif/3/../3/sec/info.json", 400),
        (picture, "/iiif/3/pub%2f..%2fsec/info.json", 400),
        (picture, "/iiif/3/sec/full/max/0/default.jpg/", 404),
        (file, "/nowhere", 404),
        (file, "/", 404),
        (file, "", 404),
        (file, "/auth/token", 404),
        (file, "/auth/login", 404),
        (file, "/auth/probe/files/sec", 404),
        (file, &*format!("/auth/signed/{file}/files/sec"), 404),
        (&*format!("{file}/.."), "/files/sec", 400),
        ("", "/files/sec", 400),
        ("..", "/files/sec", 400),
        (".", "/files/sec", 400),
        (&*format!("{file}%20"), "/files/sec", 404),
        (&*format!("{file};x"), "/files/sec", 404),
        (&*format!("%41{file}"), "/files/sec", 404),
    ];
    for (capability, below, status) in cases {
        let path = format!("/auth/signed/{capability}{below}");
        let before = seen.count();
        // A cookie of the same user does not help, nor does the token.
        let by_cookie = format!("{COOKIE}={cookie}");
        let bearer = format!("Bearer {token}");
        for headers in [&[][..], &[("cookie", &*by_cookie), ("authorization", &*bearer)]] {
            let response = publisher.get(&path, headers).await;
            assert_eq!(response.status().as_u16(), status, "{path}: {response:?}");
            assert!(!text(&response).contains("image bytes"));
            assert!(!text(&response).contains(file) && !text(&response).contains(picture));
            assert_eq!(response.headers()["cache-control"], "no-store");
        }
        assert_eq!(seen.count(), before, "{path}");
    }
    // Nor is it a token, a cookie, or anything else.
    let bearer = format!("Bearer {file}");
    assert_eq!(publisher.probe("/files/sec", &[("authorization", &bearer)]).await["status"], 401);
    let as_cookie = format!("{COOKIE}={file}");
    assert_eq!(publisher.get("/files/sec", &[("cookie", &as_cookie)]).await.status(), 401);
    assert_eq!(publisher.get(&format!("/files/sec?{file}"), &[]).await.status(), 401);
}

/// One resource has one capability, however a server's dialect lets it be spelled.
#[tokio::test]
async fn the_same_resource_in_another_spelling() {
    let clock = clock();
    let builder = signing(&clock)
        .resources(ImageApi::new("/cantaloupe").dialect(Dialect::cantaloupe()))
        .authorize_with(|request| match request.signed_location() {
            Some(signed) => Decision::Signed(signed),
            None => false.into(),
        });
    let (publisher, seen) = of(builder, clock);
    let token = token(&publisher, &["A"]).await;
    for (probed, spelled) in [
        ("/iiif/3/dir%2Fsec", "/iiif/3/dir%2fsec/full/max/0/default.jpg"),
        ("/iiif/3/sec", "/iiif/3/%73ec/full/max/0/default.jpg"),
        ("/iiif/3/%73ec", "/iiif/3/sec/full/max/0/default.jpg"),
        ("/files/a%20b", "/files/%61%20b"),
        ("/cantaloupe/book;2", "/cantaloupe/book%3B2/full/max/0/default.jpg"),
    ] {
        let path = path_of(&probe(&publisher, probed, &token).await["location"]);
        let path = format!("/auth/signed/{}{spelled}", capability(&path));
        let response = publisher.get(&path, &[]).await;
        assert_eq!(response.status(), StatusCode::OK, "{spelled}: {response:?}");
        assert_eq!(seen.last().0, spelled, "it goes on as it was decided on");
    }
}

/// A logout ends it at once, and so do its own time, the session's, and another answer of the
/// authorizer's.
#[tokio::test]
async fn it_ends() {
    let (publisher, seen) = publisher();
    let log_out = async |publisher: &Publisher| {
        let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
        let token = publisher.token(&cookie[COOKIE.len() + 1..]).await;
        let path = path_of(&probe(publisher, "/files/sec", &token).await["location"]);
        assert_eq!(publisher.get(&path, &[]).await.status(), StatusCode::OK);
        publisher.get("/auth/logout", &[("cookie", &cookie)]).await;
        path
    };
    let logged_out = log_out(&publisher).await;
    assert_eq!(publisher.get(&logged_out, &[]).await.status(), StatusCode::UNAUTHORIZED);

    let (path, before) = (located(&publisher, "/iiif/3/sec").await, seen.count());
    let info = path.replace("/full/max/0/default.jpg", "/info.json");
    publisher.clock.advance(Duration::from_secs(119));
    assert_eq!(publisher.get(&path, &[]).await.status(), StatusCode::OK);
    assert_eq!(publisher.get(&info, &[]).await.status(), StatusCode::OK);
    publisher.clock.advance(Duration::from_secs(1));
    for path in [&path, &info] {
        let over = publisher.get(path, &[]).await;
        assert_eq!(over.status(), StatusCode::UNAUTHORIZED, "{path}");
        assert_private(&over, capability(path));
    }
    assert_eq!(seen.count(), before + 2);

    // The session's ten minutes are nearly over: the location ends with it.
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    publisher.clock.advance(Duration::from_secs(540));
    let token = publisher.token(&cookie).await;
    let path = path_of(&probe(&publisher, "/files/sec", &token).await["location"]);
    let last = publisher.get(&path, &[]).await;
    assert_eq!(last.headers()["cache-control"], "private, max-age=60");
    publisher.clock.advance(Duration::from_secs(61));
    assert_eq!(publisher.get(&path, &[]).await.status(), StatusCode::UNAUTHORIZED);

    let open = Arc::new(AtomicBool::new(true));
    let is_open = Arc::clone(&open);
    let clock = clock();
    let rule = from_fn(move |request: &AccessRequest<'_>| {
        request.session().is_some() && is_open.load(Ordering::SeqCst)
    });
    let (publisher, _) = of(signing(&clock).authorizer(rule.signed_locations()), clock);
    let path = located(&publisher, "/files/sec").await;
    assert_eq!(publisher.get(&path, &[]).await.status(), StatusCode::OK);
    open.store(false, Ordering::SeqCst);
    assert_eq!(publisher.get(&path, &[]).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn only_reads_go_through() {
    let (publisher, seen) = publisher();
    let path = located(&publisher, "/files/sec").await;
    let before = seen.count();
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
        let response = publisher.send(request(method, &path, &[])).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
    let headers = [
        ("origin", V),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "range,x-player"),
    ];
    let preflight = publisher.send(request(Method::OPTIONS, &path, &headers)).await;
    assert_eq!(preflight.status(), StatusCode::NO_CONTENT);
    assert_eq!(preflight.headers()["access-control-allow-origin"], "*");
    let worker = publisher.get(&path, &[("service-worker", "script")]).await;
    assert_eq!(worker.status(), StatusCode::FORBIDDEN);
    assert_eq!(seen.count(), before);
}

/// What opens something is in no log and in nothing that is told to the application; the resource is.
#[tokio::test]
async fn what_opens_is_told_to_nobody() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tells = Arc::clone(&told);
    let clock = clock();
    let builder = signing(&clock).observe(move |seen| {
        let line = format!("{seen:?} {} {} {}", seen.place(), seen.path(), seen.outcome());
        tells.lock().unwrap().push(line);
    });
    let (publisher, _) = of(builder, clock);
    let path = located(&publisher, "/iiif/3/sec").await;
    let capability = capability(&path).to_owned();
    let log = logs::record();
    for path in [
        path.clone(),
        path.replace("/full/max/0/default.jpg", "/info.json"),
        path.replace("/sec/", "/sec2/"),
        format!("/auth/signed/{capability}/iiif/3/../x"),
        format!("/auth/signed/{capability}/nowhere"),
        format!("/auth/signed/{capability}"),
        format!("/Auth/Signed/{capability}/iiif/3/sec/info.json"),
        format!("//auth//signed/{capability}/iiif/3/sec/info.json"),
        format!("/auth/signed//{capability}/iiif/3/sec/info.json"),
        format!("/auth/signed/./{capability}/iiif/3/sec/info.json"),
        format!("/auth/signed/x/../{capability}/iiif/3/sec/info.json"),
        format!("/auth/signed/x/%2e%2e/{capability}/iiif/3/sec/info.json"),
        format!("/auth/./signed/{capability}/iiif/3/sec/info.json"),
        format!("/x/../auth/signed/{capability}/iiif/3/sec/info.json"),
        format!("/x/%2e%2e/auth/signed/{capability}/iiif/3/sec/info.json"),
        format!("/auth/signed;v=1/{capability}/iiif/3/sec/info.json"),
        format!("/auth%2fsigned/{capability}/iiif/3/sec/info.json"),
        format!("/auth/%73igned/{capability}/iiif/3/sec/info.json"),
        format!("/auth/%2573igned/{capability}/iiif/3/sec/info.json"),
        format!("/auth/signed/x/auth/signed/{capability}/iiif/3/sec"),
        format!("/auth/probe/auth/signed/{capability}/iiif/3/sec"),
    ] {
        publisher.get(&path, &[]).await;
        let shown = publisher.auth.path_without_capability(&path);
        assert!(!shown.contains(&capability), "{shown}");
    }
    let logged = log.text();
    drop(log);
    let told = told.lock().unwrap().join("\n");
    assert!(!logged.contains(&capability) && !told.contains(&capability), "{logged}\n{told}");
    assert!(told.contains("signed_location /iiif/3/sec/full/max/0/default.jpg granted"), "{told}");
    assert!(told.contains("signed_location /iiif/3/sec/info.json granted"), "{told}");
    assert!(told.contains("signed_location /iiif/3/sec2/"), "{told}");
    assert!(told.contains("redirected"), "what the probe said: {told}");
    #[cfg(feature = "tracing")]
    assert!(logged.contains("signed_location"), "{logged}");

    let shown = publisher.auth.path_without_capability(&path);
    assert_eq!(shown, "/auth/signed/…/iiif/3/sec/full/max/0/default.jpg");
    for plain in ["/auth/signed", "/auth/signedx/a/b", "/auth/login", "/é", "/files/auth/signed/x"]
    {
        assert_eq!(publisher.auth.path_without_capability(plain), plain);
    }
    assert_eq!(publisher.auth.path_without_capability("/auth/signed/abc"), "/auth/signed/…");
}

/// A substitute that this very user may see under a location is offered there.
#[tokio::test]
async fn substitutes_under_locations() {
    let clock = clock();
    let rule = from_fn(|request: &AccessRequest<'_>| -> Decision {
        match request.identifier() {
            "small" => request.session().is_some().into(),
            _ => {
                Denial::never().substitute(Substitute::of_same_base("small").label("Small")).into()
            }
        }
    });
    let (publisher, seen) = of(signing(&clock).authorizer(rule.signed_locations()), clock);
    let token = token(&publisher, &["A"]).await;
    let result = probe(&publisher, "/iiif/3/large", &token).await;
    assert_eq!(result["status"], 401);
    let path = path_of(&result["substitute"][0]);
    assert_eq!(result["substitute"][0]["label"]["none"][0], "Small");
    assert_eq!(publisher.get(&path, &[]).await.status(), StatusCode::OK);
    assert_eq!(seen.last().0, image("small"));
}

/// A session that is too large for a path is answered as without: the cookie opens.
#[tokio::test]
async fn a_session_too_large_for_a_path() {
    let (publisher, _) = publisher();
    let roles: Vec<_> = (0..150).map(|number| format!("A{number:09}")).collect();
    let mut roles: Vec<_> = roles.iter().map(String::as_str).collect();
    roles.push("A");
    let token = token(&publisher, &roles).await;
    assert_eq!(probe(&publisher, "/files/sec", &token).await["status"], 200);
}

/// It has a place of its own, and a length of its own.
#[test]
fn configuration() {
    let clock = clock();
    let limits = |seconds| Limits::new().max_location_lifetime(Duration::from_secs(seconds));
    for (seconds, good) in [(0, false), (1, true), (86_400, true), (86_401, false)] {
        let built = signing(&clock).limits(limits(seconds)).build();
        assert_eq!(built.is_ok(), good, "{seconds}");
    }
    let realm =
        Realm::new().access(AccessService::active("signed", "Library")).aspect(AccessCookie::new());
    let mistakes = bare(&clock).realm(realm).build().unwrap_err();
    assert!(mistakes.iter().any(|own| matches!(own, ConfigError::Name(_))), "{mistakes}");
}

/// A location ends when the rule grants with the cookie alone, not only when it denies.
#[tokio::test]
async fn a_location_ends_with_its_rule() {
    let signs = Arc::new(AtomicBool::new(true));
    let still = Arc::clone(&signs);
    let clock = clock();
    let builder = builder(&clock).signed_locations().authorize_with(move |request| {
        let signed = request.signed_location().filter(|_| still.load(Ordering::Relaxed));
        match signed {
            Some(signed) => Decision::Signed(signed),
            None => request.has_role("A").into(),
        }
    });
    let (publisher, _) = of(builder, clock);
    let path = located(&publisher, "/iiif/3/sec").await;
    let info = path.replace("/full/max/0/default.jpg", "/info.json");
    assert_eq!(publisher.get(&path, &[]).await.status(), StatusCode::OK);
    signs.store(false, Ordering::Relaxed);
    for path in [path, info] {
        let status = publisher.get(&path, &[]).await.status();
        assert!(!status.is_success(), "{path}: {status}");
    }
}
