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
use tower_iiif_auth::resource::{Match, Resource, ResourceKind, ResourceMap};

/// Prints whose information document is at `/prints/{number}/about`. It panics at `/prints/broken`.
struct Prints;

impl ResourceMap for Prints {
    fn base(&self) -> &'static str {
        "/prints"
    }

    fn find<'a>(&'a self, path: &'a str) -> Match<'a> {
        let Some(below) = path.strip_prefix("/prints/") else { return Match::Elsewhere };
        let (number, kind) = match below.split_once('/') {
            None => (below, ResourceKind::ImageService),
            Some((number, "about")) => (number, ResourceKind::ImageInformation),
            Some((number, "whole.jpg")) => (number, ResourceKind::Content),
            Some(_) => return Match::Elsewhere,
        };
        assert_ne!(number, "broken");
        Match::Found(Resource::new("/prints", number, kind, "Image"))
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

    fn find<'a>(&'a self, path: &'a str) -> Match<'a> {
        self.finds.fetch_add(1, Ordering::SeqCst);
        Prints.find(path)
    }

    fn may_be_information(&self, path: &str) -> bool {
        assert_ne!(path, "/prints/odd/about");
        path.ends_with("/about")
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
