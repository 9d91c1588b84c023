//! Answers of an image server that two readers could read in two ways, that say more than was asked, or
//! lead to where nobody can go: written byte by byte.

use std::net::SocketAddr;

use http::{Request, Version};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{PIXELS, Proxy, config, image, raw, statuses};

/// What nobody may get.
const EVIL: &str = "HTTP/1.1 200 OK\r\nX-Evil: 1\r\nContent-Length: 4\r\n\r\nEVIL";

/// An image server that writes this once for each request, keeps the connection, and is right about
/// `pub-next`.
async fn answering(answer: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while let Ok(byte) = stream.read_u8().await {
                    head.push(byte);
                    if !head.ends_with(b"\r\n\r\n") {
                        continue;
                    }
                    let next = head.windows(8).any(|bytes| bytes == b"pub-next");
                    head.clear();
                    let right = format!("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{PIXELS}");
                    let answer = if next { &right } else { &answer };
                    let _ = stream.write_all(answer.as_bytes()).await;
                    if answer.starts_with("HTTP/1.0") {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn get(identifier: &str) -> String {
    format!("GET {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", image(identifier))
}

/// Nothing of one answer becomes another's, and what can be read in two ways is nobody's.
#[tokio::test]
async fn an_answer_has_one_reading_or_none() {
    let ok = format!("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{PIXELS}");
    let chunked = format!("a\r\n{PIXELS}\r\n0\r\n\r\n");
    let length = EVIL.len();
    let cases = [
        ("a right one", ok.clone(), "200"),
        ("two", format!("{ok}{EVIL}"), "200"),
        ("100 before it", format!("HTTP/1.1 100 Continue\r\n\r\n{ok}"), "200"),
        (
            "hints before it",
            format!("HTTP/1.1 103 Early Hints\r\nSet-Cookie: __Host-iiif=x\r\n\r\n{ok}"),
            "200",
        ),
        ("fifty before it", "HTTP/1.1 102 Processing\r\n\r\n".repeat(50) + &ok, "200"),
        (
            "304 and a body",
            format!("HTTP/1.1 304 N\r\nContent-Length: {length}\r\n\r\n{EVIL}"),
            "304",
        ),
        (
            "204 and a body",
            format!("HTTP/1.1 204 N\r\nContent-Length: {length}\r\n\r\n{EVIL}"),
            "204",
        ),
        (
            "a length and chunks",
            format!(
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}"
            ),
            "502",
        ),
        (
            "chunks and a length",
            format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 30\r\n\r\n{chunked}"
            ),
            "502",
        ),
        (
            "another coding",
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n{chunked}"),
            "502",
        ),
        (
            "chunks twice",
            format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}"
            ),
            "502",
        ),
        (
            "a strange coding",
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n{chunked}"),
            "502",
        ),
        (
            "two lengths",
            format!("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 10\r\n\r\n{PIXELS}"),
            "502",
        ),
        (
            "a space before the colon",
            format!("HTTP/1.1 200 OK\r\nContent-Length : 10\r\n\r\n{PIXELS}"),
            "502",
        ),
        (
            "a zero",
            format!("HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 10\r\n\r\n{PIXELS}"),
            "502",
        ),
        (
            "a bare return",
            format!(
                "HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b=1\r\nContent-Length: 10\r\n\r\n{PIXELS}"
            ),
            "502",
        ),
        ("a long head", format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(100_000)), "502"),
        ("a long list", format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: a\r\n".repeat(300)), "502"),
        ("no version", "hello\r\n\r\n".to_owned(), "502"),
    ];
    for (shape, answer, status) in cases {
        let proxy = Proxy::with(&config(answering(answer).await)).await;
        let answer = raw(proxy.address, get("pub").as_bytes()).await;
        assert_eq!(statuses(&answer), [status], "{shape}: {answer}");
        assert!(!answer.contains("EVIL") && !answer.contains("iiif=x"), "{shape}: {answer}");
        for _ in 0..3 {
            let next = raw(proxy.address, get("pub-next").as_bytes()).await;
            assert!(next.ends_with(PIXELS) && !next.contains("X-Evil"), "{shape}: {next}");
        }
    }
    // What comes behind the head of an answer to HEAD is no answer either.
    let body = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{EVIL}");
    let proxy = Proxy::with(&config(answering(body).await)).await;
    let head = get("pub").replacen("GET", "HEAD", 1);
    assert_eq!(statuses(&raw(proxy.address, head.as_bytes()).await), ["200"]);
    let next = raw(proxy.address, get("pub-next").as_bytes()).await;
    assert!(next.ends_with(PIXELS), "{next}");
}

/// A version is one connection's own: that of the image server's does not end the client's.
#[tokio::test]
async fn an_older_image_server_is_answered_for_in_1_1() {
    let server = answering(format!("HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\n{PIXELS}"));
    let proxy = Proxy::with(&config(server.await)).await;
    let kept = get("pub").replace("Connection: close\r\n", "");
    let answers = raw(proxy.address, format!("{kept}{}", get("pub")).as_bytes()).await;
    assert_eq!(statuses(&answers), ["200", "200"], "{answers}");
    // Its end is no length: in chunks it is seen whether all of it came.
    let server = answering(format!("HTTP/1.0 200 OK\r\n\r\n{PIXELS}"));
    let proxy = Proxy::with(&config(server.await)).await;
    let answer = raw(proxy.address, get("pub").as_bytes()).await;
    assert!(
        answer.contains("transfer-encoding: chunked") && answer.ends_with("\r\n0\r\n\r\n"),
        "{answer}"
    );
}

/// PX-05: what was taken out of the head does not come in behind the body, in either version.
#[tokio::test]
async fn px_05_trailers_stay_behind() {
    let server = answering(format!(
        "HTTP/1.1 200 OK\r\nTrailer: Set-Cookie, X-Accel-Redirect\r\nTransfer-Encoding: chunked\r\n\r\n\
         a\r\n{PIXELS}\r\n0\r\nSet-Cookie: __Host-iiif=x\r\nX-Accel-Redirect: /etc\r\n\r\n"
    ));
    let proxy = Proxy::with(&config(server.await)).await;
    let text = get("pub").replace("Connection: close", "TE: trailers\r\nConnection: TE, close");
    let answer = raw(proxy.address, text.as_bytes()).await;
    assert!(answer.ends_with("\r\n0\r\n\r\n") && !answer.contains("iiif=x"), "{answer}");

    let client =
        Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Full<bytes::Bytes>>();
    let uri = format!("http://{}{}", proxy.address, image("pub"));
    let request = Request::get(uri).version(Version::HTTP_2).header("te", "trailers");
    let answer = client.request(request.body(Full::default()).unwrap()).await.unwrap();
    assert_eq!((answer.version(), answer.status().as_u16()), (Version::HTTP_2, 200));
    let body = answer.into_body().collect().await.unwrap();
    assert!(body.trailers().is_none(), "{:?}", body.trailers());
    assert_eq!(body.to_bytes(), PIXELS);
}
