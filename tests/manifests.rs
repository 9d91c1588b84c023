//! Manifests on their way through the describer: what is put in, and what is left alone.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use tower_iiif_auth::authorizer::{Denial, from_async_fn};
use tower_iiif_auth::protocol::Family;
use tower_iiif_auth::resource::ImageApi;
use tower_iiif_auth::{BoxError, IiifAuthBuilder, Manifests};

use common::shapes::{AUTH_2, assert_probe_service};
use common::{BASE, Body, Publisher, builder, clock, request, text};

const PRESENTATION_3: &str = "http://iiif.io/api/presentation/3/context.json";
const PRESENTATION_2: &str = "http://iiif.io/api/presentation/2/context.json";
const PATH: &str = "/manifests/m.json";

/// The fixture's publisher, with these manifests described, before an application that serves one.
fn serving(
    builder: IiifAuthBuilder,
    fields: &[(&'static str, &'static str)],
    body: impl Into<Bytes>,
) -> Publisher {
    let (body, fields) = (body.into(), fields.to_vec());
    let builder = builder.public_paths(["/manifests/*"]);
    Publisher::before(builder, clock(), move |request| {
        if request.uri().path().starts_with("/auth/") {
            return common::image_server(request);
        }
        let mut response = Response::new(Body::new(body.clone()));
        let json = HeaderValue::from_static("application/ld+json;profile=\"x\"");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        for (name, value) in &fields {
            let name = HeaderName::from_static(name);
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    })
}

fn files() -> IiifAuthBuilder {
    builder(&clock()).manifests("/manifests")
}

fn images() -> IiifAuthBuilder {
    builder(&clock()).manifests(Manifests::at("/manifests").images())
}

async fn described(builder: IiifAuthBuilder, manifest: &str) -> String {
    let response = serving(builder, &[], manifest.to_owned()).get(PATH, &[]).await;
    assert_eq!(response.status(), 200, "{response:?}");
    text(&response).to_owned()
}

async fn described_json(builder: IiifAuthBuilder, manifest: &Value) -> Value {
    serde_json::from_str(&described(builder, &manifest.to_string()).await).unwrap()
}

/// A Presentation 3 manifest of these bodies, one canvas each.
fn presentation_3(bodies: &[Value]) -> Value {
    let canvas = |(number, body): (usize, &Value)| {
        let id = format!("https://works.example/canvas/{number}");
        json!({"id": id, "type": "Canvas", "items": [{"id": format!("{id}/page"),
            "type": "AnnotationPage", "items": [{"id": format!("{id}/painting"),
            "type": "Annotation", "motivation": "painting", "body": body, "target": id}]}]})
    };
    json!({
        "@context": PRESENTATION_3,
        "id": "https://works.example/m.json",
        "type": "Manifest",
        "items": bodies.iter().enumerate().map(canvas).collect::<Vec<_>>(),
    })
}

fn body(manifest: &Value, canvas: usize) -> &Value {
    &manifest["items"][canvas]["items"][0]["items"][0]["body"]
}

fn file(identifier: &str) -> Value {
    json!({"id": format!("{BASE}/files/{identifier}"), "type": "Video", "format": "video/mp4"})
}

fn probe_id(path: &str) -> String {
    format!("{BASE}/auth/probe{path}")
}

/// The document with its marks replaced: `«…»` is what is put in.
fn before_and_after(template: &str) -> (String, String) {
    let (mut before, mut after) = (String::new(), String::new());
    for piece in template.split('«') {
        let (put, rest) = piece.split_once('»').unwrap_or(("", piece));
        before.push_str(rest);
        after.push_str(put);
        after.push_str(rest);
    }
    (before, after)
}

/// V2-DECL-5, V2-DECL-8, V2-DECL-9: every byte but what is put in stays, whatever the document's spelling.
#[tokio::test]
async fn nothing_else_changes_to_the_byte() {
    let publisher = serving(files(), &[], "");
    let probe = publisher.auth.probe_service("/files/sec").await.unwrap();
    let full = described_json(files(), &presentation_3(&[file("sec")])).await;
    assert_eq!(body(&full, 0)["service"], json!([probe]));
    // As it is written, at each place.
    let text = described(files(), &presentation_3(&[file("sec")]).to_string()).await;
    let from = text.find(r#"{"id":"https://iiif.example/auth/probe"#).unwrap();
    let mut values = serde_json::Deserializer::from_str(&text[from..]).into_iter::<Value>();
    values.next().unwrap().unwrap();
    let full = &text[from..from + values.byte_offset()];
    let again = full;
    let template = format!(
        r#"  {{"@context" : «["{AUTH_2}",»"{PRESENTATION_3}"«]»,
  "x": 1e400, "y": 8000.0, "é\u00e9": "\/", "type":"Manifest",
  "items": [ {{"body": {{ "id": "https:\/\/iiif.example\/files\/sec", "type": "Sound"«,"service":[{full}]»
  }} }},
    {{"body": [ {{"id": "{BASE}/files/sec#t=1,2", "service" : [ ]«»}} , 7 ]}},
    {{"body": {{"id": "{BASE}/files/sec?a=b", "service" : «[»{{ "id":"https://geo.example/1" }}«,{again}]» }} }},
    {{"body": {{"service" : [ {{"id":"https://geo.example/1"}} ,"text"«,{again}» ], "id": "{BASE}/files/sec" }} }},
    {{"body": {{"id": "{BASE}/files/pub", "service":  {{"id":"x"}} }} }}
  ] }}  "#
    );
    // An empty array and a null are replaced: marks cannot show that.
    let (before, after) = before_and_after(&template);
    let after = after.replace(r#""service" : [ ]"#, &format!(r#""service" : [{again}]"#));
    assert_eq!(described(files(), &before).await, after);
    assert_eq!(described(files(), &after).await, after, "twice adds nothing");
    let null = before.replace(r#""service" : [ ]"#, r#""service" : null"#);
    assert_eq!(described(files(), &null).await, after);
}

/// V2-DECL-2, V2-DECL-4: content is found wherever it stands.
#[tokio::test]
async fn content_is_found_wherever_it_stands() {
    let sec = || file("sec");
    let choice = json!({"type": "Choice", "items": [file("pub"), sec()]});
    let specific = json!({"type": "SpecificResource", "source": sec(), "selector": {"type": "X"}});
    let cases = [
        (sec(), "/service/0"),
        (json!([sec()]), "/0/service/0"),
        (choice, "/items/1/service/0"),
        (specific, "/source/service/0"),
        (json!({"id": "https://else.example/1", "rendering": [sec()]}), "/rendering/0/service/0"),
        (
            json!({"id": "https://else.example/1", "placeholderCanvas": {"type": "Canvas", "items": [sec()]}}),
            "/placeholderCanvas/items/0/service/0",
        ),
        (
            json!({"id": "https://else.example/1", "annotations": [sec()]}),
            "/annotations/0/service/0",
        ),
        (json!({"@id": format!("{BASE}/files/sec"), "@type": "dctypes:Sound"}), "/service/0"),
        (
            json!({"@type": "oa:Choice", "default": file("pub"), "item": [sec()]}),
            "/item/0/service/0",
        ),
    ];
    for (painted, pointer) in cases {
        let manifest =
            described_json(files(), &presentation_3(std::slice::from_ref(&painted))).await;
        let probe = body(&manifest, 0).pointer(pointer).unwrap_or_else(|| panic!("{manifest}"));
        assert_eq!(probe["id"], probe_id("/files/sec"));
        assert_probe_service(probe, false);
        // V2-DECL-5
        assert_eq!(manifest["@context"], json!([AUTH_2, PRESENTATION_3]));
        assert_eq!(manifest.to_string().matches("AuthProbeService2").count(), 1);
    }
}

/// V2-DECL-9: every appearance is complete, or all are references, both ways of it stable.
#[tokio::test]
async fn every_appearance_is_complete() {
    let bodies = [file("sec"), file("dir/sec"), file("sec"), file("sec2")];
    let manifest = described_json(files(), &presentation_3(&bodies)).await;
    let service = |canvas: usize| &body(&manifest, canvas)["service"][0];
    for canvas in 0..bodies.len() {
        assert_probe_service(service(canvas), false);
    }
    assert_eq!(service(1)["id"], probe_id("/files/dir/sec"));
    assert_eq!(service(2), service(0));
    // A realm of its own.
    assert_eq!(service(3)["service"][0]["id"], format!("{BASE}/auth/other/login"));

    let shorter = || builder(&clock()).manifests(Manifests::at("/manifests").by_reference());
    let by_reference = described_json(shorter(), &presentation_3(&bodies)).await;
    let reference = |name: &str| {
        let id = format!("{BASE}/auth/{name}");
        json!([{"id": id, "type": "AuthAccessService2", "profile": "active"}])
    };
    for (canvas, name) in ["login", "login", "login", "other/login"].into_iter().enumerate() {
        let probe = &body(&by_reference, canvas)["service"][0];
        assert_eq!(probe["service"], reference(name));
        // At the top it stands in full.
        let at_top = by_reference["services"].as_array().unwrap();
        assert_eq!(at_top.len(), 2);
        assert!(at_top.iter().any(|own| *own == service(canvas)["service"][0]));
    }
    // From one to the other: what is ours is replaced and not added.
    let again = described_json(shorter(), &manifest).await;
    assert_eq!(again, by_reference);
    let mut back = described_json(files(), &by_reference).await;
    back.as_object_mut().unwrap().remove("services");
    assert_eq!(back, manifest);
}

fn image(base: &str, identifier: &str) -> Value {
    json!({
        "id": format!("{BASE}{base}/{identifier}/full/max/0/default.jpg"),
        "type": "Image",
        "thumbnail": [{"id": format!("{BASE}{base}/{identifier}/full/90,/0/default.jpg"),
            "type": "Image", "service": [{"id": format!("{BASE}{base}/{identifier}"),
            "type": "ImageService3", "profile": "level1"}]}],
        "service": [{"id": format!("{BASE}{base}/{identifier}"), "type": "ImageService3", "profile": "level1"}],
    })
}

/// V2-DECL-3: `info.json` counts; of a manifest's image services and what stands beside them.
#[tokio::test]
async fn image_services_are_left_alone_unless_asked_for() {
    let static_image =
        json!({"id": format!("{BASE}/iiif/3/sec/full/90,/0/default.jpg"), "type": "Image"});
    let manifest =
        presentation_3(&[image("/iiif/3", "sec"), static_image, image("/iiif/3", "pub")]);
    let plainly = Manifests::at("/manifests").without_probes_on_images();
    let plainly = builder(&clock()).manifests(plainly);
    assert_eq!(described(plainly, &manifest.to_string()).await, manifest.to_string());
    // The painted body has a probe of its own.
    let on_bodies = described_json(files(), &manifest).await;
    assert_eq!(body(&on_bodies, 0)["service"][0], body(&manifest, 0)["service"][0]);
    assert_probe_service(&body(&on_bodies, 0)["service"][1], false);
    assert_probe_service(&body(&on_bodies, 1)["service"][0], false);
    assert_eq!(body(&on_bodies, 2), body(&manifest, 2), "it is open");

    // V2-DECL-4: asked for, beside the image service; in the content itself where it has none.
    let described = described_json(images(), &manifest).await;
    let service = &body(&described, 0)["service"];
    assert_eq!(service.as_array().unwrap().len(), 2);
    assert_eq!(service[1], service[0]["service"][0], "the same probe on the body");
    assert_probe_service(&service[0]["service"][0], false);
    assert_eq!(service[0]["service"][0]["id"], probe_id("/iiif/3/sec"));
    assert_eq!(body(&described, 1)["service"], service[0]["service"]);
    assert_eq!(body(&described, 2), body(&manifest, 2), "it is open");
    for canvas in 0..3 {
        let pointer = "/thumbnail";
        assert_eq!(
            body(&described, canvas).pointer(pointer),
            body(&manifest, canvas).pointer(pointer)
        );
    }
    assert_eq!(described_json(images(), &described).await, described, "twice adds nothing");

    // Viewers want a profile of every service.
    for probe in
        [&body(&described, 0)["service"][0]["service"][0], &body(&described, 1)["service"][0]]
    {
        assert_eq!(probe["profile"], "http://iiif.io/api/auth/2/probe");
    }
}

fn presentation_2(base: &str) -> Value {
    let resource = |identifier: &str| {
        let service = format!("{BASE}{base}/{identifier}");
        json!({"@id": format!("{service}/full/full/0/default.jpg"), "@type": "dctypes:Image",
            "service": {"@context": "http://iiif.io/api/image/2/context.json", "@id": service,
                "profile": "http://iiif.io/api/image/2/level2.json"}})
    };
    let choice =
        json!({"@type": "oa:Choice", "default": resource("sec"), "item": [resource("pub")]});
    json!({
        "@context": PRESENTATION_2,
        "@id": "https://works.example/m.json",
        "@type": "sc:Manifest",
        "sequences": [{"@type": "sc:Sequence", "canvases": [
            {"@type": "sc:Canvas", "thumbnail": resource("sec"),
                "images": [{"@type": "oa:Annotation", "resource": resource("sec")}],
                "otherContent": [{"@id": format!("{BASE}/files/sec"), "@type": "sc:AnnotationList"}]},
            {"@type": "sc:Canvas", "images": [{"@type": "oa:Annotation", "resource": choice}]},
        ]}],
    })
}

/// CON-16, CON-17, CON-18, V1-DECL-1, V09-DECL-1: in the words of its base, and in its host's spelling.
#[tokio::test]
async fn services_are_in_their_hosts_spelling() {
    let with_bases = || {
        images()
            .resources(ImageApi::new("/iiif/2").families(Family::V1))
            .resources(ImageApi::new("/iiif/0.9").families(Family::V09))
    };
    for (base, digit) in [("/iiif/2", "1"), ("/iiif/0.9", "0")] {
        let manifest = described_json(with_bases(), &presentation_2(base)).await;
        assert_eq!(manifest["@context"], PRESENTATION_2, "it may not be touched");
        let canvases = &manifest["sequences"][0]["canvases"];
        assert_eq!(
            canvases[0]["thumbnail"],
            presentation_2(base)["sequences"][0]["canvases"][0]["thumbnail"]
        );
        let list = &presentation_2(base)["sequences"][0]["canvases"][0]["otherContent"];
        assert_eq!(canvases[0]["otherContent"], *list, "a linked list is looked up");
        for resource in [
            &canvases[0]["images"][0]["resource"],
            &canvases[1]["images"][0]["resource"]["default"],
        ] {
            // In full each time: 1.0 knows no references.
            let login = &resource["service"]["service"][0];
            assert_eq!(login["@context"], format!("http://iiif.io/api/auth/{digit}/context.json"));
            assert_eq!(login["@id"], format!("{BASE}/auth/login/{digit}"));
            assert_eq!(login["profile"], format!("http://iiif.io/api/auth/{digit}/login"));
            assert_eq!(login["label"], "Example Library");
        }
        assert_eq!(canvases[1]["images"][0]["resource"]["item"][0]["service"].get("service"), None);
        assert_eq!(described_json(with_bases(), &manifest).await, manifest, "twice adds nothing");

        // V1-DECL-8: in a Presentation 3 manifest.
        let manifest = described_json(with_bases(), &presentation_3(&[image(base, "sec")])).await;
        assert_eq!(manifest["@context"], PRESENTATION_3, "that of 2.0 is not needed");
        let login = &body(&manifest, 0)["service"][0]["service"][0];
        assert_eq!(login["@type"], "AuthCookieService1");
        assert_eq!(login.get("@context"), None);
    }
    // V2-DECL-7: 2.0 in a Presentation 2 manifest carries its own context.
    let manifest = described_json(images(), &presentation_2("/iiif/3")).await;
    assert_eq!(manifest["@context"], PRESENTATION_2);
    for canvas in 0..2 {
        let resource = &manifest["sequences"][0]["canvases"][canvas]["images"][0]["resource"];
        let resource = resource.get("default").unwrap_or(resource);
        assert_probe_service(&resource["service"]["service"][0], true);
    }
}

/// What is no manifest, or shows nothing protected, passes with its own headers.
#[tokio::test]
async fn what_is_left_alone() {
    let content = presentation_3(&[file("sec")]);
    let of_type = |kind: &str| {
        let mut document = content.clone();
        document["type"] = kind.into();
        document.to_string()
    };
    let json = ("content-type", "application/json");
    let elsewhere = content.to_string().replace(BASE, "https://iiif.example.evil.example");
    let cases: Vec<((&str, &str), String)> = vec![
        (json, of_type("Service")),
        (json, of_type("Video")),
        (json, format!("[{content}]")),
        (json, "7".to_owned()),
        (("content-type", "text/html"), "<html>".to_owned()),
        (("content-type", "image/png"), content.to_string()),
        (json, presentation_3(&[file("pub"), image("/iiif/3", "pub")]).to_string()),
        (json, elsewhere),
        (json, content.to_string().replace("/files/sec", "/files/a/../sec")),
        (json, content.to_string().replace("/files/sec", "/files/sec%2Fx")),
    ];
    for (content_type, body) in cases {
        let fields = [content_type, ("etag", "\"own\""), ("cache-control", "public, max-age=60")];
        let publisher = serving(files(), &fields, body.clone());
        let response = publisher.get(PATH, &[]).await;
        assert_eq!((response.status(), text(&response)), (StatusCode::OK, &*body));
        for (name, value) in fields {
            assert_eq!(response.headers()[name], value, "{body}");
        }
        if content_type == json {
            let known = publisher.get(PATH, &[("if-none-match", "W/\"own\"")]).await;
            assert_eq!((known.status(), text(&known)), (StatusCode::NOT_MODIFIED, ""));
            assert_eq!(known.headers()["etag"], "\"own\"");
        }
    }
    // Paths that were not named, and methods that read nothing.
    for builder in [builder(&clock()), builder(&clock()).manifests("/works/*/manifest.json")] {
        assert_eq!(described(builder, &content.to_string()).await, content.to_string());
    }
    let publisher = serving(files(), &[], content.to_string());
    let posted = publisher.send(request(Method::POST, PATH, &[])).await;
    assert_eq!(text(&posted), content.to_string());
    // A path that fits a pattern is described.
    let by_pattern =
        builder(&clock()).manifests("/manifests/*.json").public_paths(["/manifests/*"]);
    assert!(described(by_pattern, &content.to_string()).await.contains("AuthProbeService2"));
}

/// IN-01, IN-02, IN-03, IN-04: no manifest without its services, as far as it can be known.
#[tokio::test]
async fn what_can_not_be_described() {
    let manifest = presentation_3(&[file("sec"), file("dir/sec")]).to_string();
    let deep = format!("{}{}", "[".repeat(70), "]".repeat(70));
    let fields: &[(&'static str, &'static str)] = &[];
    let cases = [
        (fields, "<html>".to_owned()),
        (fields, String::new()),
        (fields, manifest[..manifest.len() - 1].to_owned()),
        (fields, format!("{manifest} {{}}")),
        (&[("content-encoding", "gzip")], manifest.clone()),
        (&[("content-length", "10")], manifest.clone()),
    ];
    let assert_bad = |response: &Response<Bytes>| {
        assert_eq!(response.status(), 502, "{response:?}");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert!(!response.headers().contains_key("etag") && response.body().len() < 100);
    };
    for (fields, body) in cases {
        assert_bad(&serving(files(), fields, body).get(PATH, &[]).await);
    }
    // DS-03: what browsers read is described, and changed nowhere else.
    for body in [
        manifest.replace(r#""type":"Manifest""#, r#""type":"Manifest","type":"Manifest""#),
        manifest.replace(r#""type":"Video""#, r#""service":[],"service":[]"#),
        manifest.replace(r#""type":"Manifest""#, &format!(r#""type":"Manifest","x":{deep}"#)),
    ] {
        let response = serving(files(), &[], body).get(PATH, &[]).await;
        assert_eq!(response.status(), 200);
        assert_eq!(text(&response).matches("AuthProbeService2").count(), 2);
    }
    let empty = &b"{\"type\":\"Manifest\",\"x\":\"\xff\"}"[..];
    let response = serving(files(), &[], empty).get(PATH, &[]).await;
    assert_eq!((response.status(), &response.body()[..]), (StatusCode::OK, empty));
    let limited =
        |limits: Manifests| serving(builder(&clock()).manifests(limits), &[], manifest.clone());
    let length = manifest.len();
    for (limits, status) in [
        (Manifests::at("/manifests").max_bytes(length), 200),
        (Manifests::at("/manifests").max_bytes(length - 1), 502),
        (Manifests::at("/manifests").max_resources(2), 200),
        (Manifests::at("/manifests").max_resources(1), 502),
    ] {
        assert_eq!(limited(limits).get(PATH, &[]).await.status(), status);
    }
    // What is no 200 keeps its status.
    let gone = serving(files(), &[], "gone");
    let refused = gone.get("/elsewhere", &[]).await;
    assert_eq!(refused.status(), 404);
}

/// IN-06: validators are those of the described manifest.
#[tokio::test]
async fn headers_fit_the_described_manifest() {
    let fields = [
        ("etag", "\"own\""),
        ("last-modified", "Wed, 11 Nov 2026 11:11:11 GMT"),
        ("content-md5", "x"),
        ("accept-ranges", "bytes"),
        ("cache-control", "public, max-age=60"),
        ("access-control-allow-origin", "https://one.example"),
        ("vary", "Accept"),
    ];
    let manifest = presentation_3(&[file("sec")]).to_string();
    let publisher = serving(files(), &fields, manifest);
    let conditions = [
        ("if-none-match", "\"own\""),
        ("range", "bytes=0-3"),
        ("if-modified-since", "Wed, 11 Nov 2037 11:11:11 GMT"),
    ];
    for headers in [&[][..], &conditions] {
        let response = publisher.get(PATH, headers).await;
        assert_eq!(response.status(), 200);
        let own = response.headers();
        // V2-GEN-7
        assert_eq!(own["access-control-allow-origin"], "*");
        assert_eq!(own["cache-control"], "private, no-cache");
        assert_eq!(own["vary"], "Accept");
        assert_ne!(own["etag"], "\"own\"");
        for name in ["last-modified", "content-md5", "accept-ranges", "content-length"] {
            assert!(!own.contains_key(name), "{name}");
        }
        let tag = own["etag"].to_str().unwrap();
        let known = publisher.get(PATH, &[("if-none-match", tag)]).await;
        assert_eq!((known.status(), text(&known)), (StatusCode::NOT_MODIFIED, ""));
        assert_eq!(known.headers()["etag"], tag);
    }
    // DS-02
    let head = publisher.send(request(Method::HEAD, PATH, &[])).await;
    assert_eq!((head.status(), text(&head)), (StatusCode::OK, ""));
    assert_eq!(head.headers(), publisher.get(PATH, &[]).await.headers());
}

/// Describing opens nothing and closes nothing: the manifest's own path decides.
#[tokio::test]
async fn a_manifest_is_as_protected_as_its_path() {
    let manifest = presentation_3(&[file("sec")]).to_string();
    let manifest = manifest.replace("https://works.example/m.json", &format!("{BASE}/works/sec"));
    let protected = builder(&clock()).files("/works").manifests("/works");
    let publisher = serving(protected, &[], manifest);
    assert_eq!(publisher.get("/works/sec", &[]).await.status(), 401);
    let cookie = format!("{}={}", common::COOKIE, publisher.log_in(&["A"], None).await);
    let response = publisher.get("/works/sec", &[("cookie", &cookie)]).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["vary"], "Cookie");
    assert!(response.headers()["cache-control"].to_str().unwrap().starts_with("private"));
    // It says itself that it is protected, and so does what it shows.
    let ids = [probe_id("/works/sec"), probe_id("/files/sec")];
    assert!(ids.iter().all(|id| text(&response).contains(id)), "{}", text(&response));
}

/// That a hidden resource is there is not told by its services.
#[tokio::test]
async fn hidden_content_declares_nothing() {
    let hiding = files().authorize_with(|_| Denial::absent());
    let manifest = presentation_3(&[file("sec")]).to_string();
    assert_eq!(described(hiding, &manifest).await, manifest);
}

/// An authorizer that waits, and how often and how much at a time it was asked.
#[derive(Clone, Default)]
struct Counted {
    asked: Arc<AtomicUsize>,
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Counted {
    fn on(&self, builder: IiifAuthBuilder, wait: Duration) -> IiifAuthBuilder {
        let counted = self.clone();
        builder.authorizer(from_async_fn(move |request| {
            let counted = counted.clone();
            let open = request.identifier().ends_with('0');
            async move {
                counted.asked.fetch_add(1, Ordering::SeqCst);
                let now = counted.now.fetch_add(1, Ordering::SeqCst) + 1;
                counted.most.fetch_max(now, Ordering::SeqCst);
                tokio::time::sleep(wait).await;
                counted.now.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, BoxError>(open)
            }
        }))
    }
}

/// RE: ten thousand canvases and a store that takes its time.
#[tokio::test(start_paused = true)]
async fn decisions_that_wait_are_bounded() {
    let bodies: Vec<_> = (0..10_000).map(|number| file(&format!("f{}", number / 2))).collect();
    let manifest = presentation_3(&bodies).to_string();
    let counted = Counted::default();
    let publisher = serving(counted.on(files(), Duration::from_millis(10)), &[], manifest.clone());
    let response = publisher.get(PATH, &[]).await;
    assert_eq!(response.status(), 200);
    assert_eq!(counted.asked.load(Ordering::SeqCst), 5_000, "once for each resource");
    assert!((2..=32).contains(&counted.most.load(Ordering::SeqCst)));
    // One of ten is open.
    assert_eq!(text(&response).matches("AuthProbeService2").count(), 9_000);

    // All together take no longer than one decision may.
    let slow = counted.on(files(), Duration::from_millis(100));
    let before = tokio::time::Instant::now();
    let response = serving(slow, &[], manifest).get(PATH, &[]).await;
    assert_eq!(response.status(), 503);
    assert!(before.elapsed() < Duration::from_secs(6));
    assert!(!text(&response).contains("Manifest"));
}

/// An authorizer that fails denies the content: that it is protected may be told.
#[tokio::test]
async fn content_that_can_not_be_decided_on_is_described() {
    let manifest = presentation_3(&[file("pub")]);
    let failing =
        files().authorizer(from_async_fn(async |_| Err::<Denial, _>(BoxError::from("down"))));
    let panicking = files().authorize_with(|_| -> bool { panic!("it panics") });
    let later = files().authorizer(from_async_fn(async |_| -> Result<Denial, BoxError> {
        tokio::task::yield_now().await;
        panic!("it panics")
    }));
    for builder in [failing, panicking, later] {
        let described = described_json(builder, &manifest).await;
        assert_probe_service(&body(&described, 0)["service"][0], false);
    }
}

/// The layer alone, around an application's own routes.
#[tokio::test]
async fn the_describer_alone_describes_them() {
    use http_body_util::BodyExt;
    use tower::{Layer, ServiceExt, service_fn};
    let auth = files().build().unwrap();
    let manifest = presentation_3(&[file("sec")]).to_string();
    let inner = service_fn(move |_: http::Request<Body>| {
        let response = Response::new(Full::from(manifest.clone()));
        async { Ok::<_, std::convert::Infallible>(response) }
    });
    let response =
        auth.describe().layer(inner).oneshot(request(Method::GET, PATH, &[])).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(std::str::from_utf8(&body).unwrap().contains("AuthProbeService2"));
}
