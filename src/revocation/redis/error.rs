//! What can be wrong with a store.

use std::fmt;
use std::time::Duration;

/// Why a store cannot be used, or did not answer. No message holds the URL, as a password may stand
/// in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// The URL names no store.
    Url,
    /// The URL wants TLS, which was not compiled in (feature `redis-rustls`).
    NoTls,
    /// The certificates are no good, the system has none, or they are given for a URL without TLS.
    Certificates(String),
    /// The prefix is empty, longer than 64 bytes, or has other characters than letters, digits and
    /// `-._`.
    Prefix(String),
    /// The staleness is longer than a minute.
    Staleness(Duration),
    /// The time-out is zero, or longer than a minute.
    Timeout(Duration),
    /// It did not answer in time.
    TooSlow(Duration),
    /// It could not be reached, or answered with an error.
    Failed(String),
    /// It does not tell what it keeps.
    NoInfo(String),
    /// It throws entries away when its memory is full.
    Evicts {
        /// Its `maxmemory-policy`.
        policy: String,
    },
    /// It is a replica, and takes no logouts.
    Replica,
    /// It is a node of a cluster, and the URL does not say so.
    Cluster,
    /// No Sentinel, or no node of the cluster, tells where the store is.
    Unlocated(String),
    /// Something else stands under the store's keys.
    Foreign(String),
    /// It was restarted or replaced, and not every node has said yet that it misses nothing.
    Unproven,
    /// Fewer replicas than wanted have what was written.
    Replicas {
        /// How many have to, see [`RedisBuilder::replicas`](super::RedisBuilder::replicas).
        wanted: usize,
        /// How many have.
        found: usize,
    },
    /// It takes no logouts, as it has lost its replicas (`min-replicas-to-write`).
    CutOff,
    /// Data may be believed that are more than a day old.
    ResumeWithin(Duration),
    /// The system gives no random bytes.
    NoRandomness,
}

impl StoreError {
    /// An error of the client, as text: it is told to many that wait.
    pub(super) fn failed(error: &redis::RedisError) -> Self {
        let text = error.to_string();
        // Within a transaction the code is part of the text.
        let says = |code: &str| error.code() == Some(code) || text.contains(code);
        if says("WRONGTYPE") {
            return Self::Foreign(text);
        }
        if says("NOREPLICAS") {
            return Self::CutOff;
        }
        if says("READONLY") {
            return Self::Replica;
        }
        Self::Failed(text)
    }

    /// Whether it takes no entries for want of room, and is in order for the rest.
    pub(super) fn is_full(&self) -> bool {
        matches!(self, Self::Failed(text) if text.contains("OOM") || text.contains("MISCONF"))
    }

    /// Whether the server has answered, and is not to be relied on.
    pub(super) fn is_verdict(&self) -> bool {
        match self {
            Self::Failed(_)
            | Self::TooSlow(_)
            | Self::NoRandomness
            | Self::Url
            | Self::NoTls
            | Self::Certificates(_)
            | Self::Unlocated(_)
            | Self::Prefix(_)
            | Self::Staleness(_)
            | Self::Timeout(_)
            | Self::ResumeWithin(_) => false,
            Self::NoInfo(_)
            | Self::Evicts { .. }
            | Self::Replica
            | Self::Cluster
            | Self::Foreign(_)
            | Self::Unproven
            | Self::Replicas { .. }
            | Self::CutOff => true,
        }
    }
}

impl fmt::Display for StoreError {
    // Long, as each kind of error has its words here.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url => f.write_str(
                "the URL names no store: write it like redis://:password@127.0.0.1:6379/0, \
                 rediss://user:password@redis.example, redis+unix:///run/redis/redis.sock, \
                 redis+sentinel://:password@10.0.0.1,10.0.0.2,10.0.0.3/mymaster or \
                 redis+cluster://:password@10.0.0.1,10.0.0.2,10.0.0.3",
            ),
            Self::NoTls => f.write_str(
                "the URL wants TLS: switch the feature redis-rustls of tower-iiif-auth on",
            ),
            Self::Certificates(what) => {
                write!(f, "TLS to the store of revocations: {what}")
            }
            Self::Prefix(prefix) => write!(
                f,
                "prefix {prefix:?}: use 1 to 64 letters, digits and -._, like \"iiif-auth\""
            ),
            Self::Staleness(staleness) => {
                write!(f, "a staleness of {staleness:?} is too long: a minute is the most")
            }
            Self::Timeout(timeout) => {
                write!(f, "a time-out of {timeout:?} has to be more than zero and at most a minute")
            }
            Self::TooSlow(timeout) => {
                write!(f, "the store of revocations did not answer within {timeout:?}")
            }
            Self::Failed(cause) => write!(f, "the store of revocations failed: {cause}"),
            Self::NoInfo(cause) => write!(
                f,
                "the store does not tell what it keeps ({cause}): allow its user INFO (ACL SETUSER … +info)"
            ),
            Self::Evicts { policy } => write!(
                f,
                "the store forgets who was logged out when its memory is full (maxmemory-policy is \
                 {policy}): set it to noeviction, or use a store of its own"
            ),
            Self::Replica => f.write_str("the store is a replica: name its primary"),
            Self::Cluster => f.write_str(
                "the store is a node of a cluster: begin its URL with redis+cluster:// or \
                 rediss+cluster://",
            ),
            Self::Unlocated(cause) => {
                write!(f, "nobody tells where the store of revocations is: {cause}")
            }
            Self::Foreign(cause) => write!(
                f,
                "something else stands under the store's keys ({cause}): give each application a \
                 prefix of its own"
            ),
            Self::Unproven => f.write_str(
                "the store was restarted or replaced, and not every node has said yet that it \
                 misses no logout",
            ),
            Self::Replicas { wanted, found } => {
                write!(f, "{found} replicas have what was written to the store, {wanted} have to")
            }
            Self::CutOff => f.write_str(
                "the store takes no logouts: it has fewer replicas than its min-replicas-to-write",
            ),
            Self::ResumeWithin(age) => {
                write!(f, "resuming within {age:?} is too long: a day is the most")
            }
            Self::NoRandomness => f.write_str("the system gives no random bytes"),
        }
    }
}

impl std::error::Error for StoreError {}
