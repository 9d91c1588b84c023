//! A real server on loopback, spoken to in raw bytes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::{ServiceBuilder, service_fn};
use tower_iiif_auth::IiifAuth;

use crate::common::{Body, image_server, request};

/// A server that runs until the test's runtime ends.
pub struct Server {
    address: SocketAddr,
    calls: Arc<AtomicUsize>,
}

impl Server {
    /// All layers around the fixture's image server.
    pub async fn start(auth: &IiifAuth) -> Self {
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&calls);
        let inner = service_fn(move |received: Request<Incoming>| {
            counter.fetch_add(1, Ordering::SeqCst);
            let (parts, _) = received.into_parts();
            let mut copy: Request<Body> = request(parts.method, "/", &[]);
            *copy.uri_mut() = parts.uri;
            let response: Response<Full<Bytes>> = image_server(&copy);
            async move { Ok::<_, Infallible>(response) }
        });
        let stack = ServiceBuilder::new().layer(auth.layer()).service(inner);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = TowerToHyperService::new(stack.clone());
                tokio::spawn(async move {
                    let server = auto::Builder::new(TokioExecutor::new());
                    let _ = server.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { address, calls }
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Sends these bytes and reads until the server closes.
    pub async fn send(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The server may answer and close before everything is sent.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        let _ = tokio::time::timeout(Duration::from_secs(20), read).await.expect("an answer");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// One request with this request line and these further header lines.
    pub async fn ask(&self, line: &[u8], headers: &str) -> String {
        let mut bytes = line.to_vec();
        bytes.extend_from_slice(b" HTTP/1.1\r\nHost: iiif.example\r\nConnection: close\r\n");
        bytes.extend_from_slice(headers.as_bytes());
        bytes.extend_from_slice(b"\r\n");
        self.send(&bytes).await
    }
}

/// The status of an answer.
pub fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_default()
}
