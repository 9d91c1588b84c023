//! TLS to the store. It is always verified.

#[cfg(feature = "redis-rustls")]
mod with;
#[cfg(not(feature = "redis-rustls"))]
mod without;

#[cfg(feature = "redis-rustls")]
pub(super) use with::{Certificates, Tls};
#[cfg(not(feature = "redis-rustls"))]
pub(super) use without::{Certificates, Tls};
