//! What the layers add to the heap allocations of an image server: for a tile, nothing.
//!
//! The counter belongs to its thread, so that tests running beside are not counted.

mod common;

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, ACCESS_CONTROL_ALLOW_ORIGIN, AUTHORIZATION, CACHE_CONTROL, CONTENT_DISPOSITION,
    CONTENT_LENGTH, CONTENT_TYPE, COOKIE, DATE, ETAG, HeaderName, HeaderValue, LAST_MODIFIED, LINK,
    REFERRER_POLICY, SERVER, STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tower::{Layer, Service};
use tower_iiif_auth::authorizer::{AccessRequest, Authorizer, from_async_fn};
use tower_iiif_auth::observe::{Outcome, Reason};
use tower_iiif_auth::{AccessCookie, AccessService, IiifAuth, Realm};

use common::{Body, Publisher, V, builder, clock, image};

/// Headers of a tile, as image servers send them; length and date come from hyper, later.
const TYPICAL: &[(HeaderName, &str)] = SERVERS.split_at(4).0;

const SERVERS: &[(HeaderName, &str)] = &[
    (CONTENT_TYPE, "image/jpeg"),
    (CACHE_CONTROL, "public, max-age=86400"),
    (ETAG, "\"5d8c72a5edda8d6a\""),
    (LAST_MODIFIED, "Wed, 11 Nov 2026 11:11:11 GMT"),
    (CONTENT_LENGTH, "6"),
    (ACCEPT_RANGES, "bytes"),
    (LINK, "<http://iiif.io/api/image/3/level2.json>;rel=\"profile\""),
    (SERVER, "images"),
    (DATE, "Wed, 11 Nov 2026 11:11:11 GMT"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (CONTENT_DISPOSITION, "inline"),
    (REFERRER_POLICY, "no-referrer"),
    (STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
];

/// An image server that answers with these headers.
#[derive(Clone)]
struct Images(&'static [(HeaderName, &'static str)]);

impl Service<Request<Body>> for Images {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        let mut response = Response::new(Full::from(Bytes::from_static(b"a tile")));
        for (name, value) in self.0 {
            response.headers_mut().append(name, HeaderValue::from_static(value));
        }
        ready(Ok(response))
    }
}

/// A request as browsers send it.
fn request(path: &str, cookie: Option<&str>) -> Request<Body> {
    let mut request = common::request(
        http::Method::GET,
        path,
        &[
            ("host", "iiif.example"),
            (
                "user-agent",
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            ),
            ("accept", "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"),
            ("accept-language", "en-GB,en;q=0.5"),
            ("accept-encoding", "gzip, deflate, br"),
            ("referer", "https://viewer.example/"),
            ("sec-fetch-dest", "image"),
            ("sec-fetch-mode", "no-cors"),
            ("sec-fetch-site", "cross-site"),
        ],
    );
    if let Some(cookie) = cookie {
        let text =
            format!("_ga=GA1.1.1234567890.1234567890; {}={cookie}; theme=dark", common::COOKIE);
        request.headers_mut().insert(COOKIE, HeaderValue::try_from(text).unwrap());
    }
    request
}

/// Allocations from the call to the end of the response, and its status.
fn count<S, B>(service: &mut S, request: Request<Body>) -> (u64, StatusCode)
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
{
    let mut status = None;
    let counted = allocation_counter::measure(|| {
        let mut cx = Context::from_waker(Waker::noop());
        assert!(service.poll_ready(&mut cx).is_ready());
        let response = pin!(service.call(request));
        let Poll::Ready(Ok(response)) = response.poll(&mut cx) else { panic!("nothing waits") };
        status = Some(response.status());
    });
    (counted.count_total, status.unwrap())
}

/// What the layers add to the allocations of the same request without them: the checker alone, and
/// all of them.
fn added(
    auth: &IiifAuth,
    headers: &'static [(HeaderName, &'static str)],
    request: impl Fn() -> Request<Body>,
    status: StatusCode,
) -> [i64; 2] {
    let signed = |(count, _): (u64, StatusCode)| i64::try_from(count).unwrap();
    let images = Images(headers);
    let bare = signed(count(&mut images.clone(), request()));
    let of = |outcome: (u64, StatusCode)| {
        assert_eq!(outcome.1, status);
        signed(outcome) - bare
    };
    let (mut check, mut all) = (auth.check().layer(images.clone()), auth.layer().layer(images));
    // Once before: what threads and stores set up for themselves is no part of a request.
    count(&mut check, request());
    [of(count(&mut check, request())), of(count(&mut all, request()))]
}

async fn cookie_of(publisher: &Publisher) -> String {
    publisher.log_in(&["reader", "A", "curator"], Some(V)).await
}

fn by_closure() -> Publisher {
    let clock = clock();
    let builder = builder(&clock).authorize_with(|request| match request.identifier() {
        "pub" => true,
        _ => request.has_role("A"),
    });
    Publisher::of(builder, clock)
}

#[tokio::test]
async fn an_allowed_tile_adds_none() {
    common::logs::stay_deaf();
    for publisher in [Publisher::new(), by_closure()] {
        let cookie = cookie_of(&publisher).await;
        for path in [&*image("sec"), "/iiif/3/sec/0,0,512,512/512,/0/default.jpg", "/files/sec"] {
            let request = || request(path, Some(&cookie));
            assert_eq!(added(&publisher.auth, TYPICAL, request, StatusCode::OK), [0, 0], "{path}");
        }
    }
}

/// A decision that is remembered, and a session that will be renewed later, in an era of its subject's.
#[tokio::test]
async fn a_remembered_decision_adds_none() {
    common::logs::stay_deaf();
    let clock = clock();
    let asked = from_async_fn(async |request: AccessRequest<'static>| {
        Ok::<_, Infallible>(request.identifier() == "pub" || request.has_role("A"))
    });
    let renewed = AccessCookie::new().renewed_up_to(Duration::from_secs(36_000));
    let login = AccessService::active("login", "Example Library");
    let configured = common::bare(&clock)
        .realm(Realm::new().access(login).aspect(renewed))
        .authorizer(asked.cached(Duration::from_secs(60), 100));
    let publisher = Publisher::of(configured, clock);
    publisher.auth.end_sessions_of("", "u1").await.unwrap();
    let cookie = cookie_of(&publisher).await;
    let pair = format!("{}={cookie}", common::COOKIE);
    for path in [&*image("sec"), &image("pub"), "/files/sec"] {
        // Once before: it is asked for.
        publisher.get(path, &[("cookie", &pair)]).await;
        let request = || request(path, Some(&cookie));
        assert_eq!(added(&publisher.auth, TYPICAL, request, StatusCode::OK), [0, 0], "{path}");
    }
}

#[tokio::test]
async fn an_open_tile_adds_none() {
    common::logs::stay_deaf();
    for publisher in [Publisher::new(), by_closure()] {
        let cookie = cookie_of(&publisher).await;
        for cookie in [None, Some("forged"), Some(&*cookie)] {
            let request = || request(&image("pub"), cookie);
            assert_eq!(added(&publisher.auth, TYPICAL, request, StatusCode::OK), [0, 0]);
        }
    }
}

/// An observer, and a log that leaves decisions out, cost none either.
#[tokio::test]
async fn who_counts_decisions_adds_none() {
    common::logs::stay_deaf();
    let heard = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&heard);
    let clock = clock();
    let observed = builder(&clock).observe(move |seen| {
        let counts = seen.outcome() == Outcome::Granted && seen.reason() == Reason::Session;
        counter.fetch_add(u64::from(counts), Ordering::Relaxed);
    });
    let publisher = Publisher::of(observed, clock);
    let cookie = cookie_of(&publisher).await;
    let request = || request(&image("sec"), Some(&cookie));
    #[cfg(feature = "tracing")]
    let _guard = {
        use tracing_subscriber::util::SubscriberInitExt;
        let level = tracing_subscriber::filter::LevelFilter::INFO;
        tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::sink).set_default()
    };
    assert_eq!(added(&publisher.auth, TYPICAL, request, StatusCode::OK), [0, 0]);
    // Twice by the checker alone, once by all layers.
    assert_eq!(heard.load(Ordering::Relaxed), 3);
}

/// An allowed response gains `Vary` and, where the server has not set it, one CORS header. A header
/// map that is just full grows for them as it would for anybody: nothing is added to that.
#[tokio::test]
async fn a_full_header_map_grows_as_for_anybody() {
    common::logs::stay_deaf();
    let publisher = Publisher::new();
    let cookie = cookie_of(&publisher).await;
    let request = || request(&image("sec"), Some(&cookie));
    for length in 1..=SERVERS.len() {
        let given = &SERVERS[..length];
        let mut by_hand = given.to_vec();
        by_hand.extend([(ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (VARY, "Cookie")]);
        let by_hand = by_hand.leak();
        let of = |headers| i64::try_from(count(&mut Images(headers), request()).0).unwrap();
        let growth = of(by_hand) - of(given);
        let added = added(&publisher.auth, given, request, StatusCode::OK);
        assert_eq!(added, [growth, growth], "{length} headers");
    }
}

/// Not on the hot path, yet worth a look: run with `--nocapture`.
#[tokio::test]
async fn what_is_not_free_is_cheap() {
    common::logs::stay_deaf();
    let publisher = Publisher::new();
    let cookie = cookie_of(&publisher).await;
    for (what, identifier, cookie) in [
        ("no cookie", "sec", None),
        ("forged cookie", "sec", Some("AQ")),
        ("cookie of another realm", "sec2", Some(&*cookie)),
    ] {
        let mut check = publisher.auth.check().layer(Images(TYPICAL));
        let request = || request(&image(identifier), cookie);
        count(&mut check, request());
        let (allocations, status) = count(&mut check, request());
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        write(&format!("a refusal ({what}): {allocations} allocations"));
        assert!(allocations <= 20, "{what}: {allocations}");
    }
    let services = || publisher.auth.layer().layer(Images(TYPICAL));
    let token_page = format!("/auth/token?messageId=1&origin={V}");
    let token = publisher.token(&cookie).await;
    let probe = || {
        let mut probe = request("/auth/probe/iiif/3/sec", None);
        let bearer = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
        probe.headers_mut().insert(AUTHORIZATION, bearer);
        probe
    };
    let cases: [(_, &dyn Fn() -> Request<Body>, _); 2] = [
        ("the token page", &|| request(&token_page, Some(&cookie)), 15),
        // The header map of its answer, and nothing else.
        ("a probe that allows", &probe, 2),
    ];
    for (what, request, most) in cases {
        count(&mut services(), request());
        let (allocations, status) = count(&mut services(), request());
        assert_eq!(status, StatusCode::OK);
        write(&format!("{what}: {allocations} allocations"));
        assert!(allocations <= most, "{what}: {allocations}");
    }
    let escaped = || request(&image("dir%2Fsec"), Some(&cookie));
    let [check, _] = added(&publisher.auth, TYPICAL, escaped, StatusCode::OK);
    write(&format!("an allowed tile with an escaped identifier: {check} allocations"));
    assert!(check <= 2);

    let clock = clock();
    let handing_on = Publisher::of(builder(&clock).session_extension(), clock);
    let cookie = cookie_of(&handing_on).await;
    let request = || request(&image("sec"), Some(&cookie));
    let [check, _] = added(&handing_on.auth, TYPICAL, request, StatusCode::OK);
    write(&format!("an allowed tile with its session handed on: {check} allocations"));
    assert!(check <= 4);
}

#[allow(clippy::print_stdout, reason = "figures for who runs it")]
fn write(line: &str) {
    println!("{line}");
}
