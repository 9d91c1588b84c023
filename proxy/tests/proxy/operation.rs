//! What operators ask, and what they read when nothing is wrong.

use std::time::{Duration, Instant};

use http::Method;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::program::{Program, command};
use crate::redis_server::{RedisServer, free_port};
use crate::support::{
    PIXELS, Proxy, Upstream, config, folder, image, raw, request, statuses, with_keys,
};

const ADMIN: &str = "[admin]\nlisten = \"127.0.0.1:0\"\n";

/// It lives whatever is wrong with others; it is ready when store and image server answer.
#[tokio::test]
async fn ready_means_that_store_and_image_server_answer() {
    let upstream = Upstream::new().await;
    let text = format!("{}{ADMIN}", config(upstream.address));
    let proxy = Proxy::with(&text).await;
    let admin = proxy.admin.unwrap();
    let ready = request(admin, Method::GET, "/readyz", &[], "").await;
    let expected = format!("store: ok\nupstream http://{}: ok\n", upstream.address);
    assert_eq!((ready.status.as_u16(), ready.text()), (200, expected));
    for path in ["/livez", "/healthz"] {
        assert_eq!(request(admin, Method::GET, path, &[], "").await.text(), "ok\n");
    }
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(proxy.get(path, &[]).await.status, 404, "not where browsers ask");
        assert_eq!(request(admin, Method::POST, path, &[], "").await.status, 404);
    }

    let gone = Proxy::with(&format!("{}{ADMIN}", config("127.0.0.1:1".parse().unwrap()))).await;
    let ready = request(gone.admin.unwrap(), Method::GET, "/readyz", &[], "").await;
    assert!(ready.status == 503 && ready.text().contains("127.0.0.1:1: "), "{}", ready.text());
    assert_eq!(request(gone.admin.unwrap(), Method::GET, "/livez", &[], "").await.status, 200);
}

/// With a path of its own the image server says itself how it is.
#[tokio::test]
async fn an_image_server_says_how_it_is() {
    for (status, ready) in [(200, 200), (404, 200), (500, 503), (503, 503)] {
        let upstream = Upstream::answering(move |asked| {
            let status = if asked.target == "/health" { status } else { 200 };
            http::Response::builder().status(status).body(PIXELS.into()).unwrap()
        })
        .await;
        let text = config(upstream.address).replace(
            "[[base]]\npath = \"/iiif/3\"",
            "health_path = \"/health\"\n[[base]]\npath = \"/iiif/3\"",
        );
        let proxy = Proxy::with(&format!("{text}{ADMIN}")).await;
        let answer = request(proxy.admin.unwrap(), Method::GET, "/readyz", &[], "").await;
        assert_eq!(answer.status, ready, "{status}: {}", answer.text());
    }
}

/// RE-01: a store that is gone makes it unready, and one that is back makes it ready again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn re_01_a_store_that_is_gone_is_told() {
    let mut server = RedisServer::start("");
    let upstream = Upstream::new().await;
    let store = format!(
        "[store]\nurl = \"redis://127.0.0.1:{}\"\ntimeout = \"500ms\"\n{ADMIN}",
        server.port()
    );
    let proxy = Proxy::with(&format!("{}{store}", config(upstream.address))).await;
    let ready = || request(proxy.admin.unwrap(), Method::GET, "/readyz", &[], "");
    assert_eq!(ready().await.status, 200);
    server.kill();
    let gone = ready().await;
    assert!(gone.status == 503 && !gone.text().contains("store: ok"), "{}", gone.text());
    server.begin();
    let back = Instant::now();
    while ready().await.status != 200 {
        assert!(back.elapsed() < Duration::from_secs(5), "it is not found again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// SIGTERM: `/readyz` says it first, connections are still taken for `shutdown_delay`, and what is begun
/// comes to its end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_drains() {
    let upstream = Upstream::new().await;
    let keys = "shutdown_delay = \"1s\"";
    let text = with_keys(&format!("{}{ADMIN}", config(upstream.address)), keys);
    let mut proxy = Proxy::with(&text).await;
    let mut begun = TcpStream::connect(proxy.address).await.unwrap();
    begun.write_all(b"GET ").await.unwrap();
    proxy.stop();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let ready = request(proxy.admin.unwrap(), Method::GET, "/readyz", &[], "").await;
    assert!(ready.status == 503 && ready.text().contains("it is stopping"), "{}", ready.text());
    assert_eq!(proxy.get(&image("pub"), &[]).await.text(), PIXELS);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let refused = TcpStream::connect(proxy.address).await.is_err();
    assert!(refused, "nothing is taken any more");
    drop(begun);
    tokio::time::timeout(Duration::from_secs(5), proxy.ended.take().unwrap())
        .await
        .unwrap()
        .unwrap();
}

/// A tile writes nothing by default, and a refusal one line for all tiles of a picture.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tile_writes_nothing_and_a_refusal_one_line() {
    const TILES: usize = 50;
    let upstream = Upstream::new().await;
    let folder = folder();
    let port = free_port();
    let text = config(upstream.address).replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
    std::fs::write(folder.join("proxy.toml"), text).unwrap();
    let program = Program::start(command(&folder), port).await;
    let proxy = Proxy::at(program.address);
    let cookie = proxy.log_in("ada").await;
    for tile in 0..TILES {
        let path = |id: &str| format!("/iiif/3/{id}/{tile},0,512,512/512,/0/default.jpg");
        assert_eq!(proxy.get(&path("pub"), &[]).await.status, 200);
        assert_eq!(proxy.get(&path("sec"), &[("cookie", &cookie)]).await.status, 200);
        assert_eq!(proxy.get(&path("sec"), &[]).await.status, 401);
        assert_eq!(proxy.get(&path("unknown"), &[]).await.status, 403);
    }
    assert_eq!(proxy.get("/iiif/3/a%2F..%2Fb/full/max/0/default.jpg", &[]).await.status, 400);
    let log = program.stop();
    assert!(!log.contains('\u{1b}'), "no colours: {log}");
    let lines = |word: &str| log.lines().filter(|line| line.contains(word)).count();
    assert_eq!(lines("/iiif/3/pub"), 0, "{log}");
    assert_eq!((lines("/iiif/3/sec"), lines("/iiif/3/unknown")), (1, 1), "{log}");
    assert_eq!(lines("ambiguous_path"), 1, "{log}");
    assert!(log.len() < TILES * 100, "{} bytes:\n{log}", log.len());
}

/// `access` writes a line for each request, at any level of the filter, or none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_for_each_request_is_had_by_choice() {
    for (keys, expected) in [
        ("", 0),
        ("access = true", 2),
        ("access = true\nformat = \"json\"", 2),
        ("access = false\nfilter = \"debug\"", 0),
        ("filter = \"info,access=debug\"", 2),
    ] {
        let upstream = Upstream::new().await;
        let folder = folder();
        let port = free_port();
        let text = config(upstream.address).replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
        std::fs::write(folder.join("proxy.toml"), format!("{text}[log]\n{keys}\n")).unwrap();
        let program = Program::start(command(&folder), port).await;
        for _ in 0..2 {
            request(program.address, Method::GET, &image("pub"), &[], "").await;
        }
        let log = program.stop();
        let lines: Vec<_> = log.lines().filter(|line| line.contains("milliseconds")).collect();
        assert_eq!(lines.len(), expected, "{keys}: {log}");
        if keys.contains("json") {
            let line: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
            assert_eq!(
                (line["status"].as_u64(), line["target"].as_str()),
                (Some(200), Some("access"))
            );
        }
    }
}

/// A client that takes nothing of an answer is let go, with what is held for it.
#[tokio::test]
async fn a_client_that_takes_nothing_is_let_go() {
    let large = "x".repeat(64 << 20);
    let upstream = Upstream::answering(move |_| http::Response::new(large.clone().into())).await;
    let text = config(upstream.address);
    let mut proxy = Proxy::with(&with_keys(&text, "write_timeout = \"1s\"")).await;
    let mut stalled = TcpStream::connect(proxy.address).await.unwrap();
    let head = format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", image("pub"));
    stalled.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    // With shutdown_timeout of 30 s it would stay for as long.
    proxy.stop();
    let ended = proxy.ended.take().unwrap();
    tokio::time::timeout(Duration::from_secs(15), ended).await.expect("it was let go").unwrap();
}

/// Whatever limit a client can meet has its status, as the guide's page of limits says.
#[tokio::test]
async fn every_limit_has_its_status() {
    let upstream = Upstream::new().await;
    let proxy = Proxy::before(&upstream).await;
    let get = |rest: &str| format!("GET {rest}\r\nHost: x\r\nConnection: close\r\n\r\n");
    let header = |name: &str, length: usize| format!("{name}: {}\r\n", "x".repeat(length));
    let path = image("pub");
    let many = (0..101).map(|n| format!("x-{n}: y\r\n")).collect::<Vec<_>>().concat();
    let form = |length: usize| {
        format!(
            "POST /auth/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{}",
            "x".repeat(length)
        )
    };
    for (text, status) in [
        (get(&format!("{path} HTTP/1.1")), "200"),
        (get(&format!("{path} HTTP/1.1\r\n{}", header("x", 20 << 10).trim_end())), "200"),
        (get(&format!("{path} HTTP/1.1\r\n{}", header("x", 40 << 10).trim_end())), "431"),
        (get(&format!("{path} HTTP/1.1\r\n{}", many.trim_end())), "431"),
        (get(&format!("{} HTTP/1.1", image(&"p".repeat(1024)))), "403"),
        (get(&format!("{} HTTP/1.1", image(&"p".repeat(1025)))), "400"),
        (form(9 << 10), "400"),
        (get(&format!("{path} HTTP/1.1\r\nTransfer-Encoding: chunked")), "411"),
        (get(&format!("{path} HTTP/2.5")), "400"),
    ] {
        let answer = raw(proxy.address, text.as_bytes()).await;
        let line = text.lines().next().unwrap().chars().take(80).collect::<String>();
        assert_eq!(statuses(&answer), [status], "{line} {}", text.len());
    }
}
