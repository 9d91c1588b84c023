//! Connections to an image server: over TCP, with TLS where that is asked for, or through a socket.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, UnixStream};
use tower_service::Service;

use super::Address;
use crate::body::BoxError;

/// Makes connections to one address.
#[derive(Clone)]
pub(super) struct Connector {
    way: Way,
    timeout: Duration,
}

#[derive(Clone)]
enum Way {
    Tcp(HttpsConnector<HttpConnector>),
    Unix(Arc<PathBuf>),
}

impl Connector {
    pub(super) fn new(
        address: &Address,
        tls: &Arc<rustls::ClientConfig>,
        timeout: Duration,
    ) -> Self {
        if let Some(path) = address.socket() {
            return Self { way: Way::Unix(Arc::new(path.to_owned())), timeout };
        }
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(timeout));
        tcp.set_nodelay(true);
        let builder = HttpsConnectorBuilder::new().with_tls_config((**tls).clone());
        let tcp = builder.https_or_http().enable_http1().wrap_connector(tcp);
        Self { way: Way::Tcp(tcp), timeout }
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match &mut self.way {
            Way::Tcp(connector) => connector.poll_ready(cx),
            Way::Unix(_) => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let timeout = self.timeout;
        let connecting: Self::Future = match &mut self.way {
            Way::Tcp(connector) => {
                let connecting = connector.call(uri);
                Box::pin(async move { Ok(Stream::Tcp(connecting.await?)) })
            }
            Way::Unix(path) => {
                let path = Arc::clone(path);
                Box::pin(async move {
                    let stream = UnixStream::connect(&*path).await?;
                    Ok(Stream::Unix(TokioIo::new(stream)))
                })
            }
        };
        Box::pin(async move {
            match tokio::time::timeout(timeout, connecting).await {
                Ok(connected) => connected,
                Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            }
        })
    }
}

/// A connection.
#[allow(clippy::large_enum_variant, reason = "nearly all are of the larger kind")]
pub(super) enum Stream {
    Tcp(MaybeHttpsStream<TokioIo<TcpStream>>),
    Unix(TokioIo<UnixStream>),
}

/// The same of either.
macro_rules! either {
    ($stream:expr, $own:ident => $result:expr) => {
        match $stream.get_mut() {
            Stream::Tcp(own) => {
                let $own = Pin::new(own);
                $result
            }
            Stream::Unix(own) => {
                let $own = Pin::new(own);
                $result
            }
        }
    };
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        match self {
            Self::Tcp(stream) => stream.connected(),
            Self::Unix(_) => Connected::new(),
        }
    }
}

impl Read for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        either!(self, own => own.poll_read(cx, buffer))
    }
}

impl Write for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        either!(self, own => own.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, own => own.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, own => own.poll_shutdown(cx))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.is_write_vectored(),
            Self::Unix(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self, own => own.poll_write_vectored(cx, slices))
    }
}
