//! RE: parts that fail, hang and panic; Tower's contract; load.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use tokio::time::Instant;
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_iiif_auth::aspect::{AuthorizingAspect, Head, Reading, Session, SessionId};
use tower_iiif_auth::authorizer::{AccessRequest, Authorizer, Decision};
use tower_iiif_auth::clock::Timestamp;
use tower_iiif_auth::revocation::Revocations;
use tower_iiif_auth::{AccessCookie, AccessService, Answer, IiifAuth, Limits, Realm};

use crate::common::{
    BASE, Body, COOKIE, Publisher, V, assert_denied, builder, clock, cookie_pair, form, image,
    image_server, key, keyring, request, rules, text,
};
use crate::html::{assert_error, posted};
use crate::setup::{FAULTS, Fault, Store, authorized, info, pair, probe, query, token_page};

/// Rules that may fail.
#[derive(Clone)]
struct Rules(Arc<Mutex<Fault>>);

impl Rules {
    fn new(fault: Fault) -> Self {
        Self(Arc::new(Mutex::new(fault)))
    }

    fn set(&self, fault: Fault) {
        *self.0.lock().unwrap() = fault;
    }
}

impl Authorizer for Rules {
    fn authorize(
        &self,
        request: &AccessRequest<'_>,
    ) -> Answer<Result<Decision, tower_iiif_auth::BoxError>> {
        let fault = *self.0.lock().unwrap();
        let Answer::Now(Ok(decision)) = rules().authorize(request) else { unreachable!() };
        fault.answer(decision)
    }
}

/// An aspect that grants role A, and may fail.
struct Badge(Arc<Mutex<Fault>>);

impl Badge {
    fn answer(&self, now: Timestamp) -> Reading {
        let fault = *self.0.lock().unwrap();
        let session = Session::builder("u1").role("A").for_any_viewer();
        let session = session.lasting(now, Duration::from_secs(600)).unwrap();
        match fault.answer(session) {
            Answer::Now(found) => {
                Answer::Now(found.map_err(tower_iiif_auth::aspect::AspectError::Unavailable))
            }
            Answer::Later(later) => Answer::later(async move {
                later.await.map_err(tower_iiif_auth::aspect::AspectError::Unavailable)
            }),
        }
    }
}

impl AuthorizingAspect for Badge {
    fn name(&self) -> &'static str {
        "badge"
    }

    fn read(&self, head: &Head<'_>, now: Timestamp) -> Reading {
        if head.headers().contains_key("x-badge") {
            self.answer(now)
        } else {
            Answer::Now(Err(tower_iiif_auth::aspect::AspectError::Missing))
        }
    }

    fn resume(&self, _: Session<'static>, now: Timestamp) -> Reading {
        self.answer(now)
    }
}

/// Runs, and looks at the clock: tokio's, which a hanging part moves on by itself.
async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> T {
    let before = Instant::now();
    let outcome = work.await;
    let took = before.elapsed();
    assert!(took < Duration::from_millis(1200), "{what} took {took:?}");
    outcome
}

/// RE-01: without the store nobody is let in, everybody is told, and what is open stays open.
#[tokio::test(start_paused = true)]
async fn re_01_store_down_or_slow() {
    for fault in FAULTS {
        let clock = clock();
        let store = Store::new();
        let builder = builder(&clock)
            .revocations(store.clone())
            .limits(Limits::new().max_decision_time(Duration::from_secs(1)));
        let publisher = Publisher::of(builder, clock);
        let cookie = publisher.log_in(&["A"], Some(V)).await;
        let token = publisher.token(&cookie).await;
        let flow = publisher.get(&format!("/auth/login?origin={V}"), &[]).await;
        let flow = cookie_pair(&flow, "__Host-iiif-flow").unwrap();
        store.fail(fault);
        let calls = publisher.calls();
        for path in [image("sec"), "/files/sec".to_owned()] {
            let cookie = pair(&cookie);
            let headers = [("cookie", &*cookie)];
            let tile = in_time("a tile", publisher.get(&path, &headers)).await;
            assert_denied(&tile, 503);
            assert!(!text(&tile).contains("secret cause"));
        }
        assert_eq!(publisher.calls(), calls, "{fault:?}");
        let page = in_time("a token", token_page(&publisher, &query(), Some(&cookie))).await;
        assert_error(&page, "unavailable", V);
        assert!(!text(&page).contains("secret cause"));
        let bearer = format!("Bearer {token}");
        let status = in_time("a probe", authorized(&publisher, "sec", &bearer)).await;
        assert_eq!(status, 503, "{fault:?}");
        for cookie in [flow.clone(), format!("{flow}; {}", pair(&cookie))] {
            let headers = [("cookie", &*cookie), ("origin", BASE), ("x-roles", "A")];
            let asked = request(Method::POST, "/auth/login", &headers);
            let login = in_time("a login", publisher.send(asked)).await;
            assert_eq!(login.status(), 503, "{fault:?}");
            assert!(cookie_pair(&login, COOKIE).is_none());
            assert!(!text(&login).contains("secret cause"));
        }
        let open = in_time("an open image", publisher.get(&image("pub"), &[])).await;
        assert_eq!(open.status(), 200);
        // Nothing of it stays when the store is back.
        store.fail(Fault::None);
        let tile = publisher.get(&image("sec"), &[("cookie", &pair(&cookie))]).await;
        assert_eq!(tile.status(), 200, "{fault:?}");
        assert_eq!(authorized(&publisher, "sec", &bearer).await, 200);
    }
}

/// RE-01: a thousand requests that wait leave no task behind.
#[tokio::test(start_paused = true)]
async fn re_01_no_task_is_left() {
    let clock = clock();
    let store = Store::new();
    let publisher = Publisher::of(
        builder(&clock)
            .revocations(store.clone())
            .limits(Limits::new().max_decision_time(Duration::from_secs(1))),
        clock,
    );
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    store.fail(Fault::Hang);
    let before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let waiting: Vec<_> = (0..1000)
        .map(|_| {
            let (publisher, cookie) = (publisher.clone(), cookie.clone());
            tokio::spawn(async move {
                publisher.get(&image("sec"), &[("cookie", &cookie)]).await.status()
            })
        })
        .collect();
    for task in waiting {
        assert_eq!(task.await.unwrap(), 503);
    }
    let after = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    assert_eq!(after, before);
}

/// RE-03: an id that was used up makes no session.
#[tokio::test]
async fn re_03_session_id_collision() {
    let clock = clock();
    let store = Store::new();
    let publisher = Publisher::of(builder(&clock).revocations(store.clone()), clock.clone());
    let id = store.admit(SessionId::random().unwrap());
    *store.admits.lock().unwrap() = Some(id);
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    publisher.get("/auth/logout", &[("cookie", &pair(&cookie))]).await;
    assert_eq!(store.len(), 1);
    let login = publisher.send({
        let mut asked = form("/auth/login", &[], "");
        asked.headers_mut().insert("x-roles", "A".parse().unwrap());
        asked
    });
    let login = login.await;
    assert!(matches!(login.status().as_u16(), 403 | 503), "{login:?}");
    assert!(cookie_pair(&login, COOKIE).is_none());
    assert_eq!(store.len(), 1, "the entry is as it was");
    assert_denied(&publisher.get(&image("sec"), &[("cookie", &pair(&cookie))]).await, 401);
}

/// RE-04: an authorizer or an aspect that fails denies, and is asked anew the next time.
#[tokio::test(start_paused = true)]
async fn re_04_rules_and_aspects_that_fail() {
    for fault in FAULTS {
        let clock = clock();
        let rules = Rules::new(Fault::None);
        let badge = Arc::new(Mutex::new(Fault::None));
        let builder = IiifAuth::builder(BASE)
            .keyring(keyring())
            .clock(clock.clone())
            .images("/iiif/3")
            .files("/files")
            .realm(
                Realm::new()
                    .access(AccessService::active("login", "Library"))
                    .aspect(AccessCookie::new().or(Badge(Arc::clone(&badge)))),
            )
            .authorizer(rules.clone())
            .limits(Limits::new().max_decision_time(Duration::from_secs(1)));
        let publisher = Publisher::of(builder, clock);
        let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
        let badge_headers = [("x-badge", "1")];
        let page = publisher.get(&format!("/auth/token?{}", query()), &badge_headers).await;
        let token = posted(&page).0["accessToken"].as_str().unwrap().to_owned();
        let bearer = format!("Bearer {token}");
        let calls = publisher.calls();

        rules.set(fault);
        for headers in [&[("cookie", &*cookie)][..], &badge_headers, &[]] {
            for path in [image("sec"), image("pub"), "/files/sec".to_owned()] {
                let tile = in_time("a tile", publisher.get(&path, headers)).await;
                assert_denied(&tile, 503);
                assert!(!text(&tile).contains("secret cause"));
            }
        }
        assert_eq!(in_time("a probe", authorized(&publisher, "sec", &bearer)).await, 503);
        assert_eq!(publisher.calls(), calls, "{fault:?}");
        let described = in_time("a description", publisher.get(&info("sec"), &[])).await;
        assert_eq!(described.status(), 200, "that it is protected may be told");
        assert!(text(&described).contains("AuthProbeService2"));
        rules.set(Fault::None);

        *badge.lock().unwrap() = fault;
        let calls = publisher.calls();
        let tile = in_time("a badge", publisher.get(&image("sec"), &badge_headers)).await;
        assert_denied(&tile, 503);
        assert_eq!(in_time("a probe", authorized(&publisher, "sec", &bearer)).await, 503);
        let path = format!("/auth/token?{}", query());
        let asked = publisher.get(&path, &badge_headers);
        assert_error(&in_time("a token", asked).await, "unavailable", V);
        assert_eq!(publisher.calls(), calls);
        // One that is down does not close what another one opens.
        let both = [("cookie", &*cookie), ("x-badge", "1")];
        assert_eq!(publisher.get(&image("sec"), &both).await.status(), 200);
        *badge.lock().unwrap() = Fault::None;

        for _ in 0..100 {
            assert_eq!(publisher.get(&image("sec"), &badge_headers).await.status(), 200);
            assert_denied(&publisher.get(&image("sec"), &[]).await, 401);
            assert_eq!(authorized(&publisher, "sec", &bearer).await, 200);
        }
    }
}

/// Without a tokio runtime what has to wait is denied, and what does not is answered.
#[test]
fn without_a_runtime_nothing_is_open() {
    for (fault, expected) in [(Fault::Hang, 503), (Fault::None, 401)] {
        let clock = clock();
        let publisher = Publisher::of(builder(&clock).authorizer(Rules::new(fault)), clock);
        let path = image("sec");
        let mut answer = pin!(publisher.get(&path, &[]));
        let Poll::Ready(response) = answer.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        else {
            panic!("it waits for a runtime that is not there")
        };
        assert_denied(&response, expected);
    }
}

/// A service that panics unless the very instance that was polled ready is called.
struct Strict {
    ready: bool,
    /// How often `poll_ready` is still to say that it is not.
    pending: Arc<AtomicUsize>,
    /// Whether `poll_ready` fails.
    broken: bool,
    calls: Arc<AtomicUsize>,
}

impl Strict {
    fn new(pending: usize, broken: bool) -> Self {
        let pending = Arc::new(AtomicUsize::new(pending));
        Self { ready: false, pending, broken, calls: Arc::default() }
    }
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        let (pending, calls) = (Arc::clone(&self.pending), Arc::clone(&self.calls));
        Self { ready: false, pending, broken: self.broken, calls }
    }
}

impl Service<Request<Body>> for Strict {
    type Response = Response<Body>;
    type Error = String;
    type Future = Ready<Result<Response<Body>, String>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), String>> {
        let less = |left: usize| left.checked_sub(1);
        if self.pending.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.broken {
            return Poll::Ready(Err("the inner service is broken".to_owned()));
        }
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without having been polled ready");
        self.calls.fetch_add(1, Ordering::SeqCst);
        if request.headers().contains_key("x-fail") {
            return ready(Err("the inner service failed".to_owned()));
        }
        ready(Ok(image_server(&request)))
    }
}

/// Polls a service ready and calls it, again and again, on the same instance and on clones.
async fn drive<S, B>(service: &mut S, asked: &[(String, String)])
where
    S: Service<Request<Body>, Response = Response<B>, Error = String> + Clone,
{
    for round in 0..3 {
        for (path, cookie) in asked {
            let headers = [("cookie", cookie.as_str())];
            let response =
                service.ready().await.unwrap().call(request(Method::GET, path, &headers));
            response.await.unwrap();
            // Ready, and then not called: the next one is polled anew.
            let mut other = service.clone();
            other.ready().await.unwrap();
            drop(other);
            let asked = request(Method::GET, path, &headers);
            service.clone().oneshot(asked).await.unwrap_or_else(|_| panic!("round {round}"));
        }
    }
}

/// RE-05: every layer calls what it polled, alone and in the stack, at once and after waiting.
#[tokio::test]
async fn re_05_the_ready_instance_is_called() {
    for fault in [Fault::None, Fault::Slow(Duration::from_millis(1))] {
        let clock = clock();
        let publisher = Publisher::of(builder(&clock), clock.clone());
        let store = Store::new();
        let auth = builder(&clock)
            .authorizer(Rules::new(fault))
            .revocations(store.clone())
            .build()
            .unwrap();
        let cookie = publisher.log_in(&["A"], Some(V)).await;
        let asked: Vec<_> = [
            image("sec"),
            image("pub"),
            info("sec"),
            info("pub"),
            "/files/sec".to_owned(),
            "/nothing".to_owned(),
            image("%2e%2e"),
            format!("/auth/token?{}", query()),
            format!("/auth/probe{}", probe("sec")),
            "/auth/login".to_owned(),
            "/auth/logout".to_owned(),
        ]
        .into_iter()
        .flat_map(|path| [(path.clone(), pair(&cookie)), (path, "a=b".to_owned())])
        .collect();
        for pending in [0, 1, 7] {
            let strict = || Strict::new(pending, false);
            drive(&mut auth.layer().layer(strict()), &asked).await;
            drive(&mut auth.services().layer(strict()), &asked).await;
            drive(&mut auth.check().layer(strict()), &asked).await;
            drive(&mut auth.describe().layer(strict()), &asked).await;
            drive(&mut auth.probe().layer(strict()), &asked).await;
            drive(&mut auth.token().layer(strict()), &asked).await;
            drive(&mut auth.logout().layer(strict()), &asked).await;
            drive(&mut auth.set_access_cookie().layer(strict()), &asked).await;
        }
        // A layer that is cloned for each request.
        let layer = auth.layer();
        for (path, cookie) in &asked {
            let asked = request(Method::GET, path, &[("cookie", cookie)]);
            layer.clone().layer(Strict::new(1, false)).oneshot(asked).await.unwrap();
        }
    }
}

/// RE-05: what is not ready or broken is passed on as that, and never becomes an answer.
#[tokio::test]
async fn re_05_pending_and_errors_are_passed_on() {
    let auth = builder(&clock()).build().unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    let mut stack = auth.layer().layer(Strict::new(2, true));
    assert!(stack.poll_ready(&mut cx).is_pending());
    assert!(stack.poll_ready(&mut cx).is_pending());
    let Poll::Ready(Err(error)) = stack.poll_ready(&mut cx) else { panic!("it is broken") };
    assert_eq!(error, "the inner service is broken");
    for path in [image("pub"), info("sec"), info("pub"), "/auth/login".to_owned()] {
        let asked = request(Method::GET, &path, &[("x-fail", "1")]);
        let outcome = auth.layer().layer(Strict::new(0, false)).oneshot(asked).await;
        assert_eq!(outcome.err().as_deref(), Some("the inner service failed"), "{path}");
    }
}

/// The fixture's image server, which takes its time where the path says so.
fn slow_server() -> impl Service<
    Request<Body>,
    Response = Response<Body>,
    Error = BoxError,
    Future = impl Future<Output = Result<Response<Body>, BoxError>> + Send,
> + Clone
+ Send
+ 'static {
    service_fn(async |request: Request<Body>| {
        if request.uri().query() == Some("slow") {
            tokio::time::sleep(Duration::from_secs(3600)).await;
        }
        Ok::<_, BoxError>(image_server(&request))
    })
}

/// RE-05: full queues around and inside: an error or a wait, never an answer of ours.
#[tokio::test(start_paused = true)]
async fn re_05_buffers_and_limits() {
    let auth = builder(&clock()).build().unwrap();
    let get = |path: &str| request(Method::GET, path, &[]);
    let open = image("pub");
    let slow = format!("{open}?slow");

    // Inside: the layers see a service that sheds its load.
    let inner = ServiceBuilder::new().load_shed().concurrency_limit(1).service(slow_server());
    let stack = ServiceBuilder::new().layer(auth.layer()).service(inner);
    let busy = tokio::spawn(stack.clone().oneshot(get(&slow)));
    tokio::task::yield_now().await;
    for _ in 0..50 {
        let shed = stack.clone().oneshot(get(&open)).await;
        assert!(shed.is_err_and(|error| error.is::<tower::load_shed::error::Overloaded>()));
        let denied = stack.clone().oneshot(get(&image("sec"))).await.unwrap();
        assert_eq!(denied.status(), 401, "a denial needs no inner service");
    }
    busy.abort();
    let _ = busy.await;
    assert_eq!(stack.clone().oneshot(get(&open)).await.unwrap().status(), 200);

    // Around: the same, from the outside.
    let stack = ServiceBuilder::new()
        .load_shed()
        .buffer(4)
        .concurrency_limit(1)
        .layer(auth.layer())
        .service(slow_server());
    let mut busy = Vec::new();
    for _ in 0..32 {
        busy.push(tokio::spawn(stack.clone().oneshot(get(&slow))));
        tokio::task::yield_now().await;
    }
    assert!(stack.clone().oneshot(get(&image("sec"))).await.is_err(), "it is full");
    for task in &busy {
        task.abort();
    }
    for task in busy {
        let _ = task.await;
    }
    assert_eq!(stack.clone().oneshot(get(&image("sec"))).await.unwrap().status(), 401);
    assert_eq!(stack.clone().oneshot(get(&open)).await.unwrap().status(), 200);
}

/// A store that takes several steps to answer.
struct Steps(usize);

impl Revocations for Steps {
    fn is_revoked(
        &self,
        _: SessionId,
        _: Timestamp,
    ) -> Answer<Result<bool, tower_iiif_auth::BoxError>> {
        let steps = self.0;
        Answer::later(async move {
            for _ in 0..steps {
                tokio::task::yield_now().await;
            }
            Ok(false)
        })
    }

    fn revoke(
        &self,
        id: SessionId,
        _: Timestamp,
        now: Timestamp,
    ) -> Answer<Result<(), tower_iiif_auth::BoxError>> {
        match self.is_revoked(id, now) {
            Answer::Now(_) => unreachable!(),
            Answer::Later(answer) => Answer::later(async move { answer.await.map(|_| ()) }),
        }
    }
}

/// A request that is dropped at any point of its way gives back what it held.
#[tokio::test]
async fn cancelled_requests_leak_nothing() {
    let clock = clock();
    let auth = builder(&clock)
        .authorizer(Rules::new(Fault::Slow(Duration::from_millis(0))))
        .revocations(Steps(3))
        .build()
        .unwrap();
    let publisher = Publisher::of(builder(&clock).revocations(Steps(1)), clock);
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let inner = ServiceBuilder::new().concurrency_limit(1).service(service_fn(
        async |request: Request<Body>| {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            Ok::<_, Infallible>(image_server(&request))
        },
    ));
    let stack = ServiceBuilder::new().layer(auth.layer()).service(inner);
    let paths = [
        image("sec"),
        image("pub"),
        image("unknown"),
        info("sec"),
        format!("/auth/token?{}", query()),
        format!("/auth/probe{}", probe("sec")),
        "/auth/logout".to_owned(),
        "/auth/login".to_owned(),
    ];
    for path in &paths {
        for polls in 0..24 {
            let asked = request(Method::GET, path, &[("cookie", &pair(&cookie))]);
            {
                let mut future = pin!(stack.clone().oneshot(asked));
                let mut cx = Context::from_waker(Waker::noop());
                for _ in 0..polls {
                    if future.as_mut().poll(&mut cx).is_ready() {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
            let after = stack.clone().oneshot(request(Method::GET, &image("pub"), &[]));
            let after = tokio::time::timeout(Duration::from_secs(20), after).await;
            assert_eq!(after.expect("no permit is lost").unwrap().status(), 200, "{path} {polls}");
        }
    }
}

/// RE-05: a denial gives back the inner service's permit.
#[tokio::test]
async fn denials_hold_no_permit() {
    let auth = builder(&clock()).build().unwrap();
    let inner = ServiceBuilder::new().concurrency_limit(1).service(service_fn(
        async |request: Request<Body>| Ok::<_, Infallible>(image_server(&request)),
    ));
    let stack = ServiceBuilder::new().layer(auth.layer()).service(inner);
    for _ in 0..100 {
        for path in [image("sec"), image("%2e%2e"), format!("/auth/token?{}", query())] {
            let asked = request(Method::GET, &path, &[]);
            let answer = stack.clone().oneshot(asked);
            tokio::time::timeout(Duration::from_secs(20), answer).await.unwrap().unwrap();
        }
    }
}

/// RE-09: tokens are not kept.
#[tokio::test]
async fn re_09_tokens_cost_no_memory() {
    let clock = clock();
    let store = Store::new();
    let publisher = Publisher::of(builder(&clock).revocations(store.clone()), clock);
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let before = store.len();
    for _ in 0..2_000 {
        let page = token_page(&publisher, &query(), Some(&cookie)).await;
        assert_eq!(page.status(), 200);
    }
    assert_eq!(store.len(), before);
}

/// RE-10: a restart with the same keys brings no session back.
#[tokio::test]
async fn re_10_restart() {
    let clock = clock();
    let before = Publisher::of(builder(&clock), clock.clone());
    let ended = before.log_in(&["A"], Some(V)).await;
    let token = before.token(&ended).await;
    let live = before.log_in(&["A"], Some(V)).await;
    before.get("/auth/logout", &[("cookie", &pair(&ended))]).await;
    let after = Publisher::of(builder(&clock), clock.clone());
    for cookie in [&ended, &live] {
        assert_denied(&after.get(&image("sec"), &[("cookie", &pair(cookie))]).await, 401);
        let page = token_page(&after, &query(), Some(cookie)).await;
        assert_error(&page, "invalidAspect", V);
    }
    assert_eq!(authorized(&after, "sec", &format!("Bearer {token}")).await, 401);
    // The user logs in again, with the old cookie still in the browser.
    let headers = [("cookie", &*pair(&live)), ("origin", BASE), ("x-roles", "A")];
    let login = after.send(request(Method::POST, "/auth/login", &headers)).await;
    let fresh = cookie_pair(&login, COOKIE).expect("a new session");
    assert_eq!(after.get(&image("sec"), &[("cookie", &fresh)]).await.status(), 200);
}

/// RE-11: two nodes of one publisher.
#[tokio::test]
async fn re_11_two_nodes() {
    let clock = clock();
    let store = Store::new();
    let node = || Publisher::of(builder(&clock).revocations(store.clone()), clock.clone());
    let (one, two) = (node(), node());
    let cookie = one.log_in(&["A"], Some(V)).await;
    let token = one.token(&cookie).await;
    let bearer = format!("Bearer {token}");
    assert_eq!(two.get(&image("sec"), &[("cookie", &pair(&cookie))]).await.status(), 200);
    assert_eq!(authorized(&two, "sec", &bearer).await, 200);
    two.token(&cookie).await;
    one.get("/auth/logout", &[("cookie", &pair(&cookie))]).await;
    assert_denied(&two.get(&image("sec"), &[("cookie", &pair(&cookie))]).await, 401);
    assert_eq!(authorized(&two, "sec", &bearer).await, 401);

    // The login's steps may meet different nodes.
    let page = one.get(&format!("/auth/login?origin={V}"), &[]).await;
    let flow = cookie_pair(&page, "__Host-iiif-flow").unwrap();
    crate::session::log_in_with(&two, &flow, &["A"]).await;

    // Other keys: nobody, and no error.
    let other = tower_iiif_auth::Keyring::from_bytes(&key(99)).unwrap();
    let builder = builder(&clock).revocations(store.clone()).keyring(other);
    let stranger = Publisher::of(builder, clock.clone());
    let cookie = one.log_in(&["A"], Some(V)).await;
    assert_denied(&stranger.get(&image("sec"), &[("cookie", &pair(&cookie))]).await, 401);
    assert_error(&token_page(&stranger, &query(), Some(&cookie)).await, "invalidAspect", V);
    let token = one.token(&cookie).await;
    assert_eq!(authorized(&stranger, "sec", &format!("Bearer {token}")).await, 401);
    let logout = stranger.get("/auth/logout", &[("cookie", &pair(&cookie))]).await;
    assert_eq!(logout.status(), 200);
    assert_eq!(one.get(&image("sec"), &[("cookie", &pair(&cookie))]).await.status(), 200);
}

/// RE-12: many at once, over two threads, while sessions come and go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn re_12_many_probes() {
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let token = publisher.token(&cookie).await;
    let probes: Vec<_> = (0..10_000)
        .map(|_| {
            let (publisher, bearer) = (publisher.clone(), format!("Bearer {token}"));
            tokio::spawn(async move { authorized(&publisher, "sec", &bearer).await })
        })
        .collect();
    for _ in 0..100 {
        let other = publisher.log_in(&["A"], None).await;
        publisher.get("/auth/logout", &[("cookie", &pair(&other))]).await;
    }
    let all = async {
        for probe in probes {
            assert_eq!(probe.await.unwrap(), 200);
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.expect("all are answered");
}

/// A body that never comes holds up nothing but its own request.
#[tokio::test]
async fn a_form_that_never_comes() {
    struct Never;
    impl http_body::Body for Never {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }
    let auth = builder(&clock()).build().unwrap();
    let inner = service_fn(async |_: Request<Never>| {
        Ok::<_, Infallible>(Response::new(Body::from("image bytes")))
    });
    let stack = auth.layer().layer(inner);
    let asked = |method: Method, path: &str| {
        Request::builder()
            .method(method)
            .uri(path)
            .header("sec-fetch-site", "same-origin")
            .body(Never)
            .unwrap()
    };
    let mut waiting = pin!(stack.clone().oneshot(asked(Method::POST, "/auth/continue")));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(&mut cx).is_pending());
    let denied = stack.clone().oneshot(asked(Method::POST, &image("sec"))).await.unwrap();
    assert_eq!(denied.status(), 401, "a denial reads no body");
    let body = denied.into_body().collect().await.unwrap().to_bytes();
    assert!(!body.is_empty());
}
