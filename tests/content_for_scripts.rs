//! Scripts that read content with the user's cookie, and what browsers ask before they read.

mod common;

use bytes::Bytes;
use common::{
    BASE, COOKIE, Publisher, V, builder, clock, image, image_server, request, set_cookie_value,
};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, VARY,
};
use http::{Method, Response, StatusCode};
use tower_iiif_auth::{ContentForScripts, OriginPolicy};

const LISTED: &str = "https://listed.example";
const EVIL: &str = "https://evil.example";

fn publisher(pages: ContentForScripts) -> Publisher {
    with(pages, OriginPolicy::Bound)
}

fn with(pages: ContentForScripts, origins: OriginPolicy) -> Publisher {
    let clock = clock();
    let builder = builder(&clock)
        .content_for_scripts(pages)
        .origins(origins)
        .manifests("/manifests")
        .public_paths(["/manifests/*"])
        .session_extension();
    Publisher::before(builder, clock, image_server)
}

fn bound() -> ContentForScripts {
    ContentForScripts::default().bound_viewers()
}

fn listed() -> ContentForScripts {
    ContentForScripts::default().origins([LISTED.parse().unwrap()])
}

/// The page that an answer may be read by with the cookie. Everybody else reads nothing with it.
fn page(response: &Response<Bytes>) -> Option<String> {
    let headers = response.headers();
    let credentials = headers.get(ACCESS_CONTROL_ALLOW_CREDENTIALS);
    let origins: Vec<_> = headers.get_all(ACCESS_CONTROL_ALLOW_ORIGIN).iter().collect();
    assert!(origins.len() <= 1, "{response:?}");
    let origin = origins.first().map(|origin| origin.to_str().unwrap().to_owned());
    match credentials {
        None => {
            assert!(origin.is_none_or(|origin| origin == "*"), "{response:?}");
            None
        }
        Some(word) => {
            assert_eq!(word, "true");
            assert_eq!(headers.get_all(ACCESS_CONTROL_ALLOW_CREDENTIALS).iter().count(), 1);
            assert!(varies(response));
            origin
        }
    }
}

fn varies(response: &Response<Bytes>) -> bool {
    let fields = response.headers().get_all(VARY).iter().map(|vary| vary.to_str().unwrap());
    let named = fields.flat_map(|vary| vary.split(',')).map(str::trim);
    named.filter(|name| name.eq_ignore_ascii_case("origin")).count() == 1
}

async fn cookie(publisher: &Publisher, roles: &[&str]) -> String {
    format!("{COOKIE}={}", publisher.log_in(roles, Some(V)).await)
}

/// Content and descriptions, open and protected: for the page that the session is bound to, or that is
/// listed, and for no other.
#[tokio::test]
async fn pages_that_may_read_with_the_cookie() {
    for (pages, origin, logged_in, expected) in [
        (ContentForScripts::default(), V, true, false),
        (ContentForScripts::default(), LISTED, true, false),
        (bound(), V, true, true),
        (bound(), V, false, false),
        (bound(), EVIL, true, false),
        (bound(), LISTED, true, false),
        (bound(), "null", true, false),
        (bound(), "https://VIEWER.example", true, false),
        (bound(), "https://viewer.example/", true, false),
        (bound(), "https://viewer.example.evil.example", true, false),
        (listed(), LISTED, true, true),
        (listed(), LISTED, false, true),
        (listed(), V, true, false),
        (listed(), EVIL, true, false),
        (listed().bound_viewers(), V, true, true),
        (listed().bound_viewers(), LISTED, true, true),
        (listed().bound_viewers(), EVIL, true, false),
    ] {
        let publisher = publisher(pages.clone());
        let cookie = cookie(&publisher, &["A"]).await;
        let mut headers = vec![("origin", origin)];
        if logged_in {
            headers.push(("cookie", &cookie));
        }
        for path in [
            &*image("sec"),
            "/files/sec",
            "/iiif/3/sec/info.json",
            &*image("pub"),
            "/files/pub",
            "/iiif/3/pub/info.json",
            &*image("sec2"),
        ] {
            for method in [Method::GET, Method::HEAD] {
                let response = publisher.send(request(method, path, &headers)).await;
                // That one is of another realm, which knows nothing of the user.
                let is_theirs = path != image("sec2") || origin == LISTED;
                let expected = (expected && is_theirs).then(|| origin.to_owned());
                assert_eq!(page(&response), expected, "{pages:?} {origin} {logged_in} {path}");
                assert_eq!(varies(&response), pages != ContentForScripts::default(), "{path}");
                if expected.is_some() {
                    let exposed = response.headers()[ACCESS_CONTROL_EXPOSE_HEADERS].to_str();
                    assert!(exposed.unwrap().contains("Content-Range"), "{path}");
                }
            }
        }
        let same_origin = publisher.get(&image("sec"), &[("cookie", &cookie)]).await;
        assert_eq!((same_origin.status(), page(&same_origin)), (StatusCode::OK, None));
    }
}

/// Nothing else is ever said to a page's script with the cookie: whoever asks, and with both switches.
#[tokio::test]
async fn services_and_manifests_never() {
    let publisher = publisher(bound().origins([LISTED.parse().unwrap(), V.parse().unwrap()]));
    let cookie = cookie(&publisher, &["A"]).await;
    let token = publisher.token(cookie.split_once('=').unwrap().1).await;
    let bearer = format!("Bearer {token}");
    for path in [
        "/auth/probe/iiif/3/sec",
        "/auth/probe/iiif/3/pub",
        "/auth/token?messageId=1&origin=https://viewer.example",
        "/auth/login?origin=https://viewer.example",
        "/auth/login",
        "/auth/logout",
        "/manifests/a",
        "/nowhere",
    ] {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS] {
            for origin in [V, LISTED, EVIL, BASE] {
                let headers = [
                    ("origin", origin),
                    ("cookie", &*cookie),
                    ("authorization", &*bearer),
                    ("access-control-request-method", "GET"),
                ];
                let response = publisher.send(request(method.clone(), path, &headers)).await;
                assert_eq!(page(&response), None, "{method} {path} {origin}");
            }
        }
    }
}

/// A session for any viewer names none, an allow list of viewers holds, two origins are none, and no other
/// method than GET and HEAD reads.
#[tokio::test]
async fn who_only_asks_reads_nothing() {
    let allow = OriginPolicy::allow([LISTED]).unwrap();
    let publisher = with(bound(), allow);
    let direct = format!("{COOKIE}={}", publisher.log_in_directly(&["A"]).await);
    let response = publisher.get(&image("sec"), &[("origin", V), ("cookie", &direct)]).await;
    assert_eq!((response.status(), page(&response)), (StatusCode::OK, None));

    let clock = clock();
    let any = builder(&clock).content_for_scripts(bound()).origins(OriginPolicy::Any);
    let any = Publisher::before(any, clock, |request| {
        let mut response = image_server(request);
        if let Some(grant) =
            response.extensions_mut().remove::<tower_iiif_auth::access::AccessGrant>()
        {
            response.extensions_mut().insert(grant.insecure_for_any_viewer());
        }
        response
    });
    let headers = [("origin", BASE), ("x-roles", "A")];
    let login = any.send(request(Method::POST, "/auth/login", &headers)).await;
    let free = format!("{COOKIE}={}", set_cookie_value(&login, COOKIE).unwrap());
    for path in [&*image("sec"), "/iiif/3/sec/info.json", &*image("pub")] {
        let response = any.get(path, &[("origin", EVIL), ("cookie", &free)]).await;
        assert_eq!((response.status(), page(&response)), (StatusCode::OK, None), "{path}");
    }

    let publisher = self::publisher(bound());
    let cookie = cookie(&publisher, &["A"]).await;
    let two = [("origin", V), ("origin", V), ("cookie", &*cookie)];
    assert_eq!(page(&publisher.get(&image("sec"), &two).await), None);
    let post = request(Method::POST, &image("sec"), &[("origin", V), ("cookie", &cookie)]);
    assert_eq!(page(&publisher.send(post).await), None);
}

/// A logout ends what a page may read with the cookie: content that is open, too.
#[tokio::test]
async fn after_the_logout_nothing_is_read() {
    let publisher = publisher(bound());
    let cookie = cookie(&publisher, &["A"]).await;
    let headers = [("origin", V), ("cookie", &*cookie)];
    assert_eq!(page(&publisher.get(&image("pub"), &headers).await).as_deref(), Some(V));
    publisher.get("/auth/logout", &[("cookie", &cookie)]).await;
    for path in [&*image("sec"), &*image("pub"), "/iiif/3/sec/info.json"] {
        assert_eq!(page(&publisher.get(path, &headers).await), None, "{path}");
    }
}

/// What the inner service says of readers is not believed, once, and other words of `Vary` stay.
#[tokio::test]
async fn the_inner_service_has_no_say() {
    let clock = clock();
    let builder = builder(&clock).content_for_scripts(bound());
    let publisher = Publisher::before(builder, clock, |request| {
        let mut response = image_server(request);
        let headers = response.headers_mut();
        for value in ["*", EVIL] {
            headers.append(ACCESS_CONTROL_ALLOW_ORIGIN, value.parse().unwrap());
        }
        headers.insert(VARY, "Accept".parse().unwrap());
        response
    });
    let cookie = cookie(&publisher, &["A"]).await;
    for path in [&*image("sec"), "/files/sec", "/iiif/3/sec/info.json"] {
        let response = publisher.get(path, &[("origin", V), ("cookie", &cookie)]).await;
        assert_eq!(page(&response).as_deref(), Some(V), "{path}");
        assert!(response.headers().get_all(VARY).iter().any(|vary| vary == "Accept"), "{path}");
    }
}

fn allowed(response: &Response<Bytes>) -> Vec<String> {
    let names = response.headers()[ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap();
    names.split(',').map(|name| name.trim().to_ascii_lowercase()).collect()
}

/// Any header may come along to what is read without a cookie: open and protected, image and file,
/// description, probe and configured manifest.
#[tokio::test]
async fn preflights_allow_any_header() {
    let publisher = publisher(ContentForScripts::default());
    let asked = "authorization,x-requested-with, traceparent,accept,if-range,x-\u{7f}y,a b";
    let asked: String = asked.chars().filter(|c| !c.is_control()).collect();
    for path in [
        &*image("sec"),
        &*image("pub"),
        "/iiif/3/sec/info.json",
        "/iiif/3/pub/info.json",
        "/iiif/3/sec",
        "/files/sec",
        "/files/pub",
        "/auth/probe/iiif/3/sec",
        "/auth/probe/files/pub",
        "/auth/probe/nowhere",
        "/manifests/book/manifest.json",
    ] {
        for method in ["GET", "HEAD"] {
            let headers = [
                ("origin", V),
                ("access-control-request-method", method),
                ("access-control-request-headers", &*asked),
                ("access-control-request-headers", "x-second-line"),
            ];
            let response = publisher.send(request(Method::OPTIONS, path, &headers)).await;
            assert_eq!(response.status(), StatusCode::NO_CONTENT, "{path}");
            assert_eq!(page(&response), None);
            assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
            let seconds = response.headers()[ACCESS_CONTROL_MAX_AGE].to_str().unwrap();
            assert!(seconds.parse::<u32>().unwrap() > 0);
            let allowed = allowed(&response);
            for name in [
                "*",
                "authorization",
                "x-requested-with",
                "traceparent",
                "accept",
                "if-range",
                "x-second-line",
            ] {
                assert!(allowed.iter().any(|own| own == name), "{name} at {path}: {allowed:?}");
            }
            assert!(!allowed.iter().any(|own| own == "a b"));
        }
        let bare = [("origin", V), ("access-control-request-method", "GET")];
        let response = publisher.send(request(Method::OPTIONS, path, &bare)).await;
        assert_eq!(allowed(&response), ["authorization", "*"], "{path}");
    }
    assert_eq!(publisher.calls(), 0);
}

/// A preflight for another method at a manifest is the application's affair; a list without end is cut.
#[tokio::test]
async fn what_is_no_preflight_of_a_read() {
    let publisher = publisher(ContentForScripts::default());
    for headers in [
        &[("origin", V), ("access-control-request-method", "PUT")][..],
        &[("origin", V)],
        &[("access-control-request-method", "GET")],
    ] {
        let before = publisher.calls();
        publisher.send(request(Method::OPTIONS, "/manifests/a", headers)).await;
        assert_eq!(publisher.calls(), before + 1, "{headers:?}");
    }
    let long = (0..5000).map(|n| format!("x-{n}")).collect::<Vec<_>>().join(",");
    let headers = [
        ("origin", V),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", &*long),
    ];
    let response = publisher.send(request(Method::OPTIONS, &image("sec"), &headers)).await;
    assert!(response.headers()[ACCESS_CONTROL_ALLOW_HEADERS].len() < 5000);
}

/// With cookies `*` covers no header, so that each is named; whose session it will be is not known yet.
#[tokio::test]
async fn preflights_match_the_switch() {
    for (pages, origin, expected) in [
        (bound(), V, true),
        (listed(), LISTED, true),
        (listed(), V, false),
        (listed(), "null", false),
        (bound(), "null", false),
        (ContentForScripts::default(), V, false),
    ] {
        let publisher = publisher(pages);
        for path in [&*image("sec"), &*image("pub"), "/files/sec", "/iiif/3/sec/info.json"] {
            let headers = [
                ("origin", origin),
                ("access-control-request-method", "GET"),
                ("access-control-request-headers", "range,x-requested-with"),
            ];
            let response = publisher.send(request(Method::OPTIONS, path, &headers)).await;
            assert_eq!(page(&response), expected.then(|| origin.to_owned()), "{path} {origin}");
            let allowed = allowed(&response);
            assert!(allowed.contains(&"range".to_owned()), "{allowed:?}");
        }
    }
    // Viewers that no session can be for are told so.
    let publisher = with(bound(), OriginPolicy::allow([V]).unwrap());
    let headers = [("origin", EVIL), ("access-control-request-method", "GET")];
    assert_eq!(page(&publisher.send(request(Method::OPTIONS, "/files/a", &headers)).await), None);
}
