//! The access cookie services of 1.0 and 0.9: V1-ACC and V09-ACC.

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::steps::{action, closes, from_peer, policy, scripts};
use common::{
    BASE, COOKIE, Publisher, V, assert_denied, clock, cookie_pair, image, json, keyring, posted,
    request, rules, set_cookie_value, set_cookies, text,
};
use http::{Method, Response, StatusCode};
use serde_json::Value;
use tower_iiif_auth::aspect::IpRanges;
use tower_iiif_auth::clock::SetClock;
use tower_iiif_auth::protocol::Family;
use tower_iiif_auth::resource::{Families, ImageApi};
use tower_iiif_auth::{
    AccessCookie, AccessService, IiifAuth, IiifAuthBuilder, LanguageMap, Message, Realm,
};

const OTHER_VIEWER: &str = "https://other.example";
const FLOW: &str = "__Host-iiif-flow";

/// Every pattern, in the families that the base `/iiif/2` is given.
fn every_pattern(clock: &SetClock, families: impl Into<Families>) -> IiifAuthBuilder {
    let terms = Message::new(LanguageMap::new("en", "Terms")).note("For private study only.");
    let realm = Realm::new()
        .access(AccessService::active("login", "Example Library"))
        .access(AccessService::click_through("terms", "Example Library", terms).role("A"))
        .access(AccessService::kiosk("room").role("A"))
        .access(AccessService::external())
        .aspect(AccessCookie::new().or(IpRanges::new(["192.0.2.0/24"], "A").unwrap()));
    IiifAuth::builder(BASE)
        .keyring(keyring())
        .images("/iiif/3")
        .resources(ImageApi::new("/iiif/2").families(families))
        .realm(realm)
        .authorizer(rules())
        .clock(clock.clone())
}

fn publisher() -> Publisher {
    let clock = clock();
    Publisher::of(every_pattern(&clock, [Family::V1, Family::V09]), clock)
}

/// The token service's error for a viewer, or none.
async fn refusal(
    publisher: &Publisher,
    family: &str,
    viewer: &str,
    cookie: &str,
) -> Option<String> {
    let path = format!("/auth/token/{family}?messageId=1&origin={viewer}");
    let (message, _) = posted(&publisher.get(&path, &[("cookie", cookie)]).await).unwrap();
    message["error"].as_str().map(ToOwned::to_owned)
}

fn access_cookie(page: &Response<Bytes>) -> String {
    format!("{COOKIE}={}", set_cookie_value(page, COOKIE).unwrap_or_else(|| panic!("{page:?}")))
}

fn assert_no_access_cookie(page: &Response<Bytes>) {
    assert_eq!(set_cookie_value(page, COOKIE), None, "{page:?}");
}

/// What every answer in the tab has: the viewer keeps its handle, and nobody stores it.
fn assert_in_tab(page: &Response<Bytes>) {
    let opener = page.headers().get("cross-origin-opener-policy");
    assert!(opener.is_none_or(|policy| policy == "unsafe-none"), "{page:?}");
    assert_eq!(page.headers()["cache-control"], "no-store");
    assert!(!page.headers().contains_key("access-control-allow-origin"));
    assert_eq!(page.headers()["x-frame-options"], "DENY");
    assert!(policy(page).contains("frame-ancestors 'none'"), "{page:?}");
}

#[tokio::test]
async fn every_pattern_takes_an_origin() {
    let publisher = publisher();
    for family in ["1", "0"] {
        for (service, status) in [("login", 307), ("terms", 200), ("room", 200)] {
            let path = format!("/auth/{service}/{family}");
            for query in [
                // V09-ACC-1: 0.9.2 sends none.
                String::new(),
                // V1-ACC-1: raw, encoded, with the slash of 1.0's examples, beside anything else.
                format!("?origin={V}"),
                format!("?origin={V}/"),
                "?origin=https%3A%2F%2Fviewer.example%2F".to_owned(),
                format!("?t=1&origin={V}&unknown"),
            ] {
                let page = publisher.get(&format!("{path}{query}"), &[]).await;
                assert_eq!(page.status(), status, "{path}{query}");
                assert_in_tab(&page);
            }
            for bad in ["", "*", "/", "null", "javascript:alert(1)", "https://a.example/b"] {
                let page = publisher.get(&format!("{path}?origin={bad}"), &[]).await;
                // V1-ACC-1, CON-6
                assert_eq!(page.status(), StatusCode::BAD_REQUEST, "{path} {bad}");
                assert!(set_cookies(page.headers()).is_empty() && scripts(text(&page)).is_empty());
            }
            let twice = publisher.get(&format!("{path}?origin={V}&origin={V}"), &[]).await;
            assert_eq!(twice.status(), StatusCode::BAD_REQUEST);
        }
    }
}

#[tokio::test]
async fn terms_and_kiosk_grant_by_being_opened() {
    let publisher = publisher();
    for family in ["1", "0"] {
        for service in ["terms", "room"] {
            for headers in [
                &[][..],
                &[("user-agent", "curl/8")],
                &[("sec-fetch-dest", "document"), ("sec-fetch-site", "cross-site")],
            ] {
                for query in [String::new(), format!("?origin={V}")] {
                    let path = format!("/auth/{service}/{family}{query}");
                    let page = publisher.get(&path, headers).await;
                    assert_eq!(page.status(), StatusCode::OK);
                    // V1-ACC-3, V1-ACC-4, CON-14: the cookie, and the window closes, at once.
                    let cookie = access_cookie(&page);
                    assert!(closes(&page), "{path}");
                    assert!(!text(&page).contains("<form"), "{path}");
                    // V1-ACC-5: so that one plain GET is all that a client needs.
                    let tile = publisher.get(&image("sec"), &[("cookie", &cookie)]).await;
                    assert_eq!(tile.status(), StatusCode::OK);
                    let body = format!("/auth/token/{family}");
                    let token = publisher.get(&body, &[("cookie", &cookie)]).await;
                    assert!(json(&token)["accessToken"].is_string());
                }
            }
        }
    }
    // CON-14: 2.0 asks for a gesture, at a URI of its own.
    let page = publisher.get(&format!("/auth/terms?origin={V}"), &[]).await;
    assert_no_access_cookie(&page);
    assert!(!closes(&page));
    assert_eq!(action(&page), "/auth/terms");
}

#[tokio::test]
async fn a_login_is_the_applications() {
    let publisher = publisher();
    for (family, opened_from) in [
        ("1", Some(V)),
        ("0", Some(V)),
        // V09-ACC-1, CON-19, LF-02: nothing is known of the viewer, and nobody's word makes it any.
        ("0", None),
        ("1", None),
    ] {
        let query = opened_from.map_or_else(String::new, |origin| format!("?origin={origin}"));
        let start = publisher.get(&format!("/auth/login/{family}{query}"), &[]).await;
        assert_eq!(start.status(), StatusCode::TEMPORARY_REDIRECT);
        // The login's URL tells whose tab it is.
        let login_at = format!("/auth/login{query}");
        assert_eq!(start.headers()["location"], login_at);
        assert_no_access_cookie(&start);
        let flow = cookie_pair(&start, FLOW).expect("the login is remembered");
        let login = publisher.get(&login_at, &[("cookie", &flow)]).await;
        assert_eq!(text(&login), "login page");

        let headers = [("cookie", &*flow), ("origin", BASE), ("x-roles", "A")];
        let done = publisher.send(request(Method::POST, &login_at, &headers)).await;
        // V1-ACC-3, V09-ACC-2
        assert!(closes(&done));
        let cookie = access_cookie(&done);
        // V1-ACC-2, V09-ACC-2, CON-19: it reaches every token service, for the viewer that it is
        // bound to.
        let refused = Some("invalidOrigin".to_owned());
        let own_refused = refused.clone().filter(|_| opened_from.is_none());
        for own in ["1", "0"] {
            assert_eq!(refusal(&publisher, own, V, &cookie).await, own_refused);
            let other = refusal(&publisher, own, OTHER_VIEWER, &cookie).await;
            assert_eq!(other, refused, "{family} {opened_from:?}");
        }
        let (message, _) = publisher
            .token_message(&format!("messageId=1&origin={V}"), &[("cookie", &cookie)])
            .await;
        assert_eq!(message["type"] == "AuthAccessToken2", own_refused.is_none());
        let tile = publisher.get(&image("sec"), &[("cookie", &cookie)]).await;
        assert_eq!(tile.status(), StatusCode::OK);
    }
}

/// CON-19: which viewers a session that is granted at once is for.
#[tokio::test]
async fn a_session_granted_at_once_is_for_its_viewer() {
    let publisher = publisher();
    for service in ["terms", "room"] {
        for family in ["1", "0"] {
            for (query, own) in [
                // V1-ACC-2
                (format!("?origin={V}"), None),
                (format!("?origin={V}/"), None),
                // V09-ACC-1, LF-02: who does not say who it is gets content, and no token.
                (String::new(), Some("invalidOrigin")),
            ] {
                let page = publisher.get(&format!("/auth/{service}/{family}{query}"), &[]).await;
                let cookie = access_cookie(&page);
                assert_eq!(refusal(&publisher, family, V, &cookie).await.as_deref(), own);
                let found = refusal(&publisher, family, OTHER_VIEWER, &cookie).await;
                assert_eq!(found.as_deref(), Some("invalidOrigin"), "{service} {family} {query}");
                let tile = publisher.get(&image("sec"), &[("cookie", &cookie)]).await;
                assert_eq!(tile.status(), StatusCode::OK);
            }
        }
    }
    // A second viewer joins the first, and one without a name changes nothing.
    let first = publisher.get(&format!("/auth/room/1?origin={V}"), &[]).await;
    let cookie = access_cookie(&first);
    let path = format!("/auth/room/1?origin={OTHER_VIEWER}");
    let second = access_cookie(&publisher.get(&path, &[("cookie", &cookie)]).await);
    for viewer in [V, OTHER_VIEWER] {
        assert_eq!(refusal(&publisher, "1", viewer, &second).await, None);
    }
    let third = refusal(&publisher, "1", "https://third.example", &second).await;
    assert_eq!(third.as_deref(), Some("invalidOrigin"));
    let again = access_cookie(&publisher.get("/auth/room/0", &[("cookie", &second)]).await);
    assert_eq!(refusal(&publisher, "0", V, &again).await, None);
    let third = refusal(&publisher, "0", "https://third.example", &again).await;
    assert_eq!(third.as_deref(), Some("invalidOrigin"));
}

#[tokio::test]
async fn external_has_no_endpoint_and_needs_none() {
    let publisher = publisher();
    for family in ["1", "0"] {
        for viewer in [V, OTHER_VIEWER] {
            let path = format!("/auth/token/{family}?messageId=1&origin={viewer}");
            let inside = from_peer(request(Method::GET, &path, &[]), "192.0.2.9");
            // V1-ACC-5, CON-19: the token service alone, for any viewer.
            let (message, target) = posted(&publisher.send(inside).await).unwrap();
            assert!(message["accessToken"].is_string(), "{message}");
            assert_eq!(target, viewer);
            let expected = Some("missingCredentials".to_owned());
            assert_eq!(refusal(&publisher, family, viewer, "").await, expected);
        }
        let path = format!("/auth/token/{family}");
        let body = publisher.send(from_peer(request(Method::GET, &path, &[]), "192.0.2.9")).await;
        assert!(json(&body)["accessToken"].is_string());
        let outside =
            publisher.send(from_peer(request(Method::GET, &path, &[]), "192.0.3.9")).await;
        // V1-ACC-5, MAP-3
        assert_eq!(outside.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(json(&outside)["error"], "missingCredentials");
    }
}

#[tokio::test]
async fn what_else_a_client_says_goes_along() {
    let publisher = publisher();
    for (query, rest) in [
        ("", ""),
        // Whose tab it is, for the pages that come.
        ("?origin=https://viewer.example", "?origin=https://viewer.example"),
        ("?origin=https://viewer.example/&lang=de", "?origin=https://viewer.example&lang=de"),
        (
            "?lang=de&origin=https%3A%2F%2Fviewer.example&t=1%202+3",
            "?origin=https://viewer.example&lang=de&t=1%202+3",
        ),
        ("?or%69gin=https://viewer.example&code=x&c%6fde&a", "?origin=https://viewer.example&a"),
        ("?&&a=b&&", "?a=b"),
        ("?Origin=x&CODE=y", "?Origin=x&CODE=y"),
    ] {
        for family in ["1", "0"] {
            for (method, more) in [(Method::GET, ""), (Method::HEAD, ""), (Method::POST, "a=b")] {
                let mut asked =
                    request(method.clone(), &format!("/auth/login/{family}{query}"), &[]);
                *asked.body_mut() = more.to_owned().into();
                let response = publisher.send(asked).await;
                // V1-ACC-6: 307, so that a client's POST stays one.
                assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT, "{method} {query}");
                assert_eq!(response.headers()["location"], format!("/auth/login{rest}"));
                assert!(response.body().is_empty());
                assert_no_access_cookie(&response);
                // V1-ACC-1: only a GET opens a login.
                let opened = cookie_pair(&response, FLOW).is_some();
                assert_eq!(opened, method == Method::GET, "{method}");
            }
        }
    }
    // V1-ACC-6: what a client posts is the application's to read, and its grant counts.
    let headers = [("x-roles", "A")];
    let start = publisher.send(request(Method::POST, "/auth/login/1", &headers)).await;
    let location = start.headers()["location"].to_str().unwrap();
    let done = publisher.send(request(Method::POST, location, &headers)).await;
    let tile = publisher.get(&image("sec"), &[("cookie", &access_cookie(&done))]).await;
    assert_eq!(tile.status(), StatusCode::OK);
}

/// The redirect names a path of the browser's, below whatever the public URL has.
#[tokio::test]
async fn the_redirect_knows_the_public_url() {
    let clock = clock();
    let auth = IiifAuth::builder("https://iiif.example/a/b")
        .keyring(keyring())
        .resources(ImageApi::new("/iiif/2").families(Family::V1))
        .realm(Realm::new().access(AccessService::active("login", "Library")))
        .authorizer(rules())
        .clock(clock.clone());
    let publisher = Publisher::of(auth, clock);
    let start = publisher.get(&format!("/auth/login/1?origin={V}&x=1"), &[]).await;
    // V1-ACC-1
    assert_eq!(start.headers()["location"], format!("/a/b/auth/login?origin={V}&x=1"));
}

/// V1-ACC-4, V09-ACC-2: in whatever family, the cookie is of one kind.
#[tokio::test]
async fn the_cookie_is_the_same_in_every_family() {
    let publisher = publisher();
    for path in ["/auth/room", "/auth/room/1", "/auth/room/0", "/auth/terms/1", "/auth/terms/0"] {
        let page = publisher.get(path, &[]).await;
        let all = set_cookies(page.headers());
        let own = all.iter().find(|cookie| cookie.starts_with("__Host-iiif=")).unwrap();
        let mut attributes: Vec<_> = own.split("; ").skip(1).collect();
        attributes.sort_unstable();
        let expected = ["HttpOnly", "Max-Age=1800", "Path=/", "SameSite=None", "Secure"];
        assert_eq!(attributes, expected, "{path}");
        assert!(page.headers().get_all("set-cookie").iter().all(http::HeaderValue::is_sensitive));
    }
    let start = publisher.get(&format!("/auth/login/1?origin={V}"), &[]).await;
    assert!(start.headers().get_all("set-cookie").iter().all(http::HeaderValue::is_sensitive));
    let cookie = access_cookie(&publisher.get("/auth/room/1", &[]).await);
    publisher.clock.advance(Duration::from_secs(1800));
    assert_denied(&publisher.get(&image("sec"), &[("cookie", &cookie)]).await, 401);
}

#[tokio::test]
async fn logouts_of_every_family_end_the_session() {
    let publisher = publisher();
    for logout in ["/auth/logout", "/auth/logout/1", "/auth/logout/0"] {
        let room = format!("/auth/room/1?origin={V}");
        let cookie = access_cookie(&publisher.get(&room, &[]).await);
        for (method, ends) in [(Method::HEAD, false), (Method::DELETE, false), (Method::GET, true)]
        {
            let page = publisher.send(request(method, logout, &[("cookie", &cookie)])).await;
            // CON-20: cookie, session and tokens, whichever family asks.
            assert_eq!(cookie_pair(&page, COOKIE).is_some(), ends, "{logout}");
            let tile = publisher.get(&image("sec"), &[("cookie", &cookie)]).await;
            assert_eq!(tile.status() == StatusCode::OK, !ends);
            let expected = ends.then(|| "invalidCredentials".to_owned());
            assert_eq!(refusal(&publisher, "1", V, &cookie).await, expected);
        }
    }
}

/// Without a base that speaks a family, its services are not there.
#[tokio::test]
async fn what_nobody_speaks_is_not_there() {
    for (families, spoken) in [
        (Families::from(Family::V2), &[][..]),
        (Family::V1.into(), &["1"]),
        (Family::V09.into(), &["0"]),
        ([Family::V1, Family::V09].into(), &["1", "0"]),
        // Services that stand in manifests only are there all the same.
        (Families::new(Family::ALL).open(), &["1", "0"]),
    ] {
        let clock = clock();
        let publisher = Publisher::of(every_pattern(&clock, families), clock);
        let cookie = access_cookie(&publisher.get("/auth/room", &[]).await);
        for family in ["1", "0", "2", "9", "01", "1/", "0/x", "%31"] {
            let is_spoken = spoken.contains(&family);
            for service in ["terms", "room", "token", "logout", "client", "continue", "probe"] {
                let path = format!("/auth/{service}/{family}");
                let response = publisher.get(&path, &[]).await;
                let found = match service {
                    "token" => response.status() == StatusCode::UNAUTHORIZED,
                    "probe" => {
                        assert_eq!(json(&response)["status"], 404);
                        false
                    }
                    _ => response.status() == StatusCode::OK,
                };
                let has = is_spoken && matches!(service, "terms" | "room" | "token" | "logout");
                // V1-ACC-4, CON-3
                assert_eq!(found, has, "{path} of {families:?}: {response:?}");
                if !has {
                    assert!(set_cookies(response.headers()).is_empty(), "{path}");
                    let status = response.status().as_u16();
                    assert!(service == "probe" || matches!(status, 400 | 404 | 405), "{path}");
                }
            }
            // PB-01: what lies below the application's login and is no step of it is nobody's.
            let path = format!("/auth/login/{family}");
            let login = publisher.get(&path, &[]).await;
            assert_eq!(login.status() == StatusCode::TEMPORARY_REDIRECT, is_spoken, "{path}");
            assert!(is_spoken || matches!(login.status().as_u16(), 400 | 404), "{path} {login:?}");
            // Nothing but GET at the very path gives a token.
            let path = format!("/auth/token/{family}");
            let response = publisher.get(&path, &[("cookie", &cookie)]).await;
            let has_token = text(&response).contains("accessToken");
            assert_eq!(has_token, is_spoken, "{path} of {families:?}");
            if has_token {
                let token: Value = json(&response);
                assert_eq!(token.get("tokenType").is_some(), family == "0");
            }
        }
    }
}
