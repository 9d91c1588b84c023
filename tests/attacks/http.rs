//! HT: CORS, caches and the rest of HTTP.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};

use crate::common::{
    Body, Publisher, V, assert_denied, builder, clock, image, image_server, json, request,
};
use crate::setup::{Fault, Store, pair, probe, status_of};

fn fields<'r>(response: &'r Response<Bytes>, name: &str) -> Vec<&'r str> {
    response.headers().get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

/// One `Access-Control-Allow-Origin: *`, no credentials, and no login dialogue.
#[track_caller]
fn assert_cors(response: &Response<Bytes>) {
    assert_eq!(fields(response, "access-control-allow-origin"), ["*"], "{response:?}");
    for name in ["access-control-allow-credentials", "www-authenticate"] {
        assert!(!response.headers().contains_key(name), "{name} in {response:?}");
    }
}

/// An image server that answers with these header fields.
fn with_fields(
    status: u16,
    fields: &'static [(&'static str, &'static str)],
) -> impl Fn(&http::Request<Body>) -> Response<Body> + Clone {
    move |request| {
        let mut response = image_server(request);
        if request.uri().path().starts_with("/auth/") {
            return response;
        }
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        response.headers_mut().remove(header::CACHE_CONTROL);
        for (name, value) in fields {
            let name = HeaderName::from_static(name);
            response.headers_mut().append(name, HeaderValue::from_static(value));
        }
        response
    }
}

fn of(status: u16, fields: &'static [(&'static str, &'static str)]) -> Publisher {
    let clock = clock();
    Publisher::before(builder(&clock), clock, with_fields(status, fields))
}

/// HT-01: anyone may ask whether they may ask.
#[tokio::test]
async fn ht_01_probe_preflight() {
    let publisher = Publisher::new();
    for path in
        ["/auth/probe/iiif/3/sec", "/auth/probe/iiif/3/unknown", "/auth/probe/", "/auth/probe"]
    {
        let headers = [
            ("origin", V),
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "authorization"),
        ];
        let response = publisher.send(request(Method::OPTIONS, path, &headers)).await;
        assert_eq!(response.status(), 204);
        assert_cors(&response);
        let [allowed] = fields(&response, "access-control-allow-headers")[..] else { panic!() };
        assert!(allowed.split(',').any(|name| name.trim().eq_ignore_ascii_case("authorization")));
        let [methods] = fields(&response, "access-control-allow-methods")[..] else { panic!() };
        assert!(methods.contains("GET"));
        assert!(response.body().is_empty());
    }
    assert_eq!(publisher.calls(), 0);
}

/// HT-02: a script can read every answer, whatever it says, and no browser asks for a password.
#[tokio::test(start_paused = true)]
async fn ht_02_cors_on_every_status() {
    for fault in [Fault::None, Fault::Error, Fault::Hang] {
        let clock = clock();
        let store = Store::new();
        let builder = builder(&clock).revocations(store.clone());
        let publisher = Publisher::of(builder, clock);
        let cookie = publisher.log_in(&["A"], Some(V)).await;
        let token = publisher.token(&cookie).await;
        store.fail(fault);
        for late in [0, 601] {
            publisher.clock.advance(std::time::Duration::from_secs(late));
            for bearer in [format!("Bearer {token}"), "Bearer junk".to_owned()] {
                for path in [
                    "/auth/probe/iiif/3/sec".to_owned(),
                    "/auth/probe/iiif/3/%2e%2e".to_owned(),
                    "/auth/probe/nothing".to_owned(),
                    image("sec"),
                    image("sec2"),
                    image("%2e%2e"),
                    "/iiif/3/sec".to_owned(),
                    "/iiif/3/sec/info.json".to_owned(),
                    "/nothing".to_owned(),
                ] {
                    for cookie in [pair(&cookie), String::new()] {
                        let headers =
                            [("origin", V), ("authorization", &*bearer), ("cookie", &cookie)];
                        let response = publisher.get(&path, &headers).await;
                        assert_cors(&response);
                        let posted = request(Method::POST, &path, &headers);
                        let response = publisher.send(posted).await;
                        if path.starts_with("/auth/probe") || response.status() != 405 {
                            assert_cors(&response);
                        }
                    }
                }
            }
        }
    }
    // An image server's own refusals are no exception.
    for status in [401, 403, 404, 500] {
        let publisher = of(
            status,
            &[("www-authenticate", "Basic realm=x"), ("access-control-allow-credentials", "true")],
        );
        let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
        for path in [image("sec"), "/iiif/3/sec/info.json".to_owned()] {
            let response = publisher.get(&path, &[("cookie", &cookie), ("origin", V)]).await;
            assert_eq!(response.status(), status);
            assert_cors(&response);
        }
    }
}

/// HT-02: an operator's own error pages change what is read, not who may read it.
#[tokio::test]
async fn ht_02_under_error_pages() {
    let auth = builder(&clock()).build().unwrap();
    let inner = tower::service_fn(async |request: http::Request<Body>| {
        Ok::<_, std::convert::Infallible>(image_server(&request))
    });
    let stack = tower::ServiceBuilder::new()
        .map_response(|response: Response<tower_iiif_auth::ResponseBody<_>>| {
            let (mut parts, _) = response.into_parts();
            let page = if parts.status.is_success() { "ours" } else { "an error page" };
            parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
            Response::from_parts(parts, Bytes::from(page))
        })
        .layer(auth.layer())
        .service(inner);
    for (path, expected) in [
        (image("sec"), "an error page"),
        (image("%2e%2e"), "an error page"),
        ("/auth/probe/iiif/3/sec".to_owned(), "ours"),
        ("/auth/probe/nothing".to_owned(), "ours"),
        ("/iiif/3/sec/info.json".to_owned(), "ours"),
    ] {
        let headers = [("origin", V), ("authorization", "Bearer junk")];
        let asked = request(Method::GET, &path, &headers);
        let response = tower::ServiceExt::oneshot(stack.clone(), asked).await.unwrap();
        assert_cors(&response);
        assert_eq!(response.body(), expected, "{path}");
    }
}

/// HT-03: the inner server's CORS headers do not add to ours.
#[tokio::test]
async fn ht_03_cors_of_the_inner_server() {
    let publisher = of(
        200,
        &[
            ("access-control-allow-origin", "*"),
            ("access-control-allow-origin", "https://evil.example"),
            ("access-control-allow-credentials", "true"),
        ],
    );
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    for path in [image("sec"), "/files/sec".to_owned(), "/iiif/3/sec/info.json".to_owned()] {
        let response = publisher.get(&path, &[("cookie", &cookie), ("origin", V)]).await;
        assert_eq!(response.status(), 200);
        assert_cors(&response);
    }
}

/// HT-04: no page reads what the user's cookie tells the probe.
#[tokio::test]
async fn ht_04_credentialed_cross_origin_read() {
    let publisher = Publisher::new();
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    for origin in ["https://evil.example", "null", V] {
        for path in
            ["/auth/probe/iiif/3/sec".to_owned(), image("sec"), "/iiif/3/sec/info.json".to_owned()]
        {
            for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
                let headers = [("cookie", &*cookie), ("origin", origin)];
                assert_cors(&publisher.send(request(method, &path, &headers)).await);
            }
        }
        for path in [
            "/auth/token?messageId=m1&origin=https://viewer.example",
            "/auth/login",
            "/auth/logout",
        ] {
            let response = publisher.get(path, &[("cookie", &cookie), ("origin", origin)]).await;
            let cors = |name: &HeaderName| name.as_str().starts_with("access-control-");
            assert!(!response.headers().keys().any(cors), "{path}: {response:?}");
        }
    }
}

/// HT-05: what one user may see is in no shared cache, and no longer than the session.
#[tokio::test]
async fn ht_05_shared_caches() {
    let publisher = of(
        200,
        &[
            ("cache-control", "public, max-age=86400, s-maxage=86400"),
            ("cdn-cache-control", "max-age=86400"),
            ("surrogate-control", "max-age=86400"),
            ("cloudflare-cdn-cache-control", "max-age=86400"),
            ("x-accel-expires", "86400"),
            ("edge-control", "!no-store, max-age=1d"),
            ("netlify-cdn-cache-control", "public, max-age=86400"),
            ("vercel-cdn-cache-control", "max-age=86400"),
            ("expires", "Thu, 01 Jan 2099 00:00:00 GMT"),
            ("pragma", "public"),
            ("vary", "Accept"),
        ],
    );
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    let mut remaining = 600;
    for passed in [0, 1, 250, 340, 8] {
        publisher.clock.advance(std::time::Duration::from_secs(passed));
        remaining -= passed;
        for path in [image("sec"), "/files/sec".to_owned()] {
            let response = publisher.get(&path, &[("cookie", &cookie)]).await;
            assert_eq!(response.status(), 200);
            let [cache] = fields(&response, "cache-control")[..] else { panic!("{response:?}") };
            assert!(cache.contains("private") && !cache.contains("public"), "{cache}");
            assert!(!cache.contains("s-maxage"), "{cache}");
            let age = cache.split("max-age=").nth(1).map_or(0, |age| age.parse::<u64>().unwrap());
            assert!(age <= remaining, "{cache} with {remaining} s left");
            for name in response.headers().keys() {
                let name = name.as_str();
                let speaks = name.ends_with("-cache-control")
                    || [
                        "surrogate-control",
                        "expires",
                        "pragma",
                        "x-accel-expires",
                        "edge-control",
                    ]
                    .contains(&name);
                assert!(!speaks, "{name} is left");
            }
            let vary = fields(&response, "vary").join(", ");
            assert!(vary.contains("Cookie") && vary.contains("Accept"), "{vary}");
        }
    }
}

/// HT-08: no condition and no range tells anything of what is not allowed.
#[tokio::test]
async fn ht_08_no_oracle() {
    let publisher = Publisher::new();
    let plain = publisher.get(&image("sec"), &[]).await;
    assert_denied(&plain, 401);
    for headers in [
        &[("range", "bytes=0-0"), ("if-range", "\"real-etag\"")][..],
        &[("range", "bytes=0-0")],
        &[("range", "bytes=999999999-")],
        &[("range", "junk")],
        &[("if-none-match", "\"real-etag\"")],
        &[("if-none-match", "*")],
        &[("if-match", "\"other\"")],
        &[("if-match", "*")],
        &[("if-modified-since", "Thu, 01 Jan 2099 00:00:00 GMT")],
        &[("if-unmodified-since", "Thu, 01 Jan 1970 00:00:00 GMT")],
        &[("expect", "100-continue")],
        &[("upgrade", "websocket"), ("connection", "upgrade")],
        &[("accept-encoding", "gzip")],
        &[("want-digest", "sha-256")],
    ] {
        let response = publisher.get(&image("sec"), headers).await;
        assert_denied(&response, 401);
        assert_eq!(response.headers(), plain.headers(), "{headers:?}");
        assert_eq!(response.body(), plain.body(), "{headers:?}");
    }
    // One that exists and one that does not, both of which nobody may know of, look alike.
    let unknown = publisher.get(&image("unknown-1"), &[]).await;
    let other = publisher.get(&image("unknown-2"), &[]).await;
    assert_eq!((unknown.status(), unknown.body()), (other.status(), other.body()));
    assert_eq!(publisher.calls(), 0);
}

/// HT-09: ranges work for those who may, and what is open stays as it was.
#[tokio::test]
async fn ht_09_ranges_and_open_resources() {
    let clock = clock();
    let store = Store::new();
    let answer = |request: &http::Request<Body>| {
        let mut response = image_server(request);
        if request.headers().contains_key(header::RANGE) {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let range = HeaderValue::from_static("bytes 5-9/22");
            response.headers_mut().insert(header::CONTENT_RANGE, range);
            *response.body_mut() = Body::from("56789");
        }
        response
    };
    let publisher = Publisher::before(builder(&clock).revocations(store.clone()), clock, answer);
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    let headers = [("cookie", &*cookie), ("range", "bytes=5-9")];
    let part = publisher.get(&image("sec"), &headers).await;
    assert_eq!((part.status().as_u16(), &part.body()[..]), (206, &b"56789"[..]));
    assert!(fields(&part, "cache-control")[0].contains("private"));
    assert_eq!(fields(&part, "content-range"), ["bytes 5-9/22"]);
    assert_eq!(fields(&part, "etag"), ["\"real-etag\""]);

    let asked = store.calls();
    let open = publisher.get(&image("pub"), &[("cookie", &cookie)]).await;
    let direct = image_server(&request(Method::GET, &image("pub"), &[]));
    assert_eq!(open.headers(), direct.headers(), "to the byte what the image server says");
    assert_eq!(open.body(), "0123456789 image bytes");
    assert_eq!(store.calls(), asked, "no store is asked for what is open");
    let info = publisher.get("/iiif/3/pub/info.json", &[("cookie", &cookie)]).await;
    assert!(json(&info).get("service").is_none());
    assert_eq!(fields(&info, "cache-control"), ["public, max-age=86400"]);
}

/// HT-11: pages that isolate themselves can show the image.
#[tokio::test]
async fn ht_11_embedders() {
    for value in ["same-origin", "same-site", "cross-origin"] {
        let fields: &'static [(&str, &str)] =
            Box::leak(Box::new([("cross-origin-resource-policy", value)]));
        let publisher = of(200, fields);
        let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
        let tile = publisher.get(&image("sec"), &[("cookie", &cookie)]).await;
        let policy = tile.headers().get("cross-origin-resource-policy");
        assert!(policy.is_none_or(|policy| policy == "cross-origin"), "{policy:?}");
    }
}

/// Every answer of our own that is not for everyone's caches says so, to every method.
#[tokio::test]
async fn own_answers_are_not_stored() {
    let publisher = Publisher::new();
    for path in [
        "/auth/token",
        "/auth/token?messageId=m1&origin=https://viewer.example",
        "/auth/logout",
        "/auth/continue",
        "/auth/probe/iiif/3/sec",
        "/auth/login?origin=*",
        "/iiif/3/sec",
        "/nothing",
        &image("sec"),
        &image("%2e%2e"),
    ] {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "FOO"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let response = publisher.send(request(method.clone(), path, &[])).await;
            let cache = fields(&response, "cache-control").join(", ");
            let login = path.starts_with("/auth/login") && method != Method::GET;
            assert!(login || cache.contains("no-store"), "{method} {path}: {response:?}");
        }
    }
}

/// A probe's status is the content route's own, in every state of cookie and token.
#[tokio::test]
async fn probe_and_content_agree() {
    let publisher = Publisher::new();
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    for identifier in ["pub", "sec", "sec2", "dir%2Fsec", "unknown"] {
        for headers in [&[][..], &[("cookie", &*cookie)], &[("cookie", "__Host-iiif=junk")]] {
            let tile = publisher.get(&image(identifier), headers).await;
            let result = publisher.probe(&probe(identifier), headers).await;
            assert_eq!(status_of(&result), u64::from(tile.status().as_u16()), "{identifier}");
        }
    }
}
