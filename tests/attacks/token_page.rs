//! TP: injection into the token page, and its hardening.

use std::collections::HashSet;

use http::{Method, header};

use crate::common::shapes::assert_token_message;
use crate::common::steps::policy;
use crate::common::{Publisher, V, request, text};
use crate::html::{assert_error, assert_no_post, posted};
use crate::setup::{encode, pair, query, token_page};

/// TP-01: nothing leaves the string that it was put in.
#[tokio::test]
async fn tp_01_a_message_id_stays_a_string() {
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let exact = [
        "%3C%2Fscript%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "%22%7D%2C%22*%22)%3Balert(1)%3B%2F%2F",
    ];
    let neighbours = [
        "</script ><svg onload=alert(1)>",
        "</SCRIPT/x><script>alert(1)//",
        "<!--<script>",
        "<!-- <script> --> </script>",
        "]]><script>alert(1)</script>",
        "\u{2028}alert(1)\u{2029}",
        "\\u003c/script\\u003e",
        "\\\"}]});alert(1)//",
        "\\",
        "'+alert(1)+'",
        "${alert(1)}`",
        "&lt;/script&gt;&quot;&#39;",
        "\u{0}\u{8}\t\r\n\u{1f}\u{7f}\u{feff}\u{fffd}\u{10ffff}",
        "a\r\nSet-Cookie: x=1\r\n\r\n<html>",
        "{\"accessToken\":\"x\"}",
        "\u{202e}tpircs",
        "+ +",
        "<base href=//evil.example>",
        "javascript:alert(1)",
        "__proto__",
    ];
    let neighbours = neighbours.map(encode);
    for encoded in exact.into_iter().chain(neighbours.iter().map(String::as_str)) {
        let sent = format!("messageId={encoded}&origin={V}");
        for cookie in [Some(&*cookie), None] {
            let page = token_page(&publisher, &sent, cookie).await;
            assert_eq!(page.status(), 200);
            let (message, target) = posted(&page);
            let decoded = percent_encoding::percent_decode_str(encoded).decode_utf8().unwrap();
            assert_eq!(message["messageId"], *decoded, "{encoded}");
            assert_eq!(target, V);
            assert_eq!(message.get("accessToken").is_some(), cookie.is_some());
            assert_token_message(&message);
            assert!(!page.headers().contains_key(header::SET_COOKIE));
        }
    }
}

/// TP-03: what viewers really send, and what is missing.
#[tokio::test]
async fn tp_03_message_ids_are_texts() {
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let longest = "x".repeat(2048);
    for (part, decoded) in [
        (
            "messageId=https%3A%2F%2Fiiif.example%2Fauth%2Ftoken%7C1712345678&",
            "https://iiif.example/auth/token|1712345678",
        ),
        ("messageId=1234&", "1234"),
        ("messageId=0&", "0"),
        ("messageId=true&", "true"),
        ("messageId=null&", "null"),
        ("messageId=%5B%5D&", "[]"),
        ("messageId=a+b&", "a b"),
        (&*format!("messageId={longest}&"), &*longest),
    ] {
        let page = token_page(&publisher, &format!("{part}origin={V}"), Some(&cookie)).await;
        let (message, _) = posted(&page);
        assert_eq!(message["type"], "AuthAccessToken2", "{message}");
        assert_eq!(message["messageId"].as_str(), Some(decoded));
    }
    let too_long = format!("messageId={longest}x&");
    for part in ["messageId=&", "messageId&", "", "messageid=m1&", "messageId=%ff&", &too_long] {
        let page = token_page(&publisher, &format!("{part}origin={V}"), Some(&cookie)).await;
        let message = assert_error(&page, "invalidRequest", V);
        assert_eq!(message["messageId"], "", "{part}");
    }
}

/// TP-05: what stands twice has no value.
#[tokio::test]
async fn tp_05_parameters_stand_once() {
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    for query in [
        format!("messageId=a&messageId=b&origin={V}"),
        format!("messageId=a&messageId=a&origin={V}"),
        format!("messageId=a&message%49d=b&origin={V}"),
        format!("messageId=&messageId=a&origin={V}"),
    ] {
        assert_error(&token_page(&publisher, &query, Some(&cookie)).await, "invalidRequest", V);
    }
    for query in [
        format!("messageId=m1&origin={V}&origin=https://evil.example"),
        format!("messageId=m1&origin=https://evil.example&origin={V}"),
        format!("messageId=m1&origin={V}&origin={V}"),
        format!("messageId=m1&origin={V}&or%69gin=https://evil.example"),
        format!("messageId=m1&origin={V}&origin="),
        format!("messageId=m1&origin={V}&origin"),
    ] {
        let page = token_page(&publisher, &query, Some(&cookie)).await;
        assert_no_post(&page, &["evil.example", "viewer.example"]);
    }
}

/// TP-06: on every token page, whatever it says.
#[tokio::test]
async fn tp_06_headers_of_the_page() {
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    for (query, cookie) in [
        (query(), Some(&*cookie)),
        (query(), None),
        (query(), Some("junk")),
        (format!("origin={V}"), Some(&*cookie)),
        ("origin=*".to_owned(), Some(&*cookie)),
    ] {
        let page = token_page(&publisher, &query, cookie).await;
        let headers = page.headers();
        assert_eq!(headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        let policy = policy(&page);
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(!policy.contains("frame-ancestors"), "any viewer frames it: {policy}");
        assert!(!policy.contains('*') && !policy.contains("http"), "{policy}");
        let forbidden =
            |name: &str| name.starts_with("access-control-") || name.starts_with("cross-origin-");
        for name in headers.keys() {
            assert!(!forbidden(name.as_str()), "{name}");
        }
        for name in ["etag", "last-modified", "x-frame-options", "set-cookie", "location", "vary"] {
            assert!(!headers.contains_key(name), "{name} on {query}");
        }
        if page.status() == 200 {
            posted(&page);
        }
    }
}

/// TP-08: there is no JSON and no callback; a parameter that nobody knows changes nothing.
#[tokio::test]
async fn tp_08_no_callback() {
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    for parameter in ["callback=steal", "jsonp=steal", "cb=steal", "format=json", "_=steal("] {
        let alone = token_page(&publisher, parameter, Some(&cookie)).await;
        assert_no_post(&alone, &["steal"]);
        let query = format!("{}&{parameter}", query());
        let page = token_page(&publisher, &query, Some(&cookie)).await;
        assert!(!text(&page).contains("steal"), "{parameter}");
        assert_eq!(page.headers()["x-content-type-options"], "nosniff");
        assert!(!page.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
        assert!(posted(&page).0["accessToken"].is_string());
    }
    // A script element and a fetch get the page as well, never data.
    for accept in ["application/json", "application/javascript", "*/*"] {
        let headers = [("accept", accept), ("cookie", &*pair(&cookie))];
        let page = publisher.get(&format!("/auth/token?{}", query()), &headers).await;
        assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
        posted(&page);
    }
}

/// TP-10: a secret beside a reflected text is never the same twice, and the cookie is not there.
#[tokio::test]
async fn tp_10_no_two_tokens_are_alike() {
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let mut tokens = HashSet::new();
    for _ in 0..50 {
        let headers = [("cookie", &*pair(&cookie)), ("accept-encoding", "gzip, br")];
        let page = publisher.get(&format!("/auth/token?{}", query()), &headers).await;
        assert!(!text(&page).contains(&cookie));
        let token = posted(&page).0["accessToken"].as_str().unwrap().to_owned();
        assert!(tokens.insert(token));
    }
    // No long run of characters is common to all: what compression could tell of one token is
    // of no use for the next.
    let mut tokens = tokens.into_iter();
    let first = tokens.next().unwrap();
    let common = tokens
        .map(|other| first.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count())
        .min()
        .unwrap();
    assert!(common <= 4, "{common} characters are the same");
}

/// A token page is only had by GET, at its own path, and other paths make no token.
#[tokio::test]
async fn tokens_are_made_at_one_place() {
    let publisher = Publisher::new();
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    for path in [
        "/auth/token/",
        "/auth/token/1",
        "/auth/Token",
        "//auth/token",
        "/auth//token",
        "/auth/./token",
        "/auth/%74oken",
        "/auth/token;x",
        "/auth/token%3Fx",
    ] {
        let response = publisher.get(&format!("{path}?{}", query()), &[("cookie", &cookie)]).await;
        assert!(matches!(response.status().as_u16(), 400 | 404), "{path}: {response:?}");
        assert!(!text(&response).contains("accessToken"), "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO"] {
        let path = format!("/auth/token?{}", query());
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let response = publisher.send(request(method, &path, &[("cookie", &cookie)])).await;
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()[header::ALLOW], "GET, HEAD");
        assert!(response.body().is_empty());
    }
}
