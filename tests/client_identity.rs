//! The client identity service of 0.9.2: V09-CID, and what is asked for by its codes.

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::shapes::assert_members;
use common::{
    COOKIE, Publisher, V, clock, cookie_pair, json, keyring, posted, request, rules,
    set_cookie_value, set_cookies, text,
};
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use serde_json::Value;
use tower_iiif_auth::clock::SetClock;
use tower_iiif_auth::protocol::Family;
use tower_iiif_auth::resource::ImageApi;
use tower_iiif_auth::{
    AccessService, Compatibility, IiifAuth, IiifAuthBuilder, LanguageMap, OriginPolicy, Realm,
};

const ID: &str = "reader-app";
const SECRET: &str = "0123456789abcdef-secret";
const OTHER_SECRET: &str = "fedcba9876543210-secret";
const FLOW: &str = "__Host-iiif-flow";

/// A publisher of all families. The unnamed realm has two clients, `other` has one of the same id,
/// `free` none.
fn builder(clock: &SetClock) -> IiifAuthBuilder {
    with_clients(clock, &[(ID, SECRET), ("second-app", OTHER_SECRET)])
}

fn with_clients(clock: &SetClock, clients: &[(&str, &str)]) -> IiifAuthBuilder {
    let mut realm = Realm::new()
        .access(AccessService::active("login", LanguageMap::new("en", "Example Library")))
        .access(AccessService::click_through("terms", "Example Library", "Terms").role("A"))
        .access(AccessService::kiosk("room").role("A"));
    for (id, secret) in clients {
        realm = realm.client(*id, *secret);
    }
    let login = || AccessService::active("login", "Library");
    IiifAuth::builder(common::BASE)
        .keyring(keyring())
        .clock(clock.clone())
        .resources(ImageApi::new("/iiif/2").families(Family::ALL))
        .realm(realm)
        .realm(Realm::named("other").access(login().protects(["sec2"])).client(ID, OTHER_SECRET))
        .realm(Realm::named("free").access(login().protects(["free"])))
        .authorizer(rules())
}

fn publisher() -> Publisher {
    let clock = clock();
    Publisher::of(builder(&clock), clock)
}

async fn post(publisher: &Publisher, path: &str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut asked = request(Method::POST, path, &[("content-type", "application/json")]);
    *asked.body_mut() = Full::new(body.into());
    publisher.send(asked).await
}

async fn identify(publisher: &Publisher, path: &str, id: &str, secret: &str) -> Response<Bytes> {
    let body = serde_json::json!({ "clientId": id, "clientSecret": secret });
    post(publisher, path, body.to_string()).await
}

async fn code(publisher: &Publisher, path: &str, secret: &str) -> String {
    let response = identify(publisher, path, ID, secret).await;
    assert_eq!(response.status(), StatusCode::OK, "{response:?}");
    json(&response)["authorizationCode"].as_str().unwrap().to_owned()
}

/// Checks what every error has, and returns its name.
fn error_of(response: &Response<Bytes>, status: u16) -> String {
    assert_eq!(response.status(), status, "{response:?}");
    // A raw object with a status of its own, and no page.
    assert_eq!(response.headers()["content-type"], "application/json");
    let message = json(response);
    assert_members(&message, &["error"], &["description"]);
    assert!(message.get("description").is_none_or(Value::is_string), "{message}");
    // No name that 0.9.2 does not have.
    let names = [
        "invalidRequest",
        "missingCredentials",
        "invalidCredentials",
        "invalidClient",
        "invalidClientSecret",
    ];
    assert!(names.iter().any(|name| message["error"] == *name), "{message}");
    message["error"].as_str().unwrap().to_owned()
}

/// The answer of a family's token service, with a page and without.
async fn tokens(publisher: &Publisher, path: &str, query: &str, cookie: &str) -> [(u16, Value); 2] {
    let posted_query = format!("messageId=1&origin={V}&{query}");
    let page = publisher.get(&format!("{path}?{posted_query}"), &[("cookie", cookie)]).await;
    let body = publisher.get(&format!("{path}?{query}"), &[("cookie", cookie)]).await;
    [(page.status().as_u16(), posted(&page).unwrap().0), (body.status().as_u16(), json(&body))]
}

#[tokio::test]
async fn a_client_that_is_registered_gets_a_code() {
    let publisher = publisher();
    for (path, id, secret) in [
        ("/auth/client", ID, SECRET),
        ("/auth/client", "second-app", OTHER_SECRET),
        ("/auth/other/client", ID, OTHER_SECRET),
        ("/auth/client?anything=else", ID, SECRET),
    ] {
        let response = identify(&publisher, path, id, secret).await;
        // V09-CID-1, V09-CID-2
        assert_eq!(response.status(), StatusCode::OK, "{response:?}");
        let headers = response.headers();
        assert_eq!(headers["content-type"], "application/json");
        let message = json(&response);
        assert_members(&message, &["authorizationCode"], &[]);
        // V09-CID-5: in no cache, and it needs no escape in a query.
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        let code = message["authorizationCode"].as_str().unwrap();
        assert!(
            code.len() > 40
                && code.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        );
        assert!(!text(&response).contains(secret) && !code.contains(id));
        assert!(set_cookies(headers).is_empty());
    }
    // V09-CID-5: no two are alike.
    let one = code(&publisher, "/auth/client", SECRET).await;
    assert_ne!(one, code(&publisher, "/auth/client", SECRET).await);
    // What content type it is said to be, or whether more members stand there, changes nothing.
    let body = format!(
        r#" {{"clientSecret":"{SECRET}", "x": [{{}}], "clientId" : "{ID}", "clientid": 1}} "#
    );
    for kind in ["application/json; charset=utf-8", "text/plain", ""] {
        let mut asked = request(Method::POST, "/auth/client", &[("content-type", kind)]);
        *asked.body_mut() = body.clone().into();
        assert_eq!(publisher.send(asked).await.status(), StatusCode::OK, "{kind}");
    }
}

#[tokio::test]
async fn bodies_that_say_nothing() {
    let publisher = publisher();
    let deep = |open: &str, close: &str, levels: usize| {
        format!(r#"{{"clientId":{}{}}}"#, open.repeat(levels), close.repeat(levels))
    };
    let padded = format!(
        r#"{{"clientId":"{ID}","clientSecret":"{SECRET}","x":"{}"}}"#,
        "x".repeat(8 * 1024)
    );
    let twice = format!(r#"{{"clientId":"a","clientId":"{ID}","clientSecret":"{SECRET}"}}"#);
    let list = format!(r#"["{ID}","{SECRET}"]"#);
    let trailing = format!(r#"{{"clientId":"{ID}","clientSecret":"{SECRET}"}} x"#);
    let form = format!("clientId={ID}&clientSecret={SECRET}");
    for body in [
        // V09-CID-4: no JSON, or no object.
        b"".to_vec(),
        b" ".to_vec(),
        b"{".to_vec(),
        b"null".to_vec(),
        b"true".to_vec(),
        b"1e999".to_vec(),
        b"\"reader-app\"".to_vec(),
        b"[]".to_vec(),
        list.into_bytes(),
        form.into_bytes(),
        trailing.into_bytes(),
        b"\xff\xfe{}".to_vec(),
        b"{\"clientId\":\"\xff\",\"clientSecret\":\"x\"}".to_vec(),
        b"{\"clientId\":\"\\ud800\",\"clientSecret\":\"x\"}".to_vec(),
        // Of other types.
        br#"{"clientId":1,"clientSecret":"x"}"#.to_vec(),
        br#"{"clientId":"x","clientSecret":["x"]}"#.to_vec(),
        br#"{"clientId":{"a":"b"},"clientSecret":"x"}"#.to_vec(),
        // In two ways.
        twice.into_bytes(),
        // Deep, and long.
        deep("[", "]", 4000).into_bytes(),
        deep("{\"a\":", "}", 1000).into_bytes(),
        "[".repeat(8000).into_bytes(),
        format!(r#"{{"x":{}"#, "[".repeat(8000)).into_bytes(),
        padded.into_bytes(),
        vec![b' '; 9000],
        vec![b'x'; 4 << 20],
    ] {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let response = post(&publisher, "/auth/client", body).await;
        assert_eq!(error_of(&response, 400), "invalidRequest", "{shown}");
        // HT-02's neighbour: nothing of it comes back. V09-CID-3, V09-ERR-4: JSON, and its status.
        assert!(!text(&response).contains(ID) && !text(&response).contains(SECRET));
    }
    for body in [
        // V09-CID-4: a member is not there.
        "{}",
        r#"{"clientId":"reader-app"}"#,
        r#"{"clientSecret":"0123456789abcdef-secret"}"#,
        r#"{"clientId":null,"clientSecret":"x"}"#,
        r#"{"clientId":"reader-app","clientSecret":null}"#,
        r#"{"clientid":"reader-app","client_secret":"x"}"#,
        r#"{"ClientId":"reader-app","clientSecret":"x"}"#,
    ] {
        let response = post(&publisher, "/auth/client", body).await;
        assert_eq!(error_of(&response, 401), "missingCredentials", "{body}");
    }
}

#[tokio::test]
async fn clients_that_are_not_known() {
    for compatibility in [Compatibility::default(), Compatibility::default().strict_0_9_2()] {
        let clock = clock();
        let publisher = Publisher::of(builder(&clock).compatibility(compatibility), clock);
        let long = "x".repeat(4000);
        for (path, id, secret, error) in [
            // V09-ERR-2, MAP-7
            ("/auth/client", "nobody", SECRET, "invalidClient"),
            ("/auth/client", "", SECRET, "invalidClient"),
            ("/auth/client", "Reader-App", SECRET, "invalidClient"),
            ("/auth/client", "reader-app ", SECRET, "invalidClient"),
            ("/auth/client", &long, &long, "invalidClient"),
            ("/auth/other/client", "second-app", OTHER_SECRET, "invalidClient"),
            ("/auth/client", ID, "", "invalidClientSecret"),
            ("/auth/client", ID, &long, "invalidClientSecret"),
            ("/auth/client", ID, &SECRET[1..], "invalidClientSecret"),
            ("/auth/client", ID, &SECRET.to_uppercase(), "invalidClientSecret"),
            ("/auth/client", ID, &format!("{SECRET}\0"), "invalidClientSecret"),
            // Of another client, and of the same one in another realm.
            ("/auth/client", ID, OTHER_SECRET, "invalidClientSecret"),
            ("/auth/other/client", ID, SECRET, "invalidClientSecret"),
        ] {
            let response = identify(&publisher, path, id, secret).await;
            assert_eq!(error_of(&response, 401), error, "{path} {id:.20} {secret:.20}");
            // V09-CID-3, V09-ERR-1, V09-ERR-4: JSON of a fitting status; no browser asks for a password.
            assert!(!response.headers().contains_key("www-authenticate"));
            assert!(!text(&response).contains("authorizationCode"));
        }
    }
}

/// V09-CID-5: ten wrong secrets a minute are looked at, for one client of one realm. The right one is
/// not looked at either while it waits: the limit would be none if a guess still counted. A client
/// that has a code goes on with it.
#[tokio::test]
async fn guesses_are_limited() {
    let publisher = publisher();
    let before = code(&publisher, "/auth/client", SECRET).await;
    for number in 0..10 {
        let guess = format!("guess-number-{number:06}");
        let response = identify(&publisher, "/auth/client", ID, &guess).await;
        assert_eq!(error_of(&response, 401), "invalidClientSecret", "{number}");
        publisher.clock.advance(Duration::from_secs(1));
    }
    for secret in ["guess-number-000011", SECRET] {
        let response = identify(&publisher, "/auth/client", ID, secret).await;
        assert_eq!(error_of(&response, 429), "invalidRequest");
        assert_eq!(response.headers()["retry-after"], "60");
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
    }
    // Others are not held up, nor is what was given before.
    let second = identify(&publisher, "/auth/client", "second-app", OTHER_SECRET).await;
    assert_eq!(second.status(), StatusCode::OK);
    code(&publisher, "/auth/other/client", OTHER_SECRET).await;
    let [page, body] = tokens(&publisher, "/auth/token/0", &format!("code={before}"), "").await;
    assert_eq!((&page.1["error"], body.0), (&"missingCredentials".into(), 401));
    let open = publisher.get(&format!("/auth/room/0?code={before}"), &[]).await;
    assert!(set_cookie_value(&open, COOKIE).is_some());

    // A minute after the first of them.
    publisher.clock.advance(Duration::from_millis(49_999));
    assert_eq!(identify(&publisher, "/auth/client", ID, SECRET).await.status(), 429);
    publisher.clock.advance(Duration::from_millis(1));
    code(&publisher, "/auth/client", SECRET).await;
    // Right ones do not count, and do not wipe out wrong ones.
    for number in 0..10 {
        for _ in 0..3 {
            code(&publisher, "/auth/client", SECRET).await;
        }
        let response = identify(&publisher, "/auth/client", ID, "guess-number-000000").await;
        assert_eq!(error_of(&response, 401), "invalidClientSecret", "{number}");
    }
    assert_eq!(identify(&publisher, "/auth/client", ID, SECRET).await.status(), 429);
    // Who is not known is not remembered, and says the same however often.
    for number in 0..1000 {
        let response =
            identify(&publisher, "/auth/client", &format!("nobody-{number}"), SECRET).await;
        assert_eq!(error_of(&response, 401), "invalidClient");
    }
}

#[tokio::test]
async fn only_a_post_and_a_preflight_are_answered() {
    let publisher = publisher();
    for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE", "FOO"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut asked = request(method.clone(), "/auth/client", &[]);
        let body = serde_json::json!({ "clientId": ID, "clientSecret": SECRET });
        *asked.body_mut() = body.to_string().into();
        let response = publisher.send(asked).await;
        // V09-CID-4
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers()["allow"], "POST, OPTIONS");
        assert_eq!(response.headers()["cache-control"], "no-store");
        if method == Method::HEAD {
            assert!(response.body().is_empty());
        } else {
            assert_eq!(error_of(&response, 405), "invalidRequest");
        }
    }
    let query = format!("/auth/client?clientId={ID}&clientSecret={SECRET}");
    assert_eq!(post(&publisher, &query, "").await.status(), StatusCode::BAD_REQUEST);

    let headers = [
        ("origin", V),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type"),
    ];
    let preflight = publisher.send(request(Method::OPTIONS, "/auth/client", &headers)).await;
    // V09-CID-4: a browser asks before it posts JSON.
    assert_eq!(preflight.status(), StatusCode::NO_CONTENT);
    let allowed = |name: &str| preflight.headers()[name].to_str().unwrap().to_ascii_lowercase();
    assert_eq!(allowed("access-control-allow-origin"), "*");
    assert!(allowed("access-control-allow-methods").contains("post"));
    assert!(allowed("access-control-allow-headers").contains("content-type"));
    assert!(!preflight.headers().contains_key("access-control-allow-credentials"));

    for (id, secret) in [(ID, SECRET), (ID, "wrong"), ("nobody", "x")] {
        let response = identify(&publisher, "/auth/client", id, secret).await;
        // V09-CID-4: read by the page that asked, and without a user's cookies (SEC-8).
        let all: Vec<_> =
            response.headers().get_all("access-control-allow-origin").iter().collect();
        assert_eq!(all, ["*"]);
        assert!(!response.headers().contains_key("access-control-allow-credentials"));
    }
    assert_eq!(publisher.calls(), 0, "the application hears nothing of it");
}

#[tokio::test]
async fn one_code_serves_a_login_and_many_tokens() {
    let publisher = publisher();
    let own = code(&publisher, "/auth/client", SECRET).await;
    let opened = format!("/auth/login/0?code={own}&lang=de&origin={V}");
    let start = publisher.get(&opened, &[]).await;
    // V09-ACC-1, V09-TOK-4: the login takes it, and hands it to nobody.
    assert_eq!(start.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(start.headers()["location"], format!("/auth/login?origin={V}&lang=de"));
    let flow = cookie_pair(&start, FLOW).unwrap();
    let headers = [("cookie", &*flow), ("origin", common::BASE), ("x-roles", "A")];
    let done = publisher.send(request(Method::POST, "/auth/login", &headers)).await;
    let cookie = format!("{COOKIE}={}", set_cookie_value(&done, COOKIE).unwrap());
    for _ in 0..3 {
        for passed in [0, 300] {
            publisher.clock.advance(Duration::from_secs(passed));
            for (status, message) in
                tokens(&publisher, "/auth/token/0", &format!("code={own}"), &cookie).await
            {
                // V09-TOK-4: in both modes, and again.
                assert_eq!(status, 200);
                assert!(message["accessToken"].is_string(), "{message}");
                let bearer = format!("Bearer {}", message["accessToken"].as_str().unwrap());
                let headers = [("authorization", &*bearer)];
                let info = publisher.get("/iiif/2/sec/info.json", &headers).await;
                assert_eq!(info.status(), StatusCode::OK);
            }
        }
    }
    for service in ["terms", "room"] {
        let granted = publisher.get(&format!("/auth/{service}/0?code={own}"), &[]).await;
        assert!(set_cookie_value(&granted, COOKIE).is_some(), "{service}");
        assert!(!text(&granted).contains(&own));
    }
}

#[tokio::test]
async fn codes_that_are_none() {
    let publisher = publisher();
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    let other = publisher.log_in_at("/auth/other/login", "__Host-iiif-other", "B", V).await;
    let other = format!("__Host-iiif-other={other}");
    let good = code(&publisher, "/auth/client", SECRET).await;
    let of_other_realm = code(&publisher, "/auth/other/client", OTHER_SECRET).await;
    let token = publisher.token_at("/auth/token", &cookie).await;
    let value = cookie.split_once('=').unwrap().1;
    let mut changed = good.clone().into_bytes();
    changed[20] = if changed[20] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).unwrap();
    let long = "x".repeat(20_000);
    for (query, error, status) in [
        // V09-TOK-4, MAP-3: no code.
        (String::new(), "missingCredentials", 401),
        (format!("Code={good}"), "missingCredentials", 401),
        // V09-TOK-4, MAP-4: a bad one.
        ("code=".to_owned(), "invalidCredentials", 401),
        ("code".to_owned(), "invalidCredentials", 401),
        ("code=junk".to_owned(), "invalidCredentials", 401),
        (format!("code={long}"), "invalidCredentials", 401),
        (format!("code={changed}"), "invalidCredentials", 401),
        (format!("code={good}A"), "invalidCredentials", 401),
        (format!("code={good}%3D"), "invalidCredentials", 401),
        (format!("code=%20{good}"), "invalidCredentials", 401),
        (format!("code={}", &good[..good.len() - 1]), "invalidCredentials", 401),
        // Of another realm; and other things that this publisher sealed.
        (format!("code={of_other_realm}"), "invalidCredentials", 401),
        (format!("code={value}"), "invalidCredentials", 401),
        (format!("code={token}"), "invalidCredentials", 401),
        // CON-8, MAP-1: which of two is not guessed.
        (format!("code={good}&code={good}"), "invalidRequest", 400),
        (format!("code={good}&c%6fde=x"), "invalidRequest", 400),
        ("code=%ff".to_owned(), "invalidRequest", 400),
    ] {
        let [page, body] = tokens(&publisher, "/auth/token/0", &query, &cookie).await;
        assert_eq!((page.0, &page.1["error"]), (200, &error.into()), "{query:.60}");
        assert_eq!((body.0, &body.1["error"]), (status, &error.into()), "{query:.60}");
        assert_eq!(page.1["messageId"], "1");
        for service in ["login", "terms", "room"] {
            let refused = publisher.get(&format!("/auth/{service}/0?{query}"), &[]).await;
            // V09-ACC-1: nobody gets in by it, and the page says nothing of it.
            assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{service} {query:.60}");
            assert!(set_cookies(refused.headers()).is_empty());
            assert!(query.len() < 10 || !text(&refused).contains(&query[5..]));
        }
        // V09-ACC-1: a client that is no browser posts what it knows.
        let posted = post(&publisher, &format!("/auth/login/0?{query}"), "").await;
        assert_eq!(posted.status(), StatusCode::FORBIDDEN, "{query:.60}");
    }
    // V09-CID-5: each realm its own.
    for (code, expected) in [(&of_other_realm, 200), (&good, 401)] {
        let [_, (status, _)] =
            tokens(&publisher, "/auth/other/token/0", &format!("code={code}"), &other).await;
        assert_eq!(status, expected);
    }
    // A code opens nothing by itself.
    let bearer = format!("Bearer {good}");
    let headers = [("authorization", &*bearer)];
    let info = publisher.get("/iiif/2/sec/info.json", &headers).await;
    assert_eq!(info.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(publisher.probe_status("/iiif/2/sec", Some(&good)).await, 401);
    let stolen = format!("{COOKIE}={good}");
    let tile = publisher.get("/iiif/2/sec/full/max/0/default.jpg", &[("cookie", &stolen)]).await;
    assert_eq!(tile.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_code_ends_after_an_hour_or_with_its_client() {
    let publisher = publisher();
    let own = code(&publisher, "/auth/client", SECRET).await;
    let query = format!("code={own}");
    for (passed, status) in [(0, 200), (3_599_999, 200), (1, 401), (86_400_000, 401)] {
        publisher.clock.advance(Duration::from_millis(passed));
        let granted = publisher.get(&format!("/auth/room/0?{query}"), &[]).await;
        let cookie = cookie_pair(&granted, COOKIE);
        // V09-CID-5
        assert_eq!(cookie.is_some(), status == 200, "after {passed}");
        let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
        let [_, body] = tokens(&publisher, "/auth/token/0", &query, &cookie).await;
        assert_eq!(body.0, status, "after {passed}: {}", body.1);
    }
    // V09-CID-5: made in the future by a clock that is set back since.
    let ahead = clock();
    ahead.advance(Duration::from_secs(600));
    let early = code(&Publisher::of(builder(&ahead), ahead), "/auth/client", SECRET).await;
    let now = clock();
    for (clients, code_of, status) in [
        (&[(ID, SECRET)][..], &early, 401),
        // The same keys after a restart, and another node.
        (&[(ID, SECRET)], &own, 200),
        // A new secret ends no code: it was good when it was given, and an hour is soon over.
        (&[(ID, OTHER_SECRET)], &own, 200),
        // V09-CID-5: a client that is registered no longer.
        (&[("second-app", SECRET)], &own, 401),
    ] {
        let node = Publisher::of(with_clients(&now, clients), now.clone());
        let cookie = format!("{COOKIE}={}", node.log_in(&["A"], Some(V)).await);
        let [_, body] = tokens(&node, "/auth/token/0", &format!("code={code_of}"), &cookie).await;
        assert_eq!(body.0, status, "{clients:?}");
    }
    // No client at all: then there is no such service, and nobody asks for a code.
    let node = Publisher::of(with_clients(&now, &[]), now.clone());
    let cookie = format!("{COOKIE}={}", node.log_in(&["A"], Some(V)).await);
    let [_, body] = tokens(&node, "/auth/token/0", "code=junk", &cookie).await;
    assert_eq!(body.0, 200);
    assert_eq!(identify(&node, "/auth/client", ID, SECRET).await.status(), StatusCode::NOT_FOUND);
    // V09-CID-5: other keys.
    let foreign =
        builder(&now).keyring(tower_iiif_auth::Keyring::from_bytes(&common::key(9)).unwrap());
    let foreign = Publisher::of(foreign, now);
    let cookie = format!("{COOKIE}={}", foreign.log_in(&["A"], Some(V)).await);
    let [_, body] = tokens(&foreign, "/auth/token/0", &format!("code={own}"), &cookie).await;
    assert_eq!(body.0, 401);
}

/// CON-23: it is a matter of 0.9 and of realms with clients.
#[tokio::test]
async fn elsewhere_a_code_is_any_parameter() {
    let publisher = publisher();
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    let free = publisher.log_in_at("/auth/free/login", "__Host-iiif-free", "A", V).await;
    let free = format!("__Host-iiif-free={free}");
    for query in ["", "code=junk", "code=a&code=b", "code=%ff"] {
        for (path, cookie) in [("/auth/token/1", &cookie), ("/auth/free/token/0", &free)] {
            for (status, message) in tokens(&publisher, path, query, cookie).await {
                assert_eq!(status, 200, "{path} {query}: {message}");
            }
        }
        let flow = format!("messageId=1&origin={V}&{query}");
        let (message, _) = publisher.token_message(&flow, &[("cookie", &cookie)]).await;
        assert_eq!(message["type"], "AuthAccessToken2");
        for (path, status) in [
            ("/auth/login", 200),
            ("/auth/login/1", 307),
            ("/auth/free/login/0", 307),
            ("/auth/terms", 200),
            ("/auth/terms/1", 200),
            ("/auth/room", 200),
            ("/auth/room/1", 200),
        ] {
            let page = publisher.get(&format!("{path}?{query}"), &[]).await;
            assert_eq!(page.status(), status, "{path} {query}");
        }
    }
    for path in ["/auth/free/client", "/auth/client/0", "/auth/client/", "/auth/Client"] {
        assert_eq!(identify(&publisher, path, ID, SECRET).await.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn the_code_is_looked_at_right_after_the_request() {
    let clock = clock();
    let allow = OriginPolicy::allow(["https://listed.example"]).unwrap();
    let publisher = Publisher::of(builder(&clock).origins(allow), clock);
    let own = code(&publisher, "/auth/client", SECRET).await;
    for (query, error) in [
        // CON-8: parameters, code, origin, aspect.
        (format!("messageId=&origin={V}&code=junk"), "invalidRequest"),
        (format!("messageId=1&origin={V}&code=junk"), "invalidCredentials"),
        (format!("messageId=1&origin={V}"), "missingCredentials"),
        (format!("messageId=1&origin={V}&code={own}"), "invalidOrigin"),
        (format!("messageId=1&origin=https://listed.example&code={own}"), "missingCredentials"),
    ] {
        let page = publisher.get(&format!("/auth/token/0?{query}"), &[]).await;
        assert_eq!(posted(&page).unwrap().0["error"], error, "{query:.50}");
    }
}

#[tokio::test]
async fn nothing_secret_is_shown() {
    let clock = clock();
    let realm = Realm::new().access(AccessService::active("login", "Library")).client(ID, SECRET);
    let builder = IiifAuth::builder(common::BASE)
        .keyring(keyring())
        .clock(clock.clone())
        .resources(ImageApi::new("/iiif/2").families(Family::V09));
    let before = format!("{realm:?} {:?}", IiifAuth::builder(common::BASE).realm(realm.clone()));
    let publisher = Publisher::of(builder.realm(realm).authorizer(rules()), clock);
    let auth = &publisher.auth;
    let shown = format!("{before} {auth:?} {:?} {:?}", auth.client_identity(), auth.layer());
    assert!(shown.contains(ID), "that it is looked at at all: {shown}");
    // V09-CID-5, SEC-10
    assert!(!shown.contains(SECRET), "{shown}");
    // Nor in what a wrong configuration is told.
    let short = IiifAuth::builder(common::BASE)
        .keyring(keyring())
        .resources(ImageApi::new("/iiif/2").families(Family::V09))
        .realm(Realm::new().access(AccessService::active("login", "L")).client("app", "too-short"))
        .authorizer(rules())
        .build()
        .unwrap_err();
    assert!(!format!("{short} {short:?}").contains("too-short"));
}

/// V09-CID-5, SEC-10: events are part of the crate only with the feature.
#[cfg(feature = "tracing")]
#[tokio::test]
async fn nothing_secret_is_logged() {
    let log = common::logs::record();
    let publisher = publisher();
    let own = code(&publisher, "/auth/client", SECRET).await;
    let wrong = "wrong-secret-wrong-secret";
    for _ in 0..12 {
        identify(&publisher, "/auth/client", ID, wrong).await;
    }
    identify(&publisher, "/auth/client", "unknown-app-qqq", wrong).await;
    post(&publisher, "/auth/client", "junk-body-qqq").await;
    let granted = publisher.get(&format!("/auth/room/0?code={own}&origin={V}"), &[]).await;
    let cookie = cookie_pair(&granted, COOKIE).unwrap();
    let mut secrets = vec![
        own.clone(),
        SECRET.to_owned(),
        wrong.to_owned(),
        ID.to_owned(),
        "qqq".to_owned(),
        cookie.split_once('=').unwrap().1.to_owned(),
    ];
    for query in [format!("code={own}"), "code=code-qqq".to_owned()] {
        for path in ["/auth/login/0", "/auth/login/1", "/auth/terms/0", "/auth/room/0"] {
            publisher.get(&format!("{path}?{query}"), &[]).await;
        }
        for (_, message) in tokens(&publisher, "/auth/token/0", &query, &cookie).await {
            secrets.extend(message["accessToken"].as_str().map(ToOwned::to_owned));
        }
    }
    let log = log.text();
    for word in ["client identity service", "known=true", "known=false", "token service"] {
        assert!(log.contains(word), "{word} is missing in {log}");
    }
    assert_eq!(secrets.len(), 8);
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} in {log}");
    }
}
