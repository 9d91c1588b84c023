//! The page that posts a token or an error: V2-TOK, V2-ERR, CLI and the v2 column of MAP.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use common::shapes::{AUTH_2, assert_language_map, assert_members, assert_token_message};
use common::steps::{hash, policy, scripts};
use common::{
    BASE, COOKIE, Publisher, V, builder, clock, image, posted, request, set_cookies, text,
};
use http::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tower_iiif_auth::aspect::{AspectError, AuthorizingAspect, Head, Reading, Session, SessionId};
use tower_iiif_auth::clock::Timestamp;
use tower_iiif_auth::revocation::Revocations;
use tower_iiif_auth::{
    AccessCookie, AccessService, Answer, BoxError, IiifAuth, Keyring, LanguageMap, Limits, Message,
    OriginPolicy, Realm, Texts,
};

/// Checks what every answer to a token request has, and returns its message.
fn message_of(page: &Response<Bytes>, target: &str) -> Value {
    // HTML with HTTP 200, which leads nowhere.
    assert_eq!(page.status(), StatusCode::OK);
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert!(!page.headers().contains_key("location"));
    // One script, to the parent of the frame, an object and not its text.
    let [script] = &scripts(text(page))[..] else { panic!("{page:?}") };
    assert!(script.contains("window.parent.postMessage(message, targetOrigin);"), "{script}");
    assert!(!script.contains("opener") && !script.contains("stringify"), "{script}");
    let (message, to) = posted(page).unwrap();
    assert!(message.is_object());
    assert_eq!(to, target);
    assert_token_message(&message);
    message
}

async fn ask(publisher: &Publisher, query: &str, cookie: &str) -> Value {
    let page = publisher.get(&format!("/auth/token?{query}"), &[("cookie", cookie)]).await;
    message_of(&page, V)
}

async fn logged_in() -> (Publisher, String) {
    let publisher = Publisher::new();
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    (publisher, cookie)
}

/// An aspect and store of a test's own making, which fail as they are told.
#[derive(Clone, Copy)]
enum Fails {
    Error,
    Panic,
    Never,
}

impl Fails {
    fn answer<T: Send + 'static>(self) -> Answer<Result<T, BoxError>> {
        match self {
            Self::Error => Answer::Now(Err("the store is down".into())),
            Self::Panic => panic!("the store panics"),
            Self::Never => Answer::later(std::future::pending()),
        }
    }
}

impl Revocations for Fails {
    fn is_revoked(&self, _: SessionId, _: Timestamp) -> Answer<Result<bool, BoxError>> {
        self.answer()
    }

    fn revoke(&self, _: SessionId, _: Timestamp, _: Timestamp) -> Answer<Result<(), BoxError>> {
        self.answer()
    }
}

impl AuthorizingAspect for Fails {
    fn name(&self) -> &'static str {
        "fails"
    }

    fn read(&self, _: &Head<'_>, _: Timestamp) -> Reading {
        match self.answer() {
            Answer::Now(outcome) => Answer::Now(outcome.map_err(AspectError::Unavailable)),
            Answer::Later(outcome) => {
                Answer::later(async { outcome.await.map_err(AspectError::Unavailable) })
            }
        }
    }
}

#[tokio::test]
async fn a_token_for_a_valid_aspect() {
    let (publisher, cookie) = logged_in().await;
    // V2-TOK-3, V2-TOK-4, V2-TOK-5: a page with HTTP 200 that posts an object to this very viewer.
    let message = ask(&publisher, &format!("messageId=1234&origin={V}"), &cookie).await;
    // V2-TOK-7: these members and no others.
    let members = ["@context", "type", "messageId", "accessToken", "expiresIn"];
    assert_members(&message, &members, &[]);
    assert_eq!(message["@context"], AUTH_2);
    assert_eq!(message["type"], "AuthAccessToken2");
    // V2-TOK-6: a string, also where it looks like a number.
    assert_eq!(message["messageId"], json!("1234"));
    // V2-TOK-8
    assert_eq!(message["expiresIn"], json!(300));
    // V2-TOK-14: characters that fit a bearer header (RFC 6750 §2.1).
    let token = message["accessToken"].as_str().unwrap();
    assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b)));
    assert_eq!(publisher.result("/iiif/3/sec", Some(token)).await["status"], 200);
}

#[tokio::test]
async fn every_reason_has_its_profile() {
    let (publisher, cookie) = logged_in().await;
    let own = |query: &str| query.replace("{V}", V);
    let long = "x".repeat(2049);
    let (other_clock, expired) = {
        let (old, cookie) = logged_in().await;
        (old, cookie)
    };
    other_clock.clock.advance(Duration::from_secs(600));
    let revoked = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    publisher.get("/auth/logout", &[("cookie", &revoked)]).await;
    let foreign = {
        let clock = clock();
        let keyring = Keyring::from_bytes(&common::key(99)).unwrap();
        let foreign = Publisher::of(builder(&clock).keyring(keyring), clock);
        format!("{COOKIE}={}", foreign.log_in(&["A"], Some(V)).await)
    };
    let tampered = {
        let mut bytes = cookie.clone().into_bytes();
        let last = bytes.len() - 1;
        bytes[last] = if bytes[last] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let other_realm = {
        let value = publisher.log_in_at("/auth/other/login", "__Host-iiif-other", "B", V).await;
        format!("{COOKIE}={value}")
    };
    let clock = clock();
    let allow = OriginPolicy::allow(["https://listed.example"]).unwrap();
    let listing = Publisher::of(builder(&clock).origins(allow), clock.clone());
    let down = Publisher::of(builder(&clock).revocations(Fails::Error), clock);
    let bound_elsewhere =
        format!("{COOKIE}={}", publisher.log_in(&["A"], Some("https://other.example")).await);

    let (missing, doubled) = (own("origin={V}"), own("messageId=a&messageId=b&origin={V}"));
    let oversized = format!("messageId={long}&origin={V}");
    let good = own("messageId=m1&origin={V}");
    for (publisher, query, cookie, profile, message_id) in [
        // V2-ERR-4, V2-ERR-12, MAP-1: no id that could be sent back.
        (&publisher, &missing, &cookie, "invalidRequest", ""),
        (&publisher, &doubled, &cookie, "invalidRequest", ""),
        (&publisher, &oversized, &cookie, "invalidRequest", ""),
        // V2-ERR-5, MAP-2: not the origin of the access service, or one that is not listed.
        (&publisher, &good, &bound_elsewhere, "invalidOrigin", "m1"),
        (&listing, &good, &cookie, "invalidOrigin", "m1"),
        // V2-ERR-6, MAP-3
        (&publisher, &good, &"a=b".to_owned(), "missingAspect", "m1"),
        // V2-ERR-7, MAP-4: revoked, of another publisher, changed, of another realm.
        (&publisher, &good, &revoked, "invalidAspect", "m1"),
        (&publisher, &good, &foreign, "invalidAspect", "m1"),
        (&publisher, &good, &tampered, "invalidAspect", "m1"),
        (&publisher, &good, &other_realm, "invalidAspect", "m1"),
        (&publisher, &good, &format!("{COOKIE}=junk"), "invalidAspect", "m1"),
        // V2-ERR-8, MAP-5
        (&other_clock, &good, &expired, "expiredAspect", "m1"),
        // V2-ERR-9, MAP-6
        (&down, &good, &cookie, "unavailable", "m1"),
    ] {
        // V2-TOK-3, V2-TOK-4, V2-TOK-5: an error is posted in the same way.
        let message = ask(publisher, query, cookie).await;
        // V2-ERR-1, V2-ERR-3: closed shape and closed list, the names of 2.0.
        let members = ["@context", "type", "profile", "messageId"];
        assert_members(&message, &members, &["heading", "note"]);
        assert_eq!(message["type"], "AuthAccessTokenError2", "{profile}");
        assert_eq!(message["profile"], profile);
        assert_eq!(message["messageId"], message_id);
        // V2-ERR-2
        assert_language_map(&message["heading"]);
        // V2-ERR-10: mere presence would count as success.
        assert_eq!(message.get("accessToken"), None);
        assert_eq!(message.get("expiresIn"), None);
    }
}

#[tokio::test]
async fn what_fails_is_said_in_the_page() {
    for fails in [Fails::Error, Fails::Panic, Fails::Never] {
        let build = |realm: Realm| {
            let clock = clock();
            let builder = IiifAuth::builder(BASE)
                .keyring(common::keyring())
                .images("/iiif/3")
                .realm(realm)
                .authorizer(common::rules())
                .clock(clock.clone())
                .limits(Limits::new().max_decision_time(Duration::from_millis(20)));
            (builder, clock)
        };
        let (aspect, clock) = build(Realm::new().access(AccessService::external()).aspect(fails));
        let aspect = Publisher::of(aspect, clock);
        let (store, clock) = build(Realm::new().access(AccessService::kiosk("room")));
        let store = Publisher::of(store.revocations(fails), clock);
        let cookie = logged_in().await.1;
        for publisher in [aspect, store] {
            let message = ask(&publisher, &format!("messageId=1&origin={V}"), &cookie).await;
            // V2-ERR-9, V2-TOK-3: an error, a panic and a wait without end: HTTP 200 all the same.
            assert_eq!(message["profile"], "unavailable");
        }
    }
}

#[tokio::test]
async fn the_target_is_the_origin_in_canonical_form() {
    let at = clock();
    let publisher = Publisher::of(builder(&at).origins(OriginPolicy::Any), at);
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], None).await);
    for (origin, target) in [
        ("https://viewer.example", "https://viewer.example"),
        // CLI-3: the older specifications write a slash.
        ("https://viewer.example/", "https://viewer.example"),
        ("HTTPS://Viewer.EXAMPLE:443", "https://viewer.example"),
        ("http://viewer.example:80/", "http://viewer.example"),
        ("https://viewer.example:8443", "https://viewer.example:8443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("https%3A%2F%2Fviewer.example", "https://viewer.example"),
    ] {
        let path = format!("/auth/token?messageId=1&origin={origin}");
        let page = publisher.get(&path, &[("cookie", &cookie)]).await;
        // V2-TOK-5, CLI-3, CON-6
        let message = message_of(&page, target);
        assert_eq!(message["type"], "AuthAccessToken2", "{origin}");
        let error = message_of(&publisher.get(&path, &[]).await, target);
        assert_eq!(error["profile"], "missingAspect", "{origin}");
    }
    // CLI-3: the same origin, spelt either way, is the one the session is bound to.
    for (opened, asked) in [("https://viewer.example/", V), (V, "https://viewer.example:443/")] {
        let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(opened)).await);
        let path = format!("/auth/token?messageId=1&origin={asked}");
        let page = publisher.get(&path, &[("cookie", &cookie)]).await;
        assert_eq!(message_of(&page, V)["type"], "AuthAccessToken2");
    }
}

#[tokio::test]
async fn without_a_usable_origin_nothing_is_posted() {
    let (publisher, cookie) = logged_in().await;
    let long = format!("https://{}.example", "a".repeat(512));
    let plain = publisher.get("/auth/token?messageId=zzqq", &[("cookie", &cookie)]).await;
    for origin in [
        "",
        "origin=",
        "origin=*",
        "origin=/",
        "origin=null",
        "origin=viewer.example",
        "origin=//viewer.example",
        "origin=ftp://viewer.example",
        "origin=file:///",
        "origin=javascript:alert(1)",
        "origin=data:text/html,x",
        "origin=https://user@viewer.example",
        "origin=https://viewer.example/path",
        "origin=https://viewer.example/?q",
        "origin=https://viewer.example?q",
        "origin=https://viewer.example%23f",
        "origin=https://viewer.example%0a",
        "origin=https://viewer.example,https://b.example",
        "origin=%ff",
        &format!("origin={long}"),
        // CLI-2, CON-5: twice is nobody in particular.
        "origin=https://viewer.example&origin=https://evil.example",
        "origin=https://viewer.example&origin=https://viewer.example",
        "ORIGIN=https://viewer.example",
    ] {
        let path = format!("/auth/token?messageId=zzqq&{origin}");
        let page = publisher.get(&path, &[("cookie", &cookie)]).await;
        // V2-ERR-11, CLI-3, CON-5, CON-6: a static page, without a script or a token.
        assert_eq!(page.status(), StatusCode::BAD_REQUEST, "{origin:.60}");
        assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
        assert!(!text(&page).contains("script") && !text(&page).contains("zzqq"));
        assert_eq!(page.body(), plain.body(), "the same page for all");
    }
}

#[tokio::test]
async fn message_ids_come_back_unchanged() {
    let (publisher, cookie) = logged_in().await;
    let longest = "x".repeat(2048);
    for (sent, id) in [
        ("1234", "1234"),
        ("0", "0"),
        ("true", "true"),
        ("e0b3c5f6-4c3b-4d2a-8a4e-5a3b1c2d3e4f", "e0b3c5f6-4c3b-4d2a-8a4e-5a3b1c2d3e4f"),
        // CLI-4: a whole URL, with a bar and a time behind it.
        ("https://iiif.example/auth/token", "https://iiif.example/auth/token"),
        ("https%3A%2F%2Fiiif.example%2Ft%7C1712345678", "https://iiif.example/t|1712345678"),
        ("a+b%2Bc%20d", "a b+c d"),
        ("%C3%A9%F0%9F%92%A1", "é💡"),
        // V2-TOK-13: nothing leaves the literal or the element.
        (
            "%3C%2Fscript%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E",
            "</script><script>alert(1)</script>",
        ),
        ("%22%7D%2C%22*%22)%3Balert(1)%3B%2F%2F", "\"},\"*\");alert(1);//"),
        ("%3C!--%3Cscript%3E", "<!--<script>"),
        ("'%5C%22%26amp;%26quot;", "'\\\"&amp;&quot;"),
        ("%E2%80%A8%E2%80%A9%00%0D%0A", "\u{2028}\u{2029}\0\r\n"),
        ("%EF%BB%BF%7Bid%7D", "\u{feff}{id}"),
        (&longest, &longest),
    ] {
        let path = format!("/auth/token?messageId={sent}&origin={V}");
        for (cookie, kind) in [(cookie.as_str(), "AuthAccessToken2"), ("", "AuthAccessTokenError2")]
        {
            let page = publisher.get(&path, &[("cookie", cookie)]).await;
            let message = message_of(&page, V);
            // V2-TOK-6, V2-ERR-1, CLI-4
            assert_eq!(message["messageId"], json!(id), "{sent:.40}");
            assert_eq!(message["type"], kind);
            // V2-TOK-13: the only ends and beginnings of elements are the page's own.
            let html = text(&page);
            assert_eq!(html.matches("<script").count(), 2, "{html}");
            assert_eq!(html.matches("</script").count(), 2, "{html}");
            assert!(!html.contains("<!--") && !html.contains(['\u{2028}', '\u{2029}', '\0']));
        }
    }
}

#[tokio::test]
async fn parameters_in_any_spelling() {
    let (publisher, cookie) = logged_in().await;
    for query in [
        "messageId=m1&origin=https://viewer.example",
        "origin=https://viewer.example&messageId=m1",
        "origin=https%3A%2F%2Fviewer.example&messageId=m%31",
        "&&origin=https%3a%2f%2fviewer.example&x&t=1712345678&messageId=m1&=&callback=f",
        "message%49d=m1&%6Frigin=https://viewer.example",
        "messageid=other&messageId=m1&Origin=https://evil.example&origin=https://viewer.example",
        "token=x&access_token=y&code=z&messageId=m1&origin=https://viewer.example",
    ] {
        let message = ask(&publisher, query, &cookie).await;
        // CLI-2, CON-23
        assert_eq!(message["type"], "AuthAccessToken2", "{query}");
        assert_eq!(message["messageId"], "m1", "{query}");
    }
    // CLI-2, V2-ERR-4: which of the two is not guessed.
    for query in
        ["messageId=m1&messageId=m1", "messageId=m1&message%49d=m2", "messageId=m1&messageId"]
    {
        let message = ask(&publisher, &format!("{query}&origin={V}"), &cookie).await;
        assert_eq!(message["profile"], "invalidRequest", "{query}");
        assert_eq!(message["messageId"], "");
    }
}

#[tokio::test]
async fn a_message_id_has_to_be_there() {
    let (publisher, cookie) = logged_in().await;
    // V2-ERR-12, CON-4, CON-5: absent, empty or no text.
    for query in ["", "messageId", "messageId=", "messageId=%ff", "messageID=m1"] {
        let message = ask(&publisher, &format!("{query}&origin={V}"), &cookie).await;
        assert_eq!(message["profile"], "invalidRequest", "{query}");
        assert_eq!(message["messageId"], json!(""), "{query}");
    }
}

#[tokio::test]
async fn origin_policies() {
    let other = "https://other.example";
    let listed = || OriginPolicy::allow([V, "https://listed.example/"]).unwrap();
    for (policy, opened, asked, expected) in [
        (OriginPolicy::Bound, Some(V), V, "AuthAccessToken2"),
        (OriginPolicy::Bound, Some(V), other, "invalidOrigin"),
        (OriginPolicy::Bound, Some(V), "http://viewer.example", "invalidOrigin"),
        (OriginPolicy::Bound, Some(V), "https://viewer.example:8443", "invalidOrigin"),
        (OriginPolicy::Bound, Some(V), "https://sub.viewer.example", "invalidOrigin"),
        // CON-19, LF-02: no viewer opened the login.
        (OriginPolicy::Bound, None, V, "invalidOrigin"),
        (OriginPolicy::Bound, None, other, "invalidOrigin"),
        (OriginPolicy::Any, None, other, "AuthAccessToken2"),
        // SEC-9: nobody has to be registered for reading.
        (OriginPolicy::Any, Some(V), other, "AuthAccessToken2"),
        // V2-TOK-11: the list counts whatever the session says.
        (listed(), Some(V), V, "AuthAccessToken2"),
        (listed(), None, "https://listed.example", "AuthAccessToken2"),
        (listed(), None, other, "invalidOrigin"),
    ] {
        let clock = clock();
        let publisher = Publisher::of(builder(&clock).origins(policy.clone()), clock);
        let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], opened).await);
        let path = format!("/auth/token?messageId=1&origin={asked}");
        // V2-ERR-5, V2-TOK-11: the answer is for whoever asked, an error included.
        let message = message_of(&publisher.get(&path, &[("cookie", &cookie)]).await, asked);
        let found = message.get("profile").unwrap_or(&message["type"]);
        assert_eq!(found, expected, "{policy:?} {opened:?} {asked}");
    }
}

#[tokio::test]
async fn a_token_lives_no_longer_than_its_session() {
    for (session, token, waited, expires_in) in [
        (600, 300, 0, 300),
        (600, 300, 299, 300),
        (600, 300, 301, 299),
        (600, 300, 599, 1),
        (60, 300, 0, 60),
        (600, 30, 0, 30),
    ] {
        let clock = clock();
        let realm = Realm::new()
            .access(AccessService::active("login", "Library"))
            .aspect(AccessCookie::new().lifetime(Duration::from_secs(session)));
        let builder = IiifAuth::builder(BASE)
            .keyring(common::keyring())
            .images("/iiif/3")
            .realm(realm)
            .authorizer(common::rules())
            .limits(Limits::new().max_token_lifetime(Duration::from_secs(token)))
            .clock(clock.clone());
        let publisher = Publisher::of(builder, clock);
        let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
        publisher.clock.advance(Duration::from_secs(waited));
        let message = ask(&publisher, &format!("messageId=1&origin={V}"), &cookie).await;
        // V2-TOK-8: a whole positive number, within the session.
        assert_eq!(message["expiresIn"], json!(expires_in), "{session} {token} {waited}");
        // V2-TOK-9: and it is kept to.
        let token = message["accessToken"].as_str().unwrap();
        publisher.clock.advance(Duration::from_secs(expires_in - 1));
        assert_eq!(publisher.probe_status("/iiif/3/sec", Some(token)).await, 200);
        publisher.clock.advance(Duration::from_secs(1));
        assert_eq!(publisher.probe_status("/iiif/3/sec", Some(token)).await, 401);
    }
    // V2-TOK-8: less than a second is no life that could be told: none is issued.
    let (publisher, cookie) = logged_in().await;
    publisher.clock.advance(Duration::from_millis(599_500));
    let message = ask(&publisher, &format!("messageId=1&origin={V}"), &cookie).await;
    assert_eq!(message["profile"], "expiredAspect");
}

#[tokio::test]
async fn a_token_is_not_about_one_resource() {
    let publisher = Publisher::new();
    for roles in [&[][..], &["A"], &["C"]] {
        let cookie = format!("{COOKIE}={}", publisher.log_in(roles, Some(V)).await);
        // V2-TOK-10: whoever has the aspect has a token; the probe then says what for.
        let token = publisher.token_at("/auth/token", &cookie).await;
        let expected = if roles == ["A"] { 200 } else { 403 };
        assert_eq!(publisher.probe_status("/iiif/3/sec", Some(&token)).await, expected);
    }
    // V2-TOK-10: and nobody else.
    let message = publisher.token_message_at("/auth/token", "").await;
    assert_eq!(message["type"], "AuthAccessTokenError2");
}

#[tokio::test]
async fn the_page_loads_in_any_frame_and_nothing_else_runs_in_it() {
    let (publisher, cookie) = logged_in().await;
    let query = format!("messageId=1&origin={V}");
    for cookie in [cookie.as_str(), "", "__Host-iiif=junk"] {
        let headers = [("cookie", cookie), ("sec-fetch-dest", "iframe"), ("origin", V)];
        let page = publisher.get(&format!("/auth/token?{query}"), &headers).await;
        message_of(&page, V);
        let policy = policy(&page);
        // V2-TOK-12: framed by anyone, its own script admitted, nothing to see.
        assert!(!page.headers().contains_key("x-frame-options"));
        assert!(!policy.contains("frame-ancestors") && !policy.contains("sandbox"), "{policy}");
        for name in ["cross-origin-opener-policy", "cross-origin-resource-policy", "refresh"] {
            assert!(!page.headers().contains_key(name), "{name}");
        }
        let script = &scripts(text(&page))[0];
        assert!(policy.contains(&format!("script-src {}", hash(script))), "{policy}");
        let html = text(&page);
        let shown = html.split_once("<body>").unwrap().1.split("<script").next().unwrap();
        assert_eq!(shown, "", "nothing is shown");
        assert!(!policy.contains("unsafe-inline") && policy.contains("default-src 'none'"));
        // V2-TOK-14
        assert_eq!(page.headers()["cache-control"], "no-store");
        assert_eq!(page.headers()["x-content-type-options"], "nosniff");
        let cors = |name: &http::HeaderName| name.as_str().starts_with("access-control-");
        assert!(!page.headers().keys().any(cors));
        assert!(set_cookies(page.headers()).is_empty());
    }
}

#[tokio::test]
async fn reasons_are_looked_for_in_order() {
    let clock = clock();
    let allow = OriginPolicy::allow([V]).unwrap();
    let failing = builder(&clock).origins(allow).revocations(Fails::Error);
    let down = Publisher::of(failing, clock);
    let (publisher, cookie) = logged_in().await;
    let other = "https://other.example";
    for (publisher, query, cookie, profile) in [
        // CON-8: request, then origin list, then aspect, then bound origin.
        (&down, format!("origin={other}"), &*cookie, "invalidRequest"),
        (&down, format!("messageId=1&origin={other}"), &cookie, "invalidOrigin"),
        (&down, format!("messageId=1&origin={V}"), &cookie, "unavailable"),
        (&publisher, format!("messageId=1&origin={other}"), "", "missingAspect"),
        (&publisher, format!("messageId=1&origin={other}"), "__Host-iiif=x", "invalidAspect"),
        (&publisher, format!("messageId=1&origin={other}"), &cookie, "invalidOrigin"),
    ] {
        let path = format!("/auth/token?{query}");
        let page = publisher.get(&path, &[("cookie", cookie)]).await;
        assert_eq!(posted(&page).unwrap().0["profile"], profile, "{query}");
    }
}

/// Counts what is asked of the store: questions and logouts.
#[derive(Default)]
struct Counting(AtomicUsize, AtomicUsize);

impl Revocations for Counting {
    fn is_revoked(&self, _: SessionId, _: Timestamp) -> Answer<Result<bool, BoxError>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Answer::Now(Ok(false))
    }

    fn revoke(&self, _: SessionId, _: Timestamp, _: Timestamp) -> Answer<Result<(), BoxError>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        Answer::Now(Ok(()))
    }
}

#[tokio::test]
async fn it_may_be_called_at_any_time_and_often() {
    let clock = clock();
    let store = Arc::new(Counting::default());
    let publisher = Publisher::of(builder(&clock).revocations(Arc::clone(&store)), clock);
    let query = format!("messageId=1&origin={V}");
    // CLI-5: before anything else was asked for.
    let (first, _) = publisher.token_message(&query, &[]).await;
    assert_eq!(first["profile"], "missingAspect");
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    let calls = publisher.calls();
    let questions = store.0.load(Ordering::SeqCst);
    let together = tokio::task::LocalSet::new();
    let asked: Vec<_> = (0..200)
        .map(|_| {
            let (publisher, cookie) = (publisher.clone(), cookie.clone());
            together.spawn_local(async move { publisher.token_at("/auth/token", &cookie).await })
        })
        .collect();
    together.await;
    // SEC-7: one question to the store for each, whether the session still lives.
    assert_eq!(store.0.load(Ordering::SeqCst) - questions, 200);
    let mut tokens = std::collections::HashSet::new();
    for token in asked {
        let token = token.await.unwrap();
        // CLI-5, V2-TOK-14: every one is good, at once and for itself.
        assert_eq!(publisher.probe_status("/iiif/3/sec", Some(&token)).await, 200);
        tokens.insert(token);
    }
    assert_eq!(tokens.len(), 200, "no two are the same");
    // V2-TOK-14, SEC-7: light: nothing is stored, the application hears nothing of it.
    assert_eq!(publisher.calls(), calls);
    assert_eq!(store.1.load(Ordering::SeqCst), 0);
    let again = publisher.get(&image("sec"), &[("cookie", &cookie)]).await;
    assert_eq!(again.status(), StatusCode::OK, "the session is as it was");
}

#[tokio::test]
async fn a_head_request_makes_no_token() {
    let (publisher, cookie) = logged_in().await;
    let path = format!("/auth/token?messageId=1&origin={V}");
    let head = publisher.send(request(Method::HEAD, &path, &[("cookie", &cookie)])).await;
    // V2-TOK-3
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(head.headers()["content-type"], "text/html; charset=utf-8");
    assert!(head.body().is_empty());
}

#[tokio::test]
async fn realms_have_token_services_of_their_own() {
    let publisher = Publisher::new();
    let one = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    let value = publisher.log_in_at("/auth/other/login", "__Host-iiif-other", "B", V).await;
    let other = format!("__Host-iiif-other={value}");
    let both = format!("{one}; {other}");
    for (path, cookie, expected) in [
        ("/auth/token", &one, "AuthAccessToken2"),
        ("/auth/token", &other, "missingAspect"),
        ("/auth/other/token", &one, "missingAspect"),
        ("/auth/other/token", &other, "AuthAccessToken2"),
        ("/auth/token", &both, "AuthAccessToken2"),
        ("/auth/other/token", &both, "AuthAccessToken2"),
    ] {
        // V2-TOK-10, V2-ERR-6: each for its own aspects.
        let message = publisher.token_message_at(path, cookie).await;
        let found = message.get("profile").unwrap_or(&message["type"]);
        assert_eq!(found, expected, "{path} {cookie:.20}");
    }
}

/// The aspect's own end counts, too: a session that it hands out for longer is cut.
struct Endless;

impl AuthorizingAspect for Endless {
    fn name(&self) -> &'static str {
        "endless"
    }

    fn read(&self, _: &Head<'_>, now: Timestamp) -> Reading {
        let session = Session::builder("x").for_any_viewer();
        let session = session.lasting(now, Duration::from_secs(24 * 60 * 60));
        Answer::Now(session.map_err(|_| AspectError::Invalid))
    }
}

#[tokio::test]
async fn a_token_is_short_lived_whatever_the_aspect() {
    let clock = clock();
    let builder = IiifAuth::builder(BASE)
        .keyring(common::keyring())
        .images("/iiif/3")
        .realm(Realm::new().access(AccessService::external()).aspect(Endless))
        .authorize_with(|request| request.session().is_some())
        .clock(clock.clone());
    let publisher = Publisher::of(builder, clock);
    let message = publisher.token_message_at("/auth/token", "").await;
    // V2-TOK-9
    assert_eq!(message["expiresIn"], json!(300));
}

/// V2-TOK-13: whatever can be written into the page, by a request or by the publisher, comes out as
/// the text that went in, and the page's own elements are all that there are.
#[tokio::test]
async fn texts_and_parameters_stay_in_their_place() {
    let hostile = "</script><script>alert(1)</script><!-- \"'}\u{2028}\u{2029}&amp;\\";
    let message = || Message::new(hostile).note(LanguageMap::new("en", hostile));
    let mut texts = Texts::default();
    for text in [
        &mut texts.missing_aspect,
        &mut texts.expired_aspect,
        &mut texts.invalid_origin,
        &mut texts.bad_request,
        &mut texts.unavailable,
    ] {
        *text = message();
    }
    let build = || {
        let clock = clock();
        (builder(&clock).texts(texts.clone()), clock)
    };
    let (plain, clock) = build();
    let publisher = Publisher::of(plain, clock);
    let (down, clock) = build();
    let down = Publisher::of(down.revocations(Fails::Error), clock);
    let elsewhere =
        format!("{COOKIE}={}", publisher.log_in(&["A"], Some("https://other.example")).await);
    let junk = format!("{COOKIE}=junk");
    let sent = "%3C%2Fscript%3E%3Cscript%3E%22%27%26%E2%80%A8";
    for (publisher, query, cookie, profile) in [
        (&publisher, String::new(), "", "invalidRequest"),
        (&publisher, format!("messageId={sent}"), "", "missingAspect"),
        (&publisher, format!("messageId={sent}"), &*junk, "invalidAspect"),
        (&publisher, format!("messageId={sent}"), &*elsewhere, "invalidOrigin"),
        (&down, format!("messageId={sent}"), &*elsewhere, "unavailable"),
    ] {
        for (origin, target) in [(V, V), ("https://[::1]:8443/", "https://[::1]:8443")] {
            let path = format!("/auth/token?{query}&origin={origin}");
            let page = publisher.get(&path, &[("cookie", cookie)]).await;
            let (message, to) = posted(&page).unwrap();
            assert_eq!((&message["profile"], &*to), (&json!(profile), target));
            let id = if query.is_empty() { "" } else { "</script><script>\"'&\u{2028}" };
            assert_eq!(message["messageId"], id);
            for text in ["heading", "note"] {
                assert_eq!(message[text].as_object().unwrap().values().next().unwrap()[0], hostile);
            }
            let html = text(&page);
            assert_eq!(html.matches("<script").count(), 2, "{html}");
            assert_eq!(html.matches("</script").count(), 2, "{html}");
            assert!(!html.contains("<!--") && !html.contains(['\u{2028}', '\u{2029}']), "{html}");
        }
    }
}
