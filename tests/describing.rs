//! Describing is bounded: one question for a manifest, memory in sum, work beside the runtime's workers.

mod common;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};
use tower_iiif_auth::authorizer::{AccessRequest, Authorizer, Decision, RolesFor};
use tower_iiif_auth::{
    Answer, BoxError, IiifAuth, IiifAuthBuilder, Limits, Manifests, ResponseBody,
};

use common::{BASE, Body, builder, clock, request};

const PATH: &str = "/manifests/m.json";

fn films(count: usize) -> String {
    let film = |number| json!({"id": format!("{BASE}/files/f{number}"), "type": "Video"});
    json!({"@context": "http://iiif.io/api/presentation/3/context.json", "type": "Manifest",
        "items": (0..count).map(film).collect::<Vec<_>>()})
    .to_string()
}

fn configured(manifests: Manifests) -> IiifAuthBuilder {
    builder(&clock()).manifests(manifests).public_paths(["/manifests/*"])
}

async fn asked(
    auth: &IiifAuth,
    document: impl Into<Bytes>,
    headers: &[(&str, &str)],
) -> Response<ResponseBody<Body>> {
    let document = document.into();
    let inner = service_fn(move |_: http::Request<Body>| {
        let response = Response::new(Full::new(document.clone()));
        async { Ok::<_, Infallible>(response) }
    });
    let request = request(Method::GET, PATH, headers);
    auth.describe().layer(inner).oneshot(request).await.unwrap()
}

async fn read(response: Response<ResponseBody<Body>>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

/// A catalogue that takes its time, and is asked for many at once.
#[derive(Clone, Default)]
struct Catalogue {
    asked: Arc<AtomicUsize>,
    /// How many answers are missing at the end.
    missing: usize,
    panics: bool,
}

impl Authorizer for Catalogue {
    fn authorize(&self, _: &AccessRequest<'_>) -> Answer<Result<Decision, BoxError>> {
        panic!("a manifest asks for all at once")
    }

    fn authorize_all(
        &self,
        requests: &[AccessRequest<'_>],
    ) -> Answer<Vec<Result<Decision, BoxError>>> {
        assert!(!self.panics);
        self.asked.fetch_add(1, Ordering::SeqCst);
        assert!(requests.iter().all(|request| request.session().is_none()));
        let open = |request: &AccessRequest<'_>| request.identifier().ends_with('0');
        let mut answers: Vec<_> = requests.iter().map(|own| Ok(open(own).into())).collect();
        answers.truncate(requests.len() - self.missing);
        Answer::later(async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            answers
        })
    }
}

/// Ten thousand resources are one question.
#[tokio::test(start_paused = true)]
async fn a_manifest_asks_once() {
    let catalogue = Catalogue::default();
    let alike = || RolesFor::new().roles("*", ["nobody"]);
    for (name, builder) in [
        ("alone", configured(PATH.into()).authorizer(catalogue.clone())),
        ("shared", configured(PATH.into()).authorizer(Arc::new(catalogue.clone()))),
        ("or", configured(PATH.into()).authorizer(alike().or(catalogue.clone()))),
        (
            "and",
            configured(PATH.into()).authorizer(catalogue.clone().and(RolesFor::new().open("*"))),
        ),
    ] {
        catalogue.asked.store(0, Ordering::SeqCst);
        let before = tokio::time::Instant::now();
        let body = read(asked(&builder.build().unwrap(), films(10_000), &[]).await).await;
        assert_eq!(catalogue.asked.load(Ordering::SeqCst), 1, "{name}");
        assert!(before.elapsed() < Duration::from_secs(1));
        let text = std::str::from_utf8(&body).unwrap();
        assert_eq!(text.matches("AuthProbeService2").count(), 9_000, "{name}: one of ten is open");
    }
}

/// What is not answered, or panics, is protected.
#[tokio::test(start_paused = true)]
async fn what_is_not_answered_is_protected() {
    for (catalogue, probes) in [
        (Catalogue { missing: 1, ..Catalogue::default() }, 10),
        (Catalogue { missing: 11, ..Catalogue::default() }, 11),
        (Catalogue { panics: true, ..Catalogue::default() }, 11),
    ] {
        let auth = configured(PATH.into()).authorizer(catalogue).build().unwrap();
        let text = read(asked(&auth, films(11), &[]).await).await;
        let text = std::str::from_utf8(&text).unwrap();
        assert_eq!(text.matches("AuthProbeService2").count(), probes);
        // The application hears of it.
        let mut value: Value = serde_json::from_str(&films(11)).unwrap();
        assert!(auth.describe_manifest(&mut value).await.is_err());
    }
}

/// What comes out is bounded as what goes in is.
#[tokio::test]
async fn what_comes_out_is_bounded() {
    let document = films(1000);
    let auth = configured(PATH.into()).build().unwrap();
    let length = read(asked(&auth, document.clone(), &[]).await).await.len();
    for (limit, status) in [(length, 200), (length - 1, 502), (document.len(), 502)] {
        let auth = configured(Manifests::at(PATH).max_described_bytes(limit)).build().unwrap();
        assert_eq!(asked(&auth, document.clone(), &[]).await.status(), status, "{limit}");
    }
}

/// The sum of what is held is bounded: who comes waits for what is read or dropped, though not for ever, and who
/// reads nothing gives way.
#[tokio::test(start_paused = true)]
async fn memory_is_bounded_in_sum() {
    let document = films(1000).replace("\"Video\"", &format!("\"Video\",\"a\":\"{:600}\"", ""));
    let probe = configured(PATH.into()).build().unwrap();
    let length = read(asked(&probe, document.clone(), &[]).await).await.len();
    // For two that are sent while a third is made, beside what is kept free.
    let limit = (2 * length + 5 * document.len()) / 7 * 8 + 64;
    let limits = Limits::new().max_described_bytes_at_once(limit);
    let auth = configured(PATH.into()).limits(limits).build().unwrap();
    let ask = || asked(&auth, document.clone(), &[]);
    let mut held = vec![ask().await, ask().await, ask().await];
    assert!(held.iter().all(|response| response.status() == StatusCode::OK));
    let before = tokio::time::Instant::now();
    let (waited, whole) = tokio::join!(ask(), async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        read(held.pop().unwrap()).await
    });
    assert_eq!((waited.status(), whole.len()), (StatusCode::OK, length));
    assert_eq!(before.elapsed().as_secs(), 3);
    held.push(waited);
    // Those who read, however slowly, go on.
    let (refused, ()) = tokio::join!(ask(), async {
        for _ in 0..3 {
            for response in &mut held {
                assert!(response.body_mut().frame().await.unwrap().is_ok());
            }
            tokio::time::sleep(Duration::from_secs(4)).await;
        }
    });
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "5");
    // Who has not read for a while hears an end that is none.
    assert_eq!(ask().await.status(), StatusCode::OK);
    let mut cut = 0;
    for stalled in held {
        let announced = http_body::Body::size_hint(stalled.body()).exact().unwrap();
        cut += usize::from(read(stalled).await.len() < usize::try_from(announced).unwrap());
    }
    assert_eq!(cut, 1, "no more than it takes");
    // And at last everybody.
    let last = ask().await;
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert!(last.status() == StatusCode::OK && read(last).await.is_empty());
}

/// The client that has it gets no byte; the tag tells documents, configurations and decisions apart.
#[tokio::test]
async fn tags_tell_documents_apart() {
    let tag = |response: &Response<ResponseBody<Body>>| {
        response.headers()["etag"].to_str().unwrap().to_owned()
    };
    let auth = configured(PATH.into()).build().unwrap();
    let first = tag(&asked(&auth, films(3), &[]).await);
    for known in [first.clone(), format!("W/{first}"), format!("\"x\", {first}"), "*".to_owned()] {
        let response = asked(&auth, films(3), &[("if-none-match", &known)]).await;
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
        assert_eq!(tag(&response), first);
        assert!(read(response).await.is_empty());
    }
    // Nodes agree.
    let node = configured(PATH.into()).build().unwrap();
    assert_eq!(tag(&asked(&node, films(3), &[]).await), first);
    let other = configured(PATH.into()).authorizer(RolesFor::new().open("f1")).build().unwrap();
    let shorter = configured(Manifests::at(PATH).by_reference()).build().unwrap();
    let spaced = films(3).replacen('{', "{ ", 1);
    let mut tags = vec![
        first,
        tag(&asked(&auth, films(4), &[]).await),
        tag(&asked(&auth, spaced, &[]).await),
        tag(&asked(&other, films(3), &[]).await),
        tag(&asked(&shorter, films(3), &[]).await),
    ];
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 5);
}

/// Depth costs nothing, and tiles do not wait for a long manifest.
#[tokio::test]
async fn long_work_is_done_beside_the_workers() {
    let deep = "[".repeat(200_000);
    let close = "]".repeat(200_000);
    let document = films(3000).replacen('{', &format!("{{\"x\":{deep}{close},"), 1);
    let auth = configured(PATH.into()).build().unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let others = {
        let done = Arc::clone(&done);
        // The runtime has one thread: this goes on only where that is not in use.
        tokio::spawn(async move {
            let mut turns = 0_u64;
            while !done.load(Ordering::SeqCst) {
                tokio::task::yield_now().await;
                turns += 1;
            }
            turns
        })
    };
    let response = asked(&auth, document, &[]).await;
    done.store(true, Ordering::SeqCst);
    assert_eq!(response.status(), StatusCode::OK);
    let text = read(response).await;
    assert_eq!(std::str::from_utf8(&text).unwrap().matches("AuthProbeService2").count(), 3000);
    let turns = others.await.unwrap();
    assert!(turns > 100, "others had {turns} turns only");
}
