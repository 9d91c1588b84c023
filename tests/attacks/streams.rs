//! Slow readers of large bodies, and that a body is nobody's business but the image server's.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tower::{Layer, ServiceExt, service_fn};
use tower_iiif_auth::IiifAuth;

use crate::common::{Publisher, V, request};
use crate::setup::pair;

const GIB: u64 = 1 << 30;
const FRAME: usize = 8 << 10;
static FRAME_BYTES: [u8; FRAME] = [b'x'; FRAME];

/// What a large body and its connection went through.
#[derive(Default)]
struct Meter {
    made: AtomicU64,
    written: AtomicU64,
    most: AtomicU64,
    dropped: AtomicBool,
}

/// A file of 1 GiB, made when it is asked for.
struct Large(u64, Arc<Meter>);

impl http_body::Body for Large {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(left) = self.0.checked_sub(FRAME as u64) else { return Poll::Ready(None) };
        self.0 = left;
        let made = self.1.made.fetch_add(FRAME as u64, Ordering::SeqCst) + FRAME as u64;
        let written = self.1.written.load(Ordering::SeqCst);
        self.1.most.fetch_max(made.saturating_sub(written), Ordering::SeqCst);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&FRAME_BYTES)))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0)
    }
}

impl Drop for Large {
    fn drop(&mut self) {
        self.1.dropped.store(true, Ordering::SeqCst);
    }
}

/// A connection that counts what the system has taken off us.
struct Counted(TcpStream, Arc<Meter>);

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.0).poll_write(cx, bytes))?;
        self.1.written.fetch_add(written as u64, Ordering::SeqCst);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// A server on loopback whose file is large; the meter is that of the connection that asks for it.
async fn serve(auth: &IiifAuth) -> (SocketAddr, Arc<Meter>) {
    let large = Arc::new(Meter::default());
    let meter = Arc::clone(&large);
    let files = service_fn(move |request: Request<Incoming>| {
        let body = if request.uri().path() == "/files/sec" {
            UnsyncBoxBody::new(Large(GIB, Arc::clone(&meter)))
        } else {
            UnsyncBoxBody::new(http_body_util::Full::from("a tile"))
        };
        async move { Ok::<_, Infallible>(Response::new(body)) }
    });
    let stack = auth.layer().layer(files);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // The first connection is the slow reader's.
    let mut meters = vec![Arc::clone(&large)];
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let io = Counted(stream, meters.pop().unwrap_or_default());
            let service = TowerToHyperService::new(stack.clone());
            tokio::spawn(async move {
                let mut server = auto::Builder::new(TokioExecutor::new());
                // By itself hyper keeps some 400 KiB of a body that flows faster than it is read.
                server.http1().max_buf_size(64 << 10);
                let _ = server.serve_connection(TokioIo::new(io), service).await;
            });
        }
    });
    (address, large)
}

async fn ask(stream: &mut TcpStream, path: &str, cookie: &str) {
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: iiif.example\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
}

/// Reads up to the end of a response's head.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a head"));
    }
    String::from_utf8(head).unwrap()
}

/// RE-15: who reads a byte a second holds what fits the host's buffer and no more, others are served
/// meanwhile, and when the reader goes so does the body.
#[tokio::test]
async fn re_15_slow_reader() {
    let publisher = Publisher::new();
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    let (address, meter) = serve(&publisher.auth).await;

    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 << 10).unwrap();
    let mut slow = socket.connect(address).await.unwrap();
    ask(&mut slow, "/files/sec", &cookie).await;
    let head_of = head(&mut slow).await;
    assert!(head_of.starts_with("HTTP/1.1 200"), "{head_of}");
    assert!(head_of.to_lowercase().contains(&format!("content-length: {GIB}\r\n")), "{head_of}");

    for _ in 0..3 {
        assert_eq!(slow.read_u8().await.unwrap(), b'x');
        let pause = tokio::time::sleep(Duration::from_secs(1));
        let others = async {
            for _ in 0..40 {
                for (path, cookie, status) in [
                    ("/files/pub", "", "200"),
                    ("/files/dir/sec", &*cookie, "200"),
                    ("/files/sec", "", "401"),
                ] {
                    let mut other = TcpStream::connect(address).await.unwrap();
                    ask(&mut other, path, cookie).await;
                    let answer = head(&mut other).await;
                    assert_eq!(answer.split(' ').nth(1), Some(status), "{path}: {answer}");
                }
            }
        };
        let others = tokio::time::timeout(Duration::from_secs(60), others);
        let ((), answered) = tokio::join!(pause, others);
        answered.expect("others are answered while one reads slowly");
    }
    let most = meter.most.load(Ordering::SeqCst);
    assert!(most <= 256 << 10, "{most} bytes were kept");
    let made = meter.made.load(Ordering::SeqCst);
    assert!(made < GIB / 16, "{made} bytes were made for somebody who read three");

    // Whoever reads on gets on.
    let mut more = vec![0; 1 << 20];
    slow.read_exact(&mut more).await.unwrap();
    assert!(more.iter().all(|byte| *byte == b'x'));
    assert!(!meter.dropped.load(Ordering::SeqCst));
    drop(slow);
    let gone = async {
        while !meter.dropped.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone).await.expect("nobody reads it any more");
}

/// Frames as they are given, one a poll.
struct Frames(Vec<Frame<Bytes>>);

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        if self.0.is_empty() {
            return Poll::Ready(None);
        }
        let frame = self.0.remove(0);
        // What cannot be sent stands for a body that breaks off.
        let broken = frame.data_ref().is_some_and(|data| data == "broken");
        Poll::Ready(Some(if broken { Err("the disk broke") } else { Ok(frame) }))
    }
}

/// RE-15: the very frames pass, empty ones and trailers and an error among them, with whatever status
/// and fields belong to ranges; and the request's own arrive.
#[tokio::test]
async fn re_15_bodies_and_ranges_are_untouched() {
    let publisher = Publisher::new();
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    let trailers = HeaderMap::from_iter([(
        http::HeaderName::from_static("digest"),
        HeaderValue::from_static("sha-256=x"),
    )]);
    let data = [Bytes::from(vec![7; 100_000]), Bytes::new(), Bytes::from_static(b"end")];
    for (status, field, value) in [
        (StatusCode::OK, "accept-ranges", "bytes"),
        (StatusCode::PARTIAL_CONTENT, "content-range", "bytes 0-100002/200000"),
        (StatusCode::PARTIAL_CONTENT, "content-type", "multipart/byteranges; boundary=x"),
        (StatusCode::RANGE_NOT_SATISFIABLE, "content-range", "bytes */200000"),
        (StatusCode::NOT_MODIFIED, "etag", "\"x\""),
    ] {
        for (path, cookie) in [("/files/sec", &*cookie), ("/files/pub", "a=b")] {
            for breaks in [false, true] {
                let (data, trailers) = (data.clone(), trailers.clone());
                let given = data.clone();
                let last = trailers.clone();
                let inner = service_fn(move |request: Request<crate::common::Body>| {
                    assert_eq!(request.headers()[RANGE], "bytes=0-9,-5");
                    assert_eq!(request.headers()["if-range"], "\"x\"");
                    let mut frames: Vec<_> = given.iter().cloned().map(Frame::data).collect();
                    if breaks {
                        frames.push(Frame::data(Bytes::from_static(b"broken")));
                    } else {
                        frames.push(Frame::trailers(last.clone()));
                    }
                    let mut response = Response::new(Frames(frames));
                    *response.status_mut() = status;
                    let headers = response.headers_mut();
                    headers.insert(field, HeaderValue::from_static(value));
                    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("100003"));
                    async move { Ok::<_, Infallible>(response) }
                });
                let headers =
                    [("cookie", cookie), ("range", "bytes=0-9,-5"), ("if-range", "\"x\"")];
                let asked = request(Method::GET, path, &headers);
                let response = publisher.auth.layer().layer(inner).oneshot(asked).await.unwrap();
                assert_eq!(response.status(), status);
                assert_eq!(response.headers()[field], value);
                assert_eq!(response.headers()[CONTENT_LENGTH], "100003");
                let added = [CONTENT_RANGE, CONTENT_TYPE];
                let added = added.iter().filter(|name| response.headers().contains_key(*name));
                assert!(added.count() <= 1, "{:?}", response.headers());

                let mut body = response.into_body();
                assert!(!body.is_end_stream());
                for bytes in &data {
                    let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
                    assert_eq!(frame.len(), bytes.len());
                    assert_eq!(frame.as_ptr(), bytes.as_ptr(), "it was copied");
                }
                let end = body.frame().await.unwrap();
                if breaks {
                    assert_eq!(end.unwrap_err(), "the disk broke");
                } else {
                    assert_eq!(end.unwrap().into_trailers().unwrap(), trailers);
                    assert!(body.frame().await.is_none());
                }
            }
        }
    }
}
