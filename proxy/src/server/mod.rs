//! Listeners, and the connections that they take.

mod patient;
mod strict;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::body::{Body, BoxError};
use crate::live::Live;
use crate::refusals::Refusals;
use crate::workers::{self, Workers};
use patient::{Either, Patient};
use strict::Strict;

/// How long a client may take for the head of a request, and be idle between two.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How much of a head or a body is held for a connection.
pub(crate) const BUFFER: usize = 32 << 10;

/// What answers the requests of a listener.
pub(crate) trait Handler: Send + Sync + 'static {
    fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> impl Future<Output = Response<Body>> + Send;
}

/// What a listener goes by.
pub(crate) struct Listening {
    pub(crate) live: Arc<Live>,
    pub(crate) workers: Arc<Workers>,
    /// Whether its clients speak TLS.
    pub(crate) tls: bool,
    pub(crate) stop: watch::Receiver<bool>,
    /// How long requests may take to their end.
    pub(crate) grace: Duration,
}

/// Takes connections until `stop` changes, then lets requests come to their end for `grace`.
pub(crate) async fn serve<H: Handler>(listener: TcpListener, handler: Arc<H>, own: Listening) {
    let Listening { live, workers, tls, mut stop, grace } = own;
    let connections = GracefulShutdown::new();
    loop {
        tokio::select! {
            taken = listener.accept() => match taken {
                Ok((stream, peer)) => {
                    let greeted = greet(stream, peer, live.tls().filter(|_| tls), live.write_timeout());
                    let (handler, watcher) = (Arc::clone(&handler), connections.watcher());
                    let client = Client::new(peer, Arc::clone(&live.shared.refusals));
                    workers.spawn(async move {
                        let Some(stream) = greeted.await else { return };
                        let connection = connection(stream, client.clone(), handler);
                        if let Err(error) = watcher.watch(connection).await {
                            client.broke_off(&error);
                        }
                    });
                }
                Err(error) => rest_after(&error).await,
            },
            _ = stop.changed() => break,
        }
    }
    drop(listener);
    if tokio::time::timeout(grace, connections.shutdown()).await.is_err() {
        tracing::warn!("requests were cut off, as they took longer than shutdown_timeout");
    }
}

/// Who is at the other end of a connection.
#[derive(Clone)]
struct Client {
    peer: SocketAddr,
    refusals: Arc<Refusals>,
    /// Whether it was said why a request of it is refused.
    told: Arc<AtomicBool>,
}

impl Client {
    fn new(peer: SocketAddr, refusals: Arc<Refusals>) -> Self {
        Self { peer, refusals, told: Arc::default() }
    }

    /// What it sent can be read in two ways, or not at all.
    fn refused(&self, reason: &'static str) {
        self.told.store(true, Ordering::Relaxed);
        self.refusals.say_of_peer(self.peer.ip(), reason);
    }

    /// Its connection ended with an error: most often it went away.
    fn broke_off(&self, error: &BoxError) {
        let peer = self.peer;
        tracing::debug!(%error, %peer, "connection");
        match error.downcast_ref::<hyper::Error>() {
            _ if self.told.load(Ordering::Relaxed) => {}
            Some(own) if own.is_parse_too_large() => self.refused("a head that is too long"),
            Some(own) if own.is_parse() => self.refused("no HTTP"),
            _ => {}
        }
    }
}

/// Plain, or with TLS once hands are shaken.
type Greeted = Patient<Either<TcpStream, TlsStream<TcpStream>>>;

async fn greet(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<Arc<ServerConfig>>,
    write_timeout: Duration,
) -> Option<Greeted> {
    let stream = match workers::here(stream) {
        Ok(stream) => stream,
        Err(error) => {
            tracing::error!(%error, "a connection cannot be served");
            return None;
        }
    };
    // A small answer does not wait for the next packet.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    let Some(tls) = tls else { return Some(Patient::new(Either::Left(stream), write_timeout)) };
    let greeting = TlsAcceptor::from(tls).accept(stream);
    match tokio::time::timeout(HEAD_TIMEOUT, greeting).await {
        Ok(Ok(stream)) => Some(Patient::new(Either::Right(stream), write_timeout)),
        Ok(Err(error)) => {
            tracing::debug!(%error, %peer, "TLS");
            None
        }
        Err(_) => {
            tracing::debug!(%peer, "TLS: nothing came");
            None
        }
    }
}

fn connection<H: Handler>(
    stream: Greeted,
    client: Client,
    handler: Arc<H>,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = BoxError> {
    let peer = client.peer;
    let service = service_fn(move |request| {
        let handler = Arc::clone(&handler);
        async move { Ok::<_, Infallible>(handler.handle(request, peer).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(BUFFER);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEAD_TIMEOUT)
        .max_header_list_size(16 << 10)
        .max_send_buf_size(BUFFER);
    let stream = Strict::new(stream, HEAD_TIMEOUT, move |reason| client.refused(reason));
    builder.serve_connection(TokioIo::new(stream), service).into_owned()
}

/// Without file descriptors nothing can be taken for a while; other errors are one connection's.
async fn rest_after(error: &io::Error) {
    let of_one_connection = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    );
    if !of_one_connection {
        tracing::error!(%error, "no connection can be taken");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
