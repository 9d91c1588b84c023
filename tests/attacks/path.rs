//! PA: paths, identifiers and methods.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Response, Uri, header};
use tower_iiif_auth::authorizer::{RolesFor, from_fn};

use crate::common::{
    Body, Publisher, V, assert_denied, builder, clock, image, image_server, request, text,
};
use crate::setup::{Store, assert_kept, pair, query};
use crate::wire::{Server, status};

/// Paths that must not open `sec`, with what is odd about them.
const ODD: &[&str] = &[
    // Dot segments.
    "/iiif/3/pub/../sec/full/max/0/default.jpg",
    "/iiif/3/pub/%2e%2e/sec/full/max/0/default.jpg",
    "/iiif/3/pub/%2E%2E/sec/full/max/0/default.jpg",
    "/iiif/3/pub/.%2E/sec/full/max/0/default.jpg",
    "/iiif/3/pub/%2e./sec/full/max/0/default.jpg",
    "/iiif/3/./sec/full/max/0/default.jpg",
    "/iiif/3/%2e/sec/full/max/0/default.jpg",
    "/./iiif/3/sec/full/max/0/default.jpg",
    "/../iiif/3/sec/full/max/0/default.jpg",
    "/iiif/../iiif/3/sec/full/max/0/default.jpg",
    "/auth/login/../../iiif/3/sec/full/max/0/default.jpg",
    "/auth/login/%2e%2e/%2e%2e/iiif/3/sec/full/max/0/default.jpg",
    "/auth/login/..;/..;/iiif/3/sec/full/max/0/default.jpg",
    "/auth/login/..;a=b/..;/iiif/3/sec/full/max/0/default.jpg",
    "/auth/login/%2e%2e;/%2e%2e;x/iiif/3/sec/full/max/0/default.jpg",
    "/auth/login/..%3b/..%3b/iiif/3/sec/full/max/0/default.jpg",
    "/auth/login/..%2f..%2fiiif/3/sec/full/max/0/default.jpg",
    "/iiif/3/pub/..;/sec/full/max/0/default.jpg",
    "/iiif/3/pub/full/max/0/..%2f..%2f..%2f..%2fsec%2ffull%2fmax%2f0%2fdefault.jpg",
    "/iiif/3/pub/full/max/../../../sec/full/max/0/default.jpg",
    "/iiif/3/pub/full/max/%2e%2e/default.jpg",
    "/files/../iiif/3/sec/full/max/0/default.jpg",
    "/files/pub/../sec",
    "/files/pub/%2e%2e/sec",
    "/files/..%2fsec",
    "/files/./sec",
    "/files//sec",
    "/files/sec/",
    "/files/sec/.",
    "/files/%2e/sec",
    "/files/sec;x",
    "/files/..;/files/sec",
    // Encoded slashes, double encoding.
    "/iiif/3/dir/sec/full/max/0/default.jpg",
    "/iiif/3/dir%2fsec/full/max/0/default.jpg",
    "/iiif/3/dir%252Fsec/full/max/0/default.jpg",
    "/iiif/3/dir%25252Fsec/full/max/0/default.jpg",
    "/iiif/3/pub%252f..%252fsec/full/max/0/default.jpg",
    "/iiif/3/pub%2f..%2fsec/full/max/0/default.jpg",
    "/iiif/3/pub%2F%2e%2e%2Fsec/full/max/0/default.jpg",
    "/iiif/3/%2Fsec/full/max/0/default.jpg",
    "/iiif/3/sec%2F/full/max/0/default.jpg",
    "/iiif/3/sec%2Ffull%2Fmax%2F0%2Fdefault.jpg",
    "/iiif%2F3%2Fsec%2Ffull%2Fmax%2F0%2Fdefault.jpg",
    "/iiif%2F3/sec/full/max/0/default.jpg",
    "%2Fiiif/3/sec/full/max/0/default.jpg",
    "/iiif/3/%73ec/full/max/0/default.jpg",
    "/iiif/3/%2573ec/full/max/0/default.jpg",
    "/iiif/%33/sec/full/max/0/default.jpg",
    "/%69iif/3/sec/full/max/0/default.jpg",
    "/%2569iif/3/sec/full/max/0/default.jpg",
    "/iiif/3/sec/%66ull/max/0/default.jpg",
    "/iiif/3/sec/full/max/0/default%2ejpg",
    "/files/%73ec",
    "/files/%2573ec",
    "/f%69les/sec",
    // Queries and fragments.
    "/iiif/3/sec/full/max/0/default.jpg?x=/iiif/3/pub/info.json",
    "/iiif/3/sec/full/max/0/default.jpg?/info.json",
    "/iiif/3/sec/full/max/0/default.jpg?id=pub&identifier=pub",
    "/iiif/3/sec/full/max/0/default.jpg%23/info.json",
    "/iiif/3/sec/full/max/0/default.jpg%3F/info.json",
    "/iiif/3/sec/full/max/0/default.jpg#/info.json",
    "/iiif/3/sec/full/max/0/default.jpg%23info.json",
    "/iiif/3/pub%23/../sec/full/max/0/default.jpg",
    "/iiif/3/pub%3F/full/max/0/default.jpg",
    "/iiif/3/pub%00/full/max/0/default.jpg",
    "/iiif/3/sec/full/max/0/default.jpg%00/info.json",
    "/files/sec?info.json",
    "/files/sec#/info.json",
    "/files/sec%00.txt",
    "/?/iiif/3/sec/full/max/0/default.jpg",
    // Slashes and case.
    "//iiif/3/sec/full/max/0/default.jpg",
    "///iiif/3/sec/full/max/0/default.jpg",
    "/iiif//3/sec/full/max/0/default.jpg",
    "/iiif/3//sec/full/max/0/default.jpg",
    "/iiif/3/sec//full/max/0/default.jpg",
    "/iiif/3/sec/full/max/0//default.jpg",
    "/iiif/3/sec/full/max/0/default.jpg/",
    "/IIIF/3/sec/full/max/0/default.jpg",
    "/iiif/3/SEC/full/max/0/default.jpg",
    "/iiif/3/Sec/full/max/0/default.jpg",
    "/Iiif/3/sec/info.json/x",
    "/iiif/3/sec/INFO.JSON",
    "/iiif/3/sec/Info.json",
    "/iiif/3/sec/info.json/",
    "/iiif/3/sec/info.json;x",
    "/iiif/3/sec/info%2ejson",
    "/iiif/3/sec/info.json%20",
    "/iiif/3/sec/info.json.",
    "/FILES/sec",
    "/Files/sec",
    "/files\\sec",
    "\\iiif\\3\\sec\\full\\max\\0\\default.jpg",
    "/iiif/3\\sec/full/max/0/default.jpg",
    "/iiif/3/pub\\..\\sec/full/max/0/default.jpg",
    "/iiif/3/pub%5c..%5csec/full/max/0/default.jpg",
    "/iiif/3/sec\u{ff0f}full/max/0/default.jpg",
    "/iiif/3/s\u{435}c/full/max/0/default.jpg",
    "/iiif/3/sec%20/full/max/0/default.jpg",
    "/iiif/3/%20sec/full/max/0/default.jpg",
    "/iiif/3/sec%09/full/max/0/default.jpg",
    "/iiif/3/sec%0a/full/max/0/default.jpg",
    "/iiif/3/sec%7f/full/max/0/default.jpg",
    "/iiif/3/sec%ff/full/max/0/default.jpg",
    "/iiif/3/sec%c0%ae/full/max/0/default.jpg",
    "/iiif/3/pub/%c0%ae%c0%ae/sec/full/max/0/default.jpg",
    "/iiif/3/sec%/full/max/0/default.jpg",
    "/iiif/3/sec%u0000/full/max/0/default.jpg",
    "/iiif/3/sec./full/max/0/default.jpg",
    "/iiif/3/sec::$DATA/full/max/0/default.jpg",
    // Like info.json and not quite.
    "/iiif/3/sec/full/max/0/info.json",
    "/iiif/3/sec/info.json/full/max/0/default.jpg",
    "/iiif/3/sec/info.json%2f..%2ffull/max/0/default.jpg",
    "/iiif/3/sec/info.json/../full/max/0/default.jpg",
    "/iiif/3/sec/full/max/0/default.jpg/info.json",
    "/iiif/3/sec/full/info.json",
    "/iiif/3/sec/full/max/info.json",
    "/iiif/3/sec/info.json.jpg/max/0/default.jpg",
    "/iiif/3//info.json",
    "/iiif/info.json",
    "/files/sec/info.json",
    "/files/info.json",
    // Parameters, which some servers drop.
    "/iiif/3/sec;/full/max/0/default.jpg",
    "/iiif/3/sec;x=y/full/max/0/default.jpg",
    "/iiif/3/pub;sec/full/max/0/default.jpg",
    "/iiif/3/pub;/../sec/full/max/0/default.jpg",
    "/iiif;x/3/sec/full/max/0/default.jpg",
    "/iiif/3;x/sec/full/max/0/default.jpg",
    "/;/iiif/3/sec/full/max/0/default.jpg",
    "/;x/iiif/3/sec/full/max/0/default.jpg",
    "/iiif/;/3/sec/full/max/0/default.jpg",
    "/iiif%3bx/3/sec/full/max/0/default.jpg",
    "/iiif/3/sec/full;/max/0/default.jpg",
    "/iiif/3/sec/full/max/0/default.jpg;/info.json",
    "/files;x/sec",
    // Commands of IIPImage, which reads the path as a list of them.
    "/iiif/3/x&FIF=sec&WID=4000&CVT=jpeg/info.json",
    "/iiif/3/x&IIIF=sec/full/max/0/default.jpg",
    "/iiif/3/pub&FIF=sec&CVT=jpeg/full/max/0/default.jpg",
    "/iiif/3/pub/full/max/0/default.jpg&FIF=sec&WID=4000&CVT=jpeg",
    "/iiif/3/pub/info.json&FIF=sec&WID=4000&CVT=jpeg",
    "/iiif/3/pub/full/max&FIF=sec&CVT=jpeg/0/default.jpg",
    "/iiif/3/pub&FIF=sec&CVT=jpeg",
    // Other shapes.
    "/iiif/3",
    "/iiif/3/",
    "/iiif/2/sec/full/max/0/default.jpg",
    "/iiif/30/sec/full/max/0/default.jpg",
    "/iiif/3/sec/full/max/0/default",
    "/iiif/3/sec/full/max/0/0/default.jpg",
    "/iiif/3/sec/full/max/0/.jpg",
    "/iiif/3/unknown/full/max/0/default.jpg",
    "*",
    "",
];

/// PA-01, PA-02, PA-04, PA-05, PA-06, PA-08, PA-14: nothing but the plain path opens, and the plain
/// path needs a role. Also where everything else is public.
#[tokio::test]
async fn pa_odd_paths_open_nothing() {
    for public in [&[][..], &["*"], &["/*"], &["/auth/login/*", "/iiif*", "/;*"]] {
        let clock = clock();
        let builder = builder(&clock).public_paths(public.iter().copied());
        let publisher = Publisher::before(builder, clock, |request| {
            let response = image_server(request);
            // Whatever the login's paths answer, the image server is not asked by them.
            if request.uri().path().starts_with("/auth/") {
                return Response::new(Body::from("image bytes by another path"));
            }
            response
        });
        let server = Server::start(&publisher.auth).await;
        for path in ODD {
            // Without a place below a base these are an application's own, if it says so.
            let own = public.contains(&"*") || public.contains(&"/*") || public.len() > 1;
            let elsewhere = [
                "/iiif/3",
                "/iiif/info.json",
                "/iiif/2/sec/full/max/0/default.jpg",
                "/iiif/30/sec/full/max/0/default.jpg",
                "/?/iiif/3/sec/full/max/0/default.jpg",
                "*",
                "/Iiif/3/sec/info.json/x",
            ];
            if own && elsewhere.contains(path) {
                continue;
            }
            if let Ok(uri) = Uri::try_from(*path) {
                let calls = publisher.calls();
                let mut asked = request(Method::GET, "/", &[]);
                *asked.uri_mut() = uri;
                assert_kept(&publisher.send(asked).await, path);
                assert_eq!(publisher.calls(), calls, "{path} with {public:?}");
            }
            let calls = server.calls();
            let answer = server.ask(format!("GET {path}").as_bytes(), "").await;
            assert!(
                matches!(status(&answer), 303 | 400 | 401 | 403 | 404 | 0),
                "{path}: {answer:.200}"
            );
            assert!(!answer.contains("image bytes"), "{path}: {answer:.300}");
            assert_eq!(server.calls(), calls, "{path} over the wire");
        }
    }
}

/// PA-01: the answer to dot segments is 400, not a guess.
#[tokio::test]
async fn pa_01_dot_segments_are_refused() {
    let publisher = Publisher::new();
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    for path in ODD.iter().take(8) {
        for headers in [&[][..], &[("cookie", &*cookie)]] {
            let response = publisher.get(path, headers).await;
            assert_eq!(response.status(), 400, "{path}");
        }
    }
    assert_eq!(publisher.calls(), 2, "only the login");
}

/// PA-02, PA-04: what is decided on is what is forwarded, to the byte.
#[tokio::test]
async fn pa_02_decided_is_what_is_forwarded() {
    let forwarded: Arc<Mutex<Vec<String>>> = Arc::default();
    let asked_for: Arc<Mutex<Vec<String>>> = Arc::default();
    let (server_sees, rules_see) = (Arc::clone(&forwarded), Arc::clone(&asked_for));
    let clock = clock();
    let builder = builder(&clock).authorizer(from_fn(move |request| {
        rules_see.lock().unwrap().push(request.identifier().to_owned());
        request.has_role("A")
    }));
    let publisher = Publisher::before(builder, clock, move |request| {
        server_sees.lock().unwrap().push(request.uri().to_string());
        image_server(request)
    });
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    for (path, identifier) in [
        ("/iiif/3/dir%2Fsec/full/max/0/default.jpg", "dir/sec"),
        ("/iiif/3/dir%2fsec/full/max/0/default.jpg", "dir/sec"),
        ("/iiif/3/%73ec/full/max/0/default.jpg", "sec"),
        ("/iiif/3/a%20b%C3%BC/full/max/0/default.jpg?x=%2e%2e&y", "a bü"),
        ("/iiif/3/ark:%2F12148%2Fbtv1b/full/%5Emax/!0/default.jpg", "ark:/12148/btv1b"),
        ("/iiif/3/100%25/0,0,1,1/1,/0/gray.png", "100%"),
        ("/iiif/3/a%2Cb/full/max/0/default.jpg", "a,b"),
        ("/files/a/b%20c.mp4?t=1", "a/b c.mp4"),
    ] {
        forwarded.lock().unwrap().clear();
        asked_for.lock().unwrap().clear();
        assert_denied(&publisher.get(path, &[]).await, 401);
        assert!(forwarded.lock().unwrap().is_empty());
        let tile = publisher.get(path, &[("cookie", &cookie)]).await;
        assert_eq!(tile.status(), 200, "{path}");
        assert_eq!(*forwarded.lock().unwrap(), [path]);
        assert!(asked_for.lock().unwrap().iter().all(|own| own == identifier), "{path}");
    }
}

/// PA-05: the query is the image server's business, and decides nothing.
#[tokio::test]
async fn pa_05_queries_decide_nothing() {
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let token = publisher.token(&cookie).await;
    for query in [
        "x=/iiif/3/pub/info.json".to_owned(),
        "auth=1&role=A&roles=A&user=admin".to_owned(),
        format!("__Host-iiif={cookie}"),
        format!("cookie=__Host-iiif={cookie}&token={token}&access_token={token}"),
        "..%2f..%2fpub".to_owned(),
    ] {
        let path = format!("{}?{query}", image("sec"));
        assert_denied(&publisher.get(&path, &[]).await, 401);
    }
}

/// PA-10: HEAD is GET without a body, and makes nothing.
#[tokio::test]
async fn pa_10_head() {
    let clock = clock();
    let store = Store::new();
    let publisher = Publisher::of(builder(&clock).revocations(store.clone()), clock);
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let calls = publisher.calls();
    for path in [image("sec"), image("%2e%2e"), "/files/sec".to_owned(), "/unknown".to_owned()] {
        let response = publisher.send(request(Method::HEAD, &path, &[])).await;
        assert_kept(&response, &path);
        assert!(response.body().is_empty());
        assert!(!response.headers().contains_key(header::CONTENT_LENGTH));
    }
    assert_eq!(publisher.calls(), calls);
    let (asked, len) = (store.calls(), store.len());
    let path = format!("/auth/token?{}", query());
    let page = publisher.send(request(Method::HEAD, &path, &[("cookie", &pair(&cookie))])).await;
    assert_eq!(page.status(), 200);
    assert!(page.body().is_empty());
    assert_eq!((store.calls(), store.len()), (asked, len), "no store is asked");
    for path in ["/auth/logout", "/auth/login"] {
        let page = publisher.send(request(Method::HEAD, path, &[("cookie", &pair(&cookie))])).await;
        assert!(!page.headers().contains_key(header::SET_COOKIE), "{path}: {page:?}");
    }
    assert_eq!(store.len(), len, "HEAD logs nobody out");
    // Over the wire: no body, and no length of a body that was not told.
    let server = Server::start(&publisher.auth).await;
    for path in [image("sec"), "/iiif/3/sec/info.json".to_owned()] {
        let answer = server.ask(format!("HEAD {path}").as_bytes(), "").await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(body.is_empty(), "{answer}");
        assert!(!head.to_ascii_lowercase().contains("content-length: 22"), "{answer}");
    }
}

/// PA-11: other methods are no way round.
#[tokio::test]
async fn pa_11_methods() {
    let publisher = Publisher::new();
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    let calls = publisher.calls();
    for method in [
        "POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "FOO", "get", "Get",
        "GETT", "QUERY", "PURGE", "LINK", "options",
    ] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        for path in
            [image("sec"), image("dir%2Fsec"), "/files/sec".to_owned(), "/iiif/3/sec".to_owned()]
        {
            let response = publisher.send(request(method.clone(), &path, &[])).await;
            assert_denied(&response, 401);
        }
        // With the cookie, too, images are only read: it comes along with forms of any site.
        for headers in [&[("cookie", &*cookie)][..], &[("cookie", &*cookie), ("origin", V)]] {
            let response = publisher.send(request(method.clone(), &image("sec"), headers)).await;
            assert_eq!(response.status(), 405, "{method}");
            assert_eq!(response.headers()[header::ALLOW], "GET, HEAD, OPTIONS");
        }
        let info = publisher.send(request(method.clone(), "/iiif/3/sec/info.json", &[])).await;
        assert_eq!(info.status(), 405, "{method}");
        assert!(info.headers().contains_key(header::ALLOW));
        for (path, allow) in [
            ("/auth/probe/iiif/3/sec", "GET, HEAD, OPTIONS"),
            ("/auth/token", "GET, HEAD"),
            ("/auth/logout", "GET, HEAD, POST"),
            ("/auth/continue", "POST"),
        ] {
            if allow.contains(method.as_str()) {
                continue;
            }
            let response =
                publisher.send(request(method.clone(), path, &[("cookie", &cookie)])).await;
            assert_eq!(response.status(), 405, "{method} {path}");
            assert_eq!(response.headers()[header::ALLOW], allow);
            assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        }
    }
    // A method in a header or query is none.
    for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
        for value in ["OPTIONS", "HEAD", "GET"] {
            let headers = [(name, value), ("access-control-request-method", "GET")];
            assert_denied(&publisher.get(&image("sec"), &headers).await, 401);
        }
    }
    let path = format!("{}?_method=OPTIONS", image("sec"));
    assert_denied(&publisher.get(&path, &[]).await, 401);
    assert_eq!(publisher.calls(), calls);
}

/// PA-12: a preflight is answered here.
#[tokio::test]
async fn pa_12_options_stop_here() {
    let publisher = Publisher::new();
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    let calls = publisher.calls();
    for path in
        [image("sec"), image("pub"), "/files/sec".to_owned(), "/iiif/3/sec/info.json".to_owned()]
    {
        for headers in [
            &[][..],
            &[("access-control-request-method", "GET")],
            &[("access-control-request-method", "DELETE"), ("origin", V)],
            &[("cookie", &*cookie)],
        ] {
            let response = publisher.send(request(Method::OPTIONS, &path, headers)).await;
            assert_eq!(response.status(), 204);
            assert!(response.body().is_empty());
            assert!(!response.headers().contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
        }
    }
    let refused = publisher.send(request(Method::OPTIONS, "/iiif/3/../sec", &[])).await;
    assert_kept(&refused, "OPTIONS of an odd path");
    assert_eq!(publisher.calls(), calls);
    let server = Server::start(&publisher.auth).await;
    let answer = server.ask(b"OPTIONS *", "").await;
    assert!(matches!(status(&answer), 400 | 404), "{answer:.200}");
    assert_eq!(server.calls(), 0);
}

/// Requests that `http::Uri` has no form for, or an unusual one.
#[tokio::test]
async fn raw_request_lines() {
    let publisher = Publisher::new();
    let server = Server::start(&publisher.auth).await;
    for line in [
        &b"GET http://iiif.example/iiif/3/sec/full/max/0/default.jpg"[..],
        b"GET https://evil.example/iiif/3/sec/full/max/0/default.jpg",
        b"GET http://u:p@iiif.example/iiif/3/sec/full/max/0/default.jpg",
        b"GET iiif/3/sec/full/max/0/default.jpg",
        b"GET file:///iiif/3/sec/full/max/0/default.jpg",
        b"GET /iiif/3/sec/full/max/0/default.jpg /iiif/3/pub/full/max/0/default.jpg",
        b"GET  /iiif/3/sec/full/max/0/default.jpg",
        b"GET\t/iiif/3/sec/full/max/0/default.jpg",
        b"GET /iiif/3/sec\0/full/max/0/default.jpg",
        b"GET /iiif/3/sec\xff/full/max/0/default.jpg",
        b"GET /iiif/3/s\xc3\xa9c/full/max/0/default.jpg",
        b"GET /iiif/3/sec\t/full/max/0/default.jpg",
        b"GET /iiif/3/sec\x0b/full/max/0/default.jpg",
        b"CONNECT iiif.example:443",
        b"CONNECT /iiif/3/sec/full/max/0/default.jpg",
        b"get /iiif/3/sec/full/max/0/default.jpg",
        b"PRI /iiif/3/sec/full/max/0/default.jpg",
        b"GET /iiif/3/sec/full/max/0/default.jpg HTTP/1.1\r\nX: y\r\n\r\nGET /iiif/3/sec/info.json/x",
    ] {
        let answer = server.ask(line, "").await;
        let line = String::from_utf8_lossy(line);
        assert!(!answer.contains("image bytes"), "{line}: {answer}");
        assert_eq!(server.calls(), 0, "{line}: {answer:.200}");
    }
    let huge = format!("GET /iiif/3/{}", "a".repeat(100_000));
    assert!(!server.ask(huge.as_bytes(), "").await.contains("200 OK"));
    assert_eq!(server.calls(), 0);
}

/// A gRPC client's way to be told is no way to a stored 200: only a POST is a gRPC call.
#[tokio::test]
async fn a_denial_is_no_cacheable_success() {
    let publisher = Publisher::new();
    for kind in ["application/grpc", "application/grpc+proto", "application/grpc-web"] {
        for path in [image("sec"), image("%2e%2e"), "/files/sec".to_owned(), "/unknown".to_owned()]
        {
            for method in [Method::GET, Method::HEAD, Method::POST] {
                let asked = request(method.clone(), &path, &[("content-type", kind)]);
                let response: Response<Bytes> = publisher.send(asked).await;
                let cache = response.headers().get(header::CACHE_CONTROL);
                let cache = cache.map_or("", |value| value.to_str().unwrap());
                assert!(cache.contains("no-store"), "{method} {path} {kind}: {response:?}");
                if method != Method::POST {
                    assert_kept(&response, &path);
                }
            }
        }
    }
    assert_eq!(publisher.calls(), 0);
}

/// A pattern covers whole identifiers, and the first rule that matches decides.
#[tokio::test]
async fn identifiers_are_matched_whole() {
    let clock = clock();
    let rules = RolesFor::new().open("cover-*").open("a*b").roles("*", ["A"]);
    let publisher = Publisher::of(builder(&clock).authorizer(rules), clock);
    for (identifier, expected) in [
        ("cover-1", 200),
        ("cover-", 200),
        ("xcover-1", 401),
        ("Cover-1", 401),
        ("cover", 401),
        ("cover%2D1", 200),
        ("ab", 200),
        ("a%0Ab", 400),
        ("a%2Fb", 200),
        ("abc", 401),
        ("b%2Fcover-1", 401),
        ("cover-%2F..%2Fsec", 400),
        ("cover-%2F%2Fsec", 400),
        ("cover-%5C..%5Csec", 400),
        ("cover-;sec", 400),
        ("*", 401),
    ] {
        let response = publisher.get(&image(identifier), &[]).await;
        assert_eq!(response.status(), expected, "{identifier}: {}", text(&response));
    }
}
