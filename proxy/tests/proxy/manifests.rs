//! Manifests of the image server's that pass through, with the login of what they show put in.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Response};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::support::{Asked, Proxy, SITE, Upstream, config, raw, request, statuses, with_keys};

const PATH: &str = "/works/ms-1/manifest.json";
const AUTH_2: &str = "http://iiif.io/api/auth/2/context.json";
const PRESENTATION_3: &str = "http://iiif.io/api/presentation/3/context.json";
const PRESENTATION_2: &str = "http://iiif.io/api/presentation/2/context.json";

/// What is described, and where files lie.
fn describing(upstream: &Upstream, keys: &str) -> String {
    let config =
        with_keys(&config(upstream.address), "public_paths = [\"/works/*\", \"/plain/*\"]");
    format!(
        "{config}\n[[base]]\npath = \"/files\"\nkind = \"files\"\n\n\
         [[manifests]]\npath = \"/works/*/manifest.json\"\n{keys}\n"
    )
}

fn video(identifier: &str) -> Value {
    json!({"id": format!("{SITE}/files/{identifier}"), "type": "Video", "format": "video/mp4"})
}

fn image(identifier: &str) -> Value {
    let service = format!("{SITE}/iiif/3/{identifier}");
    json!({"id": format!("{service}/full/max/0/default.jpg"), "type": "Image",
        "service": [{"id": service, "type": "ImageService3", "profile": "level1"}]})
}

fn presentation_3(bodies: &[Value]) -> String {
    let canvas = |body: &Value| {
        json!({"type": "Canvas", "items": [{"type": "AnnotationPage", "items": [
            {"type": "Annotation", "motivation": "painting", "body": body}]}]})
    };
    let canvases: Vec<_> = bodies.iter().map(canvas).collect();
    json!({"@context": PRESENTATION_3, "id": format!("{SITE}{PATH}"), "type": "Manifest", "items": canvases})
        .to_string()
}

fn body(manifest: &Value, canvas: usize) -> &Value {
    &manifest["items"][canvas]["items"][0]["items"][0]["body"]
}

/// A server of documents that knows conditions, ranges and encodings, as nginx does.
fn serve(asked: &Asked, document: &str) -> Response<Full<Bytes>> {
    let header = |name: &str| asked.headers.get(name).map_or("", |value| value.to_str().unwrap());
    let answer = Response::builder()
        .header("content-type", "application/json")
        .header("etag", "\"of-the-upstream\"")
        .header("accept-ranges", "bytes");
    if header("if-none-match") == "\"of-the-upstream\"" {
        return answer.status(304).body(Full::default()).unwrap();
    }
    let (status, encoding, body) = if header("accept-encoding").contains("gzip") {
        (200, "gzip", "\u{1f}compressed".to_owned())
    } else if header("range").is_empty() {
        (200, "identity", document.to_owned())
    } else {
        (206, "identity", document[..10].to_owned())
    };
    let answer = answer.status(status).header("content-encoding", encoding);
    // As it is to GET, also to HEAD.
    answer.header("content-length", body.len()).body(Full::from(body)).unwrap()
}

async fn upstream(document: impl Into<String>) -> Upstream {
    let document = document.into();
    Upstream::answering(move |asked| serve(asked, &document)).await
}

async fn described(upstream: &Upstream, keys: &str) -> Value {
    let proxy = Proxy::with(&describing(upstream, keys)).await;
    let answer = proxy.get(PATH, &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

/// Each occurrence is complete; passing again adds nothing.
#[tokio::test]
async fn a_manifest_comes_with_its_services() {
    let bodies = [video("sec-film"), video("pub-film"), video("sec-film"), image("sec")];
    let manifest = presentation_3(&bodies);
    let first = described(&upstream(&*manifest).await, "").await;
    assert_eq!(first["@context"], json!([AUTH_2, PRESENTATION_3]));
    let probe = &body(&first, 0)["service"][0];
    assert_eq!(probe["id"], format!("{SITE}/auth/probe/files/sec-film"));
    let login = &probe["service"][0];
    assert_eq!(login["id"], format!("{SITE}/auth/login"));
    assert_eq!(login["label"], json!({"en": ["Example Library"]}));
    let inside: Vec<_> =
        login["service"].as_array().unwrap().iter().map(|own| &own["type"]).collect();
    assert_eq!(inside, ["AuthAccessTokenService2", "AuthLogoutService2"]);
    assert_eq!(body(&first, 2)["service"], body(&first, 0)["service"]);
    assert_eq!(*body(&first, 1), bodies[1], "it is open");
    assert_eq!(body(&first, 3)["service"][0], bodies[3]["service"][0], "its info.json has it");
    assert_eq!(body(&first, 3)["service"][1]["id"], format!("{SITE}/auth/probe/iiif/3/sec"));

    let again = described(&upstream(first.to_string()).await, "").await;
    assert_eq!(again, first);

    // References, where size matters more than viewers that follow none.
    let short = described(&upstream(&*manifest).await, "in_full = false").await;
    assert_eq!(body(&short, 0)["service"][0]["service"][0].get("service"), None);
    assert_eq!(short["services"][0]["id"], login["id"]);
    let plain = described(&upstream(&*manifest).await, "probes_on_images = false").await;
    assert_eq!(*body(&plain, 3), bodies[3]);
    // Images where that was asked for.
    let images = described(&upstream(&*manifest).await, "images = true").await;
    let probe = &body(&images, 3)["service"][0]["service"][0];
    assert_eq!(probe["id"], format!("{SITE}/auth/probe/iiif/3/sec"));
    assert_eq!(described(&upstream(images.to_string()).await, "images = true").await, images);
}

/// Presentation 2, and images of the base that speaks 1.0.
#[tokio::test]
async fn a_manifest_of_presentation_2_comes_with_its_services() {
    let service = format!("{SITE}/iiif/2/sec");
    let resource = json!({"@id": format!("{service}/full/full/0/default.jpg"), "@type": "dctypes:Image",
        "service": {"@context": "http://iiif.io/api/image/2/context.json", "@id": service,
            "profile": "http://iiif.io/api/image/2/level2.json"}});
    let manifest = json!({"@context": PRESENTATION_2, "@id": format!("{SITE}{PATH}"),
        "@type": "sc:Manifest", "sequences": [{"canvases": [{"images": [{"resource": resource}]}]}]});
    let upstream_2 = upstream(manifest.to_string()).await;
    assert_eq!(described(&upstream_2, "").await, manifest, "images only where asked for");
    let first = described(&upstream_2, "images = true").await;
    assert_eq!(first["@context"], PRESENTATION_2);
    let resource = &first["sequences"][0]["canvases"][0]["images"][0]["resource"];
    let services = resource["service"]["service"].as_array().unwrap();
    let ids: Vec<_> = services.iter().map(|own| own["@id"].as_str().unwrap_or_default()).collect();
    assert!(ids.contains(&&*format!("{SITE}/auth/login/1")), "{services:#?}");
    assert_eq!(described(&upstream(first.to_string()).await, "images = true").await, first);
}

/// Off unless it is named: the same document on another path passes to the byte, and so does every
/// other thing on a path that is named.
#[tokio::test]
async fn what_is_not_named_is_not_touched() {
    let manifest = presentation_3(&[video("sec-film")]);
    let upstream = upstream(&*manifest).await;
    let proxy = Proxy::with(&describing(&upstream, "")).await;
    let plain = proxy.get("/plain/manifest.json", &[("range", "bytes=0-9")]).await;
    assert_eq!((plain.status.as_u16(), &*plain.text()), (206, &manifest[..10]));
    let plain = proxy.get("/plain/manifest.json", &[]).await;
    assert_eq!((plain.text(), plain.header("etag")), (manifest.clone(), "\"of-the-upstream\""));
    // Nothing is open because it is named.
    let text = describing(&upstream, "").replace("\"/works/*\", ", "\"/works/ms-2/*\", ");
    let proxy = Proxy::with(&text).await;
    assert_eq!(proxy.get(PATH, &[]).await.status, 404);

    let other = crate::support::Upstream::answering(|_| {
        let html = Response::builder().header("content-type", "text/html");
        html.body(Full::from("<p>type: Manifest")).unwrap()
    });
    let other = other.await;
    let proxy = Proxy::with(&describing(&other, "")).await;
    assert_eq!(proxy.get(PATH, &[]).await.text(), "<p>type: Manifest");
}

/// Encodings, ranges and conditions are about another document, so they do not go on.
#[tokio::test]
async fn conditions_and_encodings_stay_here() {
    let manifest = presentation_3(&[video("sec-film")]);
    let upstream = upstream(&*manifest).await;
    let proxy = Proxy::with(&describing(&upstream, "")).await;
    let whole = proxy.get(PATH, &[]).await;
    for fields in [
        [("accept-encoding", "gzip, br")],
        [("range", "bytes=0-9")],
        [("if-none-match", "\"of-the-upstream\"")],
        [("if-modified-since", "Wed, 11 Nov 2037 11:11:11 GMT")],
    ] {
        let answer = proxy.get(PATH, &fields).await;
        assert_eq!((answer.status.as_u16(), &answer.body), (200, &whole.body), "{fields:?}");
        assert_eq!(answer.header("content-encoding"), "", "{fields:?}");
        assert_eq!(answer.header("accept-ranges"), "", "{fields:?}");
        let asked = upstream.last().headers;
        assert_eq!(asked["accept-encoding"], "identity", "{fields:?}");
        assert!(!asked.contains_key(fields[0].0) || fields[0].0 == "accept-encoding", "{asked:?}");
    }
    assert_eq!(whole.header("access-control-allow-origin"), "*");
    assert_eq!(whole.header("cache-control"), "private, no-cache");
    let tag = whole.header("etag");
    assert_ne!(tag, "\"of-the-upstream\"");
    let known = proxy.get(PATH, &[("if-none-match", tag)]).await;
    assert_eq!((known.status.as_u16(), known.body.len()), (304, 0));

    let head = request(proxy.address, Method::HEAD, PATH, &[], "").await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    // DS-02: as of a GET.
    assert_eq!((head.header("etag"), head.header("content-length")), (tag, ""));
    // One behind the other on one connection: HEAD leaves nothing behind.
    let text = format!("HEAD {PATH} HTTP/1.1\r\nHost: x\r\n\r\n");
    let end = format!("GET {PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let answers = raw(proxy.address, format!("{text}{end}").as_bytes()).await;
    assert_eq!(statuses(&answers), ["200", "200"], "{answers}");
    assert_eq!(answers.matches("\"Manifest\"").count(), 1, "{answers}");
}

/// Where it cannot be described as a whole there is none: longer than the limit, more than the limit,
/// compressed, broken off.
#[tokio::test]
async fn what_can_not_be_described_is_502() {
    let manifest = presentation_3(&[video("sec-1"), video("sec-2")]);
    let length = manifest.len();
    let own = upstream(&*manifest).await;
    for (keys, status) in [
        (format!("longest = {length}"), 200),
        (format!("longest = {}", length - 1), 502),
        ("most = 2".to_owned(), 200),
        ("most = 1".to_owned(), 502),
    ] {
        let proxy = Proxy::with(&describing(&own, &keys)).await;
        let answer = proxy.get(PATH, &[]).await;
        assert_eq!(answer.status, status, "{keys}");
        assert!(status == 200 || answer.body.len() < 100, "{keys}: {}", answer.text());
    }
    let compressed = Upstream::answering(|_| {
        let gzip = Response::builder().header("content-type", "application/json");
        gzip.header("content-encoding", "gzip").body(Full::from("\u{1f}")).unwrap()
    });
    let proxy = Proxy::with(&describing(&compressed.await, "")).await;
    assert_eq!(proxy.get(PATH, &[]).await.status, 502);

    // Without an end, and silent: nothing is collected for ever.
    for (answer, limit) in [
        ("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{", ""),
        ("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[", "longest = 4096"),
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let endless = !limit.is_empty();
        let server = tokio::spawn(async move {
            use tokio::io::AsyncWriteExt;
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            let mut sent: usize = 0;
            while endless && stream.write_all(&[b'['; 4096]).await.is_ok() {
                sent += 4096;
            }
            if !endless {
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
            sent
        });
        let text = describing(&own, limit).replace(&own.address.to_string(), &address.to_string());
        let text = text.replace("idle_timeout = \"20s\"", "idle_timeout = \"1s\"");
        let proxy = Proxy::with(&text).await;
        let begun = Instant::now();
        assert_eq!(proxy.get(PATH, &[]).await.status, 502, "{answer}");
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
        if endless {
            let sent = server.await.unwrap();
            println!("an endless manifest was cut off after {} KiB", sent >> 10);
            assert!(sent < 16 << 20, "{sent}");
        }
    }
}
