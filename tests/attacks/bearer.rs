//! BE: bearer tokens, and what is no bearer token.

use http::{HeaderValue, Method, header};

use crate::common::{
    BASE, COOKIE, Publisher, V, assert_denied, builder, clock, form, image, json, request, rules,
};
use crate::setup::{authorized, pair, probe, status_of};
use crate::wire::{Server, status};

/// A publisher with a cookie and a token for role A.
async fn granted() -> (Publisher, String, String) {
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let token = publisher.token(&cookie).await;
    (publisher, cookie, token)
}

/// BE-01: the scheme's case does not matter.
#[tokio::test]
async fn be_01_scheme_case() {
    let (publisher, _, token) = granted().await;
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        assert_eq!(authorized(&publisher, "sec", &format!("{scheme} {token}")).await, 200);
    }
    assert_eq!(authorized(&publisher, "sec", &format!("Bearer   {token}")).await, 200);
}

/// BE-02: everything else is no token.
#[tokio::test]
async fn be_02_other_shapes() {
    let (publisher, _, token) = granted().await;
    for value in [
        format!("Basic {token}"),
        format!("Token {token}"),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Bearer{token}"),
        format!("Bearer {token} extra"),
        format!("Bearer \"{token}\""),
        format!("Bearer {token},"),
        format!("Bearer\t{token}"),
        format!("Bearer \t{token}"),
        format!("Bearer:{token}"),
        format!("Bearer={token}"),
        format!("Bearer token={token}"),
        format!("Bearer {token};"),
        format!("Bearer {token}, Bearer {token}"),
        format!("Bearer {token} {token}"),
        format!("Bearer Bearer {token}"),
        format!("Bearers {token}"),
        format!("DPoP {token}"),
        format!("Digest {token}"),
        token.clone(),
        format!(" {token}"),
        format!("Bearer {token}%20"),
        "Bearer undefined".to_owned(),
        "Bearer null".to_owned(),
        "Bearer [object Object]".to_owned(),
    ] {
        assert_eq!(authorized(&publisher, "sec", &value).await, 401, "{value:.60}");
    }
    // Two headers name nobody, whichever is good.
    let good = format!("Bearer {token}");
    for values in [[&*good, "Bearer junk"], ["Bearer junk", &good], [&good, &good]] {
        let headers = values.map(|value| ("authorization", value));
        assert_eq!(status_of(&publisher.probe(&probe("sec"), &headers).await), 401);
    }
    // A bad token is like none: it does not close what is open.
    assert_eq!(authorized(&publisher, "pub", "Bearer junk").await, 200);
}

/// BE-04: a token is read from one place.
#[tokio::test]
async fn be_04_other_places() {
    let (publisher, _, token) = granted().await;
    for name in ["token", "access_token", "bearer", "authorization", "Authorization"] {
        let path = format!("{}?{name}={token}", probe("sec"));
        assert_eq!(publisher.probe_status(&path, None).await, 401, "{name}");
    }
    for name in ["x-access-token", "x-authorization", "proxy-authorization", "x-auth-token"] {
        for value in [token.clone(), format!("Bearer {token}")] {
            let result = publisher.probe(&probe("sec"), &[(name, &value)]).await;
            assert_eq!(status_of(&result), 401, "{name}");
        }
    }
    for name in ["token", "access_token", COOKIE, "__Host-iiif-flow"] {
        let cookie = format!("{name}={token}");
        let result = publisher.probe(&probe("sec"), &[("cookie", &cookie)]).await;
        assert_eq!(status_of(&result), 401, "{name}");
    }
    let path = format!("/auth/probe{}", probe("sec"));
    let posted = publisher.send(form(&path, &[], &format!("access_token={token}"))).await;
    assert_eq!(posted.status(), 405);
    assert_eq!(posted.headers()[header::ALLOW], "GET, HEAD, OPTIONS");
    assert!(posted.body().is_empty());
}

/// BE-05: a token never opens content.
#[tokio::test]
async fn be_05_a_token_opens_no_content() {
    let (publisher, _, token) = granted().await;
    let bearer = format!("Bearer {token}");
    let cookie = pair(&token);
    let calls = publisher.calls();
    for path in [image("sec"), image("dir%2Fsec"), "/files/sec".to_owned()] {
        for headers in [
            &[("authorization", &*bearer)][..],
            &[("cookie", &*cookie)],
            &[("authorization", &*bearer), ("cookie", &*cookie)],
            &[("authorization", &*bearer), ("origin", V)],
            &[("x-access-token", &*token)],
        ] {
            assert_denied(&publisher.get(&path, headers).await, 401);
        }
        let query = format!("{path}?access_token={token}&token={token}");
        assert_denied(&publisher.get(&query, &[]).await, 401);
    }
    assert_eq!(publisher.calls(), calls);
    // Nor does it make another token, nor end or extend a session.
    let page = publisher
        .get(
            &format!("/auth/token?messageId=m1&origin={V}"),
            &[("authorization", &*bearer), ("cookie", &*cookie)],
        )
        .await;
    crate::html::assert_error(&page, "invalidAspect", V);
}

/// BE-06: a cookie is no token, whatever it is called.
#[tokio::test]
async fn be_06_a_cookie_is_no_token() {
    let (publisher, cookie, token) = granted().await;
    assert_ne!(cookie, token);
    assert_eq!(authorized(&publisher, "sec", &format!("Bearer {cookie}")).await, 401);
    let page = publisher.get(&format!("/auth/login?origin={V}"), &[]).await;
    let flow = crate::common::set_cookie_value(&page, "__Host-iiif-flow").unwrap();
    for value in [&flow, &cookie, &token] {
        for name in [COOKIE, "__Host-iiif-other"] {
            let status = publisher
                .get(&image("sec"), &[("cookie", &format!("{name}={value}"))])
                .await
                .status();
            let good = value == &cookie && name == COOKIE;
            assert_eq!(status.as_u16(), if good { 200 } else { 401 }, "{name}={value}");
        }
    }
    assert_eq!(authorized(&publisher, "sec", &format!("Bearer {flow}")).await, 401);
}

/// BE-07: probes set no cookie, however often and however late.
#[tokio::test]
async fn be_07_a_probe_gives_no_cookie() {
    let (publisher, cookie, token) = granted().await;
    let path = format!("/auth/probe{}", probe("sec"));
    let bearer = format!("Bearer {token}");
    let pair = pair(&cookie);
    for round in 0..100 {
        for headers in [
            &[("authorization", &*bearer)][..],
            &[("authorization", &*bearer), ("origin", V)],
            &[("authorization", &*bearer), ("cookie", &*pair)],
        ] {
            let response = publisher.get(&path, headers).await;
            assert!(!response.headers().contains_key(header::SET_COOKIE));
            assert_eq!(json(&response)["status"], 200, "round {round}");
        }
        // Also in the last seconds of the token.
        publisher.clock.advance(std::time::Duration::from_millis(2_990));
    }
    let headers = [("authorization", &*bearer)];
    publisher.clock.advance(std::time::Duration::from_secs(2));
    assert_eq!(json(&publisher.get(&path, &headers).await)["status"], 401);
}

/// BE-09: who is known and lacks the role.
#[tokio::test]
async fn be_09_a_token_without_the_role() {
    let clock = clock();
    let rules = rules()
        .roles("sec3", ["B"])
        .roles("tiered", ["B"])
        .substitute(tower_iiif_auth::authorizer::Substitute::of_same_base("pub"));
    let publisher = Publisher::of(builder(&clock).authorizer(rules), clock);
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let token = publisher.token(&cookie).await;
    let bearer = format!("Bearer {token}");
    for (identifier, expected) in
        [("sec", 200), ("sec3", 403), ("tiered", 401), ("sec2", 401), ("unknown", 403)]
    {
        let result = publisher.probe(&probe(identifier), &[("authorization", &bearer)]).await;
        assert_eq!(status_of(&result), expected, "{identifier}: {result}");
        assert!(result.get("location").is_none(), "{result}");
        assert_eq!(result.get("substitute").is_some(), identifier == "tiered", "{result}");
        let tile = publisher.get(&image(identifier), &[("cookie", &pair(&cookie))]).await;
        assert_eq!(u64::from(tile.status().as_u16()), expected, "{identifier}: both agree");
    }
}

/// A token is good for the viewer that it was issued to, and for its own realm.
#[tokio::test]
async fn a_token_is_its_viewers_own() {
    let (publisher, _, token) = granted().await;
    let bearer = format!("Bearer {token}");
    for (origin, expected) in [
        (V, 200),
        ("https://evil.example", 401),
        ("null", 401),
        ("http://viewer.example", 401),
        ("https://viewer.example.evil.com", 401),
        ("", 401),
    ] {
        let headers = [("authorization", &*bearer), ("origin", origin)];
        assert_eq!(
            status_of(&publisher.probe(&probe("sec"), &headers).await),
            expected,
            "{origin}"
        );
    }
    let other = publisher.log_in_at("/auth/other/login", "__Host-iiif-other", "A,B", V).await;
    let other =
        publisher.token_at("/auth/other/token", &format!("__Host-iiif-other={other}")).await;
    assert_eq!(authorized(&publisher, "sec2", &format!("Bearer {other}")).await, 200);
    assert_eq!(authorized(&publisher, "sec", &format!("Bearer {other}")).await, 401);
    assert_eq!(authorized(&publisher, "sec2", &bearer).await, 401);
}

/// BE-11: headers that are no text, or huge.
#[tokio::test]
async fn be_11_huge_and_binary() {
    let (publisher, _, token) = granted().await;
    let path = format!("/auth/probe{}", probe("sec"));
    let mut values = vec![
        format!("Bearer {}", "A".repeat(1 << 20)).into_bytes(),
        format!("Bearer {token}{}", "A".repeat(1 << 20)).into_bytes(),
        format!("Bearer {}", " ".repeat(1 << 20)).into_bytes(),
        vec![b' '; 1 << 16],
    ];
    values.extend((0x80..=0xff).map(|byte| vec![b'B', b'e', b'a', b'r', b'e', b'r', b' ', byte]));
    values.extend((0x80..=0xff).map(|byte| vec![byte]));
    for value in values {
        let mut request = request(Method::GET, &path, &[]);
        let value = HeaderValue::from_bytes(&value).unwrap();
        request.headers_mut().insert(header::AUTHORIZATION, value);
        assert_eq!(json(&publisher.send(request).await)["status"], 401);
    }
    let mut huge = request(Method::GET, &image("sec"), &[]);
    let cookie = format!("{COOKIE}={}", "A".repeat(1 << 20));
    huge.headers_mut().insert(header::COOKIE, HeaderValue::from_str(&cookie).unwrap());
    assert_denied(&publisher.send(huge).await, 401);
    // Over the wire as well.
    let server = Server::start(&publisher.auth).await;
    let headers = format!("Authorization: Bearer {}\r\n", "A".repeat(1 << 20));
    let answer = server.ask(format!("GET {path}").as_bytes(), &headers).await;
    assert!(status(&answer) == 431 || answer.contains("\"status\":401"), "{answer:.300}");
    let headers = "Authorization: Bearer \u{80}\u{ff}\r\n";
    let answer = server.ask(format!("GET {path}").as_bytes(), headers).await;
    assert!(answer.contains("\"status\":401"), "{answer:.300}");
}

/// A token is not looked at where a login or logout is asked for.
#[tokio::test]
async fn a_token_is_nothing_elsewhere() {
    let (publisher, cookie, token) = granted().await;
    let bearer = format!("Bearer {token}");
    publisher.get("/auth/logout", &[("authorization", &bearer)]).await;
    assert_eq!(authorized(&publisher, "sec", &bearer).await, 200, "no cookie, no logout");
    let headers = [("authorization", &*bearer), ("origin", BASE)];
    let response = publisher.send(request(Method::POST, "/auth/login", &headers)).await;
    assert!(crate::common::set_cookie_value(&response, COOKIE).is_none());
    let tile = publisher.get(&image("sec"), &[("cookie", &pair(&cookie))]).await;
    assert_eq!(tile.status(), 200);
}
