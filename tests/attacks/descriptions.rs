//! DS: descriptions are no way out, and what every viewer reads is described.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};
use tower_iiif_auth::authorizer::{Denial, from_async_fn};
use tower_iiif_auth::describe::{LeftOutReason, NotDescribed};
use tower_iiif_auth::protocol::Family;
use tower_iiif_auth::resource::{Families, ImageApi};
use tower_iiif_auth::{BoxError, IiifAuthBuilder, Manifests};

use crate::common::shapes::{AUTH_2, assert_probe_service};
use crate::common::{BASE, Body, Publisher, builder, clock, image_server, logs, request, text};
use crate::setup::{info, pair};
use crate::wire::Server;

const IMAGE_3: &str = "http://iiif.io/api/image/3/context.json";
const PRESENTATION_3: &str = "http://iiif.io/api/presentation/3/context.json";
const PRESENTATION_2: &str = "http://iiif.io/api/presentation/2/context.json";
const MANIFEST: &str = "/manifests/m.json";
const SECRET: &str = "0123456789 image bytes of what is kept";

/// A publisher that speaks every family and describes manifests, public ones and files.
fn configured() -> IiifAuthBuilder {
    builder(&clock())
        .resources(ImageApi::new("/iiif/2").families([Family::V1, Family::V09]))
        .resources(ImageApi::new("/iiif/all").families(Family::ALL))
        .resources(ImageApi::new("/iiif/both").families(Families::new(Family::ALL).open()))
        .manifests("/manifests")
        .manifests("/files/*.json")
        .public_paths(["/manifests/*"])
        .authorize_with(|request| {
            let open = request.identifier().starts_with("pub");
            open || request.has_role("A")
        })
}

/// It answers everything but the login with this.
fn answering(
    builder: IiifAuthBuilder,
    status: u16,
    fields: &[(&'static str, &str)],
    body: impl Into<Bytes>,
) -> Publisher {
    let body = body.into();
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            (HeaderName::from_static(name), value)
        })
        .collect();
    Publisher::before(builder, clock(), move |request| {
        if request.uri().path().starts_with("/auth/") {
            return image_server(request);
        }
        let mut response = Response::new(Body::new(body.clone()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in &fields {
            response.headers_mut().append(name, value.clone());
        }
        response
    })
}

/// What an image server may say of the picture that it sends in place of a description.
const TALK: &[(&str, &str)] = &[
    ("content-type", "image/jpeg"),
    ("cache-control", "public, max-age=86400"),
    ("etag", "\"real-etag\""),
    ("last-modified", "Wed, 11 Nov 2026 11:11:11 GMT"),
    ("content-length", "38"),
    ("content-range", "bytes 0-37/38"),
    ("accept-ranges", "bytes"),
    ("content-disposition", "attachment; filename=kept.jpg"),
    ("content-location", "/iiif/3/sec/full/max/0/default.jpg"),
    ("set-cookie", "a=kept"),
    ("link", "<https://iiif.example/kept>; rel=canonical"),
    ("refresh", "0; url=https://evil.example/"),
    ("clear-site-data", "\"*\""),
    ("x-accel-redirect", "/kept/sec.jpg"),
    ("x-sendfile", "/kept/sec.jpg"),
    ("www-authenticate", "Basic realm=\"kept\""),
    ("digest", "sha-256=kept"),
    ("content-md5", "kept"),
    ("trailer", "x-kept"),
    ("age", "7"),
    ("expires", "Thu, 01 Jan 2099 00:00:00 GMT"),
    ("cdn-cache-control", "max-age=600"),
    ("x-kept", "kept"),
    ("content-encoding", "identity"),
];

/// No byte and no validator of the inner answer's.
#[track_caller]
fn assert_nothing_of_it(response: &Response<Bytes>, what: &str) {
    assert!(!text(response).contains("image bytes"), "{what}: {response:?}");
    let headers = response.headers();
    assert_eq!(headers[header::CACHE_CONTROL], "no-store", "{what}: {response:?}");
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*", "{what}");
    for (name, value) in TALK {
        let own = ["cache-control", "content-type"].contains(name);
        assert!(own || !headers.contains_key(*name), "{what}: {name} in {response:?}");
        assert!(headers.values().all(|own| own != value), "{what}: {value} in {response:?}");
    }
}

const PLACES: &[&str] = &[
    "/iiif/3/sec/info.json",
    "/iiif/2/sec/info.json",
    "/iiif/all/sec/info.json",
    "/iiif/both/sec/info.json",
    MANIFEST,
    "/files/sec/m.json",
];

/// DS-01: of what is described nothing goes out of any status but 200, whoever asks and however.
#[tokio::test]
async fn ds_01_any_status_but_200() {
    for status in (200..=599).filter(|status| *status != 200).chain([600, 799, 999]) {
        // All statuses that there are, and a few of those that there are not.
        if StatusCode::from_u16(status).unwrap().canonical_reason().is_none() && status % 50 != 49 {
            continue;
        }
        let publisher = answering(configured(), status, TALK, SECRET);
        let cookie = pair(&publisher.log_in(&["A"], Some(crate::common::V)).await);
        for place in PLACES {
            for headers in [
                &[("cookie", &*cookie)][..],
                &[],
                &[("cookie", &cookie), ("range", "bytes=0-9"), ("if-none-match", "\"real-etag\"")],
                &[("cookie", &cookie), ("if-none-match", "*"), ("if-range", "\"real-etag\"")],
            ] {
                for method in [Method::GET, Method::HEAD] {
                    let response = publisher.send(request(method, place, headers)).await;
                    let what = format!("{status} at {place}");
                    if response.status() == 401 && *place == "/files/sec/m.json" {
                        continue;
                    }
                    assert_nothing_of_it(&response, &what);
                    let expected = match status {
                        407 | 408 | 421 | 425 => 502,
                        400..=599 => status,
                        _ => 502,
                    };
                    assert_eq!(response.status(), expected, "{what}");
                }
            }
        }
        // What is open stays the image server's affair.
        let open = publisher.get(&info("pub"), &[]).await;
        assert_eq!((open.status().as_u16(), text(&open)), (status, SECRET));
        assert_eq!(open.headers()[header::ETAG], "\"real-etag\"");
    }
}

/// DS-01: other methods do not come so far.
#[tokio::test]
async fn ds_01_other_methods() {
    let publisher = answering(configured(), 200, TALK, SECRET);
    let cookie = pair(&publisher.log_in(&["A"], Some(crate::common::V)).await);
    let calls = publisher.calls();
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "get"] {
        for place in PLACES.iter().filter(|place| place.ends_with("info.json")) {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let response = publisher.send(request(method, place, &[("cookie", &cookie)])).await;
            assert!(matches!(response.status().as_u16(), 204 | 405), "{response:?}");
            assert!(response.body().is_empty() && !response.headers().contains_key("etag"));
        }
    }
    assert_eq!(publisher.calls(), calls);
}

/// DS-01: a location stays on the base, or it is none.
#[tokio::test]
async fn ds_01_locations() {
    let at = |path: &str| Some(format!("{BASE}{path}"));
    let cases = [
        ("/iiif/3/other/info.json", at("/iiif/3/other/info.json")),
        ("https://iiif.example/iiif/3/other/info.json", at("/iiif/3/other/info.json")),
        ("https://iiif.example/iiif/3/a%2Fb/info.json?x=1#y", at("/iiif/3/a%2Fb/info.json?x=1")),
        ("/iiif/3/other", at("/iiif/3/other")),
        ("info.json?v=2", at("/iiif/3/sec/info.json?v=2")),
        ("?v=2", at("/iiif/3/sec/info.json?v=2")),
        ("full/max/0/default.jpg", at("/iiif/3/sec/full/max/0/default.jpg")),
        ("", None),
        ("#x", None),
        ("//evil.example/iiif/3/other/info.json", None),
        ("///evil.example/iiif/3/other/info.json", None),
        ("/\\evil.example/iiif/3/other/info.json", None),
        ("\\\\evil.example/iiif/3/other/info.json", None),
        ("https:\\\\iiif.example/iiif/3/other/info.json", None),
        ("https://iiif.example\\iiif/3/other/info.json", None),
        ("https://iiif.example@evil.example/iiif/3/other/info.json", None),
        ("https://iiif.example:443@evil.example/iiif/3/x/info.json", None),
        ("https://user@iiif.example/iiif/3/other/info.json", None),
        ("https://iiif.example.evil.example/iiif/3/other/info.json", None),
        ("https://iiif.example:8443/iiif/3/other/info.json", None),
        ("http://iiif.example/iiif/3/other/info.json", None),
        ("https://iiif.example", None),
        ("https:/iiif/3/other/info.json", None),
        ("https:info.json", None),
        ("javascript:alert(1)", None),
        ("data:application/json,{}", None),
        ("other:x/info.json", None),
        ("../other/info.json", None),
        ("./info.json", None),
        ("/iiif/3/../../evil", None),
        ("/iiif/3/%2e%2e/evil/info.json", None),
        ("/iiif/3/sec/%2e%2e/x/info.json", None),
        ("/iiif/3//evil.example/info.json", None),
        ("/iiif/3/a;b/info.json", None),
        ("/iiif/3/", None),
        ("/iiif/3", None),
        ("/iiif/2/other/info.json", None),
        ("/IIIF/3/other/info.json", None),
        ("/kept/sec.json", None),
        ("/files/sec", None),
        ("/auth/logout", None),
        ("/", None),
        (" /iiif/3/other/info.json", None),
        ("/iiif/3/other/info.json x", None),
        ("/iiif/3/\u{e9}/info.json", None),
        ("/iiif/3/o\t/info.json", None),
    ];
    for (location, expected) in cases {
        for status in [301, 302, 303, 307, 308] {
            let fields: Vec<_> = TALK.iter().copied().chain([("location", location)]).collect();
            let publisher = answering(configured(), status, &fields, SECRET);
            let response = publisher.get(&info("sec"), &[]).await;
            let own = response.headers().get(header::LOCATION).map(|own| own.to_str().unwrap());
            assert_eq!(own, expected.as_deref(), "{location}");
            assert_eq!(response.status(), if expected.is_some() { status } else { 502 });
            assert_nothing_of_it(&response, location);
        }
        // Of no other status, whatever it says.
        for status in [201, 300, 304, 305, 404, 503] {
            let publisher = answering(configured(), status, &[("location", location)], SECRET);
            let response = publisher.get(&info("sec"), &[]).await;
            assert!(!response.headers().contains_key(header::LOCATION), "{location}");
        }
    }
    let twice = [("location", "/iiif/3/a/info.json"), ("location", "/iiif/3/b/info.json")];
    let response = answering(configured(), 302, &twice, "").get(&info("sec"), &[]).await;
    assert_eq!(response.status(), 502);
    // A manifest leads to another manifest.
    for (location, kept) in [
        ("/manifests/n.json", true),
        ("n.json", true),
        ("https://else.example/manifests/n.json", false),
        ("/elsewhere", false),
    ] {
        let publisher = answering(configured(), 302, &[("location", location)], SECRET);
        let response = publisher.get(MANIFEST, &[]).await;
        assert_eq!(response.headers().contains_key(header::LOCATION), kept, "{location}");
        assert_nothing_of_it(&response, location);
    }
    // Behind a front that takes a path away.
    let prefixed = |location: &'static str| async move {
        let builder = tower_iiif_auth::IiifAuth::builder("https://iiif.example/a/b")
            .keyring(crate::common::keyring())
            .images("/iiif/3")
            .realm(
                tower_iiif_auth::Realm::new()
                    .access(tower_iiif_auth::AccessService::active("login", "Library")),
            )
            .authorize_with(|_| false);
        let publisher = answering(builder, 303, &[("location", location)], "");
        let response = publisher.get(&info("sec"), &[]).await;
        response.headers().get("location").map(|own| own.to_str().unwrap().to_owned())
    };
    let expected = Some("https://iiif.example/a/b/iiif/3/x/info.json".to_owned());
    assert_eq!(prefixed("/a/b/iiif/3/x/info.json").await, expected);
    assert_eq!(prefixed("https://iiif.example/a/b/iiif/3/x/info.json").await, expected);
    assert_eq!(prefixed("/iiif/3/x/info.json").await, None);
    assert_eq!(prefixed("https://iiif.example/iiif/3/x/info.json").await, None);
}

/// DS-01: a description goes out without what was said of the bytes before, and without trailers.
#[tokio::test]
async fn ds_01_a_described_200() {
    let document = json!({"@context": IMAGE_3, "id": "x"}).to_string();
    let length = document.len().to_string();
    let fields: Vec<_> = TALK
        .iter()
        .filter(|(name, _)| !["content-length"].contains(name))
        .copied()
        .chain([("content-length", &*length), ("location", "/x")])
        .collect();
    let response = answering(configured(), 200, &fields, document).get(&info("sec"), &[]).await;
    assert_eq!(response.status(), 200);
    for name in [
        "last-modified",
        "content-range",
        "accept-ranges",
        "refresh",
        "x-accel-redirect",
        "x-sendfile",
        "www-authenticate",
        "digest",
        "content-md5",
        "trailer",
        "age",
        "expires",
        "cdn-cache-control",
        "location",
        "content-encoding",
    ] {
        assert!(!response.headers().contains_key(name), "{name}");
    }
    assert_ne!(response.headers()["etag"], "\"real-etag\"");
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");

    let auth = configured().build().unwrap();
    let inner = service_fn(|_: http::Request<Body>| async {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-kept", HeaderValue::from_static("kept"));
        let body = Full::from(Bytes::from_static(b"{\"id\":\"x\"}"))
            .with_trailers(std::future::ready(Some(Ok::<_, std::convert::Infallible>(trailers))));
        Ok::<_, std::convert::Infallible>(Response::new(body))
    });
    let response = auth.layer().layer(inner).oneshot(request(Method::GET, &info("sec"), &[]));
    let collected = response.await.unwrap().into_body().collect().await.unwrap();
    assert!(collected.trailers().is_none());
}

/// DS-02: a HEAD is answered as a GET, but for the body.
#[tokio::test]
async fn ds_02_head() {
    let protected = json!({"@context": PRESENTATION_3, "id": "m", "type": "Manifest",
        "items": [{"id": format!("{BASE}/files/sec"), "type": "Video"}]});
    let open = json!({"@context": PRESENTATION_3, "id": "m", "type": "Manifest"});
    let json = ("content-type", "application/json");
    let bodies = [
        (200, protected.to_string(), json),
        (200, open.to_string(), json),
        (200, json!({"id": "i"}).to_string(), json),
        (200, "<html>".to_owned(), ("content-type", "text/html")),
        (200, "<html>".to_owned(), json),
        (200, "pixels".to_owned(), ("content-type", "image/png")),
        (200, "{\"id\":1}".to_owned(), ("content-encoding", "gzip")),
        (404, "no".to_owned(), json),
        (302, String::new(), ("location", "/iiif/3/other/info.json")),
    ];
    let places = PLACES.iter().copied().chain(["/iiif/2/pub/info.json", "/iiif/3/pub/info.json"]);
    for place in places {
        for (status, body, field) in &bodies {
            let length = body.len().to_string();
            for fields in [&[*field][..], &[*field, ("content-length", &length)]] {
                let fields: Vec<_> = fields.iter().copied().chain([("etag", "\"a\"")]).collect();
                let publisher = answering(configured(), *status, &fields, body.clone());
                let cookie = pair(&publisher.log_in(&["A"], Some(crate::common::V)).await);
                for headers in [&[][..], &[("cookie", &*cookie)], &[("if-none-match", "*")]] {
                    let got = publisher.send(request(Method::GET, place, headers)).await;
                    let head = publisher.send(request(Method::HEAD, place, headers)).await;
                    let what = format!("{place} {status} {body}");
                    assert_eq!(head.status(), got.status(), "{what}");
                    assert_eq!(head.headers(), got.headers(), "{what}");
                    if let Some(length) = head.headers().get(header::CONTENT_LENGTH) {
                        let own = got.body().len().to_string();
                        assert_eq!(length.to_str().unwrap(), own, "{what}");
                    }
                }
            }
        }
    }
}

/// DS-02: nor does a server add a length of nothing.
#[tokio::test]
async fn ds_02_head_over_the_wire() {
    let server = Server::start(&configured().build().unwrap()).await;
    for place in PLACES {
        let mut answers = Vec::new();
        for method in ["GET", "HEAD"] {
            let answer = server.ask(format!("{method} {place}").as_bytes(), "").await;
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert_eq!(body.is_empty(), method == "HEAD", "{answer}");
            let lines = head.lines().filter(|line| !line.starts_with("date:"));
            answers.push(lines.map(ToOwned::to_owned).collect::<Vec<_>>());
        }
        let missing: Vec<_> = answers[0].iter().filter(|line| !answers[1].contains(line)).collect();
        assert!(missing.iter().all(|line| line.starts_with("content-length:")), "{missing:?}");
        assert!(answers[1].iter().all(|line| answers[0].contains(line)), "{answers:?}");
    }
}

/// What a browser reads of a described document, by a reader of the test's own: the last member of a
/// name counts, and numbers may be large.
fn read(response: &Response<Bytes>) -> Value {
    assert_eq!(response.status(), 200, "{response:?}");
    let text = text(response).replace("1e999", "1").replace("\\ud800", "?").replace("\\udfff", "?");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// DS-03: what browsers read is described.
#[tokio::test]
async fn ds_03_what_browsers_forgive() {
    let context = format!("\"@context\":\"{IMAGE_3}\",\"id\":\"i\"");
    let bodies: Vec<(Vec<u8>, &str)> = vec![
        ([b"\xef\xbb\xbf{", context.as_bytes(), b"}"].concat(), "{\"@context\""),
        (
            [b"{\"label\":\"Biblioth\xe8que\",", context.as_bytes(), b"}"].concat(),
            "Biblioth\u{fffd}que",
        ),
        (
            [b"{\"\xe8\":\"\xf0\x9f\x98\",", context.as_bytes(), b"}"].concat(),
            "\"\u{fffd}\":\"\u{fffd}\"",
        ),
        (format!("{{\"\\ud800\":1,{context}}}").into(), "\"\\ud800\":1"),
        (format!("{{\"x\":\"\\udfff\\ud800\",{context}}}").into(), "\"\\udfff\\ud800\""),
        (format!("{{\"x\":1e999,\"y\":-0.0E+0,{context}}}").into(), "1e999"),
        (format!("{{\"width\":1,\"width\":2,{context}}}").into(), "\"width\":1,\"width\":2"),
        (
            format!("{{{context},\"service\":[{{\"id\":\"a\"}}],\"service\":{{\"id\":\"b\"}}}}")
                .into(),
            "\"a\"",
        ),
        (format!("{{\"service\":7,{context},\"s\\u0065rvice\":null}}").into(), "\"service\":7"),
        (format!("{{\"@context\":\"x\",{context}}}").into(), "\"@context\":\"x\""),
        (format!("{{\"@context\":\"x\",\"@conte\\u0078t\":\"y\",{context}}}").into(), "\"y\""),
        (format!("\r\n\t {{ {context} }} \n").into(), "{"),
        (format!("{{\"x\":\"\u{2028}\u{7f}\",{context}}}").into(), "\u{2028}"),
    ];
    for (body, kept) in bodies {
        for content_type in ["application/json", "text/plain; charset=iso-8859-1", "image/jpeg"] {
            let fields = [("content-type", content_type)];
            let publisher = answering(configured(), 200, &fields, body.clone());
            let response = publisher.get(&info("sec"), &[]).await;
            let info = read(&response);
            let services = info["service"].as_array().unwrap();
            let probes = services.iter().filter(|own| own["type"] == "AuthProbeService2");
            assert_eq!(probes.count(), 1, "{info}");
            assert_probe_service(services.last().unwrap(), false);
            assert_eq!(info["@context"], json!([AUTH_2, IMAGE_3]), "{info}");
            assert!(text(&response).contains(kept), "{kept} in {info}");
            assert_eq!(response.headers()["content-type"], "application/json");
            // Gated, the same.
            let gated = publisher.get("/iiif/2/sec/info.json", &[]).await;
            assert_eq!(gated.status(), 401);
            assert!(text(&gated).contains("AuthCookieService1"), "{}", text(&gated));
        }
    }
    // Deeper than a parser that calls itself would go.
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        let body = format!("{{\"x\":{deep},{context}}}");
        let response = answering(configured(), 200, &[], body).get(&info("sec"), &[]).await;
        assert_eq!(response.status(), 200);
        assert!(text(&response).contains("AuthProbeService2") && text(&response).contains(&deep));
        let manifest = format!(
            "{{\"type\":\"Manifest\",\"x\":{deep},\"items\":[{{\"id\":\"{BASE}/files/sec\"}}]}}"
        );
        let response = answering(configured(), 200, &[], manifest).get(MANIFEST, &[]).await;
        assert!(text(&response).contains("AuthProbeService2"));
    }
}

/// DS-03: what no browser reads is 502, and the log says why.
#[tokio::test]
async fn ds_03_what_they_do_not() {
    for body in [
        &b"\xff\xfe{\0}\0"[..],
        b"\xef\xbb\xbf\xef\xbb\xbf{}",
        b"{\"a\":\"\n\"}",
        b"{\"a\":01}",
        b"[{}]",
        b"null",
        b"\"x\"",
        b"{} {}",
        b"{\"a\":1,}",
    ] {
        let log = logs::record();
        let response = answering(configured(), 200, TALK, body).get(&info("sec"), &[]).await;
        assert_eq!(response.status(), 502, "{body:?}");
        drop(response);
        let text = log.text();
        assert!(text.contains("could not be described"), "{text}");
        drop(log);
        let length: &'static str = body.len().to_string().leak();
        let fields = [("content-length", length)];
        let log = logs::record();
        let response = answering(configured(), 200, &fields, body).get(&info("sec"), &[]).await;
        assert_eq!(response.status(), 502, "{body:?}");
        assert!(log.text().contains("it is no JSON object"), "{}", log.text());
    }
}

fn manifest_of(ids: &[&str]) -> String {
    let bodies: Vec<_> = ids.iter().map(|id| json!({"id": id, "type": "Video"})).collect();
    json!({"@context": PRESENTATION_3, "id": "https://works.example/m", "type": "Manifest",
        "rendering": bodies})
    .to_string()
}

/// DS-03, DS-05: of members that stand twice the last counts, also in manifests, and what stands in what
/// is replaced is not edited.
#[tokio::test]
async fn ds_03_members_that_stand_twice_in_manifests() {
    let sec = format!("{BASE}/files/sec");
    let object = format!("{{\"id\":\"{sec}\"}}");
    let probe = format!("{BASE}/auth/probe/files/sec");
    for (members, places) in [
        (format!("\"items\":[{object}],\"items\":[{object}]"), 1),
        (format!("\"items\":[{object}],\"it\\u0065ms\":[]"), 0),
        (format!("\"items\":[{{\"id\":\"{sec}\",\"id\":\"https://else.example/\"}}]"), 0),
        (format!("\"items\":[{{\"id\":\"https://else.example/\",\"id\":\"{sec}\"}}]"), 1),
        (format!("\"items\":[{{\"service\":[1],\"id\":\"{sec}\",\"service\":[2]}}]"), 1),
        // One of ours that is older, with something in it that looks like content.
        (
            format!(
                "\"items\":[{{\"id\":\"{sec}\",\"service\":{{\"id\":\"{probe}\",\"x\":{object}}}}}]"
            ),
            1,
        ),
        (
            format!(
                "\"items\":[{{\"id\":\"{sec}\",\"service\":[{{\"id\":\"{probe}\",\"x\":[{object}]}},{object}]}}]"
            ),
            2,
        ),
    ] {
        let manifest = format!(
            "{{\"@context\":\"{PRESENTATION_3}\",\"type\":\"Canvas\",{members},\"type\":\"Manifest\"}}"
        );
        let publisher = answering(configured(), 200, &[], manifest);
        let response = publisher.get(MANIFEST, &[]).await;
        let read: Value = serde_json::from_slice(response.body()).unwrap();
        let count = read.to_string().matches("AuthProbeService2").count();
        assert_eq!(count, places, "{}", text(&response));
        let again = answering(configured(), 200, &[], response.body().clone());
        assert_eq!(again.get(MANIFEST, &[]).await.body(), response.body(), "twice adds nothing");
    }
}

/// DS-04: viewers look at no type, and nor do the layers at a path that was named.
#[tokio::test]
async fn ds_04_types() {
    let manifest = manifest_of(&[&format!("{BASE}/files/sec")]);
    for content_type in [
        "text/plain",
        "application/octet-stream",
        "text/html",
        "application/xml",
        "binary/octet-stream",
        "application/force-download",
        "json",
        "",
        "application/json, text/plain",
    ] {
        let fields = [("content-type", content_type), ("etag", "\"real-etag\"")];
        let publisher = answering(configured(), 200, &fields, manifest.clone());
        let response = publisher.get(MANIFEST, &[]).await;
        assert_eq!(response.status(), 200, "{content_type}");
        assert!(text(&response).contains("AuthProbeService2"), "{content_type}");
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_ne!(response.headers()["etag"], "\"real-etag\"");
    }
    let kept = "application/ld+json;profile=\"http://iiif.io/api/presentation/3/context.json\"";
    let publisher = answering(configured(), 200, &[("content-type", kept)], manifest);
    assert_eq!(publisher.get(MANIFEST, &[]).await.headers()["content-type"], kept);
    // Pages and files beside them pass.
    for body in ["<html>a list</html>", "", "{ not json"] {
        let fields = [("content-type", "text/html"), ("etag", "\"real-etag\"")];
        let response = answering(configured(), 200, &fields, body).get(MANIFEST, &[]).await;
        assert_eq!((response.status().as_u16(), text(&response)), (200, body));
        assert_eq!(response.headers()["etag"], "\"real-etag\"");
    }
}

/// DS-04: what could not be placed is said, once a path, however many strangers ask.
#[tokio::test]
async fn ds_04_ids_in_another_spelling() {
    for (id, reason) in [
        ("http://iiif.example/files/sec", "its id has another scheme"),
        ("https://other.example/files/sec", "its id names another host"),
        ("https://iiif.example:8443/files/sec", "its id names another host"),
        (
            "https://iiif.example./files/sec?token=kept",
            "its id spells the public URL in another way",
        ),
        ("https://iiif.example/files/a/../sec", "its id has a path that is refused"),
        ("https://iiif.example/files/sec%2Fx", "its id has a path that is refused"),
        ("/files/sec", "its id is a path and no URI"),
    ] {
        let manifest = manifest_of(&[id, &format!("{BASE}/files/sec2"), id]);
        let publisher = answering(configured(), 200, &[], manifest);
        let log = logs::record();
        for path in [MANIFEST, MANIFEST, "/manifests/%6d.json"] {
            let response = publisher.get(path, &[]).await;
            assert_eq!(text(&response).matches("AuthProbeService2").count(), 1, "{id}");
        }
        let text = log.text();
        assert_eq!(text.matches("services could not be placed").count(), 1, "{text}");
        assert!(text.contains(reason) && text.contains("count=2") && text.contains(MANIFEST));
        assert!(!text.contains("kept"));
    }
    // Case and the default port are one spelling (RFC 3986 §6.2).
    for id in [
        "https://IIIF.example/files/sec",
        "https://iiif.example:443/files/sec?token=kept",
        "HTTPS://iiif.example/files/sec",
    ] {
        let publisher = answering(configured(), 200, &[], manifest_of(&[id]));
        let log = logs::record();
        assert!(text(&publisher.get(MANIFEST, &[]).await).contains("AuthProbeService2"), "{id}");
        assert!(!log.text().contains("could not be placed"), "{}", log.text());
    }
    // What is not this publisher's, or needs none, is nothing to tell.
    let quiet = manifest_of(&[
        "https://other.example/elsewhere/1",
        "urn:uuid:1",
        "https://iiif.example/manifests/m/canvas/1",
        "https://iiif.example/files/pub",
        "http://iiif.example/iiif/3/sec/full/max/0/default.jpg",
        "",
    ]);
    let publisher = answering(configured(), 200, &[], quiet);
    let log = logs::record();
    publisher.get(MANIFEST, &[]).await;
    assert!(!log.text().contains("could not be placed"), "{}", log.text());
}

/// DS-05: what is hidden is declared by none of the three.
#[tokio::test]
async fn ds_05_hidden_content() {
    let hiding = || configured().authorize_with(|_| Denial::absent());
    let manifest = manifest_of(&[&format!("{BASE}/files/sec")]);
    let publisher = answering(hiding(), 200, &[], manifest.clone());
    assert_eq!(text(&publisher.get(MANIFEST, &[]).await), manifest);
    let mut value: Value = serde_json::from_str(&manifest).unwrap();
    let before = value.clone();
    let described = publisher.auth.describe_manifest(&mut value).await.unwrap();
    assert_eq!((described.places(), described.left_out(), &value), (0, &[][..], &before));
    for path in ["/files/sec", "/iiif/3/sec"] {
        assert_eq!(publisher.auth.probe_service(path).await, None);
    }
    assert_eq!(publisher.get(&info("sec"), &[]).await.status(), 404);
    // Open is declared by none, and what is protected by all.
    for (identifier, declared) in [("pub", false), ("sec", true)] {
        let auth = configured().build().unwrap();
        let mut value: Value =
            serde_json::from_str(&manifest_of(&[&format!("{BASE}/files/{identifier}")])).unwrap();
        let described = auth.describe_manifest(&mut value).await.unwrap();
        assert_eq!(described.places(), usize::from(declared));
        assert_eq!(value.to_string().contains("AuthProbeService2"), declared);
        let probe = auth.probe_service(&format!("/files/{identifier}")).await;
        assert_eq!(probe.is_some(), declared);
    }
}

/// DS-05: one editor: what the layer makes of a manifest and what an application has made are the same,
/// in every family and both versions of the Presentation API.
#[tokio::test]
async fn ds_05_one_editor() {
    let files =
        ["sec", "pub", "sec2", "sec"].map(|own| json!({"id": format!("{BASE}/files/{own}")}));
    let images = ["3", "2", "all", "both"].map(|base| {
        let service = format!("{BASE}/iiif/{base}/sec");
        json!({"@id": format!("{service}/full/full/0/default.jpg"), "@type": "dctypes:Image",
            "service": {"@id": service, "profile": "http://iiif.io/api/image/2/level2.json"}})
    });
    for manifest in [
        json!({"@context": PRESENTATION_3, "id": "m", "type": "Manifest", "items": files, "thumbnail": files}),
        json!({"@context": PRESENTATION_3, "id": "m", "type": "Manifest", "items": images}),
        json!({"@context": PRESENTATION_2, "@id": "m", "@type": "sc:Manifest", "sequences": [files, images]}),
    ] {
        for how in [
            Manifests::at("/manifests"),
            Manifests::at("/manifests").images(),
            Manifests::at("/manifests").images().in_full(),
        ] {
            let builder = builder(&clock())
                .resources(ImageApi::new("/iiif/2").families([Family::V1, Family::V09]))
                .resources(ImageApi::new("/iiif/all").families(Family::ALL))
                .resources(ImageApi::new("/iiif/both").families(Families::new(Family::ALL).open()))
                .manifests(how.clone())
                .public_paths(["/manifests/*"]);
            let publisher = answering(builder, 200, &[], manifest.to_string());
            let by_layer = publisher.get(MANIFEST, &[]).await;
            let auth = &publisher.auth;
            let source = manifest.to_string();
            let (by_hand, outcome) = auth.describe_manifest_text(&source, &how).await.unwrap();
            assert_eq!(by_hand, text(&by_layer));
            let mut value = manifest.clone();
            let same = auth.describe_manifest_as(&mut value, &how).await.unwrap();
            assert_eq!(same, outcome);
            assert_eq!(value == manifest, outcome.places() == 0);
            let once = value.clone();
            assert_eq!(auth.describe_manifest_as(&mut value, &how).await.unwrap(), outcome);
            assert_eq!(value, once, "twice adds nothing");
        }
    }
}

/// DS-05: the application hears of what went wrong, and its manifest is as it was.
#[tokio::test(start_paused = true)]
async fn ds_05_failures_are_told() {
    let manifest = manifest_of(&[&format!("{BASE}/files/sec"), "http://iiif.example/files/sec"]);
    let failing =
        configured().authorizer(from_async_fn(async |_| Err::<Denial, _>(BoxError::from("down"))));
    let panicking = configured().authorize_with(|_| -> bool { panic!("it panics") });
    let slow = configured().authorizer(from_async_fn(async |_| {
        tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
        Ok::<_, BoxError>(true)
    }));
    for (builder, late) in [(failing, false), (panicking, false), (slow, true)] {
        let auth = builder.build().unwrap();
        let mut value: Value = serde_json::from_str(&manifest).unwrap();
        let before = value.clone();
        let error = auth.describe_manifest(&mut value).await.unwrap_err();
        assert_eq!(matches!(error, NotDescribed::TooLate(_)), late, "{error}");
        assert!(late || matches!(error, NotDescribed::Authorizer(_)), "{error}");
        assert_eq!(value, before);
    }
    let auth = configured().build().unwrap();
    let mut value: Value = serde_json::from_str(&manifest).unwrap();
    let described = auth.describe_manifest(&mut value).await.unwrap();
    assert_eq!(described.places(), 1);
    let [left_out] = described.left_out() else { panic!("{described:?}") };
    assert_eq!(left_out.reason(), LeftOutReason::Scheme);
    let few = Manifests::at("/").max_resources(1);
    let two = manifest_of(&[&format!("{BASE}/files/a"), &format!("{BASE}/files/b")]);
    let error = auth.describe_manifest_text(&two, &few).await.unwrap_err();
    assert!(matches!(error, NotDescribed::NotDescribable(_)), "{error}");
    let error = auth.describe_manifest_text("<html>", &few).await.unwrap_err();
    assert!(matches!(error, NotDescribed::NotJson), "{error}");
    // What is no object needs none.
    for json in ["[]", "7", "null"] {
        let (text, described) = auth.describe_manifest_text(json, &few).await.unwrap();
        assert_eq!((&*text, described.places()), (json, 0));
    }
}

/// DS-01: an inner service that fails is no answer of ours, and nothing of one.
#[tokio::test]
async fn ds_01_the_inner_service_is_asked_once() {
    let asked = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&asked);
    let publisher = Publisher::before(configured(), clock(), move |request| {
        if request.uri().path().ends_with("/info.json") {
            assert_eq!(*request.method(), Method::GET);
            assert!(!seen.swap(true, Ordering::SeqCst));
            for name in ["range", "if-range", "if-none-match", "if-modified-since", "if-match"] {
                assert!(!request.headers().contains_key(name));
            }
        }
        image_server(request)
    });
    let headers = [("range", "bytes=0-0"), ("if-match", "\"real-etag\""), ("if-range", "\"x\"")];
    let head = publisher.send(request(Method::HEAD, &info("sec"), &headers)).await;
    assert_eq!((head.status().as_u16(), head.body().len()), (200, 0));
    assert!(asked.load(Ordering::SeqCst));
}
