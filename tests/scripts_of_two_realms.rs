//! Scripts that read with cookies of two realms: what a session decided is for the viewers of that session.

mod common;

use bytes::Bytes;
use common::families::images;
use common::{BASE, COOKIE, Publisher, V, clock, keyring, request};
use http::header::{ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, LOCATION};
use http::{Method, Response};
use tower_iiif_auth::authorizer::{
    AccessRequest, Authorizer, Decision, Denial, RolesFor, Substitute, from_async_fn,
};
use tower_iiif_auth::protocol::Family;
use tower_iiif_auth::resource::{Families, ImageApi};
use tower_iiif_auth::{AccessService, Answer, BoxError, ContentForScripts, IiifAuth, Realm};

/// The viewer that the second realm's session is bound to.
const W: &str = "https://second.example";
const EVIL: &str = "https://evil.example";

fn rules() -> RolesFor {
    RolesFor::new()
        .open("pub")
        .open("small")
        .roles("first", ["A"])
        .roles("second", ["B"])
        .roles("nobody", ["C"])
        .roles("tiered", ["C"])
        .substitute(Substitute::of_same_base("second"))
        .roles("open-tiered", ["C"])
        .substitute(Substitute::of_same_base("small"))
}

/// Every resource is of both realms: the first one's session has the role A, the second one's B.
fn publisher(authorizer: impl Authorizer + 'static) -> Publisher {
    let clock = clock();
    let content = Families::from(Family::V1).redirecting_content();
    let builder = IiifAuth::builder(BASE)
        .keyring(keyring())
        .clock(clock.clone())
        .images("/iiif/3")
        .files("/files")
        .resources(ImageApi::new("/iiif/2").families(Family::V1))
        .resources(ImageApi::new("/iiif/redirecting").families(content))
        .realm(Realm::new().access(AccessService::active("login", "First")))
        .realm(Realm::named("other").access(AccessService::active("login", "Second")))
        .content_for_scripts(ContentForScripts::default().bound_viewers())
        .authorizer(authorizer);
    Publisher::before(builder, clock, images)
}

/// The page that may read an answer with cookies.
fn page(response: &Response<Bytes>) -> Option<&str> {
    let headers = response.headers();
    let credentials = headers.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS);
    let origin = headers.get(ACCESS_CONTROL_ALLOW_ORIGIN)?.to_str().unwrap();
    assert_eq!(credentials, origin != "*", "{response:?}");
    credentials.then_some(origin)
}

/// Which of the two pages may read, by who decided: the first session, the second, or none.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    First,
    Second,
    Everyone,
}

const CASES: [(&str, u16, By); 13] = [
    ("/iiif/2/pub/info.json", 200, By::Everyone),
    ("/iiif/2/first/info.json", 200, By::First),
    ("/iiif/2/second/info.json", 200, By::Second),
    // Both are refused; the first one's refusal is the answer.
    ("/iiif/2/nobody/info.json", 401, By::First),
    // The way to the lesser version is the second one's.
    ("/iiif/2/tiered/info.json", 302, By::Second),
    ("/iiif/2/open-tiered/info.json", 302, By::First),
    // In 2.0 a description says the same to everyone.
    ("/iiif/3/second/info.json", 200, By::Everyone),
    ("/iiif/3/first/full/max/0/default.jpg", 200, By::First),
    ("/iiif/3/second/full/max/0/default.jpg", 200, By::Second),
    ("/iiif/3/nobody/full/max/0/default.jpg", 403, By::First),
    ("/iiif/redirecting/tiered/full/max/0/default.jpg", 302, By::Second),
    ("/files/nobody", 403, By::First),
    ("/files/pub", 200, By::Everyone),
];

async fn look(publisher: &Publisher, how: &str) {
    let first = publisher.log_in_at("/auth/login", COOKIE, "A", V).await;
    let second = publisher.log_in_at("/auth/other/login", "__Host-iiif-other", "B", W).await;
    let both = format!("{COOKIE}={first}; __Host-iiif-other={second}");
    for (path, status, by) in CASES {
        for (origin, reads) in [(V, By::First), (W, By::Second)] {
            let headers = [("origin", origin), ("cookie", &*both)];
            for method in [Method::GET, Method::HEAD] {
                let response = publisher.send(request(method, path, &headers)).await;
                assert_eq!(response.status(), status, "{how} {path}");
                let expected = (by == reads || by == By::Everyone).then_some(origin);
                assert_eq!(page(&response), expected, "{how} {path} {by:?}");
                if status == 302 {
                    assert!(response.headers().contains_key(LOCATION));
                }
            }
        }
        let evil = publisher.get(path, &[("origin", EVIL), ("cookie", &both)]).await;
        assert_eq!(page(&evil), None, "{how} {path}");
    }
    // With one session alone its viewer reads the refusal, too.
    let alone = format!("__Host-iiif-other={second}");
    for path in ["/iiif/2/nobody/info.json", "/files/nobody"] {
        let response = publisher.get(path, &[("origin", W), ("cookie", &alone)]).await;
        assert_eq!(page(&response), Some(W), "{how} {path}");
        let response = publisher.get(path, &[("origin", V), ("cookie", &alone)]).await;
        assert_eq!(page(&response), None, "{how} {path}");
    }
    // A token decides before any cookie: the answer is for whom its session is bound to.
    let bearer = publisher.bearer_at("/auth/token/1", &format!("{COOKIE}={first}")).await;
    let alone = format!("__Host-iiif-other={second}");
    let headers = [("origin", V), ("cookie", &*alone), ("authorization", &*bearer)];
    let response = publisher.get("/iiif/2/first/info.json", &headers).await;
    assert_eq!((response.status().as_u16(), page(&response)), (200, Some(V)), "{how}");
}

/// HT-04's neighbour: of two realms' sessions the one that decided says which page reads the answer, a refusal
/// and the way to a lesser version as well.
#[tokio::test]
async fn what_a_session_decided_is_for_its_viewers() {
    look(&publisher(rules()), "at once").await;
    let waiting = from_async_fn(async |request: AccessRequest<'static>| {
        tokio::task::yield_now().await;
        let answer = rules().authorize(&request);
        let decision: Result<Decision, BoxError> = match answer {
            Answer::Now(decision) => decision,
            Answer::Later(decision) => decision.await,
        };
        decision
    });
    look(&publisher(waiting), "waiting").await;
}

/// Where the rules fail over a session, nobody decided.
#[tokio::test]
async fn what_nobody_decided_is_for_no_viewer() {
    let failing = from_async_fn(async |request: AccessRequest<'static>| match request.session() {
        None => Ok(Decision::from(Denial::login())),
        Some(_) => Err(BoxError::from("no database")),
    });
    let publisher = publisher(failing);
    let first = publisher.log_in_at("/auth/login", COOKIE, "A", V).await;
    let second = publisher.log_in_at("/auth/other/login", "__Host-iiif-other", "B", W).await;
    let both = format!("{COOKIE}={first}; __Host-iiif-other={second}");
    for path in ["/iiif/2/first/info.json", "/files/first"] {
        for origin in [V, W] {
            let response = publisher.get(path, &[("origin", origin), ("cookie", &both)]).await;
            assert_eq!((response.status().as_u16(), page(&response)), (503, None), "{path}");
        }
    }
}
