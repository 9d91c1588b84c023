//! Nothing goes wrong in silence: whatever is refused, not passed on, not described or not measured has a
//! line that says why, once a path.

use std::net::SocketAddr;

use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::program::{Program, command};
use crate::redis_server::free_port;
use crate::support::{config, folder, raw, request, with_keys};

const INFO: &str = r#"{"@context":"http://iiif.io/api/image/3/context.json","id":"https://iiif.example/iiif/3/ID","type":"ImageService3","width":90,"height":60}"#;

fn whole(head: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// What the image server answers for an identifier, description or tile.
fn answer(id: &str) -> Vec<u8> {
    let json = "Content-Type: application/json\r\n";
    let info = INFO.replace("ID", id);
    match id {
        "sec-inside" => b"HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/x\r\nContent-Length: 0\r\n\r\n".to_vec(),
        "sec-loop" => b"HTTP/1.1 302 Found\r\nLocation: /iiif/3/sec-loop/info.json\r\nContent-Length: 0\r\n\r\n".to_vec(),
        "sec-nowhere" => b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
        "sec-absent" => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
        "sec-broken" => b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n".to_vec(),
        "sec-sizeless" => whole(json, &info.replace("\"width\":90,", "")),
        "sec-strange" => whole(json, &info.replace("90", "\"wide\"")),
        "sec-page" => whole("Content-Type: text/html\r\n", "<html>Please log in</html>"),
        "sec-empty" => whole(json, ""),
        "sec-list" => whole(json, "[]"),
        "sec-cut" => format!("HTTP/1.1 200 OK\r\n{json}Content-Length: 999\r\n\r\n{info}").into_bytes(),
        "sec-half" => whole(json, &info[..40]),
        "sec-large" => whole(json, &format!("{info}{}", " ".repeat(2 << 20))),
        "sec-gzip" => {
            let head = format!("HTTP/1.1 200 OK\r\n{json}Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n");
            [head.as_bytes(), &[0x1f, 0x8b, 8, 0]].concat()
        }
        "sec-brotli" => whole(&format!("{json}Content-Encoding: br\r\n"), "x"),
        "sec-other" => whole(json, &info.replace("sec-other", "another")),
        "sec-partial" => whole(json, &info).replacen("200 OK", "206 Partial Content"),
        "sec-cookie" => whole(&format!("{json}Set-Cookie: __Host-iiif=x\r\n"), &info),
        "sec-two" => whole(&format!("{json}Content-Length: 5\r\n"), &info),
        _ => whole(json, &info),
    }
}

trait Replacen {
    fn replacen(self, from: &str, to: &str) -> Self;
}

impl Replacen for Vec<u8> {
    fn replacen(self, from: &str, to: &str) -> Self {
        String::from_utf8(self).unwrap().replacen(from, to, 1).into_bytes()
    }
}

async fn odd() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

/// One answer a connection.
async fn serve(mut stream: TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let id = head.split('/').nth(3).unwrap_or_default().to_owned();
    let text = answer(&id);
    drop(stream.write_all(&text).await);
    drop(stream.shutdown().await);
}

/// A program before an image server with odd answers.
async fn started(keys: &str, more: &str) -> Program {
    let (folder, port) = (folder(), free_port());
    let text = config(odd().await).replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
    let text = text.replace("allow = [\"reader\"]", "allow = [\"reader\"]\nmax_unauthorized = 100");
    std::fs::write(folder.join("proxy.toml"), with_keys(&text, keys) + more).unwrap();
    Program::start(command(&folder), port).await
}

/// The lines of a log that have all of these words.
fn lines<'l>(log: &'l str, words: &[&str]) -> Vec<&'l str> {
    log.lines().filter(|line| words.iter().all(|word| line.contains(word))).collect()
}

/// Of what the image server answers for a description.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_odd_description_has_a_line() {
    let iip = "\n[[base]]\npath = \"/iip\"\nupstream_path = \"/iiif/3\"\ndialect = \"iipimage\"\n";
    let program = started("longest_info = 1048576\n", iip).await;
    let cases = [
        ("/iiif/3", "sec-inside", "leads to a place inside"),
        ("/iiif/3", "sec-broken", "answers with an error"),
        ("/iiif/3", "sec-page", "could not be described"),
        ("/iiif/3", "sec-empty", "could not be described"),
        ("/iiif/3", "sec-list", "could not be described"),
        ("/iiif/3", "sec-cut", "could not be described"),
        ("/iiif/3", "sec-half", "could not be described"),
        ("/iiif/3", "sec-large", "could not be described"),
        ("/iiif/3", "sec-gzip", "could not be described"),
        ("/iiif/3", "sec-brotli", "could not be described"),
        ("/iiif/3", "sec-other", "the id is not the URI"),
        ("/iiif/3", "sec-partial", "could not be described"),
        ("/iiif/3", "sec-nowhere", "could not be described"),
        ("/iiif/3", "sec-cookie", "under a name of the proxy's"),
        ("/iiif/3", "sec-two", "gave no answer"),
        ("/iip", "sec-fine", "does not name the X-IIIF-ID"),
        ("/iip", "sec-large", "longer than 1 MiB"),
        ("/iip", "sec-cut", "broke off"),
        ("/iip", "sec-gzip", "compressed although"),
    ];
    for _ in 0..3 {
        for (base, id, _) in cases {
            let path = format!("{base}/{id}/info.json");
            request(program.address, Method::GET, &path, &[], "").await;
        }
    }
    let log = program.stop();
    for (base, id, said) in cases {
        let found = lines(&log, &[&format!("{base}/{id}/info.json"), said]);
        assert_eq!(found.len(), 1, "{base}/{id}: {said}\n{log}");
    }
}

/// Of a size that is not to be had.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_size_that_is_not_to_be_had_has_a_line() {
    let program = started("", "").await;
    let cases = [
        ("sec-absent", "info.json is 404"),
        ("sec-broken", "info.json is 500"),
        ("sec-inside", "a redirect to another server"),
        ("sec-nowhere", "a redirect to nowhere"),
        ("sec-loop", "a redirect too often"),
        ("sec-sizeless", "has no width and height"),
        ("sec-strange", "no whole number"),
        ("sec-page", "is no JSON"),
        ("sec-empty", "breaks off"),
        ("sec-half", "breaks off"),
        ("sec-cut", "broke off"),
        ("sec-large", "longer than 1 MiB"),
        ("sec-gzip", "compressed although"),
    ];
    for _ in 0..3 {
        for (id, _) in cases {
            let path = format!("/iiif/3/{id}/full/90,/0/default.jpg");
            let answer = request(program.address, Method::GET, &path, &[], "").await;
            assert_eq!(answer.status, 401, "{id}");
        }
    }
    let log = program.stop();
    for (id, said) in cases {
        let found = lines(&log, &[&format!("/iiif/3/{id}\""), "size is not known", said]);
        assert_eq!(found.len(), 1, "{id}: {said}\n{log}");
    }
}

/// Of what the proxy refuses, whoever asks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_has_a_line() {
    let program = started("public_paths = [\"/app/*\"]", "").await;
    let get = |path: &str, fields: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n{fields}\r\n");
    let post = "POST /app/x HTTP/1.1\r\nHost: x\r\n";
    let cases = [
        (get("/unknown", ""), "404", &["path=\"/unknown\"", "unknown_path"][..]),
        (get("/app/a;b", ""), "400", &["/app/a;b", "ambiguous_path"]),
        (get("/iiif/3/sec/../x", ""), "400", &["/iiif/3/sec/../x", "ambiguous_path"]),
        (get("/iiif/3/none/full/max/0/default.jpg", ""), "403", &["/iiif/3/none", "forbidden"]),
        (get("/auth/unknown", ""), "404", &["/auth/unknown", "unknown_path"]),
        (
            get("/app/worker.js", "Service-Worker: script\r\n"),
            "403",
            &["/app/worker.js", "service worker"],
        ),
        (
            get("/iiif/3/sec/info.json", "").replace("GET", "DELETE"),
            "405",
            &["sec/info.json", "method"],
        ),
        (get("/app/trace", "").replace("GET", "TRACE"), "405", &["/app/trace", "method"]),
        (
            format!("{post}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            "411",
            &["/app/x", "without a length"],
        ),
        (get("/", "X: a\nY: b\r\n"), "400", &["line feed without"]),
        (get("/", "Host: y\r\n"), "400", &["no Host, or two"]),
        (get("/", "X : y\r\n"), "400", &["a header without a name"]),
        (get("/", &format!("X: {}\r\n", "a".repeat(80_000))), "4", &["too long"]),
        ("\u{16}\u{3}\u{1}\u{2}".to_owned() + "\r\n\r\n", "400", &["peer=127.0.0.1", "HTTP"]),
    ];
    for _ in 0..2 {
        for (text, status, _) in &cases {
            let answer = raw(
                program.address,
                text.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n").as_bytes(),
            )
            .await;
            let expected = format!("HTTP/1.1 {status}");
            assert!(answer.starts_with(&expected), "{text:.60}: {answer:.200}");
        }
    }
    let log = program.stop();
    for (text, _, words) in cases {
        assert_eq!(lines(&log, words).len(), 1, "{text:.60}: {words:?}\n{log}");
    }
}

/// Of an image server that is not there, with its address; again when it was there meanwhile, but not for
/// each request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_has_a_line() {
    let (folder, port, nobody) = (folder(), free_port(), free_port());
    let upstream = SocketAddr::from(([127, 0, 0, 1], nobody));
    let text = config(upstream).replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
    std::fs::write(folder.join("proxy.toml"), text).unwrap();
    let program = Program::start(command(&folder), port).await;
    for _ in 0..5 {
        for id in ["pub1", "pub2"] {
            let path = format!("/iiif/3/{id}/full/max/0/default.jpg");
            assert_eq!(request(program.address, Method::GET, &path, &[], "").await.status, 502);
        }
    }
    let log = program.stop();
    for id in ["pub1", "pub2"] {
        let words = [id, "gave no answer", &format!("127.0.0.1:{nobody}"), "refused"];
        assert_eq!(lines(&log, &words).len(), 1, "{log}");
    }
}
