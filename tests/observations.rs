//! What operators hear of decisions: the observer and the log, which say the same.

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use tower_iiif_auth::aspect::{AspectError, AuthorizingAspect, Head, Reading, SessionId};
use tower_iiif_auth::authorizer::{Denial, from_async_fn, from_fn};
use tower_iiif_auth::clock::Timestamp;
use tower_iiif_auth::observe::{Observation, Outcome, Place, Reason};
use tower_iiif_auth::protocol::Family;
use tower_iiif_auth::resource::{Families, ImageApi, Named, Refusal, ResourceMap};
use tower_iiif_auth::revocation::Revocations;
use tower_iiif_auth::{AccessCookie, AccessService, Answer, BoxError, IiifAuthBuilder, Realm};

#[cfg(feature = "tracing")]
use common::BASE;
use common::{COOKIE, Publisher, V, builder, clock, families, image, request};

const COOKIE_ASPECT: Option<&str> = Some("access-cookie");

/// What was heard, in the order of the requests.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    fn on(&self, builder: IiifAuthBuilder) -> IiifAuthBuilder {
        let heard = self.clone();
        builder.observe(move |seen| heard.0.lock().unwrap().push(line(seen)))
    }

    /// The one decision since the last look.
    fn one(&self) -> String {
        let mut heard = std::mem::take(&mut *self.0.lock().unwrap());
        assert_eq!(heard.len(), 1, "{heard:?}");
        heard.remove(0)
    }

    fn none(&self) {
        let heard = std::mem::take(&mut *self.0.lock().unwrap());
        assert!(heard.is_empty(), "{heard:?}");
    }
}

fn line(seen: &Observation<'_>) -> String {
    assert!(seen.elapsed() < Duration::from_secs(60));
    let resource = seen.resource().map_or("-", |resource| resource.identifier());
    said((seen.place(), resource, seen.outcome(), seen.reason(), seen.aspect()))
}

type Headers<'a> = Vec<(&'a str, &'a str)>;
type Said<'a> = (Place, &'a str, Outcome, Reason, Option<&'a str>);

fn said((place, resource, outcome, reason, aspect): Said<'_>) -> String {
    format!("{place} of {resource}: {} {outcome}, {reason} {aspect:?}", outcome.status())
}

fn publisher(heard: &Heard) -> Publisher {
    let clock = clock();
    Publisher::of(heard.on(builder(&clock)), clock)
}

fn pair(cookie: &str) -> String {
    format!("{COOKIE}={cookie}")
}

#[tokio::test]
async fn each_decision_is_told_with_its_reason() {
    use Place::{Content, Probe};
    let heard = Heard::default();
    let publisher = publisher(&heard);
    let reader = pair(&publisher.log_in(&["A"], Some(V)).await);
    let stranger = pair(&publisher.log_in(&["C"], Some(V)).await);
    let gone = pair(&publisher.log_in(&["A"], Some(V)).await);
    publisher.get("/auth/logout", &[("cookie", &gone)]).await;
    let token = format!("Bearer {}", publisher.token(reader.split_once('=').unwrap().1).await);
    heard.none();
    let (cookie, token) = ("cookie", ("authorization", &*token));
    let (sec, probe) = (image("sec"), "/auth/probe/iiif/3/sec");
    let cases: Vec<(&str, Headers<'_>, Said<'_>)> = vec![
        (&sec, vec![], (Content, "sec", Outcome::Unauthorized, Reason::Missing, None)),
        (
            &sec,
            vec![(cookie, &reader)],
            (Content, "sec", Outcome::Granted, Reason::Session, COOKIE_ASPECT),
        ),
        (
            &sec,
            vec![(cookie, &stranger)],
            (Content, "sec", Outcome::Forbidden, Reason::NotEnough, COOKIE_ASPECT),
        ),
        (
            &sec,
            vec![(cookie, &gone)],
            (Content, "sec", Outcome::Unauthorized, Reason::Revoked, COOKIE_ASPECT),
        ),
        (
            &sec,
            vec![(cookie, "__Host-iiif=AQ")],
            (Content, "sec", Outcome::Unauthorized, Reason::Invalid, COOKIE_ASPECT),
        ),
        (
            "/files/sec",
            vec![(cookie, &reader)],
            (Content, "sec", Outcome::Granted, Reason::Session, COOKIE_ASPECT),
        ),
        (
            "/iiif/3/sec/no-such/shape",
            vec![],
            (Content, "-", Outcome::NotFound, Reason::UnknownPath, None),
        ),
        ("/elsewhere", vec![], (Content, "-", Outcome::NotFound, Reason::UnknownPath, None)),
        (
            "/iiif/3/a%2F..%2Fsec/full/max/0/default.jpg",
            vec![],
            (Content, "-", Outcome::BadRequest, Reason::AmbiguousPath, None),
        ),
        (probe, vec![], (Probe, "sec", Outcome::Unauthorized, Reason::Missing, None)),
        (
            probe,
            vec![token],
            (Probe, "sec", Outcome::Granted, Reason::Session, Some("access token")),
        ),
        (
            "/auth/probe/iiif/3/sec2",
            vec![token],
            (Probe, "sec2", Outcome::Unauthorized, Reason::Missing, None),
        ),
        ("/auth/probe/iiif/3/pub", vec![], (Probe, "pub", Outcome::Granted, Reason::Open, None)),
        (
            "/auth/probe/elsewhere",
            vec![],
            (Probe, "-", Outcome::NotFound, Reason::UnknownPath, None),
        ),
    ];
    for (path, headers, expected) in cases {
        publisher.get(path, &headers).await;
        assert_eq!(heard.one(), said(expected), "{path} {headers:?}");
    }
    let open = image("pub");
    for headers in [vec![], vec![(cookie, &*reader)]] {
        publisher.get(&open, &headers).await;
        assert_eq!(heard.one(), said((Content, "pub", Outcome::Granted, Reason::Open, None)));
    }
    let posted = request(
        Method::POST,
        "/files/sec",
        &[(cookie, &reader), ("origin", "https://evil.example")],
    );
    publisher.send(posted).await;
    assert_eq!(heard.one(), said((Content, "sec", Outcome::Forbidden, Reason::ForeignPage, None)));
    publisher.clock.advance(Duration::from_secs(700));
    publisher.get(&sec, &[(cookie, &reader)]).await;
    assert_eq!(
        heard.one(),
        said((Content, "sec", Outcome::Unauthorized, Reason::Expired, COOKIE_ASPECT))
    );
    // What needs no decision.
    publisher.get("/iiif/3/sec/info.json", &[]).await;
    publisher.send(request(Method::OPTIONS, &sec, &[])).await;
    publisher.get("/auth/login", &[]).await;
    heard.none();
}

/// A token that proves nothing is told as what it is.
#[tokio::test]
async fn tokens_that_prove_nothing_are_told() {
    let heard = Heard::default();
    let publisher = publisher(&heard);
    let reader = pair(&publisher.log_in(&["A"], Some(V)).await);
    let token = publisher.token(reader.split_once('=').unwrap().1).await;
    let good = format!("Bearer {token}");
    let damaged = format!("Bearer {}", &token[..token.len() - 2]);
    let cookie = reader.split_once('=').unwrap().1;
    let cookie = format!("Bearer {cookie}");
    heard.none();
    let of = |reason: Reason| {
        let aspect = (reason != Reason::Missing).then_some("access token");
        said((Place::Probe, "sec", Outcome::Unauthorized, reason, aspect))
    };
    let (probe, name) = ("/auth/probe/iiif/3/sec", "authorization");
    let elsewhere = ("origin", "https://other.example");
    let cases: Vec<(Headers<'_>, Reason)> = vec![
        (vec![(name, "Bearer forged")], Reason::Invalid),
        (vec![(name, &damaged)], Reason::Invalid),
        (vec![(name, &cookie)], Reason::Invalid),
        (vec![(name, &good), elsewhere], Reason::Invalid),
        (vec![(name, "Basic abc")], Reason::Missing),
        (vec![(name, "Bearer")], Reason::Missing),
    ];
    for (headers, reason) in cases {
        publisher.get(probe, &headers).await;
        assert_eq!(heard.one(), of(reason), "{headers:?}");
    }
    // What is open is open whatever comes along, and a session beside it counts.
    publisher.get("/auth/probe/iiif/3/pub", &[(name, "Bearer forged")]).await;
    assert_eq!(heard.one(), said((Place::Probe, "pub", Outcome::Granted, Reason::Open, None)));
    publisher.get(probe, &[(name, "Bearer forged"), ("cookie", &reader)]).await;
    let granted = (Place::Probe, "sec", Outcome::Granted, Reason::Session, COOKIE_ASPECT);
    assert_eq!(heard.one(), said(granted));
    publisher.clock.advance(Duration::from_secs(301));
    publisher.get(probe, &[(name, &good)]).await;
    assert_eq!(heard.one(), of(Reason::Expired), "the token, and not yet the session");
    let token = publisher.token(reader.split_once('=').unwrap().1).await;
    publisher.get("/auth/logout", &[("cookie", &reader)]).await;
    publisher.get(probe, &[(name, &format!("Bearer {token}"))]).await;
    assert_eq!(heard.one(), of(Reason::Revoked));
}

/// A description whose status is a decision.
#[tokio::test]
async fn gated_descriptions_are_told() {
    let (heard, clock) = (Heard::default(), clock());
    let redirecting = Families::from(Family::V09).redirecting_content();
    let builder = families::builder(&clock)
        .resources(ImageApi::new("/iiif/redirecting").families(redirecting));
    let publisher = Publisher::before(heard.on(builder), clock, families::images);
    let cases: [(&str, Said<'_>); 4] = [
        ("sec", (Place::Description, "sec", Outcome::Unauthorized, Reason::Missing, None)),
        ("pub", (Place::Description, "pub", Outcome::Granted, Reason::Open, None)),
        ("tiered", (Place::Description, "tiered", Outcome::Redirected, Reason::Missing, None)),
        ("hidden", (Place::Description, "hidden", Outcome::Unauthorized, Reason::Missing, None)),
    ];
    for (identifier, expected) in cases {
        publisher.get(&format!("/iiif/2/{identifier}/info.json"), &[]).await;
        assert_eq!(heard.one(), said(expected));
    }
    publisher.get("/iiif/2/sec/info.json", &[("authorization", "Bearer forged")]).await;
    let token = Some("access token");
    let expected = (Place::Description, "sec", Outcome::Unauthorized, Reason::Invalid, token);
    assert_eq!(heard.one(), said(expected));
    publisher.get("/iiif/redirecting/tiered/full/max/0/default.jpg", &[]).await;
    let expected = (Place::Content, "tiered", Outcome::Redirected, Reason::Missing, None);
    assert_eq!(heard.one(), said(expected));
}

/// A store that fails or hangs when it is asked.
struct Store(fn() -> Answer<Result<bool, BoxError>>);

impl Revocations for Store {
    fn is_revoked(&self, _: SessionId, _: Timestamp) -> Answer<Result<bool, BoxError>> {
        (self.0)()
    }

    fn revoke(&self, _: SessionId, _: Timestamp, _: Timestamp) -> Answer<Result<(), BoxError>> {
        Answer::Now(Ok(()))
    }
}

/// An aspect that fails or hangs when it is asked.
struct Badge(fn() -> Reading);

impl AuthorizingAspect for Badge {
    fn name(&self) -> &'static str {
        "badge"
    }

    fn read(&self, _: &Head<'_>, _: Timestamp) -> Reading {
        (self.0)()
    }
}

fn vouching() -> IiifAuthBuilder {
    builder(&clock()).revocations(Store(|| Answer::Now(Ok(false))))
}

struct Panics;

impl ResourceMap for Panics {
    fn base(&self) -> &'static str {
        "/panics"
    }

    fn find<'a>(&'a self, _: &'a str) -> Result<Named<'a>, Refusal> {
        panic!("it panics")
    }
}

fn down<T>() -> Result<T, BoxError> {
    Err("secret cause".into())
}

type Faulty = Box<dyn Fn() -> IiifAuthBuilder>;

/// What of the operator's failed, or was too slow, is told apart.
#[tokio::test(start_paused = true)]
async fn failures_are_told_apart() {
    let with_badge = |read: fn() -> Reading| {
        let aspect = AccessCookie::new().or(Badge(read));
        vouching().realm(
            Realm::named("badge")
                .aspect(aspect)
                .access(AccessService::active("desk", "Desk").protects(["badge"])),
        )
    };
    let cases: Vec<(Faulty, &str, Reason, Option<&str>)> = vec![
        (
            Box::new(|| vouching().authorizer(from_async_fn(async |_| down::<Denial>()))),
            "sec",
            Reason::AuthorizerFailed,
            None,
        ),
        (
            Box::new(|| vouching().authorizer(from_fn(|_| -> bool { panic!("it panics") }))),
            "sec",
            Reason::AuthorizerFailed,
            None,
        ),
        (
            Box::new(|| {
                vouching().authorizer(from_async_fn(async |request| {
                    if request.session().is_some() { down() } else { Ok(Denial::login()) }
                }))
            }),
            "sec",
            Reason::AuthorizerFailed,
            COOKIE_ASPECT,
        ),
        (
            Box::new(|| {
                vouching().authorizer(from_async_fn(async |_| {
                    std::future::pending::<Result<Denial, BoxError>>().await
                }))
            }),
            "sec",
            Reason::TimedOut,
            None,
        ),
        (
            Box::new(|| builder(&clock()).revocations(Store(|| Answer::Now(down())))),
            "sec",
            Reason::StoreFailed,
            COOKIE_ASPECT,
        ),
        (
            Box::new(|| builder(&clock()).revocations(Store(|| Answer::later(async { down() })))),
            "sec",
            Reason::StoreFailed,
            COOKIE_ASPECT,
        ),
        (
            Box::new(|| {
                builder(&clock()).revocations(Store(|| Answer::later(std::future::pending())))
            }),
            "sec",
            Reason::TimedOut,
            COOKIE_ASPECT,
        ),
        (
            Box::new(move || with_badge(|| Answer::Now(down().map_err(AspectError::Unavailable)))),
            "badge",
            Reason::AspectFailed,
            Some("badge"),
        ),
        (
            Box::new(move || with_badge(|| Answer::later(std::future::pending()))),
            "badge",
            Reason::TimedOut,
            Some("badge"),
        ),
    ];
    // Its store vouches for any session, as those do that nodes share.
    let elsewhere = Publisher::of(vouching(), clock());
    for (number, (faulty, identifier, reason, aspect)) in cases.into_iter().enumerate() {
        let heard = Heard::default();
        let publisher = Publisher::of(heard.on(faulty()), clock());
        let cookie = pair(&elsewhere.log_in(&["A"], Some(V)).await);
        let response = publisher.get(&image(identifier), &[("cookie", &cookie)]).await;
        assert_eq!(response.status(), 503, "case {number}: {}", heard.one());
        let expected = (Place::Content, identifier, Outcome::Unavailable, reason, aspect);
        assert_eq!(heard.one(), said(expected), "case {number}");
    }
    let heard = Heard::default();
    let publisher = Publisher::of(heard.on(builder(&clock())).resources(Panics), clock());
    publisher.get("/panics/x", &[]).await;
    let expected = (Place::Content, "-", Outcome::Unavailable, Reason::MapFailed, None);
    assert_eq!(heard.one(), said(expected));
}

/// Whatever becomes of who hears of it, the decision stays.
#[tokio::test]
async fn an_observer_that_panics_changes_nothing() {
    let clock = clock();
    let publisher = Publisher::of(builder(&clock).observe(|_| panic!("it panics")), clock);
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    assert_eq!(publisher.get(&image("pub"), &[]).await.status(), 200);
    assert_eq!(publisher.get(&image("sec"), &[("cookie", &cookie)]).await.status(), 200);
    assert_eq!(publisher.get(&image("sec"), &[]).await.status(), 401);
    assert_eq!(publisher.probe_status("/iiif/3/sec", None).await, 401);
}

/// Words are what metrics and searches go by: each stands for one thing.
#[test]
fn words_are_distinct() {
    fn distinct(words: &[&str]) {
        let mut sorted = words.to_owned();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), words.len(), "{words:?}");
        assert!(words.iter().all(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
    }
    distinct(&Place::ALL.iter().map(|own| own.as_str()).collect::<Vec<_>>());
    distinct(&Outcome::ALL.iter().map(|own| own.as_str()).collect::<Vec<_>>());
    distinct(&Reason::ALL.iter().map(|own| own.as_str()).collect::<Vec<_>>());
}

/// One line for each decision, with stable fields and nothing of the cookie or the query.
#[cfg(feature = "tracing")]
#[tokio::test]
async fn each_decision_is_one_line() {
    let publisher = Publisher::new();
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    let sec = image("sec");
    let cases = [
        (
            format!("{sec}?x=qqq"),
            format!(r#"place="content" path="{sec}" resource="/iiif/3/sec" outcome="granted" status=200 reason="session" aspect="access-cookie" elapsed_us="#),
        ),
        (
            "/auth/probe/files/pub?x=qqq".to_owned(),
            r#"place="probe" path="/auth/probe/files/pub" resource="/files/pub" outcome="granted" status=200 reason="open" elapsed_us="#.to_owned(),
        ),
        (
            "/elsewhere?x=qqq".to_owned(),
            r#"place="content" path="/elsewhere" outcome="not_found" status=404 reason="unknown_path" elapsed_us="#.to_owned(),
        ),
    ];
    for (path, expected) in cases {
        let log = common::logs::record();
        publisher.get(&path, &[("cookie", &cookie), ("origin", BASE)]).await;
        let log = log.text();
        let lines: Vec<_> =
            log.lines().filter(|own| own.contains("tower_iiif_auth::decision")).collect();
        let [line] = lines[..] else { panic!("{path}: {log}") };
        assert!(
            line.contains(&format!("DEBUG tower_iiif_auth::decision: decision {expected}")),
            "{line}"
        );
        assert!(!log.contains("qqq") && !log.contains(cookie.split_once('=').unwrap().1));
        assert!(!log.contains("u1"), "the subject shows");
    }
}
