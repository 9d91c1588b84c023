//! A new connection, by the address as it leads now.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ConnectionAddr, RedisConnectionInfo, RedisResult};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::tls::Tls;

/// A connection that goes on as long as somebody drives it.
pub(super) struct Dialled {
    pub(super) connection: MultiplexedConnection,
    driver: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Dialled {
    /// By TLS where there is one.
    pub(super) async fn new(
        place: &ConnectionAddr,
        settings: &RedisConnectionInfo,
        tls: Option<&Tls>,
    ) -> RedisResult<Self> {
        match place {
            ConnectionAddr::Tcp(host, port) => {
                let stream = TcpStream::connect((&**host, *port)).await?;
                stream.set_nodelay(true)?;
                match tls {
                    None => Self::over(stream, settings).await,
                    Some(tls) => Self::over(tls.over(host, stream).await?, settings).await,
                }
            }
            #[cfg(unix)]
            ConnectionAddr::Unix(path) => {
                let stream = tokio::net::UnixStream::connect(path).await?;
                Self::over(stream, settings).await
            }
            _ => Err(std::io::Error::from(std::io::ErrorKind::Unsupported).into()),
        }
    }

    async fn over<S>(stream: S, settings: &RedisConnectionInfo) -> RedisResult<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // All that is waited for has a deadline of its own.
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let (connection, driver) =
            MultiplexedConnection::new_with_config(settings, stream, config).await?;
        Ok(Self { connection, driver: Box::pin(driver) })
    }

    /// Does some work over it, without a task of its own.
    pub(super) async fn while_driven<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        let mut is_driven = true;
        poll_fn(|cx| {
            if is_driven && self.driver.as_mut().poll(cx).is_ready() {
                is_driven = false;
            }
            match work.as_mut().poll(cx) {
                Poll::Ready(done) => Poll::Ready(done),
                Poll::Pending => {
                    // What was just asked is sent at once, and not when something else wakes this.
                    if is_driven && self.driver.as_mut().poll(cx).is_ready() {
                        is_driven = false;
                    }
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Lets it go on for as long as it is in use.
    pub(super) fn keep(self) -> MultiplexedConnection {
        tokio::spawn(self.driver);
        self.connection
    }
}
