//! Heads of requests that are unusual and not wrong, or wrong where nobody looks: targets, hosts, names.

use std::time::Duration;

use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{
    PIXELS, Proxy, SITE, Upstream, config, image, raw, request, statuses, with_keys,
};

async fn public(upstream: &Upstream) -> Proxy {
    Proxy::with(&with_keys(&config(upstream.address), "public_paths = [\"/app/*\"]")).await
}

/// PX-01, PA-06: whatever form the target has and whatever host it names, the path is what is decided on,
/// and the image server is asked for it under its own name.
#[tokio::test]
async fn px_01_targets_and_hosts() {
    let upstream = Upstream::new().await;
    let proxy = public(&upstream).await;
    let (open, closed) = (image("pub"), image("sec"));
    for (line, hosts, status) in [
        (format!("GET {SITE}{open}"), "iiif.example", "200"),
        (format!("GET http://evil.example{open}"), "other.example", "200"),
        (format!("GET http://a:b@evil.example{open}"), "x", "200"),
        (format!("GET {open}"), "", "200"),
        (format!("GET {open}"), "evil.example/../x", "200"),
        (format!("GET {SITE}{closed}"), "iiif.example", "401"),
        (format!("GET http://evil.example{closed}"), "evil.example", "401"),
        (format!("GET http://pub{closed}"), "pub", "401"),
        (format!("GET http:{open}"), "x", "400"),
        (format!("GET //evil.example{open}"), "x", "400"),
        (format!("GET ///{open}"), "x", "400"),
        ("GET /app//evil.example/x".to_owned(), "x", "400"),
        ("GET http://evil.example".to_owned(), "x", "404"),
        ("GET *".to_owned(), "x", "404"),
        ("OPTIONS *".to_owned(), "x", "404"),
        ("GET evil.example:80".to_owned(), "x", "400"),
        ("CONNECT evil.example:80".to_owned(), "evil.example:80", "405"),
        ("GET /app/..;/iiif/3/sec".to_owned(), "x", "400"),
        ("GET /app/x\\..\\..\\iiif".to_owned(), "x", "400"),
        ("GET /iiif/3/pub%5c..%5csec/full/max/0/default.jpg".to_owned(), "x", "400"),
    ] {
        let before = upstream.count();
        let text = format!("{line} HTTP/1.1\r\nHost: {hosts}\r\nConnection: close\r\n\r\n");
        let answer = raw(proxy.address, text.as_bytes()).await;
        assert_eq!(statuses(&answer), [status], "{line}: {answer}");
        assert_eq!(upstream.count() - before, usize::from(status == "200"), "{line}");
        if status == "200" {
            let asked = upstream.last();
            assert_eq!(asked.target, open, "{line}");
            assert_eq!(asked.folded("host"), [upstream.address.to_string()], "{line}");
            assert_eq!(asked.folded("x-iiif-id"), [format!("{SITE}/iiif/3/pub")], "{line}");
            assert_eq!(asked.folded("x-forwarded-host"), ["iiif.example"], "{line}");
        }
    }
}

/// What is no URI is none in `X-IIIF-ID` either: image servers write it into JSON.
#[tokio::test]
async fn the_public_uri_is_one() {
    let upstream = Upstream::new().await;
    let proxy = public(&upstream).await;
    let line = "GET /iiif/3/pub\",\"x\":\"{|}/info.json";
    let text = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let answer = raw(proxy.address, text.as_bytes()).await;
    assert_eq!(statuses(&answer), ["200"], "{answer}");
    let id = format!("{SITE}/iiif/3/pub%22%2C%22x%22:%22%7B%7C%7D");
    assert_eq!(upstream.last().folded("x-iiif-id"), [id]);
}

/// PX-04: a name that WSGI, PHP or a gateway folds into another does not go on, whatever it is.
#[tokio::test]
async fn px_04_names_that_fold_into_others() {
    let upstream = Upstream::new().await;
    let proxy = public(&upstream).await;
    for name in [
        "Content_Length",
        "Transfer_Encoding",
        "Content_Type",
        "If_None_Match",
        "X_IIIF_User",
        "X.IIIF.User",
        "X~IIIF~User",
        "Remote_User",
        "C_ookie",
        "Host_",
        "X_Anything",
        "X'Anything",
    ] {
        let text = format!(
            "POST /app/x HTTP/1.1\r\nHost: x\r\n{name}: 99\r\nContent-Length: 5\r\n\
             X-Plain: 1\r\nConnection: close\r\n\r\nhello"
        );
        assert_eq!(statuses(&raw(proxy.address, text.as_bytes()).await), ["200"], "{name}");
        let asked = upstream.last();
        let told = format!("{:?}", asked.headers);
        assert!(!told.contains("99"), "{name}: {told}");
        assert_eq!((asked.folded("x-plain").len(), &*asked.body), (1, &b"hello"[..]), "{name}");
    }
}

/// PX-04: `Connection` takes out what a client sends, and nothing that the proxy says or that ends a body.
#[tokio::test]
async fn px_04_connection_takes_nothing_of_ours() {
    let upstream = Upstream::new().await;
    let proxy = public(&upstream).await;
    for nominated in [
        "content-length",
        "close, Content-Length",
        "host, x-forwarded-for, x-forwarded-host, x-forwarded-proto",
        "x-iiif-user, transfer-encoding, te",
        "keep-alive, upgrade, , ;",
    ] {
        let text = format!(
            "POST /app/x HTTP/1.1\r\nHost: x\r\nConnection: {nominated}\r\nX-IIIF-User: admin\r\n\
             TE: trailers\r\nTrailer: X-A\r\nContent-Length: 5\r\n\r\nhello"
        );
        let answer = raw(proxy.address, text.as_bytes()).await;
        assert_eq!(statuses(&answer), ["200"], "{nominated}: {answer}");
        let asked = upstream.last();
        assert_eq!(&*asked.body, b"hello", "{nominated}");
        assert_eq!(asked.folded("content-length"), ["5"], "{nominated}");
        assert_eq!(asked.folded("host"), [upstream.address.to_string()], "{nominated}");
        assert_eq!(asked.folded("x-forwarded-for"), ["127.0.0.1"], "{nominated}");
        for gone in ["transfer-encoding", "x-iiif-user", "te", "trailer", "connection"] {
            assert_eq!(asked.folded(gone), [""; 0], "{nominated}");
        }
    }
}

/// `Expect` is answered here, and once; a body that is waited for is not taken from the next request.
#[tokio::test]
async fn expectations_are_answered_here() {
    let upstream = Upstream::new().await;
    let proxy = public(&upstream).await;
    let post =
        "POST /app/x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(post.as_bytes()).await.unwrap();
    let mut told = [0; 25];
    stream.read_exact(&mut told).await.unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"hello").await.unwrap();
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 200");
    let asked = upstream.last();
    assert_eq!((asked.folded("expect").len(), &*asked.body), (0, &b"hello"[..]));

    // Refused before it is asked for: the body is not waited for, and not taken for a request.
    let denied = post.replace("/app/x", &image("sec"));
    let hidden = format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", image("pub"));
    let before = upstream.count();
    let answer = raw(proxy.address, format!("{denied}{hidden}").as_bytes()).await;
    assert!(statuses(&answer)[0] == "401" && !answer.contains(PIXELS), "{answer}");
    assert_eq!(upstream.count(), before);
}

/// Long heads are refused, and what is not refused arrives whole.
#[tokio::test]
async fn long_heads() {
    let upstream = Upstream::new().await;
    let proxy = public(&upstream).await;
    let lines = |count: usize| "X-Line: a\r\n".repeat(count);
    for (target, fields, status) in [
        ("/app/x".to_owned(), format!("X-Long: {}\r\n", "a".repeat(20_000)), "200"),
        ("/app/x".to_owned(), format!("X-Long: {}\r\n", "a".repeat(40_000)), "431"),
        ("/app/x".to_owned(), lines(90), "200"),
        ("/app/x".to_owned(), lines(200), "431"),
        (format!("/app/{}", "a".repeat(20_000)), String::new(), "200"),
        (format!("/app/{}", "a".repeat(70_000)), String::new(), "431"),
    ] {
        let text = format!("GET {target} HTTP/1.1\r\nHost: x\r\n{fields}Connection: close\r\n\r\n");
        let answer = raw(proxy.address, text.as_bytes()).await;
        let length = text.len();
        assert!(statuses(&answer) == [status], "{length}: {answer:.200}");
        if status == "200" {
            let asked = upstream.last();
            assert_eq!(asked.target, target);
            let sent: usize = fields.matches("\r\n").count();
            assert_eq!(asked.folded("x-line").len() + asked.folded("x-long").len(), sent);
        }
    }
}

/// An upload that breaks off never looks complete, and one that is answered early ends the connection.
#[tokio::test]
async fn uploads_that_break_off() {
    let upstream = Upstream::new().await;
    let proxy = public(&upstream).await;
    let post = "POST /app/x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhel";
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(post.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(stream);
    let answer = request(proxy.address, Method::POST, "/app/y", &[], "whole").await;
    assert_eq!(answer.status, 200);
    let bodies: Vec<_> = upstream.asked().into_iter().map(|asked| asked.body).collect();
    assert_eq!(bodies, ["whole"], "the other one never ended");
}
