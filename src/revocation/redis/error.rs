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
    /// It is a node of a cluster.
    Cluster,
    /// The system gives no random bytes.
    NoRandomness,
}

impl StoreError {
    /// An error of the client, as text: it is told to many that wait.
    pub(super) fn failed(error: &redis::RedisError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url => f.write_str(
                "the URL names no store: write it like redis://:password@127.0.0.1:6379/0 or \
                 redis+unix:///run/redis/redis.sock (no TLS)",
            ),
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
                "the store is a node of a cluster: name one that stands alone, or has replicas",
            ),
            Self::NoRandomness => f.write_str("the system gives no random bytes"),
        }
    }
}

impl std::error::Error for StoreError {}
