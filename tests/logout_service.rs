//! The logout service: V2-LOGOUT.

mod common;

use common::steps::{closes, forms};
use common::{
    BASE, COOKIE, Publisher, V, assert_denied, builder, clock, cookie_pair, form, image, request,
    set_cookies, text,
};
use http::{Method, StatusCode};
use tower_iiif_auth::aspect::SessionId;
use tower_iiif_auth::clock::Timestamp;
use tower_iiif_auth::revocation::Revocations;
use tower_iiif_auth::{AccessCookie, AccessService, Answer, BoxError, IiifAuth, Realm, SameSite};

#[tokio::test]
async fn a_visit_resets_the_login() {
    let publisher = Publisher::new();
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    // V2-LOGOUT-3: no parameter is required, none is in the way, and a second visit is the same.
    for (path, headers) in [
        ("/auth/logout", &[][..]),
        ("/auth/logout?origin=https://viewer.example&t=1", &[]),
        ("/auth/logout", &[("cookie", "__Host-iiif=junk")]),
        ("/auth/logout", &[("cookie", &*cookie), ("sec-fetch-site", "cross-site")]),
        ("/auth/logout", &[("cookie", &cookie)]),
    ] {
        let page = publisher.get(path, headers).await;
        assert_eq!(page.status(), StatusCode::OK);
        assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
        assert!(text(&page).contains("<h1 lang=\"en\">You are logged out</h1>"));
        assert!(closes(&page));
        let [deletion] = &set_cookies(page.headers())[..] else { panic!("{page:?}") };
        assert!(deletion.starts_with("__Host-iiif=; ") && deletion.contains("Max-Age=0"));
    }
}

#[tokio::test]
async fn logging_out_ends_everything() {
    let publisher = Publisher::new();
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    let token = publisher.token_at("/auth/token", &cookie).await;
    assert_eq!(publisher.result("/iiif/3/sec", Some(&token)).await["status"], 200);
    publisher.get("/auth/logout", &[("cookie", &cookie)]).await;

    // V2-LOGOUT-4, V2-LOGOUT-6, CON-20: the cookie, wherever a copy of it is, and its tokens.
    let message = publisher.token_message_at("/auth/token", "other=1").await;
    assert_eq!(message["profile"], "missingAspect");
    let message = publisher.token_message_at("/auth/token", &cookie).await;
    assert_eq!(message["profile"], "invalidAspect");
    assert_eq!(publisher.result("/iiif/3/sec", Some(&token)).await["status"], 401);
    assert_denied(&publisher.get(&image("sec"), &[("cookie", &cookie)]).await, 401);

    // The next login is a session of its own.
    let again = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    assert_eq!(publisher.get(&image("sec"), &[("cookie", &again)]).await.status(), StatusCode::OK);
    assert_eq!(publisher.result("/iiif/3/sec", Some(&token)).await["status"], 401);
}

#[tokio::test]
async fn only_a_visit_logs_out_and_only_its_own_realm() {
    let publisher = Publisher::new();
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    let head = publisher.send(request(Method::HEAD, "/auth/logout", &[("cookie", &cookie)])).await;
    assert_eq!(head.status(), StatusCode::OK);
    publisher.get("/auth/other/logout", &[("cookie", &cookie)]).await;
    // V2-LOGOUT-4: what this service controls, and nothing of another's.
    assert_eq!(publisher.get(&image("sec"), &[("cookie", &cookie)]).await.status(), StatusCode::OK);
    publisher.send(request(Method::POST, "/auth/logout", &[("cookie", &cookie)])).await;
    assert_denied(&publisher.get(&image("sec"), &[("cookie", &cookie)]).await, 401);
}

/// An image, a frame or a script of a foreign page logs nobody out; a tab and the site's own pages do.
#[tokio::test]
async fn only_a_tab_logs_out() {
    for (headers, logged_out) in [
        (&[("sec-fetch-dest", "image"), ("sec-fetch-site", "cross-site")][..], false),
        (&[("sec-fetch-dest", "iframe"), ("sec-fetch-site", "cross-site")], false),
        (&[("sec-fetch-dest", "empty"), ("sec-fetch-site", "same-site")], false),
        (&[("sec-fetch-dest", "empty"), ("sec-fetch-site", "same-origin")], true),
        (&[("sec-fetch-dest", "document"), ("sec-fetch-site", "cross-site")], true),
        (&[], true),
    ] {
        for method in [Method::GET, Method::POST] {
            let publisher = Publisher::new();
            let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
            let mut all = vec![("cookie", cookie.as_str())];
            all.extend_from_slice(headers);
            let answer = publisher.send(request(method, "/auth/logout", &all)).await;
            assert_eq!(set_cookies(answer.headers()).len(), usize::from(logged_out), "{headers:?}");
            let tile = publisher.get(&image("sec"), &[("cookie", &cookie)]).await;
            // V2-LOGOUT-4
            let status = if logged_out { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
            assert_eq!(tile.status(), status, "{headers:?}");
        }
    }
}

#[tokio::test]
async fn the_deletion_repeats_the_attributes() {
    for (url, cookie) in [
        (BASE, AccessCookie::new()),
        (BASE, AccessCookie::new().name("lib").domain("iiif.example").path("/")),
        ("https://iiif.example/a", AccessCookie::new().path("/a").same_site(SameSite::Lax)),
        ("http://localhost:3000", AccessCookie::new()),
    ] {
        let clock = clock();
        let builder = IiifAuth::builder(url)
            .keyring(common::keyring())
            .images("/iiif/3")
            .realm(Realm::new().access(AccessService::kiosk("room")).aspect(cookie))
            .authorize_with(|_| false)
            .clock(clock.clone());
        let publisher = Publisher::of(builder, clock);
        let attributes = |headers: &http::HeaderMap| {
            let all = set_cookies(headers);
            let own = all.iter().find(|cookie| !cookie.contains("iiif-flow=")).unwrap().clone();
            let (pair, attributes) = own.split_once("; ").unwrap();
            let kept = |part: &&str| !part.starts_with("Max-Age=");
            let kept: Vec<_> = attributes.split("; ").filter(kept).map(str::to_owned).collect();
            (pair.split_once('=').unwrap().0.to_owned(), kept)
        };
        let set = publisher.get("/auth/room", &[]).await;
        let deleted = publisher.get("/auth/logout", &[]).await;
        // V2-LOGOUT-5
        assert_eq!(attributes(deleted.headers()), attributes(set.headers()), "{url}");
    }
}

#[tokio::test]
async fn a_realm_without_logout_has_no_such_service() {
    let clock = clock();
    let builder = IiifAuth::builder(BASE)
        .keyring(common::keyring())
        .images("/iiif/3")
        .realm(Realm::new().access(AccessService::kiosk("room")).without_logout())
        .authorize_with(|_| false)
        .clock(clock.clone());
    let publisher = Publisher::of(builder, clock);
    let access = publisher.services("sec").await[0]["service"][0].clone();
    // V2-LOGOUT-1: described exactly where it is answered.
    assert_eq!(access["service"].as_array().unwrap().len(), 1);
    assert_eq!(publisher.get("/auth/logout", &[]).await.status(), StatusCode::NOT_FOUND);
}

/// A store that does not answer.
struct Down;

impl Revocations for Down {
    fn is_revoked(&self, _: SessionId, _: Timestamp) -> Answer<Result<bool, BoxError>> {
        Answer::Now(Ok(false))
    }

    fn revoke(&self, _: SessionId, _: Timestamp, _: Timestamp) -> Answer<Result<(), BoxError>> {
        Answer::Now(Err("the store is down".into()))
    }
}

#[tokio::test]
async fn a_logout_that_could_not_be_stored_is_said_aloud() {
    let clock = clock();
    let publisher = Publisher::of(builder(&clock).revocations(Down), clock);
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    let page = publisher.get("/auth/logout", &[("cookie", &cookie)]).await;
    // V2-LOGOUT-4: the user is not told that everything ended; V2-LOGOUT-3: the cookie still goes.
    assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(!closes(&page) && !text(&page).contains("You are logged out"));
    assert!(set_cookies(page.headers())[0].contains("Max-Age=0"));
}

/// SE-13: a gesture page that was left open is nobody's way back in after a logout, and terms that were
/// left open are asked for again.
#[tokio::test]
async fn nothing_waits_for_a_click_after_a_logout() {
    let publisher = Publisher::new();
    for logged_in in [true, false] {
        let page = publisher.get(&format!("/auth/login?origin={V}"), &[]).await;
        let flow = cookie_pair(&page, "__Host-iiif-flow").unwrap();
        // Back from an identity provider: the click is still to come.
        let back = [("cookie", &*flow), ("sec-fetch-site", "cross-site"), ("x-roles", "A")];
        let asked = publisher.send(request(Method::POST, "/auth/login", &back)).await;
        let [grant] = &forms(&asked)[..] else { panic!("{asked:?}") };
        let mut cookies = cookie_pair(&asked, "__Host-iiif-flow").unwrap();
        if logged_in {
            let session = publisher.log_in(&["A"], Some(V)).await;
            cookies = format!("{cookies}; {COOKIE}={session}");
        }
        let out = publisher.get("/auth/logout", &[("cookie", &cookies)]).await;
        assert_eq!(out.status(), StatusCode::OK);
        // The browser sends what it keeps.
        assert_eq!(cookie_pair(&out, "__Host-iiif-flow").as_deref(), Some("__Host-iiif-flow="));
        let late = publisher.send(form("/auth/continue", &[], &format!("{grant}continue"))).await;
        assert_eq!(late.status(), StatusCode::FORBIDDEN);
        assert!(!late.headers().contains_key("set-cookie"));
    }
}
