//! Maps of an application's own: described like those in the box, and no danger when they fail.

mod common;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use common::{BASE, Body, Publisher, assert_denied, builder, clock, request, text};
use http::{Method, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::json;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_iiif_auth::IiifAuth;
use tower_iiif_auth::describe::LeftOutReason;
use tower_iiif_auth::resource::{
    Named, Refusal, ResourceKind, ResourceMap, assert_unambiguous, decode_path, decode_segment,
};

/// Prints whose information document is at `/prints/{number}/about`. It panics at `/prints/broken`.
struct Prints;

impl ResourceMap for Prints {
    fn base(&self) -> &'static str {
        "/prints"
    }

    fn find<'a>(&'a self, below: &'a str) -> Result<Named<'a>, Refusal> {
        let (number, kind) = match below.split_once('/') {
            None => (below, ResourceKind::ImageService),
            Some((number, "about")) => (number, ResourceKind::ImageInformation),
            Some((number, "whole.jpg")) => (number, ResourceKind::Content),
            Some(_) => return Err(Refusal::Unknown),
        };
        assert_ne!(number, "broken");
        Ok(Named::new(number, kind, "Image"))
    }
}

/// The same prints, which also tell where documents may be. It panics when that is asked of `odd`.
struct Telling {
    finds: Arc<AtomicUsize>,
}

impl ResourceMap for Telling {
    fn base(&self) -> &str {
        Prints.base()
    }

    fn find<'a>(&'a self, below: &'a str) -> Result<Named<'a>, Refusal> {
        self.finds.fetch_add(1, Ordering::SeqCst);
        Prints.find(below)
    }

    fn may_be_information(&self, below: &str) -> bool {
        assert_ne!(below, "odd/about");
        below.ends_with("/about")
    }
}

fn answer() -> Response<Body> {
    let info = json!({"@context": "http://iiif.io/api/image/3/context.json", "width": 800});
    Response::new(Full::from(info.to_string()))
}

fn publisher() -> Publisher {
    let clock = clock();
    Publisher::before(builder(&clock).resources(Prints), clock, |_| answer())
}

/// The answer of one layer alone.
async fn alone<L, S>(layer: L, path: &str) -> Response<Bytes>
where
    L: tower::Layer<
            tower::util::BoxCloneService<http::Request<Body>, Response<Body>, Infallible>,
            Service = S,
        >,
    S: tower::Service<
            http::Request<Body>,
            Response = Response<tower_iiif_auth::ResponseBody<Body>>,
            Error = Infallible,
        >,
{
    let inner = service_fn(async |_: http::Request<Body>| Ok::<_, Infallible>(answer()));
    let inner = tower::util::BoxCloneService::new(inner);
    let service = ServiceBuilder::new().layer(layer).service(inner);
    let response = service.oneshot(request(Method::GET, path, &[])).await.unwrap();
    let (parts, body) = response.into_parts();
    Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

fn auth() -> IiifAuth {
    builder(&clock()).resources(Prints).build().unwrap()
}

/// V2-DECL-1, V2-DECL-3: it is the kind that counts, not the path.
#[tokio::test]
async fn an_information_document_is_described_wherever_it_is() {
    for method in [Method::GET, Method::HEAD] {
        let publisher = publisher();
        let info = publisher.send(request(method.clone(), "/prints/sec/about", &[])).await;
        assert_eq!(info.status(), StatusCode::OK);
        assert_eq!(info.headers()["cache-control"], "private, no-cache", "{method}");
        if method == Method::GET {
            let info = common::json(&info);
            assert_eq!(info["service"][0]["type"], "AuthProbeService2");
            assert_eq!(info["service"][0]["id"], format!("{BASE}/auth/probe/prints/sec"));
        }
    }
    let open = publisher().get("/prints/pub/about", &[]).await;
    assert!(!text(&open).contains("service"), "an open one is passed on as it is");
}

/// A map may spare the describer the look at a tile; it is asked when it cannot tell.
#[tokio::test]
async fn no_tile_is_looked_at_for_a_description() {
    let finds = Arc::new(AtomicUsize::new(0));
    let map = Telling { finds: Arc::clone(&finds) };
    let auth = builder(&clock()).resources(map).build().unwrap();
    for (path, looks, described) in [
        ("/prints/sec/whole.jpg", 0, false),
        ("/prints/sec", 0, false),
        ("/prints/sec/about", 1, true),
        ("/prints/odd/about", 1, true),
    ] {
        finds.store(0, Ordering::SeqCst);
        let answer = alone(auth.describe(), path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(text(&answer).contains("AuthProbeService2"), described, "{path}");
        assert_eq!(finds.load(Ordering::SeqCst), looks, "{path}");
    }
}

/// RE-04: what a map says is not known when it panics, so nothing is open.
#[tokio::test]
async fn a_map_that_panics_opens_nothing() {
    let publisher = publisher();
    for path in ["/prints/broken", "/prints/broken/about", "/prints/broken/whole.jpg"] {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS] {
            let refused = publisher.send(request(method, path, &[])).await;
            assert_denied(&refused, 503);
        }
        assert_eq!(publisher.probe(path, &[]).await["status"], 503, "{path}");
        assert_eq!(alone(auth().check(), path).await.status(), 503, "{path}");
        assert_eq!(alone(auth().describe(), path).await.status(), 503, "{path}");
        assert_eq!(auth().probe_service(path).await, None);
    }
    assert_eq!(publisher.calls(), 0);
    let mut manifest = json!({"items": [{"id": format!("{BASE}/prints/broken/whole.jpg")}]});
    let before = manifest.clone();
    let described = auth().describe_manifest(&mut manifest).await.unwrap();
    assert_eq!((described.places(), &manifest), (0, &before), "nothing is told of it");
    let [left_out] = described.left_out() else { panic!("{described:?}") };
    assert_eq!(left_out.id(), format!("{BASE}/prints/broken/whole.jpg"));
    assert_eq!(left_out.reason(), LeftOutReason::Path);
    // The others are as they were.
    assert_eq!(publisher.get("/prints/pub/whole.jpg", &[]).await.status(), 200);
    assert_denied(&publisher.get("/prints/sec/whole.jpg", &[]).await, 401);
    assert_eq!(publisher.get("/auth/login", &[]).await.status(), 200);
}

/// Recordings at `/play/{number}`, read as the crate's decoder reads them.
struct Recordings;

impl ResourceMap for Recordings {
    fn base(&self) -> &'static str {
        "/play"
    }

    fn find<'a>(&'a self, below: &'a str) -> Result<Named<'a>, Refusal> {
        let number = decode_segment(below)?;
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        let named = Named::new(number, ResourceKind::Content, "Sound");
        if is_number { Ok(named) } else { Err(Refusal::Unknown) }
    }
}

/// A map knows no base: what it is handed is what follows it, and the layers put it in again.
#[tokio::test]
async fn a_map_is_asked_for_what_follows_its_base() {
    let clock = clock();
    let builder = builder(&clock).resources(Recordings);
    let builder = builder.authorize_with(|request| request.resource().path() == "/play/42");
    let publisher = Publisher::before(builder, clock, |_| answer());
    for (path, status) in [
        ("/play/42", 200),
        ("/play/%34%32", 200),
        ("/play/43", 401),
        ("/play/x", 404),
        ("/play/4/2", 404),
        ("/play/", 400),
        ("/play/%252e", 400),
        ("/play/4%2F..%2F42", 400),
        ("/play/../play/42", 400),
        ("/play", 404),
        ("/plays/42", 404),
    ] {
        assert_eq!(publisher.get(path, &[]).await.status(), status, "{path}");
    }
    assert_unambiguous(&Recordings, ["/play/42", "/play/%34%33"]);
    let probe = publisher.probe("/play/43", &[]).await;
    assert_eq!(probe["status"], 401, "it is asked for by its whole path: {probe}");
}

/// A map of names of which each is a file, by what makes a name of a part of a path.
struct ByReading(fn(&str) -> Result<String, Refusal>);

impl ResourceMap for ByReading {
    fn base(&self) -> &'static str {
        "/own"
    }

    fn find<'a>(&'a self, below: &'a str) -> Result<Named<'a>, Refusal> {
        Ok(Named::new((self.0)(below)?, ResourceKind::Content, "Text"))
    }
}

/// What the layers rely on, and each way in which a map may fail them.
#[test]
fn maps_that_read_paths_in_two_ways_are_told() {
    type Read = fn(&str) -> Result<String, Refusal>;
    let decoded = |below: &str| {
        let decoded = percent_encoding::percent_decode_str(below).decode_utf8();
        decoded.map(Into::into).map_err(|_| Refusal::Ambiguous)
    };
    let cases: [(Read, &str, Option<&str>); 6] = [
        (|below| decode_path(below).map(Into::into), "/own/a%20b/c.pdf", None),
        (|_| Err(Refusal::Unknown), "/own/a", Some("/own/a: the path names no resource")),
        // Nothing is decoded: an escape is another file.
        (|below| Ok(below.to_owned()), "/own/a", Some("the same to a server")),
        // Decoded, but dots are followed by none.
        (decoded, "/own/a", Some("has a dot segment")),
        // Content has its slashes as they are.
        (|below| decode_segment(below).map(Into::into), "/own/a%2Fb", Some("its own path")),
        // Not found by its own name.
        (|below| Ok(format!("{}.pdf", decode_path(below)?)), "/own/a", Some("its own path")),
    ];
    for (read, path, expected) in cases {
        let told = std::panic::catch_unwind(|| assert_unambiguous(&ByReading(read), [path])).err();
        let told = told.map(|panic| *panic.downcast::<String>().unwrap());
        match (expected, &told) {
            (None, None) => {}
            (Some(part), Some(told)) if told.contains(part) => {}
            _ => panic!("{path}: {told:?}, expected {expected:?}"),
        }
    }
}
