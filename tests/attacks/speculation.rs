//! What a browser loads in case the user goes there.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Method, Response, header};
use tower_iiif_auth::clock::SetClock;
use tower_iiif_auth::resource::ImageApi;
use tower_iiif_auth::{
    AccessService, IiifAuth, IiifAuthBuilder, Message, Realm, ThirdPartyCookies,
};

use crate::common::steps::{closes, fields};
use crate::common::{
    BASE, COOKIE, Publisher, V, clock, cookie_pair, form, image, image_server, keyring, posted,
    request, rules, set_cookies,
};
use crate::setup::{pair, query};
use tower_iiif_auth::protocol::Family;

/// What browsers say, of today and of before.
const SPECULATIVE: [(&str, &str); 12] = [
    ("sec-purpose", "prefetch"),
    ("sec-purpose", "prefetch;prerender"),
    ("sec-purpose", "prefetch;anonymous-client-ip"),
    ("sec-purpose", "Prefetch"),
    ("sec-purpose", "something-new"),
    ("purpose", "prefetch"),
    ("purpose", "Prefetch"),
    ("purpose", "preview"),
    ("x-moz", "prefetch"),
    ("x-purpose", "preview"),
    ("x-purpose", "prefetch"),
    ("x-purpose", "a, preview; b"),
];

/// What says nothing of the kind.
const USUAL: [(&str, &str); 4] =
    [("purpose", "navigate"), ("x-moz", ""), ("x-purpose", "prefetched"), ("accept", "prefetch")];

fn every_service(clock: &SetClock) -> IiifAuthBuilder {
    let families = ImageApi::new("/iiif/2").families(Family::ALL);
    let realm = |name| Realm::named(name);
    IiifAuth::builder(BASE)
        .keyring(keyring())
        .clock(clock.clone())
        .resources(families)
        .images("/iiif/3")
        .third_party_cookies(ThirdPartyCookies::default().hand_off())
        .realm(Realm::new().access(AccessService::active("login", "Library").steps(["/sso/*"])))
        .realm(
            realm("terms").access(
                AccessService::click_through("accept", "Library", Message::new("Terms"))
                    .protects(["letters"]),
            ),
        )
        .realm(realm("room").access(AccessService::kiosk("kiosk").protects(["maps"])))
        .authorizer(rules())
}

/// The publisher, and how often its application was called.
fn publisher() -> (Publisher, Arc<AtomicUsize>) {
    let (clock, calls) = (clock(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&calls);
    let publisher = Publisher::before(every_service(&clock), clock, move |request| {
        counted.fetch_add(1, Ordering::SeqCst);
        image_server(request)
    });
    (publisher, calls)
}

#[track_caller]
fn assert_not_yet(response: &Response<Bytes>, what: &str) {
    assert_eq!(response.status(), 503, "{what}: {response:?}");
    assert!(response.body().is_empty(), "{what}");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store", "{what}");
    assert!(set_cookies(response.headers()).is_empty(), "{what}");
}

/// LF-05: no effect, no cookie, nobody's application is called, and the browser loads again.
#[tokio::test]
async fn lf_05_nothing_comes_of_it() {
    let (publisher, calls) = publisher();
    let paths = [
        "/auth/login",
        "/auth/login?origin=https://viewer.example",
        "/auth/login/callback?code=once",
        "/sso/back?code=once",
        "/auth/login/1",
        "/auth/login/0",
        "/auth/terms/accept?origin=https://viewer.example",
        "/auth/terms/accept/1",
        "/auth/room/kiosk",
        "/auth/room/kiosk?origin=https://viewer.example",
        "/auth/room/kiosk/1",
        "/auth/logout",
        "/auth/terms/logout",
        "/auth/continue",
        "/auth/hand-off",
        "/auth/redeem",
        "/auth/token?messageId=m1&origin=https://viewer.example",
        "/auth/token/1",
    ];
    for says in SPECULATIVE {
        for path in paths {
            let methods = [Method::GET, Method::HEAD, Method::POST];
            // The token service takes no form.
            let count = if path.contains("/token") { 2 } else { 3 };
            for method in methods.into_iter().take(count) {
                let what = format!("{method} {path} {says:?}");
                let headers = [says, ("x-roles", "A"), ("sec-fetch-site", "same-origin")];
                assert_not_yet(&publisher.send(request(method, path, &headers)).await, &what);
            }
        }
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    // What is really opened is answered as ever.
    for says in USUAL {
        let login = publisher.get(&format!("/auth/login?origin={V}"), &[says]).await;
        assert_eq!(login.status(), 200, "{says:?}");
        assert!(cookie_pair(&login, "__Host-iiif-flow").is_some());
        assert!(closes(&publisher.get("/auth/room/kiosk", &[says]).await), "{says:?}");
    }
    // Content has no effect: it comes, if it may be seen.
    let tile = publisher.get(&image("pub"), &[("sec-purpose", "prefetch")]).await;
    assert_eq!(tile.status(), 200);
}

/// LF-05: whoever has one keeps the session, the click and the login that is under way.
#[tokio::test]
async fn lf_05_what_is_there_stays() {
    let (publisher, _) = publisher();
    let cookie = publisher.log_in_directly(&["A"]).await;
    let tile = async |cookie: &str| {
        publisher.get(&image("sec"), &[("cookie", &pair(cookie))]).await.status().as_u16()
    };
    for says in SPECULATIVE {
        let headers = [says, ("cookie", &*pair(&cookie))];
        assert_not_yet(&publisher.get("/auth/logout", &headers).await, "logout");
        assert_eq!(tile(&cookie).await, 200, "{says:?}");
        // Nor does a kiosk or another login take its place.
        publisher.get("/auth/room/kiosk", &headers).await;
        publisher.send(form("/auth/login", &[says, ("x-roles", "B"), headers[1]], "")).await;
        assert_eq!(tile(&cookie).await, 200, "{says:?}");
    }
    let page = publisher.get(&format!("/auth/terms/accept?origin={V}"), &[]).await;
    let flow = cookie_pair(&page, "__Host-iiif-flow").unwrap();
    let accept = format!("{}accept", fields(&page));
    let headers = [("cookie", &*flow), ("sec-purpose", "prefetch")];
    let early = publisher.send(form("/auth/terms/accept", &headers, &accept)).await;
    assert_not_yet(&early, "the click");
    let done = publisher.send(form("/auth/terms/accept", &headers[..1], &accept)).await;
    assert!(cookie_pair(&done, "__Host-iiif-terms").is_some(), "the flow has lost nothing");
    assert_eq!(publisher.get("/auth/logout", &[("cookie", &pair(&cookie))]).await.status(), 200);
    assert_eq!(tile(&cookie).await, 401);
}

/// LF-05: the token service's frame in a page that is prerendered gets its message, and no cookie.
#[tokio::test]
async fn lf_05_a_prerendered_viewer_does_not_wait_for_ever() {
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let path = format!("/auth/token?{}", query());
    let says = ("sec-purpose", "prefetch;prerender");
    for framed in ["iframe", "frame"] {
        let cookie = format!("{COOKIE}={cookie}");
        let headers = [says, ("sec-fetch-dest", framed), ("cookie", &cookie)];
        let page = publisher.get(&path, &headers).await;
        assert!(posted(&page).unwrap().0["accessToken"].is_string(), "{framed}");
        assert!(set_cookies(page.headers()).is_empty());
    }
    let headers = [says, ("sec-fetch-dest", "document"), ("cookie", &*pair(&cookie))];
    assert_not_yet(&publisher.get(&path, &headers).await, "a tab");
}
