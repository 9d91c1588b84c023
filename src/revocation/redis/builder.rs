//! How a store is set up.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::address::Address;
use super::cache::Cache;
use super::find::Target;
use super::life::PATIENCE;
use super::link::{Link, Settings};
use super::tls::{Certificates, Tls};
use super::{Redis, Shared, StoreError, watch};

/// The longest staleness, and the longest time-out.
const LONGEST: Duration = Duration::from_secs(60);

const ONLY_WITH_TLS: &str = "certificates are given, and the URL does not begin with rediss://, so that \
                             nothing would be encrypted";

/// The oldest data that may be believed: no session is older.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

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
    replicas: u8,
    resume_within: Duration,
    certificates: Certificates,
}

impl RedisBuilder {
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            prefix: "iiif-auth".to_owned(),
            staleness: Duration::from_secs(2),
            timeout: Duration::from_secs(1),
            cache_at_most: 100_000,
            replicas: 0,
            resume_within: Duration::ZERO,
            certificates: Certificates::default(),
        }
    }

    /// What every key in the store begins with, in a cluster in braces (`{iiif-auth}`), so that all are at
    /// one node. Applications that share a server and no users need different ones. Default: `iiif-auth`.
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
    /// [`max_decision_time`](crate::Limits::max_decision_time). Default: one second.
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

    /// A logout counts as stored when so many replicas of the server have it, too (`WAIT`); one that
    /// does not get there within the [`timeout`](Self::timeout) is told as not stored. And a server
    /// that does not reach so many of its replicas is not taken for the store: what needs it is refused,
    /// also where it does not know that another one has taken its place. So have one replica more than
    /// this. The store's user needs `+wait`. Default: 0, for a server without replicas.
    pub fn replicas(mut self, acknowledging: u8) -> Self {
        self.replicas = acknowledging;
        self
    }

    /// **Weakens what a logout promises.** When all nodes and the server were down together, nobody is
    /// left to tell whether the data that the server has started with are the last ones or an older
    /// copy, and everybody logs in again. With this they are believed if a node was there at most `age`
    /// before they are read, which holds for a machine that was restarted, and for a backup of just
    /// before. What was logged out in between comes back to life if the data lack it. At most 24
    /// hours. Default: zero, never.
    pub fn insecure_resume_within(mut self, age: Duration) -> Self {
        self.resume_within = age;
        self
    }

    /// The authorities by which a server is known that speaks TLS (feature `redis-rustls`): certificates in
    /// PEM. Default: the system's. [`check`](Self::check) and [`connect`](Self::connect) fail with
    /// [`StoreError::Certificates`] if none of them can be read, or the URL does not want TLS.
    #[cfg(feature = "redis-rustls")]
    pub fn authorities(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates.authorities = Some(pem.into());
        self
    }

    /// By which certificate a server knows this client that asks for one, as Redis does where
    /// `tls-auth-clients` is not `no` (feature `redis-rustls`): the chain and its private key, both PEM.
    /// Default: none. [`check`](Self::check) and [`connect`](Self::connect) fail with
    /// [`StoreError::Certificates`] if the two do not fit, or the URL does not want TLS.
    #[cfg(feature = "redis-rustls")]
    pub fn client_certificate(
        mut self,
        chain: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.certificates.own = Some((chain.into(), key.into()));
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
        self.target().map(drop)
    }

    /// Connects, and looks whether the server can be relied on; see [`Redis`].
    ///
    /// Where the server was restarted or replaced since the nodes were last there, this waits up to
    /// three seconds for those that are, which know whether something is missing.
    ///
    /// As long as the runtime that this was called in goes on, the store is looked at several times a
    /// second, over a new connection, until the last clone of the [`Redis`] is dropped.
    ///
    /// # Errors
    ///
    /// When a setting is no good, the server does not answer in time, or is no use as a store.
    pub async fn connect(self) -> Result<Redis, StoreError> {
        let target = self.target()?;
        let cache = Arc::new(Cache::new(self.staleness, self.cache_at_most));
        let settings = Settings {
            epoch: target.key.clone(),
            timeout: self.timeout,
            replicas: self.replicas.into(),
            resume_within: self.resume_within,
        };
        let prefix = keys(&self.prefix, target.address.is_cluster()).into();
        let link = Arc::new(Link::new(target, settings, Arc::clone(&cache))?);
        let begun = Instant::now();
        loop {
            match link.open(link.deadline()).await {
                Ok(_) => break,
                Err(StoreError::Unproven) if begun.elapsed() < 2 * PATIENCE => {}
                Err(error) => return Err(error),
            }
        }
        tokio::spawn(watch::watch(Arc::downgrade(&link)));
        Ok(Redis { shared: Arc::new(Shared { link, cache, prefix }) })
    }

    fn target(&self) -> Result<Target, StoreError> {
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
        if self.resume_within > DAY {
            return Err(StoreError::ResumeWithin(self.resume_within));
        }
        let address = Address::parse(&self.url)?;
        if self.certificates.is_given() && !address.is_encrypted {
            return Err(StoreError::Certificates(ONLY_WITH_TLS.to_owned()));
        }
        let tls = address.is_encrypted.then(|| Tls::new(&self.certificates)).transpose()?;
        let key = format!("{}:epoch", keys(&self.prefix, address.is_cluster()));
        Ok(Target { address, tls, patience: self.timeout / 4, key })
    }
}

/// What keys begin with. What stands in braces says at which node of a cluster a key is.
fn keys(prefix: &str, is_cluster: bool) -> String {
    if is_cluster { format!("{{{prefix}}}") } else { prefix.to_owned() }
}

/// Shows no URL: a password may stand in it.
impl fmt::Debug for RedisBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBuilder")
            .field("prefix", &self.prefix)
            .field("staleness", &self.staleness)
            .field("timeout", &self.timeout)
            .field("cache_at_most", &self.cache_at_most)
            .field("replicas", &self.replicas)
            .field("resume_within", &self.resume_within)
            .finish_non_exhaustive()
    }
}
