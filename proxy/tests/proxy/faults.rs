//! An image server that is down, slow or half-open.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;

use crate::support::{PIXELS, Proxy, Upstream, config, image, statuses};

/// An image server whose behaviour stands in the identifier.
async fn faulty() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

async fn serve(mut stream: TcpStream) {
    while let Some(head) = head(&mut stream).await {
        let behaviour = head.split('/').nth(3).unwrap_or_default().to_owned();
        let answer = match &*behaviour {
            "pub-silent" | "pub-closes" => String::new(),
            "pub-half-head" => "HTTP/1.1 200 OK\r\nContent-".to_owned(),
            "pub-stalls" | "pub-breaks-off" => {
                format!("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{PIXELS}")
            }
            "pub-stalls-chunked" => {
                format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n{PIXELS}\r\n")
            }
            "pub-no-http" => "SSH-2.0-OpenSSH_9.2\r\n".to_owned(),
            "pub-folded" => {
                format!("HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 10\r\n\r\n{PIXELS}")
            }
            "pub-two-lengths" => {
                format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Length: 5\r\n\r\n{PIXELS}"
                )
            }
            "pub-upgrades" => {
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
                    .to_owned()
            }
            "pub-drips" => {
                let start = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
                let _ = stream.write_all(start.as_bytes()).await;
                for byte in PIXELS.bytes() {
                    tokio::time::sleep(Duration::from_millis(60)).await;
                    let _ = stream.write_all(&[byte]).await;
                }
                continue;
            }
            _ => format!("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{PIXELS}"),
        };
        let _ = stream.write_all(answer.as_bytes()).await;
        match &*behaviour {
            "pub-closes" | "pub-breaks-off" | "pub-closes-idle" | "pub-no-http" => return,
            "pub-silent" | "pub-half-head" | "pub-stalls" | "pub-stalls-chunked" => {
                // Until the proxy gives up.
                let _ = stream.read(&mut [0]).await;
                return;
            }
            _ => {}
        }
    }
}

async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

/// One that loses its patience with an image server, though not at once.
async fn proxy_before(upstream: SocketAddr) -> Proxy {
    let text = config(upstream).replace("\"20s\"", "\"2s\"").replace("\"5s\"", "\"2s\"");
    Proxy::with(&text).await
}

/// Longer than any of it takes, on whatever machine.
const IN_TIME: Duration = Duration::from_secs(30);

/// What comes until the connection ends, which has to be in time.
async fn until_it_ends(address: SocketAddr, head: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // What was cut off may end in a reset.
    let read = tokio::time::timeout(IN_TIME, stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "not cut off: {head}");
    String::from_utf8_lossy(&answer).into_owned()
}

/// PX-08: each fault has its answer, in time.
#[tokio::test]
async fn px_08_each_fault_has_its_answer() {
    let proxy = proxy_before(faulty().await).await;
    for (behaviour, status) in [
        ("pub-silent", 504),
        ("pub-half-head", 504),
        ("pub-closes", 502),
        ("pub-no-http", 502),
        ("pub-folded", 502),
        ("pub-two-lengths", 502),
        ("pub-upgrades", 502),
        ("pub-closes-idle", 200),
        ("pub-drips", 200),
        ("pub-ok", 200),
    ] {
        let begun = Instant::now();
        let answer = proxy.get(&image(behaviour), &[]).await;
        assert_eq!(answer.status, status, "{behaviour}: {}", answer.text());
        assert!(begun.elapsed() < IN_TIME, "{behaviour}");
        if status == 200 {
            assert_eq!(answer.text(), PIXELS, "{behaviour}");
        } else {
            assert_eq!(answer.header("cache-control"), "no-store", "{behaviour}");
            assert!(!answer.text().contains("127.0.0.1"), "{behaviour}: {}", answer.text());
        }
    }
    // A body that stands still or breaks off is cut off, and never looks complete.
    for (behaviour, chunked) in
        [("pub-stalls", false), ("pub-stalls-chunked", true), ("pub-breaks-off", false)]
    {
        let path = image(behaviour);
        let text = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        let answer = until_it_ends(proxy.address, &text).await;
        assert_eq!(statuses(&answer), ["200"], "{behaviour}");
        assert!(answer.contains(PIXELS), "{behaviour}: {answer}");
        assert!(!chunked || !answer.contains("\r\n0\r\n"), "{behaviour}: {answer}");
    }
}

/// PX-08: nobody listens, and nobody takes the connection.
#[tokio::test]
async fn px_08_down_and_unreachable() {
    // A port that is taken, and at which nobody listens.
    let taken = TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let proxy = proxy_before(taken.local_addr().unwrap()).await;
    assert_eq!(proxy.get(&image("pub"), &[]).await.status, 502);
    // What needs no image server works on.
    assert_eq!(proxy.get(&image("sec"), &[]).await.status, 401);
    assert_eq!(proxy.get("/auth/login", &[]).await.status, 200);

    // A listener whose queue is full answers no further connection.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = socket.listen(1).unwrap();
    let address = full.local_addr().unwrap();
    let mut waiting = Vec::new();
    for _ in 0..8 {
        let connect = TcpStream::connect(address);
        waiting.push(tokio::time::timeout(Duration::from_millis(100), connect).await);
    }
    let proxy = proxy_before(address).await;
    let begun = Instant::now();
    assert_eq!(proxy.get(&image("pub"), &[]).await.status, 504);
    assert!(begun.elapsed() < IN_TIME);
    drop((full, waiting));
}

/// PX-08: after a thousand faults of each kind the pool is as good as new.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn px_08_a_thousand_faults_and_the_pool_recovers() {
    // A hundred at a time share two threads with whatever else runs.
    let text = config(faulty().await)
        .replace("header_timeout = \"20s\"", "header_timeout = \"3s\"")
        .replace("idle_timeout = \"20s\"", "idle_timeout = \"1s\"");
    let proxy = Arc::new(Proxy::with(&text).await);
    for behaviour in ["pub-closes", "pub-silent", "pub-stalls", "pub-breaks-off"] {
        let at_a_time = Arc::new(Semaphore::new(125));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..1000 {
            let (proxy, at_a_time) = (Arc::clone(&proxy), Arc::clone(&at_a_time));
            tasks.spawn(async move {
                let _turn = at_a_time.acquire_owned().await.unwrap();
                let mut stream = TcpStream::connect(proxy.address).await.unwrap();
                let path = image(behaviour);
                let text = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
                stream.write_all(text.as_bytes()).await.unwrap();
                let mut answer = Vec::new();
                // What was cut off may end in a reset.
                let _ = stream.read_to_end(&mut answer).await;
                String::from_utf8_lossy(&answer).into_owned()
            });
        }
        let expected = match behaviour {
            "pub-closes" => "502",
            "pub-silent" => "504",
            _ => "200",
        };
        while let Some(answer) = tasks.join_next().await {
            let answer = answer.unwrap();
            assert_eq!(statuses(&answer), [expected], "{behaviour}: {answer}");
        }
        for _ in 0..20 {
            let answer = proxy.get(&image("pub-ok"), &[]).await;
            assert_eq!((answer.status.as_u16(), &*answer.text()), (200, PIXELS), "{behaviour}");
        }
    }
}

/// A connection that the image server has closed meanwhile is not taken for the next request.
#[tokio::test]
async fn an_idle_connection_that_was_closed_is_no_fault() {
    let proxy = proxy_before(faulty().await).await;
    for _ in 0..50 {
        assert_eq!(proxy.get(&image("pub-closes-idle"), &[]).await.status, 200);
    }
}

/// Requests that are begun come to their end, new ones find nobody.
#[tokio::test]
async fn a_stop_lets_requests_end() {
    let mut proxy = proxy_before(faulty().await).await;
    let address = proxy.address;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let text = format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", image("pub-drips"));
    stream.write_all(text.as_bytes()).await.unwrap();
    // It is begun when its head is there.
    let mut answer = vec![stream.read_u8().await.unwrap()];
    proxy.stop();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(statuses(&answer) == ["200"] && answer.ends_with(PIXELS), "{answer}");
    tokio::time::timeout(IN_TIME, proxy.ended.take().unwrap()).await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

/// The describer's answer where the image server has none.
#[tokio::test]
async fn an_info_json_of_nobody_is_502() {
    let upstream = Upstream::answering(|_| {
        http::Response::builder()
            .header("content-type", "application/json")
            .body(http_body_util::Full::from("<html>oops"))
            .unwrap()
    })
    .await;
    let proxy = Proxy::before(&upstream).await;
    assert_eq!(proxy.get("/iiif/3/sec/info.json", &[]).await.status, 502);
}
