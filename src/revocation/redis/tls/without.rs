//! Compiled without TLS.

use std::convert::Infallible;
use std::future::Ready;
use std::io;

use tokio::net::TcpStream;

use crate::revocation::redis::StoreError;

/// Certificates of one's own: there are none.
#[derive(Clone, Default)]
pub(in crate::revocation::redis) struct Certificates(Option<Infallible>);

impl Certificates {
    pub(in crate::revocation::redis) fn is_given(&self) -> bool {
        self.0.is_some()
    }
}

/// There is none.
pub(in crate::revocation::redis) struct Tls(Infallible);

impl Tls {
    pub(in crate::revocation::redis) fn new(_: &Certificates) -> Result<Self, StoreError> {
        Err(StoreError::NoTls)
    }

    pub(in crate::revocation::redis) fn over(
        &self,
        _: &str,
        _: TcpStream,
    ) -> Ready<io::Result<TcpStream>> {
        match self.0 {}
    }
}
