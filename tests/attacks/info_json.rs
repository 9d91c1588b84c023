//! IN: describing what is no description, or a hostile one.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::{Error, Write as _};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::{Layer, ServiceExt, service_fn};
use tower_iiif_auth::AccessService;
use tower_iiif_auth::Limits;

use crate::common::shapes::{AUTH_2, assert_probe_service};
use crate::common::{BASE, Body, Publisher, builder, clock, json, request, text};
use crate::setup::info;

const IMAGE_3: &str = "http://iiif.io/api/image/3/context.json";

/// A publisher whose image server answers every `info.json` with these bytes.
fn serving(
    status: u16,
    fields: &'static [(&'static str, &'static str)],
    body: impl Into<Bytes>,
) -> Publisher {
    let (clock, body) = (clock(), body.into());
    Publisher::before(builder(&clock), clock, move |_| {
        let mut response = Response::new(Body::new(body.clone()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        for (name, value) in fields {
            let name = HeaderName::from_static(name);
            response.headers_mut().append(name, HeaderValue::from_static(value));
        }
        response
    })
}

/// 502: nothing of the inner document, and nothing that says of it.
#[track_caller]
fn assert_bad_gateway(response: &Response<Bytes>) {
    assert_eq!(response.status(), 502, "{response:?}");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    for name in ["etag", "content-encoding", "last-modified", "content-length"] {
        assert!(!response.headers().contains_key(name), "{name} in {response:?}");
    }
    assert!(response.body().len() < 100);
}

/// The one probe service that was put in.
#[track_caller]
fn described(response: &Response<Bytes>) -> Value {
    assert_eq!(response.status(), 200, "{response:?}");
    let info = json(response);
    let services: Vec<_> = info["service"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|own| own["type"] == "AuthProbeService2")
        .collect();
    assert_eq!(services.len(), 1, "{info}");
    assert_probe_service(services[0], info["@context"].as_array().is_none());
    if let Some(length) = response.headers().get(header::CONTENT_LENGTH) {
        assert_eq!(length.to_str().unwrap(), response.body().len().to_string());
    }
    info
}

/// IN-01: no JSON, or no 200.
#[tokio::test]
async fn in_01_no_description() {
    for body in [
        "<html>oops",
        "",
        "null",
        "[]",
        "[{}]",
        "\"text\"",
        "1",
        "{",
        "{\"a\":1,}",
        "{\"a\":1}}",
        "{\"a\":1} x",
        "{\"a\":01}",
        "{'a':1}",
        "\u{feff}\u{feff}{}",
        "{\"service\":[}",
    ] {
        assert_bad_gateway(&serving(200, &[], body).get(&info("sec"), &[]).await);
    }
    let invalid: [&[u8]; 3] = [b"{\"a\":\xff}", b"{\"a\":1}\0", b"\xff\xfe{\0}\0"];
    for body in invalid {
        assert_bad_gateway(&serving(200, &[], body).get(&info("sec"), &[]).await);
    }
    for status in [201, 203, 204, 206, 301, 302, 304, 400, 401, 403, 404, 410, 429, 500, 503] {
        let body = "{\"id\":\"x\"} or what the server says";
        let fields = &[("etag", "\"a\""), ("retry-after", "7")];
        let response = serving(status, fields, body).get(&info("sec"), &[]).await;
        // DS-01: of what is protected nothing of it goes out; of what is open everything.
        let expected = if status < 400 { 502 } else { status };
        assert_eq!(response.status(), expected);
        assert_eq!(text(&response), format!("{}\n", response.status()));
        assert!(!response.headers().contains_key(header::ETAG));
        let open = serving(status, fields, body).get(&info("pub"), &[]).await;
        assert_eq!(open.status(), status);
        assert_eq!(text(&open), body, "to the byte");
        assert_eq!(open.headers()[header::ETAG], "\"a\"");
        assert_eq!(open.headers()["retry-after"], "7");
    }
}

/// A gzip file with its content stored.
fn gzip(content: &[u8]) -> Vec<u8> {
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1];
    let length = u16::try_from(content.len()).unwrap();
    file.extend(length.to_le_bytes());
    file.extend((!length).to_le_bytes());
    file.write_all(content).unwrap();
    file.extend([0; 8]);
    file
}

/// IN-02: compressed although nobody asked for it.
#[tokio::test]
async fn in_02_encoded() {
    let document = format!("{{\"@context\":\"{IMAGE_3}\",\"id\":\"x\"}}");
    for fields in [
        &[("content-encoding", "gzip")][..],
        &[("content-encoding", "br")],
        &[("content-encoding", "GZIP")],
        &[("content-encoding", "identity, gzip")],
        &[("content-encoding", "identity"), ("content-encoding", "gzip")],
        &[("content-encoding", "")],
    ] {
        let response = serving(200, fields, gzip(document.as_bytes())).get(&info("sec"), &[]).await;
        assert_bad_gateway(&response);
    }
    let unsaid = serving(200, &[], gzip(document.as_bytes())).get(&info("sec"), &[]).await;
    assert_bad_gateway(&unsaid);
    for value in ["identity", "Identity"] {
        let fields = Box::leak(Box::new([("content-encoding", value)]));
        let response = serving(200, fields, document.clone()).get(&info("sec"), &[]).await;
        described(&response);
        assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
    }
    // The inner server is asked for plain text, and for the whole of it.
    let clock = clock();
    let publisher = Publisher::before(builder(&clock), clock, |request| {
        assert_eq!(request.headers()[header::ACCEPT_ENCODING], "identity");
        for name in ["range", "if-range", "if-none-match", "if-modified-since", "if-match"] {
            assert!(!request.headers().contains_key(name), "{name}");
        }
        Response::new(Body::from(format!("{{\"@context\":\"{IMAGE_3}\"}}")))
    });
    let headers = [
        ("accept-encoding", "gzip, br"),
        ("range", "bytes=0-0"),
        ("if-none-match", "\"real-etag\""),
        ("if-modified-since", "Thu, 01 Jan 2099 00:00:00 GMT"),
    ];
    described(&publisher.get(&info("sec"), &headers).await);
}

/// A body in frames, which may break off, and which counts what is taken of it.
struct Frames {
    queue: VecDeque<Result<Frame<Bytes>, Error>>,
    endless: Option<Bytes>,
    taken: Arc<AtomicUsize>,
}

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = self
            .queue
            .pop_front()
            .or_else(|| self.endless.clone().map(|chunk| Ok(Frame::data(chunk))));
        if let Some(Ok(frame)) = &frame {
            let length = frame.data_ref().map_or(0, Bytes::len);
            self.taken.fetch_add(length, Ordering::SeqCst);
        }
        Poll::Ready(frame)
    }
}

/// What becomes of a body in frames, and how much of it was taken.
async fn streamed(
    length: Option<&'static str>,
    frames: Vec<Result<Frame<Bytes>, Error>>,
    endless: Option<Bytes>,
) -> (Response<Bytes>, usize) {
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    let auth = builder(&clock()).build().unwrap();
    let frames = std::sync::Mutex::new(Some(frames));
    let inner = service_fn(move |_: Request<Body>| {
        let queue = frames.lock().unwrap().take().unwrap_or_default().into();
        let body = Frames { queue, endless: endless.clone(), taken: Arc::clone(&counter) };
        let mut response = Response::new(body);
        if let Some(length) = length {
            let length = HeaderValue::from_static(length);
            response.headers_mut().insert(header::CONTENT_LENGTH, length);
        }
        std::future::ready(Ok::<_, Infallible>(response))
    });
    // `service_fn` with a lock inside is no `Clone`: one instance for one request.
    let stack = auth
        .layer()
        .layer(tower::util::BoxCloneService::new(Shared(Arc::new(std::sync::Mutex::new(inner)))));
    let response = stack.oneshot(request(Method::GET, &info("sec"), &[])).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (Response::from_parts(parts, body), taken.load(Ordering::SeqCst))
}

/// One service behind a lock, so that it can be cloned.
struct Shared<S>(Arc<std::sync::Mutex<S>>);

impl<S> Clone for Shared<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S, R> tower::Service<R> for Shared<S>
where
    S: tower::Service<R>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.lock().unwrap().poll_ready(cx)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.0.lock().unwrap().call(request)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it stands among frames that may fail")]
fn data(text: &str) -> Result<Frame<Bytes>, Error> {
    Ok(Frame::data(Bytes::copy_from_slice(text.as_bytes())))
}

/// IN-03: chunks, false lengths, broken bodies.
#[tokio::test]
async fn in_03_length_and_framing() {
    let start = "{\"@context\":\"http://iiif.io/api/image/3/con";
    let end = "text.json\",\"id\":\"x\"}";
    let chunks = || vec![data(start), data(""), data(end)];
    described(&streamed(None, chunks(), None).await.0);
    let mut with_trailers = chunks();
    with_trailers.push(Ok(Frame::trailers(HeaderMap::new())));
    described(&streamed(None, with_trailers, None).await.0);
    let right: &'static str = Box::leak((start.len() + end.len()).to_string().into_boxed_str());
    let response = streamed(Some(right), chunks(), None).await.0;
    described(&response);
    let larger: &'static str =
        Box::leak((start.len() + end.len() + 10).to_string().into_boxed_str());
    for length in [larger, "1", "0", "-1", "junk", "18446744073709551616"] {
        assert_bad_gateway(&streamed(Some(length), chunks(), None).await.0);
    }
    for broken in [
        vec![Err(Error::other("reset"))],
        vec![data(start), Err(Error::other("reset"))],
        vec![data(start), data(end), Err(Error::other("reset"))],
        vec![data(start)],
    ] {
        assert_bad_gateway(&streamed(None, broken, None).await.0);
    }
}

/// IN-04: a body without an end is left at the limit, whatever its frames are like.
#[tokio::test]
async fn in_04_huge() {
    let limit = 4 << 20;
    for size in [1, 1 << 10, 1 << 16, 1 << 20, limit, limit + 1] {
        if size == 1 {
            // One byte at a time would take long: a long start instead.
            let start = vec![data(&format!("{{\"a\":\"{}", "x".repeat(limit - 10)))];
            let (response, taken) = streamed(None, start, Some(Bytes::from_static(b"x"))).await;
            assert_bad_gateway(&response);
            assert!(taken <= limit + 1, "{taken}");
            continue;
        }
        let chunk = Bytes::from(vec![b'x'; size]);
        let (response, taken) = streamed(None, vec![data("{\"a\":\"")], Some(chunk)).await;
        assert_bad_gateway(&response);
        assert!(taken <= limit + size, "{taken} bytes were taken");
    }
    // An announced length is believed at once.
    let clock = clock();
    let publisher = Publisher::before(
        builder(&clock).limits(Limits::new().max_info_bytes(1000)),
        clock,
        |_| Response::new(Body::from("x".repeat(1001))),
    );
    assert_bad_gateway(&publisher.get(&info("sec"), &[]).await);
    // As deep as it is long: no stack is overrun.
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let depth = 1_000_000 / open.len();
        let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
        for document in [
            format!("{{\"@context\":\"{IMAGE_3}\",\"x\":{deep}}}"),
            format!("{{\"@context\":\"{IMAGE_3}\",\"service\":[{deep}]}}"),
            format!("{{\"@context\":[{deep},\"{IMAGE_3}\"]}}"),
        ] {
            let response = serving(200, &[], document).get(&info("sec"), &[]).await;
            assert!(matches!(response.status().as_u16(), 200 | 502));
        }
    }
    let many = format!(
        "{{\"@context\":\"{IMAGE_3}\",\"service\":[{}1]}}",
        "{\"id\":\"x\"},".repeat(100_000)
    );
    described(&serving(200, &[], many).get(&info("sec"), &[]).await);
}

/// IN-06: what was true of the old bytes is not said of the new ones.
#[tokio::test]
async fn in_06_validators() {
    let document = format!("{{\"@context\":\"{IMAGE_3}\",\"id\":\"x\"}}");
    let fields = &[
        ("etag", "\"a\""),
        ("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ("content-md5", "x"),
        ("digest", "sha-256=x"),
        ("content-digest", "sha-256=:x:"),
        ("repr-digest", "sha-256=:x:"),
        ("accept-ranges", "bytes"),
        ("cache-control", "public, max-age=86400"),
        ("x-accel-expires", "86400"),
        ("surrogate-control", "max-age=86400"),
    ];
    let publisher = serving(200, fields, document.clone());
    let response = publisher.get(&info("sec"), &[]).await;
    described(&response);
    let tag = response.headers()[header::ETAG].to_str().unwrap().to_owned();
    assert_ne!(tag, "\"a\"");
    for (name, _) in &fields[1..] {
        assert!(*name == "cache-control" || !response.headers().contains_key(*name), "{name}");
    }
    assert!(response.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("no-cache"));
    // What the client has is asked for by the new tag, never by the old one.
    for (sent, expected) in
        [(&*tag, 304), ("*", 304), ("\"a\"", 200), ("\"b\"", 200), ("junk", 200), ("", 200)]
    {
        let again = publisher.get(&info("sec"), &[("if-none-match", sent)]).await;
        assert_eq!(again.status(), expected, "{sent}");
        assert_eq!(again.headers()[header::ETAG], *tag);
        assert_eq!(again.body().is_empty(), expected == 304);
    }
    // Another configuration, another tag.
    let clock = clock();
    let builder = builder(&clock).realm(
        tower_iiif_auth::Realm::named("third")
            .access(AccessService::kiosk("room").label("Room").protects(["sec"])),
    );
    let changed =
        Publisher::before(builder, clock, move |_| Response::new(Body::from(document.clone())));
    let other = changed.get(&info("sec"), &[]).await;
    assert_ne!(other.headers()[header::ETAG], *tag);
    let head = publisher.send(request(Method::HEAD, &info("sec"), &[])).await;
    assert!(head.body().is_empty() && head.headers().get("etag").is_none_or(|own| own == &*tag));
}

/// IN-09: every id is of the configured base.
#[tokio::test]
async fn in_09_host_header() {
    let publisher = Publisher::new();
    for headers in [
        &[("host", "evil.example")][..],
        &[("host", "iiif.example:8443")],
        &[("host", "iiif.example"), ("x-forwarded-host", "evil.example")],
        &[("forwarded", "host=evil.example;proto=http")],
        &[("x-forwarded-proto", "http"), ("x-forwarded-port", "1")],
        &[("x-forwarded-prefix", "/evil.example"), ("x-original-host", "evil.example")],
    ] {
        let response = publisher.get(&info("sec"), headers).await;
        let info = described(&response);
        assert_eq!(info["service"][0]["id"], "https://iiif.example/auth/probe/iiif/3/sec");
        assert!(!text(&response).contains("evil"), "{headers:?}");
        let ids = info["service"].to_string();
        let ids = ids.split("\"id\":\"").skip(1);
        assert!(ids.clone().count() >= 4);
        for id in ids {
            assert!(id.starts_with(&format!("{BASE}/")), "{id}");
        }
    }
    let absolute = "http://evil.example/iiif/3/sec/info.json".parse::<http::Uri>().unwrap();
    let mut asked = request(Method::GET, "/", &[]);
    *asked.uri_mut() = absolute;
    let response = publisher.send(asked).await;
    assert_eq!(
        described(&response)["service"][0]["id"],
        "https://iiif.example/auth/probe/iiif/3/sec"
    );
}

/// IN-10: an identifier's text stays in its place, and the probe reads it back as the same.
#[tokio::test]
async fn in_10_identifiers() {
    // As it stands in the table: the escape that is left after decoding could be decoded again.
    let publisher = serving(200, &[], format!("{{\"@context\":\"{IMAGE_3}\"}}"));
    let exact = "/iiif/3/se%22c%3C%2Fscript%3E%252F/info.json";
    assert_eq!(publisher.get(exact, &[]).await.status(), 400);
    assert_eq!(
        publisher.get("/iiif/3/se%22c%3C%2Fscript%3E%2F/info.json", &[]).await.status(),
        400
    );
    // AL-01, AL-02: servers read more into these.
    for identifier in ["a&b", "$&", "a;b", "a b+c", "a@1", "?x=y#z"] {
        let path = info(&crate::setup::encode(identifier));
        assert_eq!(publisher.get(&path, &[]).await.status(), 400);
    }
    for identifier in [
        "se\"c</script>",
        "se\"c</script>%",
        "a<b>'c'\"d\"",
        "\u{2028}\u{2029}",
        "\u{202e}x",
        "a b",
        "ark:/12345/x",
        "{\"id\":1}",
        "bücher/😀",
        "https://evil.example/x",
        "javascript:alert(1)",
        "a,b",
        "~._-",
        "info.json",
        "..a",
        "x/info.json",
    ] {
        if identifier.contains("//") {
            // An empty part could be folded: nothing is guessed.
            let path = info(&crate::setup::encode(identifier));
            assert_eq!(publisher.get(&path, &[]).await.status(), 400);
            continue;
        }
        let response = publisher.get(&info(&crate::setup::encode(identifier)), &[]).await;
        let info = described(&response);
        assert_eq!(info["@context"][0], AUTH_2);
        let id = info["service"][0]["id"].as_str().unwrap();
        let tail = id.strip_prefix("https://iiif.example/auth/probe/iiif/3/").unwrap();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"%-._~:".contains(&b);
        assert!(tail.bytes().all(plain), "{id}");
        let back = percent_encoding::percent_decode_str(tail).decode_utf8().unwrap();
        assert_eq!(back, identifier);
        let result = publisher.probe(&format!("/iiif/3/{tail}"), &[]).await;
        assert_eq!(result["status"], 403, "{identifier}: the default, not 404: {result}");
    }
}
