//! OR: the grammar of `origin`, at the token service and at the access service.

use bytes::Bytes;
use http::Response;
use tower_iiif_auth::OriginPolicy;

use crate::common::{Publisher, V, builder, clock, cookie_pair, text};
use crate::html::{assert_error, assert_no_post, elements, posted};
use crate::setup::{encode, token_page};

/// The token page for an origin that is already encoded, with a live cookie.
async fn token(publisher: &Publisher, cookie: &str, origin: &str) -> Response<Bytes> {
    token_page(publisher, &format!("messageId=canary7f3&origin={origin}"), Some(cookie)).await
}

/// What the access service makes of the same origin.
async fn access(publisher: &Publisher, origin: &str) -> Response<Bytes> {
    publisher.get(&format!("/auth/login?origin={origin}"), &[]).await
}

/// NOPOST from the access service: a static page, and nothing is remembered.
#[track_caller]
fn assert_refused(page: &Response<Bytes>, origin: &str) {
    assert_eq!(page.status(), 400, "{origin}: {page:?}");
    assert!(!elements(page).iter().any(|element| element.name == "script"), "{origin}");
    for name in ["set-cookie", "location"] {
        assert!(!page.headers().contains_key(name), "{name} for {origin}");
    }
    assert!(origin.len() < 4 || !text(page).contains(origin), "{origin}");
    assert!(!text(page).contains("evil"), "{origin}");
}

/// Nothing is posted, by either service.
async fn assert_no_target(origins: &[&str]) {
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    for origin in origins {
        let page = token(&publisher, &cookie, origin).await;
        assert_no_post(&page, &["canary7f3", "evil", "viewer.exa", origin]);
        assert_refused(&access(&publisher, origin).await, origin);
        // The same, wholly percent-encoded.
        if !origin.contains('%') {
            let encoded = encode(origin);
            assert_no_post(&token(&publisher, &cookie, &encoded).await, &["canary7f3"]);
            assert_refused(&access(&publisher, &encoded).await, origin);
        }
    }
}

/// OR-01: everyone.
#[tokio::test]
async fn or_01_never_to_everyone() {
    assert_no_target(&["*", "/", "**", "*.viewer.example", "https://*", "https://*.example", "//"])
        .await;
}

/// OR-02: nobody.
#[tokio::test]
async fn or_02_opaque_and_empty() {
    assert_no_target(&["null", "", "undefined", "NULL", "%00", "about:srcdoc"]).await;
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    for query in ["messageId=canary7f3", "", "messageId=canary7f3&Origin=https://viewer.example"] {
        let page = token_page(&publisher, query, Some(&cookie)).await;
        assert_no_post(&page, &["canary7f3", "viewer.example"]);
    }
    // The access service takes users who come without a viewer.
    assert_eq!(publisher.get("/auth/login", &[]).await.status(), 200);
}

/// OR-03: the older specifications' slash, and other spellings of one origin.
#[tokio::test]
async fn or_03_spellings_of_one_origin() {
    let publisher = Publisher::new();
    let spellings = [
        "https://viewer.example",
        "https://viewer.example/",
        "https%3A%2F%2Fviewer.example%2F",
        "HTTPS://VIEWER.EXAMPLE",
        "https://viewer.example:443",
        "https://viewer.example:443/",
        "https://viewer.example:",
    ];
    for opened_with in spellings {
        let cookie = publisher.log_in(&["A"], Some(opened_with)).await;
        for asked_with in spellings {
            let (message, target) = posted(&token(&publisher, &cookie, asked_with).await);
            assert_eq!(target, V);
            assert!(message["accessToken"].is_string(), "{opened_with} {asked_with}");
        }
        // Bound it is: another viewer gets nothing.
        let page = token(&publisher, &cookie, "https://evil.example").await;
        assert_error(&page, "invalidOrigin", "https://evil.example");
    }
}

/// OR-04: more than an origin.
#[tokio::test]
async fn or_04_more_than_an_origin() {
    assert_no_target(&[
        "https://viewer.example/viewer/index.html",
        "https://viewer.example?x",
        "https://viewer.example%23x",
        "https://viewer.example/?x",
        "https://viewer.example/%23x",
        "https://viewer.example//",
        "https://viewer.example/.",
        "https://viewer.example/..",
        "https://viewer.example%2F%2F",
        "https://viewer.example%253F",
        "https://viewer.example;x",
        "https://viewer.example,https://evil.example",
        "https://viewer.example%20https://evil.example",
    ])
    .await;
}

/// OR-05: what is no web origin, or names a user.
#[tokio::test]
async fn or_05_other_schemes_and_user_names() {
    assert_no_target(&[
        "javascript:alert(1)",
        "data:text/html,x",
        "file://",
        "file:///etc/passwd",
        "blob:https://viewer.example/1",
        "about:blank",
        "ws://viewer.example",
        "wss://viewer.example",
        "ftp://viewer.example",
        "chrome-extension://abcdefghijklmnop",
        "moz-extension://abc",
        "view-source:https://viewer.example",
        "filesystem:https://viewer.example/temporary",
        "https://viewer.example@evil.example",
        "https://u:p@viewer.example",
        "https://@viewer.example",
        "https://:@viewer.example",
        "https:viewer.example",
        "https:/viewer.example",
        "https:///viewer.example",
        "https:%5C%5Cviewer.example",
        "//viewer.example",
        "viewer.example",
        "viewer.example:443",
        "://viewer.example",
        "httpss://viewer.example",
        "xhttps://viewer.example",
    ])
    .await;
}

/// OR-07: scheme and port count.
#[tokio::test]
async fn or_07_scheme_and_port() {
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    for origin in [
        "http://viewer.example",
        "https://viewer.example:8443",
        "https://viewer.example:80",
        "http://viewer.example:443",
        "https://viewer.example:4430",
    ] {
        assert_error(&token(&publisher, &cookie, origin).await, "invalidOrigin", origin);
    }
}

/// OR-09: odd spellings of hosts and ports.
#[tokio::test]
async fn or_09_hosts_and_ports() {
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    // A host of its own for browsers: never the same as V.
    let page = token(&publisher, &cookie, "https://viewer.example.").await;
    assert_error(&page, "invalidOrigin", "https://viewer.example.");
    for origin in ["https://[::1]:8443", "https://[2001:db8::1]", "http://127.0.0.1:3000"] {
        let cookie = publisher.log_in(&["A"], Some(origin)).await;
        let (message, target) = posted(&token(&publisher, &cookie, origin).await);
        assert_eq!(target, origin);
        assert!(message["accessToken"].is_string());
    }
    let (_, target) = posted(&token(&publisher, &cookie, "https://[2001:DB8:0::0:1]").await);
    assert_eq!(target, "https://[2001:db8::1]");
    assert_no_target(&[
        "https://0x7f.1",
        "https://0x7f000001",
        "https://2130706433",
        "https://017700000001",
        "https://127.1",
        "https://127.0.0.1.",
        "https://1.2.3.4.5",
        "https://256.1.1.1",
        "https://[::1",
        "https://::1",
        "https://[::1]x",
        "https://[::1%25eth0]",
        "https://[::ffff:127.0.0.1]",
        "https://[::ffff:7f00:1]",
        "https://[]",
        "https://viewer.example:99999",
        "https://viewer.example:65536",
        "https://viewer.example:-1",
        "https://viewer.example:8443x",
        "https://viewer.example:0x1f90",
        "https://viewer.example::443",
        "https://viewer.example:%EF%BC%98%EF%BC%90",
        "https://viewer..example",
        "https://.viewer.example",
        "https://.",
        "https://",
        "https://viewer%2eexample%2fx",
        "https://viewer%EF%BC%8Eexample",
        "https://viewer%E3%80%82example",
        "https://viewer.ex%C3%A4mple",
        "https://vi%C2%ADewer.example",
        "https://%2576iewer.example",
        "https://viewer.example%60",
        "https://viewer.example%7C",
        "https://viewer.example%22%3E",
        "https://viewer.example'",
    ])
    .await;
}

/// OR-10: white space, control characters and header injection.
#[tokio::test]
async fn or_10_white_space_and_controls() {
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let inner = ["%20", "%09", "%0a", "%0d", "%0d%0a", "%00", "%7f", "+", "%C2%A0", "%EF%BB%BF"];
    let mut origins = vec![
        "https://viewer.example%0d%0aSet-Cookie:x=1".to_owned(),
        "https://viewer.example%0d%0a%0d%0a<script>alert(1)</script>".to_owned(),
        "https://viewer.example%E5%98%8A%E5%98%8DSet-Cookie:x=1".to_owned(),
        "https://viewer.exa%09mple".to_owned(),
        "ht%0atps://viewer.example".to_owned(),
        "%ff%fe".to_owned(),
    ];
    for odd in inner {
        origins.push(format!("{odd}https://viewer.example"));
        origins.push(format!("https://viewer.example{odd}"));
        origins.push(format!("https://viewer.exa{odd}mple"));
        origins.push(format!("https://{odd}viewer.example"));
        origins.push(format!("https:{odd}//viewer.example"));
        origins.push(format!("https://viewer.example{odd}:443"));
    }
    for origin in origins.iter().map(String::as_str) {
        let origin = origin.replace('<', "%3C").replace('>', "%3E");
        assert_no_post(&token(&publisher, &cookie, &origin).await, &["canary7f3"]);
        assert_refused(&access(&publisher, &origin).await, &origin);
    }
}

/// OR-12: like V, and not V. By the binding of the session, and by an allow-list.
#[tokio::test]
async fn or_12_no_part_of_a_name_counts() {
    let others = [
        "https://viewer.example.evil.com",
        "https://evilviewer.example",
        "https://viewer.example-evil.com",
        "https://evil.com.viewer.example",
        "https://www.viewer.example",
        "https://example",
        "https://viewer.exampl",
        "https://viewer-example",
        "https://viewer_example",
        "https://xn--viewer-.example",
    ];
    let bound = Publisher::new();
    let cookie = bound.log_in(&["A"], Some(V)).await;
    for origin in others {
        assert_error(&token(&bound, &cookie, origin).await, "invalidOrigin", origin);
    }

    let clock = clock();
    let policy = OriginPolicy::allow([V]).unwrap();
    let listed = Publisher::of(builder(&clock).origins(policy), clock);
    let cookie = listed.log_in(&["A"], Some(V)).await;
    assert!(posted(&token(&listed, &cookie, V).await).0["accessToken"].is_string());
    let unbound = listed.log_in(&["A"], None).await;
    for origin in others.into_iter().chain(["http://viewer.example", "https://viewer.example:1"]) {
        for cookie in [&cookie, &unbound] {
            assert_error(&token(&listed, cookie, origin).await, "invalidOrigin", origin);
        }
        let page = access(&listed, origin).await;
        assert_eq!(page.status(), 403, "{origin}");
        assert!(cookie_pair(&page, "__Host-iiif-flow").is_none(), "{origin}");
    }
    for policy in [&["*"][..], &["null"], &["https://viewer.example/x"], &[V, ""]] {
        assert!(OriginPolicy::allow(policy.iter().copied()).is_err(), "{policy:?}");
    }
}

/// A page that is no tab (an image, a frame) cannot make its own site a viewer of a user who
/// then logs in for another one.
#[tokio::test]
async fn only_a_tab_begins_a_login() {
    for destination in ["image", "iframe", "empty", "script", "embed"] {
        let publisher = Publisher::new();
        let hidden = [("sec-fetch-dest", destination), ("sec-fetch-site", "cross-site")];
        let answer = publisher.get("/auth/login?origin=https://evil.example", &hidden).await;
        let flow = cookie_pair(&answer, "__Host-iiif-flow").unwrap_or_default();
        let opened = publisher
            .get(
                &format!("/auth/login?origin={V}"),
                &[("cookie", &*flow), ("sec-fetch-dest", "document")],
            )
            .await;
        let flow = cookie_pair(&opened, "__Host-iiif-flow").expect("the viewer is remembered");
        let cookie = crate::session::log_in_with(&publisher, &flow, &["A"]).await;
        assert!(posted(&token(&publisher, &cookie, V).await).0["accessToken"].is_string());
        let page = token(&publisher, &cookie, "https://evil.example").await;
        assert_error(&page, "invalidOrigin", "https://evil.example");
    }
}
