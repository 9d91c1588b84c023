//! The token services of 1.0 and 0.9: V1-TOK, V1-ERR, V09-TOK, V09-ERR and their columns of MAP.

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::families::{self, publisher};
use common::shapes::assert_members;
use common::steps::{hash, policy, scripts};
use common::{COOKIE, Publisher, V, clock, json, posted, request, set_cookies, text};
use http::{Method, Response, StatusCode};
use serde_json::Value;
use tower_iiif_auth::aspect::SessionId;
use tower_iiif_auth::clock::Timestamp;
use tower_iiif_auth::revocation::Revocations;
use tower_iiif_auth::{Answer, BoxError, Compatibility, OriginPolicy};

const OTHER_VIEWER: &str = "https://other.example";

/// How a request is answered.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Page,
    Body,
}

/// The two older families, by the digit of their URIs, each in both modes.
const EVERY: [(&str, Mode); 4] =
    [("1", Mode::Page), ("1", Mode::Body), ("0", Mode::Page), ("0", Mode::Body)];

/// Asks a family's token service as a well-behaved client does, with more in its query.
async fn ask(
    publisher: &Publisher,
    (family, mode): (&str, Mode),
    extra: &str,
    cookie: &str,
) -> (u16, Value) {
    let own = match mode {
        Mode::Page if extra.contains("origin=") => "messageId=m1".to_owned(),
        Mode::Page => format!("messageId=m1&origin={V}"),
        Mode::Body => String::new(),
    };
    let path = format!("/auth/token/{family}?{own}&{extra}");
    let response = publisher.get(&path, &[("cookie", cookie)]).await;
    (response.status().as_u16(), message_of(&response, family, mode))
}

/// The message of a response, after a look at what each of its kind has.
fn message_of(response: &Response<Bytes>, family: &str, mode: Mode) -> Value {
    let message = match mode {
        Mode::Page => {
            // HTML with HTTP 200, whatever the message says.
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
            posted(response).unwrap_or_else(|| panic!("no message in {response:?}")).0
        }
        Mode::Body => {
            // The object is all of the body.
            assert_eq!(response.headers()["content-type"], "application/json");
            json(response)
        }
    };
    assert_message(&message, family, mode);
    message
}

/// The closed shapes of 1.0 and 0.9: plain JSON without a context or type.
fn assert_message(message: &Value, family: &str, mode: Mode) {
    let mut required = if mode == Mode::Page { vec!["messageId"] } else { vec![] };
    if message.get("accessToken").is_some() {
        required.extend(["accessToken", "expiresIn"]);
        if family == "0" {
            required.push("tokenType");
            assert_eq!(message["tokenType"], "Bearer");
        }
        assert_members(message, &required, &[]);
        assert!(!message["accessToken"].as_str().unwrap().is_empty());
        assert!(message["expiresIn"].as_u64() > Some(0), "{message}");
    } else {
        // From a closed list, with a text if any.
        required.push("error");
        assert_members(message, &required, &["description"]);
        assert!(message.get("description").is_none_or(Value::is_string), "{message}");
        let names = [
            "invalidRequest",
            "missingCredentials",
            "invalidCredentials",
            "invalidOrigin",
            "unavailable",
        ];
        assert!(names.iter().any(|name| message["error"] == *name), "{message}");
    }
}

async fn logged_in() -> (Publisher, String) {
    let publisher = publisher();
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    (publisher, cookie)
}

fn speaking(compatibility: Compatibility) -> Publisher {
    let clock = clock();
    Publisher::before(
        families::builder(&clock).compatibility(compatibility),
        clock,
        families::images,
    )
}

/// A store that is down.
struct Down;

impl Revocations for Down {
    fn is_revoked(&self, _: SessionId, _: Timestamp) -> Answer<Result<bool, BoxError>> {
        Answer::Now(Err("the store is down".into()))
    }

    fn revoke(&self, _: SessionId, _: Timestamp, _: Timestamp) -> Answer<Result<(), BoxError>> {
        Answer::Now(Err("the store is down".into()))
    }
}

#[tokio::test]
async fn a_message_id_decides_how_it_is_answered() {
    let (publisher, cookie) = logged_in().await;
    for family in ["1", "0"] {
        for (query, status, expected) in [
            // V1-TOK-1, V09-TOK-2, CON-4: absent: the object is all of the body, in whatever else there is.
            (String::new(), 200, Mode::Body),
            ("?".to_owned(), 200, Mode::Body),
            ("?t=1712345678&callback=f".to_owned(), 200, Mode::Body),
            ("?messageid=1&MessageId=2&message_id=3".to_owned(), 200, Mode::Body),
            // CON-5
            (format!("?origin={V}"), 200, Mode::Body),
            (format!("?messageId=m1&origin={V}"), 200, Mode::Page),
            // CON-4: empty counts as present, and so does what cannot be read.
            (format!("?messageId=&origin={V}"), 200, Mode::Page),
            (format!("?messageId&origin={V}"), 200, Mode::Page),
            (format!("?messageId=a&messageId=b&origin={V}"), 200, Mode::Page),
            (format!("?messageId=%ff&origin={V}"), 200, Mode::Page),
            (format!("?message%49d=&origin={V}"), 200, Mode::Page),
            // CON-5: a page without anyone to post to, and never `*`.
            ("?messageId=m1".to_owned(), 400, Mode::Page),
            ("?messageId=".to_owned(), 400, Mode::Page),
            ("?messageId=m1&origin=*".to_owned(), 400, Mode::Page),
            (format!("?messageId=m1&origin={V}&origin={V}"), 400, Mode::Page),
        ] {
            let path = format!("/auth/token/{family}{query}");
            let response = publisher.get(&path, &[("cookie", &cookie)]).await;
            assert_eq!(response.status(), status, "{path}");
            if status == 400 {
                assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
                assert!(!text(&response).contains("script"), "{path}");
                continue;
            }
            let message = message_of(&response, family, expected);
            if expected == Mode::Page && !query.contains("messageId=m1") {
                // CON-4: there is no id that could be sent back.
                assert_eq!(message["error"], "invalidRequest", "{path}");
                assert_eq!(message["messageId"], "", "{path}");
            } else {
                assert!(message["accessToken"].is_string(), "{path}: {message}");
            }
        }
    }
    // CON-4: 2.0 has no such mode.
    let response = publisher.get("/auth/token", &[("cookie", &cookie)]).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    let response = publisher.get(&format!("/auth/token?origin={V}"), &[("cookie", &cookie)]).await;
    assert_eq!(posted(&response).unwrap().0["profile"], "invalidRequest");
}

#[tokio::test]
async fn a_token_for_valid_cookies() {
    for (waited, expires_in) in [(0, 300), (1499, 300), (1501, 299), (1799, 1)] {
        let (publisher, cookie) = logged_in().await;
        publisher.clock.advance(Duration::from_secs(waited));
        for way in EVERY {
            // V1-TOK-2, V1-TOK-3, V09-TOK-1, V09-TOK-3
            let (status, message) = ask(&publisher, way, "", &cookie).await;
            assert_eq!(status, 200);
            let id = if way.1 == Mode::Page { Some("m1") } else { None };
            assert_eq!(message.get("messageId").and_then(Value::as_str), id);
            // V1-TOK-2, V09-TOK-1: whole seconds, within the session.
            assert_eq!(message["expiresIn"], expires_in, "{way:?} after {waited}");
            // V1-TOK-2: it is what the family's descriptions take, for as long as it says.
            let resource = if way.0 == "1" { "/iiif/2/sec" } else { "/iiif/0.9/sec" };
            let bearer = format!("Bearer {}", message["accessToken"].as_str().unwrap());
            let info = publisher.info(resource, &[("authorization", &bearer)]).await;
            assert_eq!(info.0, 200, "{way:?}");
        }
    }
}

#[tokio::test]
async fn a_token_ends_when_it_says() {
    for way in EVERY {
        let (publisher, cookie) = logged_in().await;
        let (_, message) = ask(&publisher, way, "", &cookie).await;
        let bearer = format!("Bearer {}", message["accessToken"].as_str().unwrap());
        let resource = if way.0 == "1" { "/iiif/2/sec" } else { "/iiif/0.9/sec" };
        for (passed, status) in [(299, 200), (1, 401)] {
            publisher.clock.advance(Duration::from_secs(passed));
            // V1-TOK-2
            let info = publisher.info(resource, &[("authorization", &bearer)]).await;
            assert_eq!(info.0, status, "{way:?} after {passed}");
        }
    }
}

#[tokio::test]
async fn the_target_is_the_origin_of_the_request() {
    let clock = clock();
    let builder = families::builder(&clock).origins(OriginPolicy::Any);
    let publisher = Publisher::before(builder, clock, families::images);
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], None).await);
    for (origin, target) in [
        (V, V),
        // CON-6: as 1.0 and 0.9 write it, and as browsers spell it.
        ("https://viewer.example/", V),
        ("https%3A%2F%2Fviewer.example%2F", V),
        ("HTTPS://Viewer.EXAMPLE:443/", V),
        ("https://viewer.example:8443", "https://viewer.example:8443"),
        ("http://localhost:3000", "http://localhost:3000"),
    ] {
        for family in ["1", "0"] {
            for cookie in [cookie.as_str(), ""] {
                let path = format!("/auth/token/{family}?messageId=m1&origin={origin}");
                let page = publisher.get(&path, &[("cookie", cookie)]).await;
                // V1-TOK-4, CON-6
                assert_eq!(posted(&page).unwrap().1, target, "{origin}");
                let message = message_of(&page, family, Mode::Page);
                assert_eq!(message.get("accessToken").is_some(), !cookie.is_empty());
            }
        }
    }
    // CON-5, CON-6: what is no target gets nothing.
    for origin in ["*", "/", "null", "", "viewer.example", "https://a.example/b", "file:///"] {
        for family in ["1", "0"] {
            let path = format!("/auth/token/{family}?messageId=m1&origin={origin}");
            let page = publisher.get(&path, &[("cookie", &cookie)]).await;
            assert_eq!(page.status(), StatusCode::BAD_REQUEST, "{origin}");
            assert!(!text(&page).contains("script") && !text(&page).contains("m1"));
        }
    }
}

#[tokio::test]
async fn origins_are_refused_by_policy() {
    let listed = || OriginPolicy::allow([V]).unwrap();
    for (origins, opened, asked, accepted) in [
        (OriginPolicy::Bound, Some(V), V, true),
        (OriginPolicy::Bound, Some(V), "https://viewer.example/", true),
        (OriginPolicy::Bound, Some(V), OTHER_VIEWER, false),
        (OriginPolicy::Bound, Some(V), "http://viewer.example", false),
        // CON-19, LF-02: no viewer opened the login.
        (OriginPolicy::Bound, None, V, false),
        (OriginPolicy::Bound, None, OTHER_VIEWER, false),
        (OriginPolicy::Any, None, OTHER_VIEWER, true),
        (OriginPolicy::Any, Some(V), OTHER_VIEWER, true),
        (listed(), None, V, true),
        (listed(), None, OTHER_VIEWER, false),
    ] {
        let clock = clock();
        let builder = families::builder(&clock).origins(origins.clone());
        let publisher = Publisher::before(builder, clock, families::images);
        let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], opened).await);
        for way in EVERY {
            // V1-TOK-5, V1-ERR-5, MAP-2: an origin that is named counts in both modes.
            let (status, message) = ask(&publisher, way, &format!("origin={asked}"), &cookie).await;
            let refused = if way.1 == Mode::Page { 200 } else { 403 };
            let expected = if accepted { (200, None) } else { (refused, Some("invalidOrigin")) };
            let found = (status, message.get("error").and_then(Value::as_str));
            assert_eq!(found, expected, "{origins:?} {opened:?} {asked} {way:?}");
        }
        // V1-TOK-1: a client that is no browser has none, and needs none.
        for family in ["1", "0"] {
            let (status, _) = ask(&publisher, (family, Mode::Body), "", &cookie).await;
            assert_eq!(status, 200, "{origins:?}");
        }
    }
}

/// MAP-1 to MAP-6, from end to end.
#[tokio::test]
async fn every_cause_has_its_name_and_status() {
    let strict = Compatibility::default().strict_0_9_2();
    for compatibility in [Compatibility::default(), strict] {
        let publisher = speaking(compatibility);
        let log_in = async |viewer| format!("{COOKIE}={}", publisher.log_in(&["A"], viewer).await);
        let good = log_in(Some(V)).await;
        let elsewhere = log_in(Some(OTHER_VIEWER)).await;
        let revoked = log_in(Some(V)).await;
        publisher.get("/auth/logout/1", &[("cookie", &revoked)]).await;
        let clock = clock();
        let builder = families::builder(&clock).revocations(Down).compatibility(compatibility);
        let down = Publisher::before(builder, clock, families::images);
        let late = speaking(compatibility);
        late.clock.advance(Duration::from_secs(1800));
        let (own, doubled) = (format!("origin={V}"), format!("origin={V}&messageId=m2"));

        // Per cause: its name in 1.0 and 0.9.4, in 0.9.2, and its status in a body.
        for (publisher, page, body, cookie, name, name_0_9_2, status) in [
            // MAP-1, V1-ERR-2
            (&publisher, &*doubled, "origin=*", &*good, "invalidRequest", "invalidRequest", 400),
            // MAP-2, V1-ERR-5
            (&publisher, &own, &own, &elsewhere, "invalidOrigin", "invalidRequest", 403),
            // MAP-3, V1-ERR-3, V09-TOK-3
            (&publisher, &own, "", "a=b", "missingCredentials", "missingCredentials", 401),
            // MAP-4, V1-ERR-4, V09-TOK-3
            (&publisher, &own, "", &revoked, "invalidCredentials", "invalidCredentials", 401),
            (
                &publisher,
                &own,
                "",
                "__Host-iiif=junk",
                "invalidCredentials",
                "invalidCredentials",
                401,
            ),
            // MAP-5, V1-ERR-4, V09-TOK-3: expiry has no name of its own.
            (&late, &own, "", &good, "invalidCredentials", "invalidCredentials", 401),
            // MAP-6, V1-ERR-6
            (&down, &own, "", &good, "unavailable", "invalidRequest", 503),
        ] {
            for (family, mode) in EVERY {
                let more = if mode == Mode::Page { page } else { body };
                let (found, message) = ask(publisher, (family, mode), more, cookie).await;
                // CON-7, V09-ERR-1: 0.9.2 has no names that came later.
                let is_strict = compatibility == strict && family == "0";
                let name = if is_strict { name_0_9_2 } else { name };
                assert_eq!(message["error"], name, "{family} {mode:?}: {message}");
                // V1-ERR-1, V1-ERR-7, V09-ERR-4: the name from the list, and a status of its own only where the object is the body.
                let status = if mode == Mode::Page { 200 } else { status };
                assert_eq!(found, status, "{family} {mode:?} {name}");
                if mode == Mode::Page {
                    let id = if page == doubled { "" } else { "m1" };
                    assert_eq!(message["messageId"], id);
                }
            }
        }
        // CON-7: 2.0 has its own words for the same, whatever 0.9 is told.
        for (cookie, profile) in [("a=b", "missingAspect"), (&revoked, "invalidAspect")] {
            let message = publisher.token_message_at("/auth/token", cookie).await;
            assert_eq!(message["profile"], profile);
        }
    }
}

#[tokio::test]
async fn causes_are_looked_for_in_order() {
    let clock = clock();
    let builder =
        families::builder(&clock).origins(OriginPolicy::allow([V]).unwrap()).revocations(Down);
    let down = Publisher::before(builder, clock, families::images);
    let (publisher, cookie) = logged_in().await;
    let other = format!("origin={OTHER_VIEWER}");
    let doubled = format!("{other}&messageId=m2");
    for family in ["1", "0"] {
        for (publisher, mode, more, cookie, error) in [
            // CON-8: request, origin list, aspect, bound origin.
            (&down, Mode::Page, &*doubled, &*cookie, "invalidRequest"),
            (&down, Mode::Page, &other, &cookie, "invalidOrigin"),
            (&down, Mode::Page, "", &cookie, "unavailable"),
            (&publisher, Mode::Page, &other, "", "missingCredentials"),
            (&publisher, Mode::Page, &other, "__Host-iiif=x", "invalidCredentials"),
            (&publisher, Mode::Page, &other, &cookie, "invalidOrigin"),
            (&down, Mode::Body, "origin=null", &cookie, "invalidRequest"),
            (&down, Mode::Body, &other, &cookie, "invalidOrigin"),
            (&down, Mode::Body, "", &cookie, "unavailable"),
            (&publisher, Mode::Body, &other, "", "missingCredentials"),
            (&publisher, Mode::Body, &other, &cookie, "invalidOrigin"),
        ] {
            let (_, message) = ask(publisher, (family, mode), more, cookie).await;
            assert_eq!(message["error"], error, "{family} {mode:?} {more}");
        }
    }
}

#[tokio::test]
async fn answers_are_silent_framed_by_anyone_and_never_stored() {
    let (publisher, cookie) = logged_in().await;
    for (family, mode) in EVERY {
        for cookie in [cookie.as_str(), ""] {
            let query =
                if mode == Mode::Page { format!("?messageId=1&origin={V}") } else { String::new() };
            let headers = [("cookie", cookie), ("sec-fetch-dest", "iframe"), ("origin", V)];
            let path = format!("/auth/token/{family}{query}");
            let response = publisher.get(&path, &headers).await;
            message_of(&response, family, mode);
            let headers = response.headers();
            // V1-TOK-6: in no cache, read as what it says, by no other site.
            assert_eq!(headers["cache-control"], "no-store");
            assert_eq!(headers["x-content-type-options"], "nosniff");
            let cors = |name: &http::HeaderName| name.as_str().starts_with("access-control-");
            assert!(!headers.keys().any(cors), "{path}: {headers:?}");
            assert!(set_cookies(headers).is_empty());
            for name in ["www-authenticate", "location", "etag", "refresh"] {
                assert!(!headers.contains_key(name), "{name} on {path}");
            }
            if mode == Mode::Body {
                continue;
            }
            // V1-TOK-6: in any frame, with its own script and nothing to see.
            let policy = policy(&response);
            assert!(!headers.contains_key("x-frame-options"));
            assert!(!policy.contains("frame-ancestors") && !policy.contains("sandbox"));
            let [script] = &scripts(text(&response))[..] else { panic!("{response:?}") };
            assert!(policy.contains(&format!("script-src {}", hash(script))), "{policy}");
            let shown = text(&response).split_once("<body>").unwrap().1;
            assert!(shown.starts_with("<script"), "nothing is shown: {shown}");
        }
    }
}

#[tokio::test]
async fn message_ids_come_back_unchanged() {
    let (publisher, cookie) = logged_in().await;
    let longest = "x".repeat(2048);
    for family in ["1", "0"] {
        for (sent, id) in [
            // V1-TOK-3: Universal Viewer counts milliseconds, Mirador sends a whole URI.
            ("1712345678901", "1712345678901"),
            ("https%3A%2F%2Fiiif.example%2Fauth%2Ftoken%2F1", "https://iiif.example/auth/token/1"),
            ("a+b%2Bc%20d", "a b+c d"),
            ("null", "null"),
            ("%C3%A9%F0%9F%92%A1", "é💡"),
            (&longest, &longest),
            // V1-TOK-6: nothing leaves the literal or the element.
            ("%3C%2Fscript%3E%3Cscript%3Ex", "</script><script>x"),
            ("%E2%80%A8%00", "\u{2028}\0"),
        ] {
            for cookie in [cookie.as_str(), ""] {
                let path = format!("/auth/token/{family}?messageId={sent}&origin={V}");
                let page = publisher.get(&path, &[("cookie", cookie)]).await;
                // V1-TOK-3, V1-ERR-7: as a text, with a token and with an error.
                assert_eq!(message_of(&page, family, Mode::Page)["messageId"], id, "{sent:.40}");
                assert_eq!(text(&page).matches("</script").count(), 2);
            }
        }
        let path = format!("/auth/token/{family}?messageId={longest}x&origin={V}");
        let message = message_of(&publisher.get(&path, &[]).await, family, Mode::Page);
        assert_eq!(
            (&message["error"], &message["messageId"]),
            (&"invalidRequest".into(), &"".into())
        );
    }
}

#[tokio::test]
async fn a_head_request_makes_no_token() {
    let (publisher, cookie) = logged_in().await;
    for family in ["1", "0"] {
        for query in [String::new(), format!("?messageId=1&origin={V}")] {
            let path = format!("/auth/token/{family}{query}");
            let head = publisher.send(request(Method::HEAD, &path, &[("cookie", &cookie)])).await;
            assert_eq!(head.status(), StatusCode::OK, "{path}");
            assert!(head.body().is_empty());
            let page = publisher.get(&path, &[("cookie", &cookie)]).await;
            for name in ["content-type", "content-security-policy", "cross-origin-resource-policy"]
            {
                assert_eq!(head.headers().get(name), page.headers().get(name), "{name} of {path}");
            }
        }
    }
}

/// What every family's endpoint says to the same user, and that one is not the other.
#[tokio::test]
async fn families_do_not_mix() {
    let (publisher, cookie) = logged_in().await;
    let flow = publisher.token_at("/auth/token", &cookie).await;
    let token = async |way| {
        let (_, message) = ask(&publisher, way, "", &cookie).await;
        message["accessToken"].as_str().unwrap().to_owned()
    };
    for (family, own, other) in
        [("1", "/iiif/2/sec", "/iiif/0.9/sec"), ("0", "/iiif/0.9/sec", "/iiif/2/sec")]
    {
        for mode in [Mode::Page, Mode::Body] {
            let older = token((family, mode)).await;
            let bearer = format!("Bearer {older}");
            // CON-2, SEC-2: a token is good where its own family is spoken, and for no probe.
            for (resource, status) in [(own, 200), (other, 401), ("/iiif/all/sec", 200)] {
                let info = publisher.info(resource, &[("authorization", &bearer)]).await;
                assert_eq!(info.0, status, "{family} {mode:?} at {resource}");
            }
            for base in ["3", "all", "open"] {
                let probe = format!("/iiif/{base}/sec");
                assert_eq!(publisher.probe_status(&probe, Some(&older)).await, 401, "{base}");
            }
            let bearer = format!("Bearer {flow}");
            let info = publisher.info(own, &[("authorization", &bearer)]).await;
            assert_eq!(info.0, 401, "{family}");
        }
    }
    let bearer = format!("Bearer {flow}");
    let info = publisher.info("/iiif/all/sec", &[("authorization", &bearer)]).await;
    assert_eq!(info.0, 401, "a token of 2.0 is for the probe");
    assert_eq!(publisher.probe_status("/iiif/all/sec", Some(&flow)).await, 200);
}

/// CON-5: Universal Viewer 4.4.0 names no origin in its 0.9 mode.
#[tokio::test]
async fn the_referer_stands_in_only_where_it_is_told_to() {
    let on = Compatibility::default().origin_from_referer();
    for (compatibility, family, referer, query, status) in [
        (on, "0", "https://viewer.example/uv/?manifest=x", "messageId=1", 200),
        (on, "0", "https://viewer.example/", "messageId=1&origin=", 400),
        (on, "0", "https://viewer.example/", "messageId=1&origin=*", 400),
        (on, "0", "https://user@viewer.example/", "messageId=1", 400),
        (on, "0", "", "messageId=1", 400),
        (on, "1", "https://viewer.example/", "messageId=1", 400),
        (Compatibility::default(), "0", "https://viewer.example/", "messageId=1", 400),
    ] {
        let publisher = speaking(compatibility);
        let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
        let path = format!("/auth/token/{family}?{query}");
        let headers = [("cookie", &*cookie), ("referer", referer)];
        let page = publisher.get(&path, &headers).await;
        assert_eq!(page.status(), status, "{family} {referer} {query}");
        let expected = (status == 200).then_some(V);
        assert_eq!(posted(&page).map(|(_, target)| target).as_deref(), expected);
    }
    // CON-5, CON-19: it is held to what a named origin is held to.
    let publisher = speaking(on);
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    let headers =
        [("cookie", &*cookie), ("referer", "https://other.example/?https://viewer.example")];
    let page = publisher.get("/auth/token/0?messageId=1", &headers).await;
    let (message, target) = posted(&page).unwrap();
    assert_eq!((&*target, &message["error"]), (OTHER_VIEWER, &"invalidOrigin".into()));
    // CON-4: without a messageId nothing is posted, and nothing depends on it.
    let body = publisher.get("/auth/token/0", &headers).await;
    assert!(message_of(&body, "0", Mode::Body)["accessToken"].is_string());
}

/// A named realm has services of its own in every family.
#[tokio::test]
async fn realms_are_apart() {
    let publisher = publisher();
    let one = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    let other = publisher.log_in_at("/auth/other/login", "__Host-iiif-other", "B", V).await;
    let other = format!("__Host-iiif-other={other}");
    for family in ["1", "0"] {
        for (realm, cookie, expected) in [
            ("", &one, None),
            ("", &other, Some("missingCredentials")),
            ("/other", &one, Some("missingCredentials")),
            ("/other", &other, None),
        ] {
            for (query, mode) in
                [(format!("messageId=1&origin={V}"), Mode::Page), (String::new(), Mode::Body)]
            {
                let path = format!("/auth{realm}/token/{family}?{query}");
                let response = publisher.get(&path, &[("cookie", cookie)]).await;
                let message = message_of(&response, family, mode);
                // V1-TOK-2, V1-ERR-1, V1-ERR-3
                let error = message.get("error").and_then(Value::as_str);
                assert_eq!(error, expected, "{path}");
            }
        }
    }
}

/// OR-07's neighbour: a token for a viewer is good for no other viewer; one that was asked for
/// without an origin is for a client that has none, and sends none.
#[tokio::test]
async fn a_token_is_its_viewers_own() {
    let (publisher, cookie) = logged_in().await;
    let named = format!("origin={V}");
    for way in EVERY {
        for (more, held) in [(&*named, true), ("", way.1 == Mode::Page)] {
            let (_, message) = ask(&publisher, way, more, &cookie).await;
            let bearer = format!("Bearer {}", message["accessToken"].as_str().unwrap());
            let resource = if way.0 == "1" { "/iiif/2/sec" } else { "/iiif/0.9/sec" };
            for (origin, status) in
                [(Some(V), 200), (None, 200), (Some(OTHER_VIEWER), if held { 401 } else { 200 })]
            {
                let mut headers = vec![("authorization", &*bearer)];
                headers.extend(origin.map(|origin| ("origin", origin)));
                // V1-TOK-5
                let info = publisher.info(resource, &headers).await;
                assert_eq!(info.0, status, "{way:?} {more} from {origin:?}");
            }
        }
    }
}

/// CON-21, V1-TOK-2, V1-TOK-3, V09-TOK-1: a token tells its end in every family, and its type in 0.9
/// alone; nothing else is told.
#[tokio::test]
async fn the_members_of_a_token() {
    let (publisher, cookie) = logged_in().await;
    let posted = |family: &'static str| (family, Mode::Page);
    for ((family, mode), expected) in [
        (posted(""), &["@context", "accessToken", "expiresIn", "messageId", "type"][..]),
        (posted("/1"), &["accessToken", "expiresIn", "messageId"]),
        (posted("/0"), &["accessToken", "expiresIn", "messageId", "tokenType"]),
        (("/1", Mode::Body), &["accessToken", "expiresIn"]),
        (("/0", Mode::Body), &["accessToken", "expiresIn", "tokenType"]),
    ] {
        let query = match mode {
            Mode::Page => format!("?messageId=m1&origin={V}"),
            Mode::Body => String::new(),
        };
        let path = format!("/auth/token{family}{query}");
        let response = publisher.get(&path, &[("cookie", &cookie)]).await;
        let message = match mode {
            Mode::Page => common::posted(&response).unwrap().0,
            Mode::Body => json(&response),
        };
        let mut members: Vec<_> = message.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members, expected, "{path}");
        assert_eq!(message["expiresIn"], 300, "{path}");
        let bearer = message.get("tokenType").is_none_or(|kind| kind == "Bearer");
        assert!(bearer && message["accessToken"].is_string(), "{message}");
    }
}

/// V1-ERR-1, V09-ERR-3: an error has a name of the list, and its description tells a developer which
/// of the causes it was, in plain words and with nothing of the request.
#[tokio::test]
async fn the_members_of_an_error() {
    let publisher = publisher();
    let elsewhere = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(OTHER_VIEWER)).await);
    let clock = clock();
    let down = families::builder(&clock).revocations(Down);
    let down = Publisher::before(down, clock, families::images);
    for family in ["1", "0"] {
        let mut told = std::collections::BTreeSet::new();
        for (publisher, origin, cookie, error) in [
            (&publisher, "zz*", "", "invalidRequest"),
            (&publisher, V, "", "missingCredentials"),
            (&publisher, V, "__Host-iiif=zzqq", "invalidCredentials"),
            (&publisher, V, &*elsewhere, "invalidOrigin"),
            (&down, V, &*elsewhere, "unavailable"),
        ] {
            let path = format!("/auth/token/{family}?origin={origin}");
            let message = json(&publisher.get(&path, &[("cookie", cookie)]).await);
            let members: Vec<_> = message.as_object().unwrap().keys().collect();
            assert_eq!(members, ["description", "error"], "{path}");
            assert_eq!(message["error"], error);
            let description = message["description"].as_str().unwrap();
            assert!(!description.is_empty() && !description.contains(['<', '>', '&']));
            assert!(!description.contains("zz") && !description.contains("viewer.example"));
            told.insert(description.to_owned());
        }
        assert_eq!(told.len(), 5, "one text for each cause: {told:?}");
    }
}
