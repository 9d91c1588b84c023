//! Duplicates, slow bodies, time, and limits that strangers use up.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::Full;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_iiif_auth::access::AccessGrant;
use tower_iiif_auth::aspect::{AspectError, AuthorizingAspect, Head, Reading, Session};
use tower_iiif_auth::clock::{Clock, SetClock, Timestamp};
use tower_iiif_auth::protocol::Family;
use tower_iiif_auth::resource::ImageApi;
use tower_iiif_auth::revocation::{InMemory, Revocations};
use tower_iiif_auth::{
    AccessCookie, AccessService, Answer, IiifAuth, IiifAuthBuilder, Limits, Message, Realm,
    ThirdPartyCookies,
};

use crate::common::steps::{closes, fields};
use crate::common::{
    BASE, Body, COOKIE, Publisher, V, assert_denied, bare, builder, clock, cookie_pair, form,
    image, image_server, keyring, rules, set_cookie_value, set_cookies,
};
use crate::html::{assert_error, posted};
use crate::setup::{Fault, Store, authorized, pair, query};

async fn tile(publisher: &Publisher, cookie: &str) -> u16 {
    publisher.get(&image("sec"), &[("cookie", &pair(cookie))]).await.status().as_u16()
}

async fn log_out(publisher: &Publisher, path: &str, cookie: &str) -> u16 {
    publisher.get(path, &[("cookie", cookie)]).await.status().as_u16()
}

/// The application's login, which believes two headers.
fn who(request: &Request<Body>) -> Response<Body> {
    let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    match header("x-user") {
        Some(user) if *request.method() == Method::POST => {
            let mut response = Response::new(Full::default());
            let roles = header("x-roles").unwrap_or_default();
            let roles: Vec<_> = roles.split(',').filter(|role| !role.is_empty()).collect();
            response.extensions_mut().insert(AccessGrant::to(user).roles(roles));
            response
        }
        _ if request.headers().contains_key("x-current") => {
            let mut response = Response::new(Full::default());
            response.extensions_mut().insert(AccessGrant::current_session());
            response
        }
        _ => image_server(request),
    }
}

/// The access cookie of a user who logged in from V.
async fn session_of(publisher: &Publisher, user: &str, roles: &str) -> String {
    let page = publisher.get(&format!("/auth/login?origin={V}"), &[]).await;
    let flow = cookie_pair(&page, "__Host-iiif-flow").unwrap();
    let headers = [("cookie", &*flow), ("x-user", user), ("x-roles", roles)];
    let done = publisher.send(form("/auth/login", &headers, "")).await;
    set_cookie_value(&done, COOKIE).unwrap_or_else(|| panic!("{done:?}"))
}

/// LF-06: two live sessions are nobody's, whichever comes first, whatever each may see alone.
#[tokio::test(start_paused = true)]
async fn lf_06_two_sessions() {
    for fault in [Fault::None, Fault::Slow(Duration::from_millis(1))] {
        for (roles, other_roles) in [("A", "A"), ("A", ""), ("", "A"), ("A", "B")] {
            let (clock, store) = (clock(), Store::new());
            let builder = builder(&clock).revocations(store.clone());
            let publisher = Publisher::before(builder, clock, who);
            let one = session_of(&publisher, "u1", roles).await;
            let two = session_of(&publisher, "u2", other_roles).await;
            // The same user's, from another login.
            let three = session_of(&publisher, "u1", roles).await;
            *store.look_up.lock().unwrap() = fault;
            for (one, two) in [(&one, &two), (&two, &one), (&one, &three), (&three, &one)] {
                for fields in [
                    vec![format!("{COOKIE}={one}; {COOKIE}={two}")],
                    vec![pair(one), pair(two)],
                    vec![format!("{COOKIE}=junk; {COOKIE}={one}; a=b"), pair(two)],
                    vec![format!("{COOKIE}={one}; {COOKIE}={one}; {COOKIE}={two}")],
                ] {
                    let what = format!("{fault:?} {roles}/{other_roles} {}", fields.len());
                    let fields: Vec<_> = fields.iter().map(|own| ("cookie", &**own)).collect();
                    assert_denied(&publisher.get(&image("sec"), &fields).await, 401);
                    let page = publisher.get(&format!("/auth/token?{}", query()), &fields).await;
                    assert_error(&page, "invalidAspect", V);
                    assert_eq!(set_cookies(page.headers()).len(), 0, "{what}");
                    // Nor does a click go on with either of them.
                    let mut more = fields.clone();
                    more.push(("x-current", "1"));
                    let more = publisher.send(form("/auth/login", &more, "")).await;
                    assert_eq!(more.status(), 403, "{what}");
                    assert_eq!(set_cookie_value(&more, COOKIE).as_deref(), Some(""), "{what}");
                }
            }
            // Each is good alone, as often as it comes, and a logout ends all that there are.
            let twice = format!("{COOKIE}={one}; {COOKIE}={one}");
            let seen = publisher.get(&image("sec"), &[("cookie", &twice)]).await;
            assert_eq!(seen.status() == 200, roles == "A");
            let page =
                publisher.get(&format!("/auth/token?{}", query()), &[("cookie", &twice)]).await;
            assert!(posted(&page).0["accessToken"].is_string());
            let both = format!("{COOKIE}={one}; {COOKIE}={two}");
            assert_eq!(log_out(&publisher, "/auth/logout", &both).await, 200);
            for gone in [&one, &two] {
                assert_eq!(tile(&publisher, gone).await, 401);
            }
            // What is dead does not count.
            let beside = format!("{COOKIE}={one}; {COOKIE}={three}; {COOKIE}={two}");
            let seen = publisher.get(&image("sec"), &[("cookie", &beside)]).await;
            assert_eq!(seen.status() == 200, roles == "A");
        }
    }
}

/// LF-06: a login after it works, and ends both.
#[tokio::test]
async fn lf_06_a_login_ends_both() {
    let clock = clock();
    let publisher = Publisher::before(builder(&clock), clock, who);
    let (one, two) =
        (session_of(&publisher, "u1", "A").await, session_of(&publisher, "u2", "A").await);
    let both = format!("{COOKIE}={one}; {COOKIE}={two}");
    let headers = [("cookie", &*both), ("x-user", "u3"), ("x-roles", "A")];
    let done = publisher.send(form("/auth/login", &headers, "")).await;
    let new = set_cookie_value(&done, COOKIE).unwrap();
    assert_eq!(tile(&publisher, &new).await, 200);
    assert_eq!((tile(&publisher, &one).await, tile(&publisher, &two).await), (401, 401));
}

/// LF-06 and SE-06: with more cookies of the name than are tried it is the same in every order.
#[tokio::test]
async fn lf_06_more_than_are_tried() {
    let publisher = Publisher::new();
    let good = pair(&publisher.log_in(&["A"], Some(V)).await);
    let junk = |count| format!("{COOKIE}=junk; ").repeat(count);
    for (before, after, expected) in [
        (7, 0, 200),
        (0, 7, 200),
        (3, 4, 200),
        (8, 0, 401),
        (0, 8, 401),
        (4, 4, 401),
        (0, 9999, 401),
    ] {
        let cookies = format!("{}{good}; {}", junk(before), junk(after));
        let seen = publisher.get(&image("sec"), &[("cookie", &cookies)]).await;
        assert_eq!(seen.status(), expected, "{before} before, {after} after");
    }
}

/// LF-06 and TC: a cookie of the partition counts where there is none of the other name.
#[tokio::test]
async fn lf_06_another_user_in_the_partition() {
    let clock = clock();
    let ways = ThirdPartyCookies::default().storage_access();
    let builder = builder(&clock).third_party_cookies(ways);
    let publisher = Publisher::before(builder, clock, who);
    let mut cookies = Vec::new();
    for (user, roles) in [("u1", "A"), ("u2", "")] {
        let own = format!("{COOKIE}={}", session_of(&publisher, user, roles).await);
        let headers = [("cookie", &*own), ("sec-fetch-storage-access", "active"), ("origin", V)];
        let page = publisher.get(&format!("/auth/token?{}", query()), &headers).await;
        cookies.push((own, cookie_pair(&page, "__Host-iiif-p").expect("a companion")));
    }
    let [(one, one_p), (two, two_p)] = &cookies[..] else { unreachable!() };
    for (fields, expected) in [
        (vec![one, two_p], 200),
        (vec![two_p, one], 200),
        (vec![two, one_p], 403),
        (vec![one_p, two], 403),
        (vec![one_p], 200),
        (vec![one_p, two_p], 401),
        (vec![two_p, one_p], 401),
        (vec![one, one_p], 200),
    ] {
        let headers: Vec<_> = fields.iter().map(|own| ("cookie", own.as_str())).collect();
        let seen = publisher.get(&image("sec"), &headers).await;
        assert_eq!(seen.status(), expected, "{fields:?}");
        let page = publisher.get(&format!("/auth/token?{}", query()), &headers).await;
        assert_eq!(posted(&page).0.get("accessToken").is_some(), expected != 401, "{fields:?}");
        let joined = fields.iter().map(|own| own.as_str()).collect::<Vec<_>>().join("; ");
        let seen = publisher.get(&image("sec"), &[("cookie", &joined)]).await;
        assert_eq!(seen.status(), expected, "{joined}");
    }
    // The other one counts again when the first is gone.
    assert_eq!(log_out(&publisher, "/auth/logout", two).await, 200);
    let both = format!("{two}; {one_p}");
    assert_eq!(publisher.get(&image("sec"), &[("cookie", &both)]).await.status(), 200);
}

/// A body that says that it is a hundred bytes long, sends one, and then nothing, or a byte now and then.
struct Slow {
    sent: usize,
    every: Option<Duration>,
    timer: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl HttpBody for Slow {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.sent > 0 {
            let Some(every) = self.every else { return Poll::Pending };
            let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(every)));
            std::task::ready!(timer.as_mut().poll(cx));
            self.timer = None;
        }
        self.sent += 1;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"g")))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(100 - self.sent as u64)
    }
}

/// LF-07: every endpoint that reads a body ends one that does not come.
#[tokio::test(start_paused = true)]
async fn lf_07_slow_forms() {
    for (limit, seconds) in [(None, 10), (Some(2), 2)] {
        let clock = clock();
        let login = AccessService::active("login", "Library");
        let realm = Realm::new()
            .access(login)
            .access(AccessService::click_through("terms", "Library", Message::new("T")).role("A"))
            .client("app", "0123456789abcdef-secret");
        let builder = IiifAuth::builder(BASE)
            .keyring(keyring())
            .clock(clock.clone())
            .resources(ImageApi::new("/iiif/2").families(Family::ALL))
            .third_party_cookies(ThirdPartyCookies::default().hand_off())
            .realm(realm)
            .authorizer(rules());
        let builder = limit.into_iter().fold(builder, |builder, limit| {
            builder.limits(Limits::new().max_form_time(Duration::from_secs(limit)))
        });
        let auth = builder.build().unwrap();
        let inner = service_fn(async |_: Request<Slow>| {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        });
        let stack = ServiceBuilder::new().layer(auth.layer()).service(inner);
        for path in ["/auth/continue", "/auth/redeem", "/auth/terms", "/auth/client"] {
            for every in [None, Some(Duration::from_millis(900))] {
                let request = Request::post(path)
                    .header("sec-fetch-site", "same-origin")
                    .header("content-length", "100")
                    .body(Slow { sent: 0, every, timer: None })
                    .unwrap();
                let begun = tokio::time::Instant::now();
                let answer = stack.clone().oneshot(request).await.unwrap();
                assert_eq!(answer.status(), 408, "{path}");
                assert_eq!(begun.elapsed().as_secs(), seconds, "{path} {every:?}");
                assert_eq!(answer.headers()["cache-control"], "no-store");
                assert!(set_cookies(answer.headers()).is_empty());
            }
        }
    }
}

/// LF-07: how long is said at start, if it can not be.
#[test]
fn lf_07_a_limit_that_is_none() {
    let clock = clock();
    for limit in [Duration::ZERO, Duration::from_secs(86_401)] {
        let error = builder(&clock)
            .limits(Limits::new().max_form_time(limit))
            .build()
            .unwrap_err()
            .to_string();
        assert!(error.contains("max_form_time"), "{error}");
    }
}

/// LF-08: what was logged out or has ended stays so when the clock goes back, with any store.
#[tokio::test]
async fn lf_08_time_goes_back() {
    for in_memory in [true, false] {
        let publisher = || {
            let clock = clock();
            let builder = builder(&clock);
            let builder = if in_memory { builder } else { builder.revocations(Store::new()) };
            Publisher::of(builder, clock)
        };
        let back = |publisher: &Publisher, seconds: u64| {
            let moment = publisher.clock.now().as_millis() - seconds * 1000;
            publisher.clock.set(Timestamp::from_millis(moment));
        };
        // Logged out, forgotten as ended, and before its end once more.
        let node = publisher();
        let cookie = node.log_in(&["A"], Some(V)).await;
        let token = format!("Bearer {}", node.token(&cookie).await);
        assert_eq!(log_out(&node, "/auth/logout", &pair(&cookie)).await, 200);
        node.clock.advance(Duration::from_secs(700));
        let other = node.log_in(&["A"], Some(V)).await;
        assert_eq!(log_out(&node, "/auth/logout", &pair(&other)).await, 200);
        back(&node, 700);
        for _ in 0..3 {
            assert_eq!(tile(&node, &cookie).await, 401, "{in_memory}");
            assert_eq!(authorized(&node, "sec", &token).await, 401);
            assert_eq!(tile(&node, &other).await, 401);
            node.clock.advance(Duration::from_secs(100));
        }
        // Also when the other one's time comes again.
        node.clock.advance(Duration::from_secs(450));
        assert_eq!(tile(&node, &other).await, 401);

        // Ended, seen so, and before its end once more.
        let node = publisher();
        let cookie = node.log_in(&["A"], Some(V)).await;
        let token = format!("Bearer {}", node.token(&cookie).await);
        node.clock.advance(Duration::from_secs(601));
        assert_eq!(
            (tile(&node, &cookie).await, authorized(&node, "sec", &token).await),
            (401, 401)
        );
        back(&node, 601);
        assert_eq!(
            (tile(&node, &cookie).await, authorized(&node, "sec", &token).await),
            (401, 401)
        );
        // Nor is it what a login goes on with, or what the token service takes.
        let page =
            node.get(&format!("/auth/token?{}", query()), &[("cookie", &pair(&cookie))]).await;
        assert!(posted(&page).0.get("accessToken").is_none());
        // A moment later users log in as ever, and for their whole time.
        let anew = node.log_in(&["A"], Some(V)).await;
        assert_eq!(tile(&node, &anew).await, 200);
        node.clock.advance(Duration::from_secs(599));
        assert_eq!(tile(&node, &anew).await, 200);
        node.clock.advance(Duration::from_secs(2));
        assert_eq!(tile(&node, &anew).await, 401);
    }
}

/// LF-08: a step that nodes may differ by logs nobody out, and gives nobody time.
#[tokio::test]
async fn lf_08_a_small_step_back() {
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let start = publisher.clock.now();
    publisher.clock.advance(Duration::from_secs(598));
    assert_eq!(tile(&publisher, &cookie).await, 200);
    publisher.clock.set(start.after(Duration::from_secs(594)));
    assert_eq!(tile(&publisher, &cookie).await, 200);
    publisher.clock.set(start.after(Duration::from_secs(600)));
    assert_eq!(tile(&publisher, &cookie).await, 401);
    publisher.clock.set(start.after(Duration::from_secs(596)));
    assert_eq!(tile(&publisher, &cookie).await, 401);
}

/// LF-08: a clock that was years ahead ends all sessions, and not those that come after it.
#[tokio::test]
async fn lf_08_years_ahead() {
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let start = publisher.clock.now();
    for _ in 0..2 {
        publisher.clock.advance(Duration::from_secs(10 * 365 * 24 * 60 * 60));
        let then = publisher.log_in(&["A"], Some(V)).await;
        assert_eq!(tile(&publisher, &then).await, 200);
        assert_eq!(tile(&publisher, &cookie).await, 401);
        publisher.clock.set(start);
        assert_eq!((tile(&publisher, &then).await, tile(&publisher, &cookie).await), (401, 401));
        let now = publisher.log_in(&["A"], Some(V)).await;
        assert_eq!(tile(&publisher, &now).await, 200);
        assert_eq!(log_out(&publisher, "/auth/logout", &pair(&now)).await, 200);
        assert_eq!(tile(&publisher, &now).await, 401);
    }
}

/// LF-08: operators hear of it, once.
#[cfg(feature = "tracing")]
#[tokio::test]
async fn lf_08_is_logged() {
    use crate::common::logs;

    let publisher = Publisher::new();
    publisher.get(&image("sec"), &[]).await;
    publisher.clock.set(Timestamp::from_millis(publisher.clock.now().as_millis() - 60_000));
    let log = logs::record();
    for _ in 0..3 {
        publisher.get(&format!("/auth/login?origin={V}"), &[]).await;
    }
    let text = log.text();
    assert_eq!(text.matches("the clock was set back").count(), 1, "{text}");
}

/// Readers who log in, terms and a kiosk: in one realm, and in realms of their own.
fn shared(clock: &SetClock, store: InMemory) -> IiifAuthBuilder {
    let terms = || AccessService::click_through("accept", "Library", Message::new("T")).role("B");
    let kiosk = || AccessService::kiosk("kiosk").role("C");
    bare(clock)
        .revocations(store)
        .realm(
            Realm::new()
                .access(AccessService::active("login", "Library"))
                .access(terms())
                .access(kiosk())
                .aspect(AccessCookie::new().lifetime(Duration::from_secs(600))),
        )
        .realm(Realm::named("room").access(kiosk().protects(["maps"])))
        .realm(
            Realm::named("staff").access(AccessService::active("login", "Staff").protects(["x"])),
        )
}

/// LM-01: who clicks again has the same session; nothing is ended for it.
#[tokio::test]
async fn lm_01_a_click_is_given_again() {
    for (path, name) in [
        ("/auth/kiosk", COOKIE),
        ("/auth/room/kiosk", "__Host-iiif-room"),
        ("/auth/accept", COOKIE),
    ] {
        let clock = clock();
        let store = Arc::new(InMemory::new().unwrap().at_most(50));
        let builder = shared(&clock, InMemory::new().unwrap()).revocations(Arc::clone(&store));
        let publisher = Publisher::of(builder, clock);
        let agree = async |cookie: &str, viewer: &str| {
            if path.ends_with("accept") {
                let query = format!("{path}?origin={viewer}");
                let page = publisher.get(&query, &[("cookie", cookie)]).await;
                let flow = cookie_pair(&page, "__Host-iiif-flow").unwrap();
                let cookies = format!("{flow}; {cookie}");
                let body = format!("{}accept", fields(&page));
                return publisher.send(form(path, &[("cookie", &cookies)], &body)).await;
            }
            publisher.get(&format!("{path}?origin={viewer}"), &[("cookie", cookie)]).await
        };
        let first = cookie_pair(&agree("a=b", V).await, name).unwrap();
        let mut last = first.clone();
        for number in 0..60 {
            let page = agree(&last, &format!("https://viewer-{}.example", number % 3)).await;
            assert!(closes(&page), "{path} {number}: {page:?}");
            last = cookie_pair(&page, name).unwrap();
        }
        assert_eq!(store.len(), 0, "{path}: nothing was ended");
        // It is one session: a logout with the last cookie ends the first.
        let logout = if name == COOKIE { "/auth/logout" } else { "/auth/room/logout" };
        assert_eq!(log_out(&publisher, logout, &last).await, 200);
        assert_eq!(store.len(), 1);
        // One that ends any moment is no use, and a new one takes its place.
        let old = cookie_pair(&agree("a=b", V).await, name).unwrap();
        let life = if name == COOKIE { 600 } else { 1800 };
        publisher.clock.advance(Duration::from_secs(life - 59));
        let page = agree(&old, V).await;
        let new = set_cookies(page.headers());
        let new = new.iter().find(|own| own.starts_with(&format!("{name}="))).unwrap();
        assert!(new.contains(&format!("Max-Age={life}")), "{path}: {new}");
        assert_eq!(store.len(), 2, "the one from before, and the old session");
    }
}

/// LM-01: a session that a click gives is not what another kind of user goes on with.
#[tokio::test]
async fn lm_01_only_the_same_service_gives_it_again() {
    let clock = clock();
    let publisher = Publisher::before(shared(&clock, InMemory::new().unwrap()), clock, who);
    let reader = session_of(&publisher, "", "C").await;
    let kiosk = publisher.get("/auth/kiosk", &[("cookie", &pair(&reader))]).await;
    let kiosk = set_cookie_value(&kiosk, COOKIE).unwrap();
    // The application's own login is one, whatever it calls its user.
    let again = [("cookie", &*pair(&kiosk)), ("x-user", ""), ("x-roles", "C")];
    let login = publisher.send(form("/auth/login", &again, "")).await;
    let login = set_cookie_value(&login, COOKIE).unwrap();
    let dead = publisher.get("/auth/kiosk", &[("cookie", &pair(&kiosk))]).await;
    assert_ne!(set_cookie_value(&dead, COOKIE), Some(kiosk.clone()));
    let query = format!("/auth/token?{}", query());
    for (cookie, lives) in [(&login, true), (&kiosk, false)] {
        let page = publisher.get(&query, &[("cookie", &pair(cookie))]).await;
        let refused = posted(&page).0["profile"] == "invalidAspect";
        assert_eq!(!refused, lives);
    }
}

/// LM-01: a list that strangers have filled holds a reader's logout, in their realm and elsewhere.
#[tokio::test]
async fn lm_01_strangers_block_no_logout() {
    let clock = clock();
    let store = InMemory::new().unwrap().at_most(50);
    let publisher = Publisher::before(shared(&clock, store), clock, who);
    for (path, name, logout) in [
        ("/auth/kiosk", COOKIE, "/auth/logout"),
        ("/auth/room/kiosk", "__Host-iiif-room", "/auth/room/logout"),
    ] {
        for number in 0..60 {
            let cookie = cookie_pair(&publisher.get(path, &[]).await, name).unwrap();
            let status = log_out(&publisher, logout, &cookie).await;
            assert_eq!(status, if number < 50 { 200 } else { 503 }, "{path} {number}");
        }
    }
    let reader = session_of(&publisher, "u1", "A").await;
    let token = format!("Bearer {}", publisher.token(&reader).await);
    assert_eq!(log_out(&publisher, "/auth/logout", &pair(&reader)).await, 200);
    assert_eq!(
        (tile(&publisher, &reader).await, authorized(&publisher, "sec", &token).await),
        (401, 401)
    );
    // Nor does it block a login in the place of a session that a click gave.
    let clicked = cookie_pair(&publisher.get("/auth/kiosk", &[]).await, COOKIE).unwrap();
    let headers = [("cookie", &*clicked), ("x-user", "u1"), ("x-roles", "A")];
    let done = publisher.send(form("/auth/login", &headers, "")).await;
    let reader = set_cookie_value(&done, COOKIE).expect("a session");
    assert_eq!(tile(&publisher, &reader).await, 200);
    // A login in the place of a reader's is stored where readers' are.
    for _ in 0..45 {
        let cookie = session_of(&publisher, "u2", "A").await;
        assert_eq!(log_out(&publisher, "/auth/logout", &pair(&cookie)).await, 200);
    }
    // And one realm's readers take nothing from another's.
    for number in 0..51 {
        let page = [("x-user", "u3"), ("x-roles", "A")];
        let done = publisher.send(form("/auth/staff/login", &page, "")).await;
        let cookie = cookie_pair(&done, "__Host-iiif-staff").unwrap();
        let status = log_out(&publisher, "/auth/staff/logout", &cookie).await;
        assert_eq!(status, if number < 50 { 200 } else { 503 }, "{number}");
    }
    assert_eq!(log_out(&publisher, "/auth/logout", &pair(&reader)).await, 200);
    assert_eq!(tile(&publisher, &reader).await, 401);
}

/// LM-02: one request ends a few sessions, and says so where there were more.
#[tokio::test]
async fn lm_02_one_request_ends_a_few() {
    for count in [1, 8, 9, 600] {
        let (clock, store) = (clock(), Store::new());
        let publisher = Publisher::of(builder(&clock).revocations(store.clone()), clock);
        let mut cookies = Vec::new();
        for _ in 0..count {
            cookies.push(pair(&publisher.log_in_directly(&["A"]).await));
        }
        let calls = store.calls();
        let page = publisher.get("/auth/logout", &[("cookie", &cookies.join("; "))]).await;
        assert_eq!(store.len(), count.min(8), "{count}");
        assert!(store.calls() - calls <= 8, "{count}");
        // Nobody is told that all is ended where it is not.
        let all = count <= 8;
        assert_eq!(
            page.status(),
            if all { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
        );
        assert_eq!(closes(&page), all);
        assert_eq!(
            set_cookie_value(&page, COOKIE).as_deref(),
            Some(""),
            "it is deleted all the same"
        );
        // Neither does a login, which then is none.
        let more: Vec<_> = cookies.iter().rev().map(String::as_str).collect();
        let headers = [("cookie", &*more.join("; ")), ("x-roles", "A")];
        let login = publisher.send(form("/auth/login", &headers, "")).await;
        assert!(store.len() <= 16, "{count}");
        assert_eq!(set_cookie_value(&login, COOKIE).is_some(), all, "{count}");
    }
}

/// An aspect whose store has another user in the session than when the token was issued.
struct Changing(Arc<std::sync::Mutex<&'static str>>, bool);

impl Changing {
    fn now(&self, now: Timestamp) -> Reading {
        let session = Session::builder(*self.0.lock().unwrap())
            .role("A")
            .for_any_viewer()
            .lasting(now, Duration::from_secs(600))
            .map_err(|_| AspectError::Invalid);
        if self.1 { Answer::later(async { session }) } else { Answer::Now(session) }
    }
}

impl AuthorizingAspect for Changing {
    fn name(&self) -> &'static str {
        "changing"
    }

    fn read(&self, head: &Head<'_>, now: Timestamp) -> Reading {
        // A probe comes without.
        let is_in = head.headers().contains_key("cookie");
        if is_in { self.now(now) } else { Answer::Now(Err(AspectError::Missing)) }
    }

    fn resume(&self, _: Session<'static>, now: Timestamp) -> Reading {
        self.now(now)
    }
}

/// EX-01: a token speaks for the user whom it was issued for, and not for the next one in the session.
#[tokio::test]
async fn ex_01_a_token_is_of_its_user() {
    for later in [false, true] {
        let (clock, user) = (clock(), Arc::new(std::sync::Mutex::new("guest")));
        let realm = Realm::new()
            .access(AccessService::active("login", "Library"))
            .aspect(Changing(Arc::clone(&user), later));
        let publisher = Publisher::of(bare(&clock).realm(realm), clock);
        let page = publisher.get(&format!("/auth/token?{}", query()), &[("cookie", "a=b")]).await;
        let token = posted(&page).0["accessToken"].as_str().unwrap().to_owned();
        let token = format!("Bearer {token}");
        assert_eq!(authorized(&publisher, "sec", &token).await, 200);
        *user.lock().unwrap() = "reader";
        assert_eq!(authorized(&publisher, "sec", &token).await, 401);
        *user.lock().unwrap() = "guest";
        assert_eq!(authorized(&publisher, "sec", &token).await, 200);
    }
}

/// The store is asked in the share of the session.
#[tokio::test]
async fn lm_01_stores_hear_whose_share_it_is() {
    #[derive(Clone, Default)]
    struct Heard(Arc<std::sync::Mutex<Vec<(String, bool)>>>);

    impl Revocations for Heard {
        fn is_revoked(
            &self,
            _: tower_iiif_auth::aspect::SessionId,
            _: Timestamp,
        ) -> Answer<Result<bool, tower_iiif_auth::BoxError>> {
            Answer::Now(Ok(false))
        }

        fn revoke(
            &self,
            _: tower_iiif_auth::aspect::SessionId,
            _: Timestamp,
            _: Timestamp,
        ) -> Answer<Result<(), tower_iiif_auth::BoxError>> {
            unreachable!("its share is known")
        }

        fn revoke_in(
            &self,
            share: tower_iiif_auth::revocation::Share<'_>,
            _: tower_iiif_auth::aspect::SessionId,
            _: Timestamp,
            _: Timestamp,
        ) -> Answer<Result<(), tower_iiif_auth::BoxError>> {
            self.0.lock().unwrap().push((share.realm().to_owned(), share.is_of_nobody()));
            Answer::Now(Ok(()))
        }
    }

    let (clock, heard) = (clock(), Heard::default());
    let builder = shared(&clock, InMemory::new().unwrap()).revocations(heard.clone());
    let publisher = Publisher::before(builder, clock, who);
    let reader = session_of(&publisher, "u1", "A").await;
    log_out(&publisher, "/auth/logout", &pair(&reader)).await;
    let kiosk = publisher.get("/auth/room/kiosk", &[]).await;
    let kiosk = cookie_pair(&kiosk, "__Host-iiif-room").unwrap();
    log_out(&publisher, "/auth/room/logout", &kiosk).await;
    let expected = [(String::new(), false), ("room".to_owned(), true)];
    assert_eq!(*heard.0.lock().unwrap(), expected);
}
