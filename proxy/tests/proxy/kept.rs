//! Connections to the image server that are kept, and that it closes.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{PIXELS, Proxy, config, image, request, with_keys};

/// What an image server saw: connections, and heads in their order.
#[derive(Clone, Default)]
struct Seen {
    connections: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
}

/// An image server that answers one request of each connection, and ends the connection as the second
/// comes in; with `after` that many bytes of an answer.
async fn closing(seen: Seen, after: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let seen = seen.clone();
            seen.connections.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                for answered in [true, false] {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        let Ok(byte) = stream.read_u8().await else { return };
                        head.push(byte);
                    }
                    seen.heads.lock().unwrap().push(String::from_utf8(head).unwrap());
                    let ok = format!("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{PIXELS}");
                    let answer = if answered { &ok } else { after };
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    address
}

/// PB-05: GET and HEAD are asked again on a fresh connection, once; nothing else is.
#[tokio::test]
async fn pb_05_a_kept_connection_that_is_closed() {
    for (method, again) in
        [(Method::GET, true), (Method::HEAD, true), (Method::POST, false), (Method::PUT, false)]
    {
        let seen = Seen::default();
        let upstream = closing(seen.clone(), "").await;
        let proxy = Proxy::with(&with_keys(&config(upstream), "public_paths = [\"/app\"]")).await;
        assert_eq!(proxy.get(&image("pub"), &[]).await.status, 200);
        let answer = request(proxy.address, method.clone(), "/app", &[], "").await;
        assert_eq!(answer.status, if again { 200 } else { 502 }, "{method}");
        assert_eq!(seen.connections.load(Ordering::SeqCst), if again { 2 } else { 1 }, "{method}");
        let heads = seen.heads.lock().unwrap().clone();
        assert_eq!(heads.len(), if again { 3 } else { 2 }, "{heads:?}");
        // Word for word what it did not answer.
        assert!(!again || heads[1] == heads[2], "{heads:?}");
    }
}

/// PB-05: many at once lose nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pb_05_many_kept_connections() {
    let upstream = closing(Seen::default(), "").await;
    let proxy = Arc::new(Proxy::with(&config(upstream)).await);
    for _ in 0..4 {
        let all = (0..20).map(|_| {
            let proxy = Arc::clone(&proxy);
            tokio::spawn(async move { proxy.get(&image("pub"), &[]).await })
        });
        for answer in all.collect::<Vec<_>>() {
            assert_eq!(answer.await.unwrap().text(), PIXELS);
        }
    }
}

/// PB-05: by default no connection is kept for as long as common servers keep it, which is 5 seconds.
#[tokio::test]
async fn pb_05_connections_are_not_kept_for_long() {
    let seen = Seen::default();
    let upstream = closing(seen.clone(), "").await;
    let proxy = Proxy::with(&config(upstream)).await;
    assert_eq!(proxy.get(&image("pub"), &[]).await.status, 200);
    tokio::time::sleep(Duration::from_millis(4500)).await;
    assert_eq!(proxy.get(&image("pub"), &[]).await.status, 200);
    assert_eq!(seen.heads.lock().unwrap().len(), 2, "the second had a connection of its own");
}

/// A server that is broken is asked twice, and no more.
#[tokio::test]
async fn pb_05_a_broken_server_is_asked_twice() {
    let seen = Seen::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = listener.local_addr().unwrap();
    let own = seen.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            own.connections.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 4096]).await;
        }
    });
    let proxy = Proxy::with(&config(upstream)).await;
    assert_eq!(proxy.get(&image("pub"), &[]).await.status, 502);
    assert_eq!(seen.connections.load(Ordering::SeqCst), 2);
}
