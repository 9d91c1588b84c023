//! Requests that two readers could read in two ways, on raw sockets.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{PIXELS, Proxy, Upstream, config, image, raw, statuses, with_keys};

/// A second request that hides in the first one's body.
fn hidden() -> String {
    format!("GET {} HTTP/1.1\r\nHost: x\r\nX-Hidden: 1\r\n\r\n", image("pub"))
}

/// Each is answered with one refusal and the end of the connection; the image server hears nothing.
#[tokio::test]
async fn ambiguous_requests_are_refused() {
    let upstream = Upstream::new().await;
    let config = with_keys(&config(upstream.address), "public_paths = [\"/app/*\"]");
    let proxy = Proxy::with(&config).await;
    let hidden = hidden();
    let length = hidden.len();
    let chunked = format!("0\r\n\r\n{hidden}");
    let post = "POST /app/x HTTP/1.1\r\nHost: x\r\n";
    let get = format!("GET {} HTTP/1.1\r\nHost: x\r\n", image("pub"));
    for (shape, request) in [
        (
            "length and chunks",
            format!(
                "{post}Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}"
            ),
        ),
        (
            "chunks and length",
            format!("{post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n{chunked}"),
        ),
        ("chunks", format!("{post}Transfer-Encoding: chunked\r\n\r\n{chunked}")),
        ("chunks, capital", format!("{post}Transfer-Encoding: Chunked\r\n\r\n{chunked}")),
        ("chunks with a tab", format!("{post}Transfer-Encoding:\tchunked\r\n\r\n{chunked}")),
        (
            "chunks with a space before the colon",
            format!("{post}Transfer-Encoding : chunked\r\n\r\n{chunked}"),
        ),
        ("chunks, strange", format!("{post}Transfer-Encoding: xchunked\r\n\r\n{chunked}")),
        (
            "chunks twice",
            format!(
                "{post}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n{chunked}"
            ),
        ),
        ("chunks in quotes", format!("{post}Transfer-Encoding: \"chunked\"\r\n\r\n{chunked}")),
        (
            "chunks after a comma",
            format!("{post}Transfer-Encoding: identity, chunked\r\n\r\n{chunked}"),
        ),
        (
            "chunks behind a folded line",
            format!("{post}X: y\r\n Transfer-Encoding: chunked\r\n\r\n{chunked}"),
        ),
        (
            "chunks on the next line",
            format!("{post}Transfer-Encoding:\r\n chunked\r\n\r\n{chunked}"),
        ),
        (
            "chunks behind a bare feed",
            format!("{post}X: y\nTransfer-Encoding: chunked\r\n\r\n{chunked}"),
        ),
        (
            "chunks behind a bare return",
            format!("{post}X: y\rTransfer-Encoding: chunked\r\n\r\n{chunked}"),
        ),
        (
            "chunks behind a zero",
            format!("{post}X: y\0\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}"),
        ),
        (
            "chunks in 1.0",
            format!("POST /app/x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}"),
        ),
        (
            "two lengths",
            format!("{post}Content-Length: 0\r\nContent-Length: {length}\r\n\r\n{hidden}"),
        ),
        (
            "the same length twice",
            format!("{post}Content-Length: 0\r\nContent-Length: 0\r\n\r\n{hidden}"),
        ),
        ("lengths in a list", format!("{post}Content-Length: 0, {length}\r\n\r\n{hidden}")),
        ("a length with a sign", format!("{post}Content-Length: +0\r\n\r\n{hidden}")),
        ("a negative length", format!("{post}Content-Length: -1\r\n\r\n{hidden}")),
        ("a length in hex", format!("{post}Content-Length: 0x5\r\n\r\n{hidden}")),
        ("a long length", format!("{post}Content-Length: 18446744073709551616\r\n\r\n{hidden}")),
        (
            "a length with a space before the colon",
            format!("{post}Content-Length : 5\r\n\r\n{hidden}"),
        ),
        ("a folded length", format!("{post}Content-Length: 0\r\n 5\r\n\r\n{hidden}")),
        (
            "a bare feed after the request line",
            format!("GET {} HTTP/1.1\nHost: x\r\n\r\n", image("pub")),
        ),
        ("a bare feed at the end", format!("{get}\n{hidden}")),
        ("bare feeds only", get.replace('\r', "") + "\n"),
        ("a folded header", format!("{get}X: y\r\n z\r\n\r\n")),
        ("two hosts", format!("{get}Host: y\r\n\r\n")),
        ("no host", format!("GET {} HTTP/1.1\r\n\r\n", image("pub"))),
        ("a line without a colon", format!("{get}X-Nothing\r\n\r\n")),
        ("an old version", format!("GET {}\r\n\r\n", image("pub"))),
        ("a strange version", format!("GET {} HTTP/1.2\r\nHost: x\r\n\r\n", image("pub"))),
        (
            "a space in the target",
            "GET /iiif/3/pub /full/max/0/default.jpg HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        ),
    ] {
        let answer = raw(proxy.address, request.as_bytes()).await;
        let status = statuses(&answer);
        assert!(status == ["400"] || status == ["411"] || status == ["505"], "{shape}: {answer}");
        assert!(!answer.contains(PIXELS), "{shape}");
        assert_eq!(upstream.count(), 0, "{shape}");
    }
}

/// The body of a request that takes none does not become the image server's next request.
#[tokio::test]
async fn a_body_of_a_get_goes_nowhere() {
    let upstream = Upstream::new().await;
    let proxy = Proxy::before(&upstream).await;
    let hidden = hidden();
    let text = format!(
        "GET {} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{hidden}",
        image("pub"),
        hidden.len()
    );
    let answer = raw(proxy.address, text.as_bytes()).await;
    assert_eq!(statuses(&answer), ["200"], "{answer}");
    let asked = upstream.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].body.is_empty() && asked[0].folded("content-length").is_empty(), "{asked:?}");
}

/// Requests one behind the other are answered one by one; a wrong one ends it.
#[tokio::test]
async fn what_follows_a_wrong_request_is_not_read() {
    let upstream = Upstream::new().await;
    let proxy = Proxy::before(&upstream).await;
    let good = format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", image("pub"));
    let answer = raw(proxy.address, format!("{good}{good}").as_bytes()).await;
    assert_eq!(statuses(&answer), ["200", "200"]);
    let wrong = good.replacen("\r\n\r\n", "\nX: y\r\n\r\n", 1);
    let answer = raw(proxy.address, format!("{good}{wrong}{good}").as_bytes()).await;
    assert_eq!(statuses(&answer), ["200", "400"], "{answer}");
    assert_eq!(upstream.count(), 3);
}

/// A bare line feed does not bring a header in through a server in front that takes it for a value.
#[tokio::test]
async fn px_04_a_header_behind_a_bare_feed_is_none() {
    let upstream = Upstream::new().await;
    let config = config(upstream.address)
        .replace("kind = \"login\"", SINGLE_SIGN_ON)
        .replace("users_file = \"users\"", "");
    let proxy = Proxy::with(&config).await;
    let head = format!("GET {} HTTP/1.1\r\nHost: x\r\n", image("sec"));
    let honest = format!("{head}X-Remote-User: ada\r\nX-Remote-Groups: reader\r\n\r\n");
    assert_eq!(statuses(&raw(proxy.address, honest.as_bytes()).await), ["200"]);
    let smuggled = format!("{head}X-App: y\nX-Remote-User: ada\nX-Remote-Groups: reader\r\n\r\n");
    assert_eq!(statuses(&raw(proxy.address, smuggled.as_bytes()).await), ["400"]);
    assert_eq!(upstream.count(), 1);
}

const SINGLE_SIGN_ON: &str = "kind = \"single-sign-on\"\nuser_header = \"x-remote-user\"
roles_header = \"x-remote-groups\"\npeers = [\"127.0.0.1\"]\nevery_request = true";

/// HTTP/2 has no lengths in chunks and no `Connection`: such streams are errors.
#[tokio::test]
async fn http_2_with_forbidden_fields_is_refused() {
    let upstream = Upstream::new().await;
    let proxy = Proxy::before(&upstream).await;
    for (name, value) in [
        ("", ""),
        ("connection", "x-iiif-user"),
        ("transfer-encoding", "chunked"),
        ("keep-alive", "5"),
        ("proxy-connection", "x"),
        ("upgrade", "h2c"),
        ("te", "gzip"),
        ("X-Upper", "1"),
        ("a b", "1"),
        ("x", "a\r\nX-Remote-User: ada"),
        ("content-length", "5"),
    ] {
        let before = upstream.count();
        let fields = [(name, value)];
        let fields = if name.is_empty() { &[][..] } else { &fields };
        let answer = h2(proxy.address, "GET", &image("pub"), fields, None).await;
        let answered = answer.windows(PIXELS.len()).any(|bytes| bytes == PIXELS.as_bytes());
        assert_eq!(answered, name.is_empty(), "{name}: {value}");
        assert_eq!(upstream.count() - before, usize::from(name.is_empty()), "{name}: {value}");
    }
}

/// A length that two readers could read in two ways does not go on as two fields, and a body without one
/// does not go on in chunks.
#[tokio::test]
async fn http_2_lengths_have_one_reading() {
    let upstream = Upstream::new().await;
    let config = with_keys(&config(upstream.address), "public_paths = [\"/app/*\"]");
    let proxy = Proxy::with(&config).await;
    let length = "content-length";
    for (fields, granted) in [
        (&[(length, "5")][..], true),
        (&[], false),
        (&[(length, "5"), (length, "5")], false),
        (&[(length, "5"), (length, "50")], false),
        (&[(length, "50"), (length, "5")], false),
        (&[(length, "5, 5")], false),
        (&[(length, "+5")], false),
        (&[(length, "")], false),
        (&[(length, "3")], false),
        (&[(length, "9")], false),
    ] {
        let before = upstream.count();
        let answer = h2(proxy.address, "POST", "/app/x", fields, Some("hello")).await;
        let answered = answer.windows(PIXELS.len()).any(|bytes| bytes == PIXELS.as_bytes());
        assert_eq!(answered, granted, "{fields:?}");
        assert_eq!(upstream.count() - before, usize::from(granted), "{fields:?}");
        if granted {
            assert_eq!(&*upstream.last().body, b"hello", "{fields:?}");
        }
    }
}

/// What comes back for one request of HTTP/2 until that is answered.
async fn h2(
    address: SocketAddr,
    method: &str,
    path: &str,
    fields: &[(&str, &str)],
    body: Option<&str>,
) -> Vec<u8> {
    let frames = h2_request(method, path, fields, body);
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&frames).await.unwrap();
    let mut answer: Vec<u8> = Vec::new();
    let mut buffer = [0; 4096];
    let silence = Duration::from_secs(20);
    while !is_over(&answer) {
        match tokio::time::timeout(silence, stream.read(&mut buffer)).await {
            Ok(Ok(read @ 1..)) => answer.extend(&buffer[..read]),
            _ => break,
        }
    }
    answer
}

/// Whether the frames so far end the one stream, or the connection (RFC 9113 §4.1).
fn is_over(mut frames: &[u8]) -> bool {
    const RST_STREAM: u8 = 3;
    const GOAWAY: u8 = 7;
    const END_STREAM: u8 = 1;
    while let [a, b, c, kind, flags, rest @ ..] = frames {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        let Some(payload) = rest.get(4..) else { return false };
        if payload.len() < length {
            return false;
        }
        let ends = matches!(kind, 0 | 1) && flags & END_STREAM != 0;
        if ends || matches!(*kind, RST_STREAM | GOAWAY) {
            return true;
        }
        frames = &payload[length..];
    }
    false
}

/// A connection's beginning with one request, whose headers are written without compression.
fn h2_request(method: &str, path: &str, fields: &[(&str, &str)], body: Option<&str>) -> Vec<u8> {
    let literal = |name: &str, value: &str| {
        let mut field = vec![0];
        for text in [name, value] {
            field.push(u8::try_from(text.len()).unwrap());
            field.extend(text.as_bytes());
        }
        field
    };
    let mut block = Vec::new();
    let pseudo = [(":method", method), (":scheme", "http"), (":authority", "x"), (":path", path)];
    for (name, value) in pseudo.iter().chain(fields) {
        block.extend(literal(name, value));
    }
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    bytes.extend(&u32::try_from(block.len()).unwrap().to_be_bytes()[1..]);
    // HEADERS with END_HEADERS and, if nothing follows, END_STREAM, on stream 1.
    bytes.extend([1, if body.is_some() { 4 } else { 5 }, 0, 0, 0, 1]);
    bytes.extend(block);
    if let Some(body) = body {
        bytes.extend(&u32::try_from(body.len()).unwrap().to_be_bytes()[1..]);
        // DATA with END_STREAM.
        bytes.extend([0, 1, 0, 0, 0, 1]);
        bytes.extend(body.as_bytes());
    }
    bytes
}
