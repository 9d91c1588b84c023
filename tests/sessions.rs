//! What an application does with sessions itself: it asks for them, ends them, lets them last, and gives
//! other roles.

mod common;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::Full;
use tokio::sync::Notify;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_iiif_auth::access::AccessGrant;
use tower_iiif_auth::aspect::{AspectError, Head, IpRanges, SessionId};
use tower_iiif_auth::authorizer::{Cached, Decision, Remedy, RolesFor};
use tower_iiif_auth::clock::{SetClock, Timestamp};
use tower_iiif_auth::find_session::{LiveSession, SessionUnknown};
use tower_iiif_auth::revocation::{Era, InMemory, Revocations, SessionKey};
use tower_iiif_auth::{
    AccessCookie, AccessService, Answer, BoxError, IiifAuth, IiifAuthBuilder, Realm, SessionsError,
};

use common::faults::{FAULTS, Store};
use common::{
    BASE, Body, COOKIE, Publisher, V, bare, builder, clock, image, request, set_cookie_value,
    set_cookies,
};

const MINUTE: Duration = Duration::from_secs(60);

fn with_cookie(value: &str) -> Request<Body> {
    request(Method::GET, "/account", &[("cookie", &format!("{COOKIE}={value}"))])
}

fn word(result: &Result<LiveSession, AspectError>) -> String {
    match result {
        Ok(live) => format!("{:?} {}", live.realm(), live.session().subject()),
        Err(error) => format!("{error:?}").split(['(', ' ']).next().unwrap().to_owned(),
    }
}

async fn status(publisher: &Publisher, value: &str) -> u16 {
    let cookie = format!("{COOKIE}={value}");
    publisher.get(&image("sec"), &[("cookie", &cookie)]).await.status().as_u16()
}

/// What the finder's layer tells a page: who is in, and what the answer says besides.
async fn page(auth: &IiifAuth, request: Request<Body>) -> Response<String> {
    let inner = service_fn(async |request: Request<Body>| {
        let extensions = request.extensions();
        let who = match extensions.get::<LiveSession>() {
            Some(live) => format!("{:?} {}", live.realm(), live.session().subject()),
            None if extensions.get::<SessionUnknown>().is_some() => "unknown".to_owned(),
            None => "nobody".to_owned(),
        };
        Ok::<_, Infallible>(Response::new(who))
    });
    ServiceBuilder::new().layer(auth.find_session()).service(inner).oneshot(request).await.unwrap()
}

/// The live session at any route, by the call and by the layer: read, in time, and not logged out, as for
/// a tile.
#[tokio::test]
async fn the_session_of_any_request() {
    let publisher = Publisher::new();
    let auth = &publisher.auth;
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let token = publisher.token(&cookie).await;
    let bearer = format!("Bearer {token}");
    let of = |headers: &[(&str, &str)]| request(Method::GET, "/anything", headers);
    for (request, told) in [
        (with_cookie(&cookie), "\"\" u1"),
        (of(&[]), "Missing"),
        (with_cookie("junk"), "Invalid"),
        // A token is no session of a page's.
        (of(&[("authorization", &bearer)]), "Missing"),
        (of(&[("cookie", &format!("{COOKIE}={token}"))]), "Invalid"),
    ] {
        let live = auth.live_session(Head::of(&request)).await;
        assert_eq!(word(&live), told, "{:?}", request.headers());
        let seen = page(auth, request).await;
        assert_eq!(seen.body(), if live.is_ok() { told } else { "nobody" });
        assert!(!seen.headers().contains_key(SET_COOKIE));
    }
    publisher.clock.advance(Duration::from_secs(600));
    let live = auth.live_session(Head::of(&with_cookie(&cookie))).await;
    assert_eq!(word(&live), "Expired");
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let pair = format!("{COOKIE}={cookie}");
    publisher.get("/auth/logout", &[("cookie", &pair)]).await;
    let live = auth.live_session(Head::of(&with_cookie(&cookie))).await;
    assert_eq!(word(&live), "Revoked");
    assert_eq!(page(auth, with_cookie(&cookie)).await.body(), "nobody");
}

/// Of several realms the first counts that has a session, or the one that is named.
#[tokio::test]
async fn of_several_realms() {
    let clock = clock();
    let address = "192.0.2.7".parse::<std::net::IpAddr>().unwrap();
    let campus = Realm::named("campus")
        .access(AccessService::external().label("Campus"))
        .aspect(IpRanges::new(["192.0.2.0/24"], "campus").unwrap());
    let publisher = Publisher::of(builder(&clock).realm(campus), clock);
    let auth = &publisher.auth;
    let cookie = publisher.log_in(&["A"], None).await;
    let from_campus = |cookie: Option<&str>| {
        let mut request = cookie.map_or_else(|| request(Method::GET, "/", &[]), with_cookie);
        request.extensions_mut().insert(tower_iiif_auth::aspect::PeerAddr(address));
        request
    };
    for (request, realm, told) in [
        (from_campus(Some(&cookie)), None, "\"\" u1"),
        (from_campus(None), None, "\"campus\" "),
        (from_campus(Some(&cookie)), Some("campus"), "\"campus\" "),
        (from_campus(Some(&cookie)), Some(""), "\"\" u1"),
        (from_campus(Some(&cookie)), Some("other"), "Missing"),
        (from_campus(Some(&cookie)), Some("typo"), "Unavailable"),
        (with_cookie(&cookie), Some("campus"), "Missing"),
    ] {
        let head = Head::of(&request);
        let live = match realm {
            None => auth.live_session(head).await,
            Some(realm) => auth.live_session_in(realm, head).await,
        };
        assert_eq!(word(&live), told, "{realm:?}");
    }
    let layer = auth.find_session().of_realm("other");
    let inner = service_fn(async |request: Request<Body>| {
        Ok::<_, Infallible>(Response::new(request.extensions().get::<LiveSession>().is_some()))
    });
    let stack = ServiceBuilder::new().layer(layer).service(inner);
    assert!(!stack.oneshot(from_campus(Some(&cookie))).await.unwrap().into_body());
}

/// RE-01: a store that is down makes nobody of nobody's knowing: the page can say so.
#[tokio::test(start_paused = true)]
async fn re_01_a_page_while_the_store_is_down() {
    for fault in FAULTS {
        let (clock, store) = (clock(), Store::new());
        let publisher = Publisher::of(builder(&clock).revocations(store.clone()), clock);
        let cookie = publisher.log_in(&["A"], None).await;
        store.fail(fault);
        let live = publisher.auth.live_session(Head::of(&with_cookie(&cookie))).await;
        assert_eq!(word(&live), "Unavailable", "{fault:?}");
        assert_eq!(page(&publisher.auth, with_cookie(&cookie)).await.body(), "unknown");
        assert_eq!(page(&publisher.auth, request(Method::GET, "/", &[])).await.body(), "nobody");
        let ended = publisher.auth.log_out(Head::of(&with_cookie(&cookie))).await;
        let mut headers = HeaderMap::new();
        ended.set_cookies(&mut headers);
        assert!(set_cookies(&headers)[0].contains("Max-Age=0"), "deleted all the same");
        assert!(matches!(ended.outcome(), Err(SessionsError::NotStored(_))), "{fault:?}");
        for ended in [
            publisher.auth.end_session("", SessionId::from_bytes([1; 16])).await,
            publisher.auth.end_sessions_of("", "u1").await,
            publisher.auth.reissue("", Head::of(&with_cookie(&cookie)), ["A"]).await.map(drop),
        ] {
            assert!(ended.is_err(), "{fault:?}");
        }
    }
}

/// ended in a handler, by its id, or with all of its subject's: session and tokens are over at once,
/// and a login after that is good, at the very same moment.
#[tokio::test]
async fn sessions_are_ended() {
    for how in ["handler", "handler of a realm", "id", "subject"] {
        let publisher = Publisher::new();
        let auth = &publisher.auth;
        let cookie = publisher.log_in(&["A"], Some(V)).await;
        let elsewhere = publisher.log_in(&["A"], Some(V)).await;
        let token = publisher.token(&cookie).await;
        assert_eq!(publisher.probe_status("/iiif/3/sec", Some(&token)).await, 200);
        let request = with_cookie(&cookie);
        let head = Head::of(&request);
        match how {
            "handler" | "handler of a realm" => {
                let out = match how {
                    "handler" => auth.log_out(head).await,
                    _ => auth.log_out_of("", head).await,
                };
                let mut headers = HeaderMap::new();
                out.set_cookies(&mut headers);
                out.outcome().unwrap();
                let deleted = set_cookies(&headers);
                assert!(deleted[0].starts_with("__Host-iiif=;"), "{deleted:?}");
                assert_eq!(deleted.len(), if how == "handler" { 2 } else { 1 });
            }
            "id" => {
                let id = auth.live_session(head).await.unwrap().session().id();
                auth.end_session("", id).await.unwrap();
            }
            _ => auth.end_sessions_of("", "u1").await.unwrap(),
        }
        assert_eq!(status(&publisher, &cookie).await, 401, "{how}");
        assert_eq!(publisher.probe_status("/iiif/3/sec", Some(&token)).await, 401, "{how}");
        let pair = format!("{COOKIE}={cookie}");
        let (message, _) =
            publisher.token_message(&format!("messageId=1&origin={V}"), &[("cookie", &pair)]).await;
        assert_eq!(message["profile"], "invalidAspect", "{how}");
        let others = status(&publisher, &elsewhere).await;
        assert_eq!(others, if how == "subject" { 401 } else { 200 }, "{how}");
        let after = publisher.log_in(&["A"], Some(V)).await;
        assert_eq!(status(&publisher, &after).await, 200, "{how}");
        let token = publisher.token(&after).await;
        assert_eq!(publisher.probe_status("/iiif/3/sec", Some(&token)).await, 200, "{how}");
        // And all over again.
        auth.end_sessions_of("", "u1").await.unwrap();
        assert_eq!(status(&publisher, &after).await, 401, "{how}");
        assert_eq!(publisher.probe_status("/iiif/3/sec", Some(&token)).await, 401, "{how}");
    }
}

/// it is that subject's sessions of that realm, and what cannot be ended is said.
#[tokio::test]
async fn whose_sessions() {
    let publisher = Publisher::new();
    let auth = &publisher.auth;
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    for (realm, subject) in [("", "u"), ("", "u12"), ("", "U1"), ("other", "u1")] {
        auth.end_sessions_of(realm, subject).await.unwrap();
        assert_eq!(status(&publisher, &cookie).await, 200, "{realm:?} {subject}");
    }
    let nobody = auth.end_sessions_of("", "").await;
    assert!(matches!(nobody, Err(SessionsError::Nobody)));
    let no_realm = auth.end_sessions_of("typo", "u1").await;
    assert!(matches!(no_realm, Err(SessionsError::NoRealm(name)) if name == "typo"));
    let no_realm = auth.end_session("typo", SessionId::from_bytes([0; 16])).await;
    assert!(matches!(no_realm, Err(SessionsError::NoRealm(_))));
    let out = auth.log_out_of("typo", Head::of(&with_cookie(&cookie))).await;
    assert!(matches!(out.outcome(), Err(SessionsError::NoRealm(_))));
    let campus = Realm::named("campus")
        .access(AccessService::external().label("Campus"))
        .aspect(IpRanges::new(["192.0.2.0/24"], "campus").unwrap());
    let clock = clock();
    let publisher = Publisher::of(builder(&clock).realm(campus), clock);
    let no_cookie = publisher.auth.end_sessions_of("campus", "u1").await;
    assert!(matches!(no_cookie, Err(SessionsError::NoCookie(_))));
}

/// a login that waits for its click while all sessions of its user are ended is none.
#[tokio::test]
async fn a_click_after_the_end() {
    let publisher = Publisher::new();
    // Without the form that makes a click needless: the gesture page.
    let headers = [("sec-fetch-site", "cross-site"), ("x-roles", "A")];
    let page = publisher.send(request(Method::POST, "/auth/login", &headers)).await;
    let sealed = common::text(&page).split("name=\"grant\" value=\"").nth(1).unwrap();
    let sealed = sealed.split('"').next().unwrap();
    let flow = common::cookie_pair(&page, "__Host-iiif-flow").unwrap();
    publisher.auth.end_sessions_of("", "u1").await.unwrap();
    let form = common::form("/auth/continue", &[("cookie", &flow)], &format!("grant={sealed}"));
    let answer = publisher.send(form).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_eq!(set_cookie_value(&answer, COOKIE), None);
}

/// LM-01: each realm's subjects have room of their own; and it is said when there is no more.
#[tokio::test]
async fn lm_01_subjects_are_bounded() {
    let clock = clock();
    let store = InMemory::new().unwrap().at_most(2);
    let publisher = Publisher::of(builder(&clock).revocations(store), clock);
    let auth = &publisher.auth;
    for (realm, subject, is_stored) in
        [("", "a", true), ("", "b", true), ("", "c", false), ("", "a", true), ("other", "c", true)]
    {
        let ended = auth.end_sessions_of(realm, subject).await;
        assert_eq!(ended.is_ok(), is_stored, "{realm:?} {subject}");
    }
    // A logout has its own room.
    let cookie = publisher.log_in(&["A"], None).await;
    auth.log_out(Head::of(&with_cookie(&cookie))).await.outcome().unwrap();
    publisher.clock.advance(Duration::from_secs(24 * 60 * 60 + 10));
    auth.end_sessions_of("", "c").await.unwrap();
}

/// A store of before, which knows ids alone, ends no subject's sessions and says so.
#[tokio::test]
async fn a_store_that_knows_ids_alone() {
    struct Ids(InMemory);
    impl Revocations for Ids {
        fn is_revoked(&self, id: SessionId, now: Timestamp) -> Answer<Result<bool, BoxError>> {
            self.0.is_revoked(id, now)
        }
        fn admit(&self, id: SessionId) -> SessionId {
            self.0.admit(id)
        }
        fn revoke(
            &self,
            id: SessionId,
            until: Timestamp,
            now: Timestamp,
        ) -> Answer<Result<(), BoxError>> {
            self.0.revoke(id, until, now)
        }
    }
    let clock = clock();
    let publisher =
        Publisher::of(builder(&clock).revocations(Ids(InMemory::new().unwrap())), clock);
    let cookie = publisher.log_in(&["A"], None).await;
    assert!(publisher.auth.end_sessions_of("", "u1").await.is_err());
    assert_eq!(status(&publisher, &cookie).await, 200);
    publisher.auth.log_out(Head::of(&with_cookie(&cookie))).await.outcome().unwrap();
    assert_eq!(status(&publisher, &cookie).await, 401);
}

/// A realm whose sessions last ten minutes from their last use, and an hour at most.
fn renewing(clock: &SetClock) -> IiifAuthBuilder {
    let cookie = AccessCookie::new().lifetime(10 * MINUTE).renewed_up_to(60 * MINUTE);
    let login = AccessService::active("login", "Example Library");
    bare(clock).realm(Realm::new().access(login).aspect(cookie))
}

async fn tile(publisher: &Publisher, value: &str) -> Response<Bytes> {
    let cookie = format!("{COOKIE}={value}");
    publisher.get(&image("sec"), &[("cookie", &cookie)]).await
}

/// a session goes on while it is used, from half of its time on, and ends when it has to.
#[tokio::test]
async fn renewed_while_it_is_used() {
    let clock = clock();
    let publisher = Publisher::of(renewing(&clock), clock);
    let mut cookie = publisher.log_in(&["A"], Some(V)).await;
    let first = cookie.clone();
    publisher.clock.advance(4 * MINUTE);
    let answer = tile(&publisher, &cookie).await;
    assert_eq!((answer.status(), set_cookie_value(&answer, COOKIE)), (StatusCode::OK, None));
    let mut minutes = 4;
    let mut ends = Vec::new();
    loop {
        // Just past the half at first, and then somewhat later.
        let more = if minutes == 4 { 5 } else { 6 };
        publisher.clock.advance(more * MINUTE);
        minutes += u64::from(more);
        let answer = tile(&publisher, &cookie).await;
        if answer.status() != StatusCode::OK {
            break;
        }
        if let Some(renewed) = set_cookie_value(&answer, COOKIE) {
            // Nobody keeps an answer with a cookie.
            assert_eq!(answer.headers()[CACHE_CONTROL], "private, no-store");
            let set = &set_cookies(answer.headers())[0];
            let seconds = set.split("Max-Age=").nth(1).unwrap().split(';').next().unwrap();
            ends.push(minutes * 60 + seconds.parse::<u64>().unwrap());
            cookie = renewed;
        }
    }
    // The last one is no longer than the hour.
    assert_eq!(ends.last(), Some(&3600), "{ends:?}");
    assert!(ends.len() >= 7 && (60..66).contains(&minutes), "{ends:?} {minutes}");
    // The first cookie ended when it said so.
    assert_eq!(status(&publisher, &first).await, 401);
}

/// who does nothing is out after the lifetime, and without the setting so is everyone.
#[tokio::test]
async fn idle_is_over() {
    let clock = clock();
    let publisher = Publisher::of(renewing(&clock), clock);
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    publisher.clock.advance(10 * MINUTE);
    assert_eq!(status(&publisher, &cookie).await, 401);
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    publisher.clock.advance(9 * MINUTE);
    let answer = tile(&publisher, &cookie).await;
    assert_eq!((answer.status(), set_cookie_value(&answer, COOKIE)), (StatusCode::OK, None));
}

/// what renews a session, and what does not. Open content, probes, tokens and what is loaded in
/// advance use none.
#[tokio::test]
async fn what_renews() {
    let clock = clock();
    let publisher = Publisher::of(renewing(&clock), clock);
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let token = publisher.token(&cookie).await;
    publisher.clock.advance(4 * MINUTE + Duration::from_secs(50));
    let (pair, bearer) = (format!("{COOKIE}={cookie}"), format!("Bearer {token}"));
    let tokens = format!("/auth/token?messageId=1&origin={V}");
    publisher.clock.advance(Duration::from_secs(10));
    let both = [("cookie", &*pair), ("authorization", &*bearer)];
    let ahead = [("cookie", &*pair), ("sec-purpose", "prefetch")];
    for (path, headers, renews) in [
        (image("sec"), &both[..1], true),
        ("/files/sec".to_owned(), &both[..1], true),
        (image("sec"), &ahead[..], false),
        (image("pub"), &both[..1], false),
        ("/iiif/3/sec/info.json".to_owned(), &both[..1], false),
        (image("sec2"), &both[..1], false),
        (image("sec"), &both[1..], false),
        ("/auth/probe/iiif/3/sec".to_owned(), &both[..], false),
        ("/auth/probe/iiif/3/sec".to_owned(), &both[..1], false),
        (tokens.clone(), &both[..1], true),
        (tokens.clone(), &both[1..], false),
        (format!("{tokens}.other"), &both[..1], false),
    ] {
        let answer = publisher.get(&path, headers).await;
        assert_eq!(set_cookie_value(&answer, COOKIE).is_some(), renews, "{path} {answer:?}");
    }
    let seen = page(&publisher.auth, with_cookie(&cookie)).await;
    assert_eq!(seen.headers()[CACHE_CONTROL], "private, no-store");
    assert!(set_cookies(seen.headers())[0].contains("Max-Age=600"));
}

/// all copies of a session are one: those that parallel tiles bring are all good, and a logout ends
/// each of them for as long as any could live.
#[tokio::test]
async fn copies_are_one_session() {
    let clock = clock();
    let publisher = Publisher::of(renewing(&clock), clock);
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    publisher.clock.advance(6 * MINUTE);
    let mut copies = vec![cookie.clone()];
    for _ in 0..3 {
        copies.push(set_cookie_value(&tile(&publisher, &cookie).await, COOKIE).unwrap());
        publisher.clock.advance(Duration::from_secs(1));
    }
    for copy in &copies {
        assert_eq!(status(&publisher, copy).await, 200);
    }
    // The oldest copy logs out; the others would have outlived it.
    publisher.auth.log_out(Head::of(&with_cookie(&cookie))).await.outcome().unwrap();
    for _ in 0..9 {
        for copy in &copies {
            let answer = tile(&publisher, copy).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
            assert_eq!(set_cookie_value(&answer, COOKIE), None);
        }
        publisher.clock.advance(MINUTE);
    }
}

/// a tile that streams slowly does not bring back the session that was ended, or replaced, while it
/// was on its way.
#[tokio::test]
async fn nothing_is_revived_by_a_slow_tile() {
    for how in ["log out", "subject", "login", "nothing"] {
        let clock = clock();
        let go = Arc::new(Notify::new());
        let is_slow = Arc::new(AtomicBool::new(false));
        let (gate, slow) = (Arc::clone(&go), Arc::clone(&is_slow));
        let auth = renewing(&clock).build().unwrap();
        let inner = service_fn(move |request: Request<Body>| {
            let (gate, slow) = (Arc::clone(&gate), Arc::clone(&slow));
            async move {
                if slow.load(Ordering::SeqCst) && request.uri().path().starts_with("/iiif/") {
                    gate.notified().await;
                }
                let mut response = Response::new(Full::from("a tile"));
                if request.uri().path() == "/auth/login" && request.method() == Method::POST {
                    response.extensions_mut().insert(AccessGrant::to("u1").role("A"));
                }
                Ok::<_, Infallible>(response)
            }
        });
        let stack = ServiceBuilder::new().layer(auth.layer()).service(inner);
        let login = |cookie: &str| {
            let headers = [("origin", BASE), ("cookie", cookie)];
            stack.clone().oneshot(request(Method::POST, "/auth/login", &headers))
        };
        let first = login("").await.unwrap();
        let pair = set_cookies(first.headers())[0].split(';').next().unwrap().to_owned();
        let live = first.extensions().get::<LiveSession>().expect("whose session began");
        assert_eq!(live.session().subject(), "u1");
        clock.advance(6 * MINUTE);
        is_slow.store(true, Ordering::SeqCst);
        let asked = request(Method::GET, &image("sec"), &[("cookie", &pair)]);
        let tile = tokio::spawn(stack.clone().oneshot(asked));
        tokio::task::yield_now().await;
        let own = request(Method::GET, "/", &[("cookie", &pair)]);
        match how {
            "log out" => auth.log_out(Head::of(&own)).await.outcome().unwrap(),
            "subject" => auth.end_sessions_of("", "u1").await.unwrap(),
            "login" => drop(login(&pair).await.unwrap()),
            _ => {}
        }
        go.notify_one();
        let tile = tile.await.unwrap().unwrap();
        assert_eq!(tile.status(), StatusCode::OK, "it was allowed when it was asked for");
        assert_eq!(tile.headers().contains_key(SET_COOKIE), how == "nothing", "{how}");
    }
}

/// a lifetime that no session may have is an error where it is given, and longer ones only by the
/// word for it.
#[tokio::test]
async fn long_sessions() {
    let day = 24 * 60 * MINUTE;
    let grant = || AccessGrant::to("user").role("A");
    for (lifetime, fits, fits_long) in [
        (Duration::ZERO, false, false),
        (Duration::from_millis(999), false, false),
        (Duration::from_secs(1), true, true),
        (day, true, true),
        (day + Duration::from_secs(1), false, true),
        (30 * day, false, true),
    ] {
        assert_eq!(grant().lifetime(lifetime).is_ok(), fits, "{lifetime:?}");
        assert_eq!(grant().insecure_lifetime(lifetime).is_ok(), fits_long, "{lifetime:?}");
    }
    let error = grant().lifetime(2 * day).unwrap_err().to_string();
    assert!(error.contains("24 hours"), "{error}");
    for (cookie, days) in [
        (AccessCookie::new().insecure_longer_than_a_day(), 30),
        // Where the realm does not allow it, it is as long as can be.
        (AccessCookie::new(), 1),
    ] {
        let clock = clock();
        let login = AccessService::active("login", "Example Library");
        let realm = Realm::new().access(login).aspect(cookie);
        let publisher = Publisher::before(bare(&clock).realm(realm), clock, |request| {
            let mut response = Response::new(Full::from("x"));
            if request.uri().path() == "/auth/login" {
                let grant = AccessGrant::to("user").role("A");
                let grant = grant.insecure_lifetime(Duration::from_secs(30 * 86_400)).unwrap();
                response.extensions_mut().insert(grant);
            }
            response
        });
        let login = request(Method::POST, "/auth/login", &[("origin", BASE)]);
        let cookie = set_cookie_value(&publisher.send(login).await, COOKIE).unwrap();
        publisher.clock.advance((days - 1) * day + 23 * 60 * MINUTE);
        assert_eq!(status(&publisher, &cookie).await, 200, "{days} days");
        publisher.clock.advance(60 * MINUTE);
        assert_eq!(status(&publisher, &cookie).await, 401, "{days} days");
    }
}

/// Another role without a login: the same user, viewers and end, and the session of before is over.
#[tokio::test]
async fn other_roles_without_a_login() {
    let publisher = Publisher::new();
    let auth = &publisher.auth;
    let cookie = publisher.log_in(&["B"], Some(V)).await;
    let token = publisher.token(&cookie).await;
    assert_eq!(status(&publisher, &cookie).await, 403);
    publisher.clock.advance(MINUTE);
    let before = auth.live_session(Head::of(&with_cookie(&cookie))).await.unwrap();
    let header = auth.reissue("", Head::of(&with_cookie(&cookie)), ["A"]).await.unwrap();
    assert!(header.is_sensitive());
    let new = header.to_str().unwrap().split([';', '=']).nth(1).unwrap().to_owned();
    assert_eq!(status(&publisher, &new).await, 200);
    assert_eq!(status(&publisher, &cookie).await, 401);
    assert_eq!(publisher.probe_status("/iiif/3/sec", Some(&token)).await, 401);
    let after = auth.live_session(Head::of(&with_cookie(&new))).await.unwrap();
    let (before, after) = (before.session(), after.session());
    assert_ne!(before.id(), after.id());
    assert_eq!(after.roles().collect::<Vec<_>>(), ["A"]);
    assert_eq!(
        (after.subject(), after.expires_at(), after.issued_at()),
        (before.subject(), before.expires_at(), before.issued_at())
    );
    // For the same viewer.
    let token = publisher.token(&new).await;
    assert_eq!(publisher.probe_status("/iiif/3/sec", Some(&token)).await, 200);
    // Of what has ended, and of nobody, nothing is issued.
    for dead in [cookie.as_str(), "junk"] {
        let again = auth.reissue("", Head::of(&with_cookie(dead)), ["A"]).await;
        assert!(matches!(again, Err(SessionsError::Lacking(_))), "{again:?}");
    }
    let roles = vec!["r".repeat(200); 40];
    let large = auth.reissue("", Head::of(&with_cookie(&new)), roles).await;
    assert!(matches!(large, Err(SessionsError::Cookie(_))), "{large:?}");
    assert_eq!(status(&publisher, &new).await, 200, "and nothing was ended for it");
}

/// Two at once: one of them gives the session, the other is told that there is none.
#[tokio::test]
async fn one_session_becomes_one() {
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["B"], Some(V)).await;
    let request = with_cookie(&cookie);
    let (one, other) = tokio::join!(
        publisher.auth.reissue("", Head::of(&request), ["A"]),
        publisher.auth.reissue("", Head::of(&request), ["A"]),
    );
    assert_eq!(usize::from(one.is_ok()) + usize::from(other.is_ok()), 1);
}

/// Stores see realm, subject and era of a session.
#[tokio::test]
async fn what_a_store_is_asked_by() {
    let publisher = Publisher::new();
    publisher.auth.end_sessions_of("", "u1").await.unwrap();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let live = publisher.auth.live_session(Head::of(&with_cookie(&cookie))).await.unwrap();
    let key = SessionKey::new(live.realm(), live.session());
    assert_eq!((key.realm(), key.subject(), key.id()), ("", "u1", live.session().id()));
    assert_ne!(key.era(), Era::FIRST);
    assert_eq!(key.era(), live.session().era());
}

/// What an application keeps in its state, its handlers and its futures.
#[test]
fn to_be_kept_and_sent() {
    fn is_shared<T: Send + Sync + Clone + std::fmt::Debug + 'static>() {}
    fn is_sent<T: Send + std::fmt::Debug + 'static>() {}
    fn is_future<T: Send>(_: T) {}
    type Plain = fn(Request<Body>) -> std::future::Ready<Result<Response<Body>, Infallible>>;
    is_shared::<LiveSession>();
    is_shared::<SessionUnknown>();
    is_shared::<tower_iiif_auth::find_session::FindSessionLayer>();
    is_shared::<tower_iiif_auth::find_session::FindSession<tower::util::ServiceFn<Plain>>>();
    is_shared::<SessionKey<'static>>();
    is_shared::<Era>();
    is_shared::<Cached<RolesFor>>();
    is_sent::<tower_iiif_auth::LoggedOut>();
    is_sent::<SessionsError>();
    is_sent::<tower_iiif_auth::find_session::FindSessionFuture<tower::util::ServiceFn<Plain>, Body>>(
    );
    let publisher = Publisher::new();
    let auth = &publisher.auth;
    let request = request(Method::GET, "/", &[]);
    let head = || Head::of(&request);
    is_future(auth.live_session(head()));
    is_future(auth.live_session_in("", head()));
    is_future(auth.log_out(head()));
    is_future(auth.end_session("", SessionId::from_bytes([0; 16])));
    is_future(auth.end_sessions_of("", "u1"));
    is_future(auth.reissue("", head(), ["A"]));
    is_future(auth.decide(head(), "/iiif/3/sec"));
}

/// What a visitor would see: the checker's own decision, by any of the request's sessions.
#[tokio::test]
async fn what_a_visitor_would_see() {
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["A"], None).await;
    let (nobody, reader) = (request(Method::GET, "/", &[]), with_cookie(&cookie));
    for (path, as_nobody, as_reader) in [
        ("/iiif/3/pub", 200, 200),
        ("/iiif/3/sec", 401, 200),
        ("/iiif/3/sec/full/max/0/default.jpg", 401, 200),
        ("/iiif/3/sec/info.json", 401, 200),
        ("/files/sec", 401, 200),
        ("/iiif/3/sec2", 401, 401),
        ("/iiif/3/unknown", 403, 403),
        ("/iiif/3/a/../sec", 404, 404),
        ("/elsewhere", 404, 404),
    ] {
        for (request, expected) in [(&nobody, as_nobody), (&reader, as_reader)] {
            let decision = publisher.auth.decide(Head::of(request), path).await;
            let status = match decision {
                Decision::Grant | Decision::Signed(_) => 200,
                Decision::Redirect(_) => 302,
                Decision::Deny(denial) => match denial.remedy() {
                    Remedy::Login => 401,
                    Remedy::Never => 403,
                    Remedy::Absent => 404,
                    _ => 503,
                },
            };
            assert_eq!(status, expected, "{path}");
        }
    }
}

/// In a viewer's partition, which may be all that the browser sends, the session goes on as well,
/// with one cookie in an answer, and to the same end.
#[tokio::test]
async fn renewed_in_a_partition() {
    let clock = clock();
    let ways = tower_iiif_auth::ThirdPartyCookies::default().storage_access();
    let publisher = Publisher::of(renewing(&clock).third_party_cookies(ways), clock);
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let pair = format!("{COOKIE}={cookie}");
    let active = |pair: &str| {
        let headers = [("cookie", pair), ("sec-fetch-storage-access", "active")];
        let request = request(Method::GET, &image("sec"), &headers);
        publisher.send(request)
    };
    let partitioned = set_cookie_value(&active(&pair).await, "__Host-iiif-p").unwrap();
    let mut own = format!("__Host-iiif-p={partitioned}");
    for minute in 1..=60 {
        publisher.clock.advance(MINUTE);
        let answer = publisher.get(&image("sec"), &[("cookie", &own)]).await;
        if minute == 60 {
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "the hour is over");
            return;
        }
        assert_eq!(answer.status(), StatusCode::OK, "minute {minute}");
        assert_eq!(set_cookie_value(&answer, COOKIE), None, "it was not sent");
        if let Some(renewed) = set_cookie_value(&answer, "__Host-iiif-p") {
            own = format!("__Host-iiif-p={renewed}");
        }
    }
}
