//! What Tower asks of a service, of each layer and of the whole stack, before a mock that counts:
//! readiness, capacity, requests that are dropped half-way, parts that panic and hang.
//!
//! `tests/attacks/reliability.rs` has the rows themselves, and these their neighbours.

mod common;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use common::faults::{FAULTS, Fault, Store};
use common::{
    Body, COOKIE, Publisher, V, assert_denied, builder, clock, image, image_server, request, rules,
};
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use tokio::task::yield_now;
use tokio::time::Instant;
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_iiif_auth::aspect::SessionId;
use tower_iiif_auth::authorizer::{AccessRequest, Authorizer, Decision};
use tower_iiif_auth::clock::Timestamp;
use tower_iiif_auth::resource::{Named, Refusal, ResourceKind, ResourceMap};
use tower_iiif_auth::revocation::Revocations;
use tower_iiif_auth::{Answer, IiifAuth, Limits};
use tower_test::mock::{self, Handle, Mock, Spawn};

type Inner = Mock<Request<Body>, Response<Body>>;
type Images = Handle<Request<Body>, Response<Body>>;

/// Does the same with every layer, and with the stack of them all.
macro_rules! for_every_layer {
    ($auth:expr, $check:ident $(, $argument:expr)*) => {
        for_every_layer!(@ $auth, $check, ($($argument),*);
            layer services check describe probe token set_access_cookie client_identity logout
            find_session)
    };
    (@ $auth:expr, $check:ident, $arguments:tt; $($name:ident)*) => {
        $(for_every_layer!(@@ $check(stringify!($name), $auth.$name()) $arguments);)*
    };
    (@@ $check:ident($name:expr, $layer:expr) ($($argument:expr),*)) => {
        $check($name, $layer $(, $argument)*).await
    };
}

fn get(path: &str, cookie: &str) -> Request<Body> {
    request(Method::GET, path, &[("cookie", cookie)])
}

/// `__Host-iiif=…`
fn pair(cookie: &str) -> String {
    format!("{COOKIE}={cookie}")
}

fn info(identifier: &str) -> String {
    format!("/iiif/3/{identifier}/info.json")
}

/// A request of each kind.
fn paths() -> Vec<String> {
    vec![
        image("sec"),
        image("pub"),
        image("%2e%2e"),
        info("sec"),
        info("pub"),
        "/files/sec".to_owned(),
        "/nothing".to_owned(),
        format!("/auth/token?messageId=m1&origin={V}"),
        "/auth/probe/iiif/3/sec".to_owned(),
        "/auth/login".to_owned(),
        "/auth/logout".to_owned(),
    ]
}

/// A store and rules that take some steps to answer.
#[derive(Clone, Copy)]
struct Steps(usize);

impl Steps {
    fn answer<T: Send + 'static>(self, well: T) -> Answer<Result<T, BoxError>> {
        Answer::later(async move {
            for _ in 0..self.0 {
                yield_now().await;
            }
            Ok(well)
        })
    }
}

impl Revocations for Steps {
    fn is_revoked(&self, _: SessionId, _: Timestamp) -> Answer<Result<bool, BoxError>> {
        self.answer(false)
    }

    fn revoke(&self, _: SessionId, _: Timestamp, _: Timestamp) -> Answer<Result<(), BoxError>> {
        self.answer(())
    }
}

impl Authorizer for Steps {
    fn authorize(&self, request: &AccessRequest<'_>) -> Answer<Result<Decision, BoxError>> {
        let Answer::Now(Ok(decision)) = rules().authorize(request) else { unreachable!() };
        self.answer(decision)
    }
}

/// Layers that answer at once, and such as wait at each step.
async fn both() -> [(IiifAuth, String); 2] {
    let clock = clock();
    let slow = || builder(&clock).authorizer(Steps(2)).revocations(Steps(2));
    let cookie = |publisher: Publisher| async move {
        let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
        (publisher.auth, cookie)
    };
    [
        cookie(Publisher::of(builder(&clock), clock.clone())).await,
        cookie(Publisher::of(slow(), clock.clone())).await,
    ]
}

/// RE-05: ready, not ready and broken are told as the inner service tells them, by each clone for
/// itself, and whoever waits is woken.
#[tokio::test]
async fn re_05_readiness_is_the_inner_service_s() {
    async fn check<L>(name: &str, layer: L)
    where
        L: Layer<Inner>,
        L::Service: Service<Request<Body>, Error = BoxError> + Clone,
    {
        let (inner, mut images) = mock::pair();
        images.allow(0);
        let mut service = Spawn::new(layer.layer(inner));
        for _ in 0..3 {
            assert!(service.poll_ready().is_pending(), "{name}");
            assert!(!service.is_woken(), "{name}");
        }
        images.allow(1);
        assert!(service.is_woken(), "{name}");
        assert!(matches!(service.poll_ready(), Poll::Ready(Ok(()))), "{name}");
        // A clone's readiness is its own.
        images.allow(0);
        let mut other = service.clone();
        assert!(other.poll_ready().is_pending(), "{name}");
        images.send_error("the image server is broken");
        let Poll::Ready(Err(error)) = other.poll_ready() else { panic!("{name}: it is broken") };
        assert_eq!(error.to_string(), "the image server is broken", "{name}");
        // The first one keeps its own.
        assert!(matches!(service.poll_ready(), Poll::Ready(Ok(()))), "{name}");
        drop(images);
        let Poll::Ready(Err(error)) = service.poll_ready() else { panic!("{name}: it is gone") };
        assert!(error.is::<mock::error::Closed>(), "{name}: {error}");
    }
    let [(auth, _), _] = both().await;
    for_every_layer!(auth, check);
}

/// RE-05: a request comes to the inner service at most once, through the instance that was ready, and
/// what became of it there is passed on: an answer, an error, or that it is gone.
#[tokio::test]
async fn re_05_one_request_one_call() {
    #[derive(Clone, Copy, PartialEq)]
    enum Fate {
        Answered,
        Failed,
        Gone,
    }

    async fn check<L, B>(name: &str, layer: L, cookie: &str)
    where
        L: Layer<Inner> + Clone,
        L::Service: Service<Request<Body>, Response = Response<B>, Error = BoxError> + Clone,
    {
        for fate in [Fate::Answered, Fate::Failed, Fate::Gone] {
            for path in paths() {
                let (inner, mut images) = mock::pair();
                images.allow(1);
                let mut service = layer.clone().layer(inner);
                let answer = service.ready().await.unwrap().call(get(&path, cookie));
                let mut calls = 0;
                let served = async {
                    while let Some((request, response)) = images.next_request().await {
                        calls += 1;
                        match fate {
                            Fate::Answered => response.send_response(image_server(&request)),
                            Fate::Failed => response.send_error("the image server failed"),
                            Fate::Gone => drop(response),
                        }
                    }
                };
                let answer = tokio::select! {
                    answer = answer => answer,
                    () = served => unreachable!("the service holds the other end"),
                };
                assert!(calls <= 1, "{name} {path}");
                match answer {
                    Ok(_) => assert!(calls == 0 || fate == Fate::Answered, "{name} {path}"),
                    Err(error) => {
                        assert!(calls == 1 && fate != Fate::Answered, "{name} {path}: {error}");
                        let failed = error.to_string() == "the image server failed";
                        assert_eq!(failed, fate == Fate::Failed, "{name} {path}: {error}");
                    }
                }
            }
        }
    }
    for (auth, cookie) in both().await {
        for_every_layer!(auth, check, &cookie);
    }
}

/// Answers everything that waits at the mock, or takes note and lets it wait.
fn serve(images: &mut Images, held: Option<&mut Vec<mock::SendResponse<Response<Body>>>>) {
    let mut held = held;
    while let Poll::Ready(Some((request, response))) = images.poll_request() {
        match &mut held {
            Some(held) => held.push(response),
            None => response.send_response(image_server(&request)),
        }
    }
}

/// RE-05: requests are dropped after each number of polls, in a stack that is full outside
/// (`LoadShed` before `Buffer`) and inside (`ConcurrencyLimit`): no permit and no place is lost.
#[tokio::test(start_paused = true)]
async fn re_05_dropped_at_every_poll() {
    const PERMITS: usize = 2;

    async fn check<L, B>(name: &str, layer: L, cookie: &str)
    where
        L: Layer<tower::limit::ConcurrencyLimit<Inner>> + Clone,
        L::Service: Service<Request<Body>, Response = Response<B>, Error = BoxError>
            + Clone
            + Send
            + 'static,
        <L::Service as Service<Request<Body>>>::Future: Send,
        B: Send + 'static,
    {
        let free = format!("{}?again", image("pub"));
        for path in paths() {
            for answers in [true, false] {
                let (inner, mut images) = mock::pair();
                let stack = ServiceBuilder::new()
                    .load_shed()
                    .buffer(2)
                    .layer(layer.clone())
                    .layer(tower::limit::ConcurrencyLimitLayer::new(PERMITS))
                    .service(inner);
                let mut finished = 0;
                let mut polls = 0;
                // Until no more polls are needed; what is not answered never needs fewer.
                while polls < 48 && finished < 6 {
                    let mut held = Vec::new();
                    let mut asked: Vec<Pin<Box<_>>> = (0..6)
                        .map(|_| Box::pin(stack.clone().oneshot(get(&path, cookie))))
                        .collect();
                    finished = 0;
                    let mut cx = Context::from_waker(Waker::noop());
                    for _ in 0..polls {
                        asked.retain_mut(|one| one.as_mut().poll(&mut cx).is_pending());
                        serve(&mut images, if answers { None } else { Some(&mut held) });
                        yield_now().await;
                    }
                    finished += 6 - asked.len();
                    assert!(held.len() <= PERMITS, "{name} {path} {polls}");
                    drop((asked, held));
                    // All permits are to be had at once.
                    yield_now().await;
                    serve(&mut images, None);
                    let again: Vec<_> = (0..PERMITS)
                        .map(|_| tokio::spawn(stack.clone().oneshot(get(&free, ""))))
                        .collect();
                    let arrived = async {
                        let mut held = Vec::new();
                        while held.len() < PERMITS {
                            // What was buffered when its sender went comes first.
                            let (request, response) = images.next_request().await.unwrap();
                            if *request.uri() == *free {
                                held.push(response);
                            }
                        }
                        held
                    };
                    let arrived = tokio::time::timeout(Duration::from_secs(20), arrived).await;
                    let Ok(held) = arrived else {
                        panic!("{name} {path} {polls}: a permit is lost")
                    };
                    for response in held {
                        response.send_response(Response::default());
                    }
                    for one in again {
                        one.await.unwrap().unwrap_or_else(|e| panic!("{name} {path} {polls}: {e}"));
                    }
                    polls += 1;
                }
                assert!(!answers || finished == 6, "{name} {path}: {finished} in {polls} polls");
            }
        }
    }
    for (auth, cookie) in both().await {
        for_every_layer!(auth, check, &cookie);
    }
}

/// Rules, a store and a map of which each may fail.
#[derive(Clone)]
struct Parts {
    rules: Arc<std::sync::Mutex<Fault>>,
    store: Store,
    map_panics: Arc<AtomicBool>,
}

impl Parts {
    fn new() -> Self {
        Self { rules: Arc::default(), store: Store::new(), map_panics: Arc::default() }
    }

    fn publisher(&self) -> Publisher {
        let clock = clock();
        let builder = builder(&clock)
            .authorizer(self.clone())
            .revocations(self.store.clone())
            .resources(self.clone())
            .limits(Limits::new().max_decision_time(Duration::from_secs(1)));
        Publisher::of(builder, clock)
    }
}

impl Authorizer for Parts {
    fn authorize(&self, request: &AccessRequest<'_>) -> Answer<Result<Decision, BoxError>> {
        let fault = match request.identifier() {
            // One that always waits for something which never comes.
            "hang" => Fault::Hang,
            _ => *self.rules.lock().unwrap(),
        };
        let Answer::Now(Ok(decision)) = rules().authorize(request) else { unreachable!() };
        fault.answer(decision)
    }
}

impl ResourceMap for Parts {
    fn base(&self) -> &'static str {
        "/prints"
    }

    fn find<'a>(&'a self, name: &'a str) -> Result<Named<'a>, Refusal> {
        assert!(!self.map_panics.load(Ordering::SeqCst), "the map panics");
        Ok(Named::new(name, ResourceKind::Content, "Image"))
    }
}

/// RE-04: a part that panics or hangs takes neither the worker of a `Buffer` nor a permit with it, and
/// the next hundred requests are as ever.
#[tokio::test(start_paused = true)]
async fn re_04_a_hundred_normal_requests_after_a_fault() {
    for fault in FAULTS {
        let parts = Parts::new();
        let publisher = parts.publisher();
        let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
        let images =
            service_fn(async |request: Request<Body>| Ok::<_, BoxError>(image_server(&request)));
        let stack = ServiceBuilder::new()
            .buffer(4)
            .layer(publisher.auth.layer())
            .concurrency_limit(1)
            .service(images);
        let ask = async |path: &str, cookie: &str| {
            let response =
                stack.clone().oneshot(get(path, cookie)).await.expect("the worker lives");
            let (head, body) = response.into_parts();
            Response::from_parts(head, body.collect().await.unwrap().to_bytes())
        };
        for which in 0..3 {
            match which {
                0 => *parts.rules.lock().unwrap() = fault,
                1 => parts.store.fail(fault),
                _ => parts.map_panics.store(true, Ordering::SeqCst),
            }
            let path = if which == 2 { "/prints/sec".to_owned() } else { image("sec") };
            assert_denied(&ask(&path, &cookie).await, 503);
            *parts.rules.lock().unwrap() = Fault::None;
            parts.store.fail(Fault::None);
            parts.map_panics.store(false, Ordering::SeqCst);
            for _ in 0..100 {
                assert_eq!(ask(&image("sec"), &cookie).await.status(), 200, "{fault:?} {which}");
                assert_eq!(ask("/prints/sec", &cookie).await.status(), 200, "{fault:?} {which}");
                assert_denied(&ask(&image("sec"), "").await, 401);
            }
        }
    }
}

/// RE-04: while some hang, all others are answered in no time; each of those that hang is answered
/// when its own time is up.
#[tokio::test(start_paused = true)]
async fn re_04_who_hangs_holds_up_nobody() {
    let publisher = Parts::new().publisher();
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    let begin = Instant::now();
    let hanging: Vec<_> = (0..200)
        .map(|_| {
            let publisher = publisher.clone();
            tokio::spawn(async move {
                assert_denied(&publisher.get(&image("hang"), &[]).await, 503);
                begin.elapsed()
            })
        })
        .collect();
    yield_now().await;
    for _ in 0..100 {
        let tile = publisher.get(&image("sec"), &[("cookie", &cookie)]).await;
        assert_eq!(tile.status(), 200);
        assert_denied(&publisher.get(&image("sec"), &[]).await, 401);
    }
    assert_eq!(begin.elapsed(), Duration::ZERO);
    for one in hanging {
        let took = one.await.unwrap();
        assert!((1000..=1010).contains(&took.as_millis()), "{took:?}");
    }
}

/// RE-04: an inner service that panics, in `call`, in its future, or in its body, does so through the
/// layers as without them: its request is lost, and the layers are as before.
#[tokio::test]
async fn re_04_the_inner_service_s_own_panics() {
    /// A body that panics when it is read.
    struct Broken;

    impl http_body::Body for Broken {
        type Data = bytes::Bytes;
        type Error = BoxError;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<bytes::Bytes>, BoxError>>> {
            panic!("the body panics")
        }
    }

    async fn check<L, B>(name: &str, layer: L, cookie: &str)
    where
        L: Layer<tower::util::BoxCloneSyncService<Request<Body>, Response<AnyBody>, BoxError>>,
        L::Service: Service<Request<Body>, Response = Response<B>, Error = BoxError>
            + Clone
            + Send
            + 'static,
        <L::Service as Service<Request<Body>>>::Future: Send,
        B: http_body::Body<Data = bytes::Bytes, Error: std::fmt::Debug> + Send + 'static,
    {
        let panics = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&panics);
        let inner = service_fn(move |request: Request<Body>| {
            let place = request.uri().query().unwrap_or_default().to_owned();
            if !place.is_empty() {
                counter.fetch_add(1, Ordering::SeqCst);
            }
            assert_ne!(place, "call", "the call panics");
            async move {
                assert_ne!(place, "future", "the future panics");
                let body: AnyBody = match &*place {
                    "body" => AnyBody::new(Broken),
                    _ => AnyBody::new(image_server(&request).into_body().map_err(BoxError::from)),
                };
                Ok::<_, BoxError>(Response::new(body))
            }
        });
        let inner = tower::util::BoxCloneSyncService::new(inner);
        let service = ServiceBuilder::new().concurrency_limit(1).service(layer.layer(inner));
        let ask = |path: String| {
            // By name: the compiler does not see through a future of a layer's in one of `async`.
            let asked: Pin<Box<dyn Future<Output = Result<Response<B>, BoxError>> + Send>> =
                Box::pin(service.clone().oneshot(get(&path, cookie)));
            tokio::spawn(async move {
                let response = asked.await.unwrap();
                let status = response.status();
                // A description is collected by the layer; anything else here.
                response.into_body().collect().await.unwrap();
                status
            })
        };
        for place in ["call", "future", "body"] {
            for path in [image("pub"), image("sec"), info("sec")] {
                let before = panics.load(Ordering::SeqCst);
                let outcome = ask(format!("{path}?{place}")).await;
                let came = panics.load(Ordering::SeqCst) > before;
                assert_eq!(outcome.is_err(), came, "{name} {place} {path}: {outcome:?}");
                for _ in 0..10 {
                    let after = tokio::time::timeout(Duration::from_secs(20), ask(image("pub")));
                    let after = after.await.expect("no permit is lost").unwrap();
                    assert_eq!(after, 200, "{name} {place} {path}");
                }
            }
        }
    }
    let [(auth, cookie), (slow, slow_cookie)] = both().await;
    assert!(cookie.starts_with(COOKIE));
    for_every_layer!(auth, check, &cookie);
    for_every_layer!(slow, check, &slow_cookie);
}

type AnyBody = http_body_util::combinators::UnsyncBoxBody<bytes::Bytes, BoxError>;

/// RE-05: dropping an answer that has not come drops what is being done for it, and not later.
#[tokio::test]
async fn re_05_a_dropped_request_stops_at_once() {
    struct Counted(Arc<AtomicUsize>);

    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }

    struct Counting(Arc<AtomicUsize>);

    impl Authorizer for Counting {
        fn authorize(&self, _: &AccessRequest<'_>) -> Answer<Result<Decision, BoxError>> {
            self.0.fetch_add(1, Ordering::SeqCst);
            let counted = Counted(Arc::clone(&self.0));
            Answer::later(async move {
                let _counted = counted;
                std::future::pending().await
            })
        }
    }

    let running = Arc::new(AtomicUsize::new(0));
    let clock = clock();
    let publisher =
        Publisher::of(builder(&clock).authorizer(Counting(Arc::clone(&running))), clock);
    for path in [image("sec"), info("sec"), "/auth/probe/iiif/3/sec".to_owned()] {
        let mut asked: Vec<Pin<Box<dyn Future<Output = _>>>> = Vec::new();
        for _ in 0..50 {
            let path = path.clone();
            let publisher = publisher.clone();
            asked.push(Box::pin(async move { publisher.get(&path, &[]).await }));
        }
        let mut cx = Context::from_waker(Waker::noop());
        for one in &mut asked {
            assert!(one.as_mut().poll(&mut cx).is_pending(), "{path}");
        }
        assert_eq!(running.load(Ordering::SeqCst), 50, "{path}");
        drop(asked);
        assert_eq!(running.load(Ordering::SeqCst), 0, "{path}");
    }
}
