//! How a store is set up.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::Client;

use super::cache::Cache;
use super::link::Link;
use super::{Redis, Shared, StoreError};

/// The longest staleness, and the longest time-out.
const LONGEST: Duration = Duration::from_secs(60);

/// A [`Redis`] in the making.
///
/// # Example
///
/// ```no_run
/// use std::time::Duration;
/// use tower_iiif_auth::revocation::{Redis, StoreError};
///
/// # async fn connected() -> Result<Redis, StoreError> {
/// let store = Redis::builder("redis+unix:///run/redis/redis.sock")
///     .prefix("reading-room")
///     .staleness(Duration::from_millis(500))
///     .connect()
///     .await?;
/// # Ok(store)
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a store is of use when it is connected"]
pub struct RedisBuilder {
    url: String,
    prefix: String,
    staleness: Duration,
    timeout: Duration,
    cache_at_most: usize,
}

impl RedisBuilder {
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            prefix: "iiif-auth".to_owned(),
            staleness: Duration::from_secs(2),
            timeout: Duration::from_secs(1),
            cache_at_most: 100_000,
        }
    }

    /// What every key in the store begins with. Applications that share a server and no users need
    /// different ones. Default: `iiif-auth`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long a process may rely on the answer that a session was not revoked; so long a logout
    /// elsewhere may go unnoticed. Measured from the question on. At most a minute; zero asks for
    /// every tile. Default: two seconds.
    pub fn staleness(mut self, staleness: Duration) -> Self {
        self.staleness = staleness;
        self
    }

    /// How long a question to the store may take, with the connection that it may need, until the
    /// request is refused. At most a minute, and of use below the configuration's
    /// [`decision_timeout`](crate::IiifAuthBuilder::decision_timeout). Default: one second.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// For how many sessions the store's word is remembered, some 100 bytes each. When there is no
    /// room, the store is asked more often. Default: 100 000.
    pub fn cache_at_most(mut self, sessions: usize) -> Self {
        self.cache_at_most = sessions;
        self
    }

    /// Looks at the settings, and asks nobody: what [`connect`](Self::connect) begins with.
    ///
    /// For applications that check a configuration where the server is not to be reached.
    ///
    /// # Errors
    ///
    /// When a setting is no good.
    pub fn check(&self) -> Result<(), StoreError> {
        self.client().map(drop)
    }

    /// Connects, and looks whether the server can be relied on; see [`Redis`].
    ///
    /// The connection is renewed when it is lost, as long as the runtime that it was made in goes on.
    ///
    /// # Errors
    ///
    /// When a setting is no good, the server does not answer in time, or is no use as a store.
    pub async fn connect(self) -> Result<Redis, StoreError> {
        let client = self.client()?;
        let link = Link::new(client, format!("{}:epoch", self.prefix), self.timeout);
        let cache = Cache::new(self.staleness, self.cache_at_most);
        link.open(link.deadline()).await?;
        Ok(Redis { shared: Arc::new(Shared { link, cache, prefix: self.prefix.into() }) })
    }

    fn client(&self) -> Result<Client, StoreError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if self.prefix.is_empty() || self.prefix.len() > 64 || !self.prefix.chars().all(plain) {
            return Err(StoreError::Prefix(self.prefix.clone()));
        }
        if self.staleness > LONGEST {
            return Err(StoreError::Staleness(self.staleness));
        }
        if self.timeout.is_zero() || self.timeout > LONGEST {
            return Err(StoreError::Timeout(self.timeout));
        }
        // The cause is dropped: it could quote the URL.
        Client::open(self.url.as_str()).map_err(|_| StoreError::Url)
    }
}

/// Shows no URL: a password may stand in it.
impl fmt::Debug for RedisBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBuilder")
            .field("prefix", &self.prefix)
            .field("staleness", &self.staleness)
            .field("timeout", &self.timeout)
            .field("cache_at_most", &self.cache_at_most)
            .finish_non_exhaustive()
    }
}
