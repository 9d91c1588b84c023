//! The pages in the tab, and the cookie they set: V2-ACC and V2-COOKIE.

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::steps::{action, closes, fields, from_peer, policy, scripts};
use common::{
    BASE, Body, COOKIE, Publisher, V, assert_denied, builder, clock, cookie_pair, form, image,
    posted, request, set_cookie_value, set_cookies, text,
};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use tower_iiif_auth::access::{AccessDeclined, AccessGrant};
use tower_iiif_auth::aspect::IpRanges;
use tower_iiif_auth::{
    AccessCookie, AccessService, ConfigWarning, IiifAuth, IiifAuthBuilder, LanguageMap, Message,
    OriginPolicy, Realm,
};

const OTHER_VIEWER: &str = "https://other.example";

/// A publisher whose one realm has every kind of access service.
fn every_profile() -> Publisher {
    let clock = clock();
    let terms = Message::new(LanguageMap::new("en", "Terms")).note("For private study <only>.");
    let realm = Realm::new()
        .access(AccessService::active("login", "Example Library"))
        .access(AccessService::click_through("terms", "Example Library", terms).role("A"))
        .access(AccessService::kiosk("room").role("A"))
        .access(AccessService::external())
        .aspect(AccessCookie::new().or(IpRanges::new(["192.0.2.0/24"], "A").unwrap()));
    let builder = only(realm).clock(clock.clone());
    Publisher::of(builder, clock)
}

fn only(realm: Realm) -> IiifAuthBuilder {
    IiifAuth::builder(BASE)
        .keyring(common::keyring())
        .images("/iiif/3")
        .realm(realm)
        .authorizer(common::rules())
}

/// An application's login of several steps, over paths of its own.
fn application(request: &Request<Body>) -> Response<Body> {
    let redirect = |to: &'static str| {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::SEE_OTHER;
        response.headers_mut().insert("location", HeaderValue::from_static(to));
        response
    };
    let page = |text: &'static str| {
        let mut response = Response::new(Full::from(text));
        // What frameworks set by themselves, and what would cut the viewer off.
        let severing = HeaderValue::from_static("same-origin");
        response.headers_mut().insert("cross-origin-opener-policy", severing);
        response
    };
    let grant = || {
        let mut response = page("welcome");
        response.extensions_mut().insert(AccessGrant::to("u1").role("A"));
        let own = HeaderValue::from_static("app=1; Path=/");
        response.headers_mut().append("set-cookie", own);
        response
    };
    match (request.method().as_str(), request.uri().path()) {
        ("GET", "/auth/login") => redirect("/auth/login/name"),
        ("GET", "/auth/login/name") => page("your name?"),
        ("POST", "/auth/login/name") => redirect("/sso/start"),
        ("GET", "/about") => page("about us"),
        ("GET", "/sso/start") => redirect("https://idp.example/"),
        (_, "/sso/back") | ("POST", "/auth/login/password") => grant(),
        ("POST", "/auth/login/cancel") => {
            let mut response = page("cancelled");
            response.extensions_mut().insert(AccessDeclined);
            response
        }
        _ => common::image_server(request),
    }
}

fn logging_in() -> Publisher {
    let clock = clock();
    let login = AccessService::active("login", "Example Library").steps([
        "/sso/*",
        "/auth/login/name",
        "/auth/login/password",
        "/auth/login/cancel",
    ]);
    let builder = only(Realm::new().access(login)).clock(clock.clone()).public_paths(["/about"]);
    Publisher::before(builder, clock, application)
}

/// What every page of the crate in the tab has in common.
fn assert_page_in_tab(page: &Response<Bytes>) {
    let opener = page.headers().get("cross-origin-opener-policy");
    assert!(opener.is_none_or(|policy| policy == "unsafe-none"), "{page:?}");
    assert!(policy(page).contains("frame-ancestors 'none'"), "{page:?}");
    assert_eq!(page.headers()["x-frame-options"], "DENY");
    assert_eq!(page.headers()["cache-control"], "no-store");
    assert!(!page.headers().contains_key("access-control-allow-origin"));
}

/// The one deletion or setting of the flow cookie, and nothing of an access cookie.
fn assert_no_access_cookie(page: &Response<Bytes>) {
    let all = set_cookies(page.headers());
    assert!(all.iter().all(|cookie| cookie.starts_with("__Host-iiif-flow=")), "{all:?}");
}

#[tokio::test]
async fn every_profile_takes_an_origin() {
    let publisher = every_profile();
    for path in ["/auth/login", "/auth/terms", "/auth/room"] {
        for query in [
            String::new(),
            format!("?origin={V}"),
            "?origin=https%3A%2F%2Fviewer.example".to_owned(),
            format!("?origin={V}/"),
            format!("?t=1&origin={V}&unknown"),
        ] {
            let page = publisher.get(&format!("{path}{query}"), &[]).await;
            // V2-ACC-7
            assert_eq!(page.status(), StatusCode::OK, "{path}{query}");
            // V2-ACC-13, V2-ACC-14
            assert_page_in_tab(&page);
        }
        for bad in ["*", "null", "javascript:alert(1)", "https://a.example/b"] {
            let page = publisher.get(&format!("{path}?origin={bad}"), &[]).await;
            assert_eq!(page.status(), StatusCode::BAD_REQUEST, "{path} {bad}");
            assert_no_access_cookie(&page);
            assert!(scripts(text(&page)).is_empty());
            let other = publisher.get(&format!("{path}?origin=x"), &[]).await;
            assert_eq!(page.body(), other.body(), "nothing of the parameter is in the page");
        }
    }
}

#[tokio::test]
async fn a_login_form_is_the_gesture() {
    let publisher = logging_in();
    // V2-COOKIE-1, CON-14: the first page neither sets the cookie nor closes.
    let page = publisher.get(&format!("/auth/login/name?origin={V}"), &[]).await;
    assert_no_access_cookie(&page);
    assert!(!closes(&page));
    // V2-COOKIE-1, V2-ACC-9: both come after the form was sent from this very site.
    let posted = publisher.send(form("/auth/login/password", &[], "password=x")).await;
    assert!(set_cookie_value(&posted, COOKIE).is_some());
    assert!(closes(&posted));
    // V2-ACC-13, V2-ACC-14
    assert_page_in_tab(&posted);
    assert!(!text(&posted).contains("welcome"), "the layer's page takes the place of theirs");
    // What the application wanted the browser to remember is kept.
    assert_eq!(cookie_pair(&posted, "app").as_deref(), Some("app=1"));
}

#[tokio::test]
async fn a_grant_without_a_form_of_ours_asks_for_a_click() {
    let publisher = logging_in();
    let start = publisher.get(&format!("/auth/login?origin={V}"), &[]).await;
    let flow = cookie_pair(&start, "__Host-iiif-flow").unwrap();
    for (method, headers) in [
        (Method::GET, &[("sec-fetch-site", "cross-site")][..]),
        (Method::GET, &[]),
        (Method::GET, &[("sec-fetch-site", "same-origin")]),
        (Method::POST, &[("sec-fetch-site", "cross-site"), ("origin", "https://idp.example")]),
        (Method::POST, &[("origin", "https://idp.example")]),
        (Method::POST, &[("origin", "null")]),
        (Method::POST, &[("sec-fetch-site", "same-site")]),
    ] {
        let mut all = vec![("cookie", flow.as_str())];
        all.extend(headers);
        let gesture = publisher.send(request(method.clone(), "/sso/back", &all)).await;
        // V2-COOKIE-1: a control, no access cookie, no closing.
        assert_eq!(gesture.status(), StatusCode::OK);
        assert!(set_cookie_value(&gesture, COOKIE).is_none(), "{method} {headers:?}");
        assert!(!closes(&gesture));
        // V2-ACC-13, V2-ACC-14
        assert_page_in_tab(&gesture);
        assert!(text(&gesture).contains("Continue to viewer.example"));
        assert_eq!(action(&gesture), "/auth/continue");

        let flow = cookie_pair(&gesture, "__Host-iiif-flow").unwrap();
        let body = format!("{}continue", fields(&gesture));
        let done = publisher.send(form("/auth/continue", &[("cookie", &flow)], &body)).await;
        // V2-COOKIE-1, V2-ACC-9: the click sets the cookie and closes the tab.
        let cookie = set_cookie_value(&done, COOKIE).expect("the cookie");
        assert!(closes(&done));
        let cookie = format!("{COOKIE}={cookie}");
        let tile = publisher.get(&image("sec"), &[("cookie", &cookie)]).await;
        assert_eq!(tile.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn terms_are_accepted_by_a_click() {
    let publisher = every_profile();
    let page = publisher.get(&format!("/auth/terms?origin={V}"), &[]).await;
    // V2-COOKIE-1
    assert_no_access_cookie(&page);
    assert!(!closes(&page));
    assert_eq!(action(&page), "/auth/terms");
    assert!(text(&page).contains("For private study &lt;only&gt;."), "plain text, escaped");

    let done = publisher.press("/auth/terms", V, "accept").await;
    // V2-COOKIE-1, V2-ACC-9
    let cookie = format!("{COOKIE}={}", set_cookie_value(&done, COOKIE).unwrap());
    assert!(closes(&done));
    // V2-ACC-13, V2-ACC-14
    assert_page_in_tab(&done);
    let tile = publisher.get(&image("sec"), &[("cookie", &cookie)]).await;
    assert_eq!(tile.status(), StatusCode::OK);

    let flow = cookie_pair(&page, "__Host-iiif-flow").unwrap();
    let body = format!("{}accept", fields(&page));
    for (headers, body) in [
        (&[("cookie", &*flow), ("sec-fetch-site", "cross-site")][..], &*body),
        (&[("cookie", &flow), ("origin", "https://evil.example")], &body),
        (&[("origin", BASE)], &body),
        (&[("cookie", &flow), ("origin", BASE)], "decision=accept"),
        (&[("cookie", &flow), ("origin", BASE)], "secret=AAAA&decision=accept"),
    ] {
        let mut foreign = request(Method::POST, "/auth/terms", headers);
        *foreign.body_mut() = Full::from(body.to_owned());
        let refused = publisher.send(foreign).await;
        // V2-COOKIE-1: nobody else's form counts as the gesture.
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{headers:?}");
        assert_no_access_cookie(&refused);
        assert_page_in_tab(&refused);
    }
}

#[tokio::test]
async fn the_tab_also_closes_without_a_grant() {
    let publisher = every_profile();
    let declined = publisher.press("/auth/terms", V, "decline").await;
    // V2-ACC-9: only a closed tab lets the viewer go on.
    assert!(closes(&declined));
    assert_no_access_cookie(&declined);
    let cancelled = logging_in().send(form("/auth/login/cancel", &[], "")).await;
    assert!(closes(&cancelled));
    assert_no_access_cookie(&cancelled);
    // V2-ACC-13, V2-ACC-14
    assert_page_in_tab(&cancelled);
}

#[tokio::test]
async fn a_kiosk_grants_by_being_opened() {
    let publisher = every_profile();
    for (path, headers) in [
        ("/auth/room", &[][..]),
        ("/auth/room", &[("user-agent", "curl/8")]),
        ("/auth/room?origin=https://viewer.example", &[("sec-fetch-site", "cross-site")]),
    ] {
        let page = publisher.get(path, headers).await;
        // V2-ACC-11: one GET, no script, no origin, no cookie of before.
        assert_eq!(page.status(), StatusCode::OK);
        let cookie = format!("{COOKIE}={}", set_cookie_value(&page, COOKIE).unwrap());
        assert!(closes(&page));
        // V2-ACC-13, V2-ACC-14
        assert_page_in_tab(&page);
        let tile = publisher.get(&image("sec"), &[("cookie", &cookie)]).await;
        assert_eq!(tile.status(), StatusCode::OK);
    }
    let head = publisher.send(request(Method::HEAD, "/auth/room", &[])).await;
    assert_no_access_cookie(&head);
}

#[tokio::test]
async fn an_external_service_needs_no_earlier_step() {
    let publisher = every_profile();
    for viewer in [V, OTHER_VIEWER, "http://localhost:3000"] {
        let path = format!("/auth/token?messageId=1&origin={viewer}");
        let page = publisher.send(from_peer(request(Method::GET, &path, &[]), "192.0.2.9")).await;
        let (message, target) = posted(&page).unwrap();
        // V2-ACC-12, CON-19: no access request, no bound origin, any viewer.
        assert_eq!(message["type"], "AuthAccessToken2", "{message}");
        assert_eq!(target, viewer);
        // V2-ACC-10, V2-ACC-12: nothing hangs on a cookie.
        let tile = from_peer(request(Method::GET, &image("sec"), &[]), "192.0.2.9");
        assert_eq!(publisher.send(tile).await.status(), StatusCode::OK);
    }
    let page = publisher.get(&format!("/auth/token?messageId=1&origin={V}"), &[]).await;
    assert_eq!(posted(&page).unwrap().0["profile"], "missingAspect");
}

#[tokio::test]
async fn a_login_may_take_any_number_of_redirects_and_forms() {
    let publisher = logging_in();
    let start = publisher.get(&format!("/auth/login?origin={V}"), &[]).await;
    let mut flow = cookie_pair(&start, "__Host-iiif-flow").unwrap();
    for (method, path) in [
        (Method::GET, "/auth/login/name"),
        (Method::POST, "/auth/login/name"),
        (Method::GET, "/sso/start"),
        (Method::GET, "/auth/login"),
        (Method::POST, "/auth/login/name"),
    ] {
        // Each comes from the page before it.
        let page = format!("{BASE}/auth/login/name");
        let headers = [("cookie", flow.as_str()), ("origin", BASE), ("referer", &*page)];
        let step = publisher.send(request(method, path, &headers)).await;
        // V2-ACC-10: the application's answers pass, with what it redirects to.
        assert!(step.status().is_success() || step.headers().contains_key("location"));
        assert_no_access_cookie(&step);
        // V2-ACC-13: nothing that the application or its framework says severs the viewer.
        assert_eq!(step.headers()["cross-origin-opener-policy"], "unsafe-none", "{path}");
        // V2-ACC-14
        assert!(policy(&step).contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(step.headers()["x-frame-options"], "DENY");
        if let Some(next) = cookie_pair(&step, "__Host-iiif-flow") {
            flow = next;
        }
    }
    // A page of the application's that has nothing to do with the login stays as it is.
    let other = publisher.get("/about", &[("cookie", &flow)]).await;
    assert!(!other.headers().contains_key("x-frame-options"));
    assert_eq!(other.headers()["cross-origin-opener-policy"], "same-origin");
    let back = publisher.get("/sso/back", &[("cookie", &flow)]).await;
    let body = format!("{}continue", fields(&back));
    let flow = cookie_pair(&back, "__Host-iiif-flow").unwrap();
    let done = publisher.send(form("/auth/continue", &[("cookie", &flow)], &body)).await;
    let cookie = format!("{COOKIE}={}", set_cookie_value(&done, COOKIE).unwrap());
    // V2-ACC-8, V2-ACC-10: the viewer is remembered over all of it, and no other one.
    for (viewer, expected) in [(V, None), (OTHER_VIEWER, Some("invalidOrigin"))] {
        let query = format!("messageId=1&origin={viewer}");
        let (message, _) = publisher.token_message(&query, &[("cookie", &cookie)]).await;
        assert_eq!(message.get("profile").and_then(|own| own.as_str()), expected, "{viewer}");
    }
}

#[tokio::test]
async fn the_origin_is_remembered_with_the_session() {
    for (policy, opened_from, own_viewer, wrong_viewer) in [
        (OriginPolicy::Bound, Some(V), None, Some("invalidOrigin")),
        // V2-ACC-8, CON-19, LF-02: a login that was opened without an origin is for no viewer.
        (OriginPolicy::Bound, None, Some("invalidOrigin"), Some("invalidOrigin")),
        (OriginPolicy::Any, Some(V), None, None),
    ] {
        let clock = clock();
        let publisher = Publisher::of(builder(&clock).origins(policy.clone()), clock);
        let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], opened_from).await);
        for (viewer, expected) in [(V, own_viewer), (OTHER_VIEWER, wrong_viewer)] {
            let query = format!("messageId=1&origin={viewer}");
            let (message, _) = publisher.token_message(&query, &[("cookie", &cookie)]).await;
            let profile = message.get("profile").and_then(|own| own.as_str());
            assert_eq!(profile, expected, "{policy:?} {viewer}");
        }
    }
    // V2-ACC-8: a second viewer of the same user joins, and the first stays.
    let publisher = Publisher::new();
    let first = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    let page =
        publisher.get(&format!("/auth/login?origin={OTHER_VIEWER}"), &[("cookie", &first)]).await;
    let flow = cookie_pair(&page, "__Host-iiif-flow").unwrap();
    let cookies = format!("{first}; {flow}");
    let headers = [("cookie", cookies.as_str()), ("origin", BASE), ("x-roles", "A")];
    let response = publisher.send(request(Method::POST, "/auth/login", &headers)).await;
    let both = format!("{COOKIE}={}", set_cookie_value(&response, COOKIE).unwrap());
    for viewer in [V, OTHER_VIEWER] {
        let query = format!("messageId=1&origin={viewer}");
        let (message, _) = publisher.token_message(&query, &[("cookie", &both)]).await;
        assert_eq!(message["type"], "AuthAccessToken2", "{viewer}: {message}");
    }
}

#[tokio::test]
async fn every_way_in_sets_the_same_kind_of_cookie() {
    let publisher = every_profile();
    let start = publisher.get(&format!("/auth/login?origin={V}"), &[]).await;
    let flow = cookie_pair(&start, "__Host-iiif-flow").unwrap();
    let headers = [("cookie", &*flow), ("origin", BASE), ("x-roles", "A")];
    for page in [
        publisher.send(request(Method::POST, "/auth/login", &headers)).await,
        publisher.press("/auth/terms", V, "accept").await,
        publisher.get(&format!("/auth/room?origin={V}"), &[]).await,
    ] {
        let all = set_cookies(page.headers());
        let own = all.iter().find(|cookie| cookie.starts_with("__Host-iiif=")).unwrap();
        let mut attributes: Vec<_> = own.split("; ").skip(1).collect();
        attributes.sort_unstable();
        // V2-COOKIE-3: secure, cross-site, not for scripts. V2-COOKIE-4: not partitioned.
        // V2-COOKIE-5: no Domain and the path `/`: every service and every image of this host.
        // SEC-6: half an hour.
        let expected = ["HttpOnly", "Max-Age=1800", "Path=/", "SameSite=None", "Secure"];
        assert_eq!(attributes, expected);
        for field in page.headers().get_all("set-cookie") {
            assert!(field.is_sensitive());
        }
        // V2-COOKIE-5: the same value works at access, token and content.
        let cookie = own.split("; ").next().unwrap();
        assert!(publisher.token_message_at("/auth/token", cookie).await["accessToken"].is_string());
        let tile = publisher.get(&image("sec"), &[("cookie", cookie)]).await;
        assert_eq!(tile.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn the_cookie_may_be_narrowed_to_what_needs_it() {
    let clock = clock();
    let realm = Realm::new()
        .access(AccessService::kiosk("room").role("A"))
        .aspect(AccessCookie::new().domain("example").path("/a"));
    let auth = IiifAuth::builder("https://iiif.example/a")
        .keyring(common::keyring())
        .images("/iiif/3")
        .realm(realm)
        .authorizer(common::rules())
        .clock(clock.clone());
    let publisher = Publisher::of(auth, clock);
    let page = publisher.get("/auth/room", &[]).await;
    let all = set_cookies(page.headers());
    let own = all.iter().find(|cookie| cookie.starts_with("__Secure-iiif=")).unwrap();
    // V2-COOKIE-3, V2-COOKIE-5: the path that browsers know of all three.
    for attribute in ["Domain=example", "Path=/a", "Secure", "SameSite=None", "HttpOnly"] {
        assert!(own.split("; ").any(|part| part == attribute), "{own}");
    }
}

#[test]
fn operators_are_warned_of_cookies_without_a_gesture() {
    let external = || AccessCookie::new().or(IpRanges::new(["192.0.2.0/24"], "A").unwrap());
    for (realm, warned) in [
        (Realm::new().access(AccessService::kiosk("room")), true),
        (Realm::new().access(AccessService::external()).aspect(external()), true),
        (
            Realm::new()
                .access(AccessService::external())
                .aspect(IpRanges::new(["192.0.2.0/24"], "A").unwrap()),
            false,
        ),
        (Realm::new().access(AccessService::active("login", "Library")), false),
    ] {
        let auth = only(realm).build().unwrap();
        // V2-COOKIE-6
        let warning = ConfigWarning::CookieWithoutClick { realm: String::new() };
        assert_eq!(auth.warnings().contains(&warning), warned, "{:?}", auth.warnings());
    }
}

#[tokio::test]
async fn realms_do_not_share_their_cookies() {
    let publisher = Publisher::new();
    let one = publisher.log_in_at("/auth/login", COOKIE, "A,B", V).await;
    let other = publisher.log_in_at("/auth/other/login", "__Host-iiif-other", "A,B", V).await;
    for (cookie, sec, sec2) in [
        (format!("__Host-iiif={one}"), 200, 401),
        (format!("__Host-iiif-other={other}"), 401, 200),
        (format!("__Host-iiif={one}; __Host-iiif-other={other}"), 200, 200),
        // A value under the other's name is no session there.
        (format!("__Host-iiif={other}; __Host-iiif-other={one}"), 401, 401),
    ] {
        for (identifier, status) in [("sec", sec), ("sec2", sec2)] {
            let tile = publisher.get(&image(identifier), &[("cookie", &cookie)]).await;
            // V2-COOKIE-5, V2-ERR-7
            if status == 200 {
                assert_eq!(tile.status(), StatusCode::OK, "{identifier}");
            } else {
                assert_denied(&tile, status);
            }
        }
    }
    let swapped = format!("__Host-iiif={other}");
    let message = publisher.token_message_at("/auth/token", &swapped).await;
    assert_eq!(message["profile"], "invalidAspect");
}

/// A named realm's services lie below a path that may be another service's.
#[tokio::test]
async fn a_realm_may_have_the_name_of_a_service() {
    let clock = clock();
    let builder = only(Realm::new().access(AccessService::active("login", "Library")))
        .realm(Realm::named("login").access(
            AccessService::click_through("agree", "Archive", "Terms").role("B").protects(["sec2"]),
        ))
        .clock(clock.clone());
    let publisher = Publisher::of(builder, clock);
    let done = publisher.press("/auth/login/agree", V, "accept").await;
    // V2-ACC-7, V2-DECL-10: each service answers at the path that its description names.
    let value = set_cookie_value(&done, "__Host-iiif-login").expect("the second realm's cookie");
    let cookie = format!("__Host-iiif-login={value}");
    let tile = publisher.get(&image("sec2"), &[("cookie", &cookie)]).await;
    assert_eq!(tile.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_gesture_is_asked_for_only_so_long() {
    let publisher = logging_in();
    let back = publisher.get("/sso/back", &[]).await;
    let flow = cookie_pair(&back, "__Host-iiif-flow").unwrap();
    let body = format!("{}continue", fields(&back));
    publisher.clock.advance(Duration::from_secs(10 * 60));
    let late = publisher.send(form("/auth/continue", &[("cookie", &flow)], &body)).await;
    // V2-COOKIE-1: an old page's button is no gesture.
    assert_eq!(late.status(), StatusCode::FORBIDDEN);
    assert_no_access_cookie(&late);
}
