//! Revocations in Redis or Valkey, for several processes.

mod address;
mod builder;
mod cache;
mod dial;
mod entries;
mod error;
mod find;
mod life;
mod link;
mod memory;
mod server;
mod subjects;
mod tls;
mod verify;
mod watch;

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use redis::InfoDict;
use ring::digest::{SHA256, digest};
use tokio::runtime::Handle;

pub use builder::RedisBuilder;
pub use error::StoreError;

use super::{Era, Revocations, SessionKey};
use crate::answer::{Answer, BoxError};
use crate::clock::Timestamp;
use crate::session::SessionId;
use cache::{Cache, Known, Outcome, Question, Told};
use link::{Again, Link};
use subjects::Asked;

/// Revocations in a Redis or Valkey server that several processes share (feature `redis`).
///
/// A logout counts at once in the process that it was made in, and in the others within
/// [`staleness`](RedisBuilder::staleness): so long a process relies on the answer that a session was
/// not revoked, two seconds by default. That a session was revoked is remembered until it would have
/// ended. Within that time a tile costs no question, no lock and no allocation. Tiles that come
/// together wait for one answer, and sessions in use are asked for ahead.
///
/// When the store is down or takes longer than [`timeout`](RedisBuilder::timeout), what cannot be
/// known is refused: 503 on images, a page that says so after a logout. It is found again by itself.
/// Whoever may see an image without a session is served throughout.
///
/// # What the store must not forget
///
/// Each life of the store has a random mark, which the ids of its sessions carry; sessions of
/// another life are not vouched for. A life ends, and **everybody logs in again**, where the store may
/// have forgotten a logout. Each node looks at it several times a second, over a new connection to
/// wherever the address leads then, and each answer about a session comes with proofs. A life ends
///
/// - when the store is empty, or lacks what a node stored there, or is older than what a node saw;
/// - when it has thrown keys away;
/// - when it was restarted or replaced, and not every node that was there until then says within three
///   seconds that nothing is missing; meanwhile what needs it is refused. So it is when all nodes went
///   down with it, see [`insecure_resume_within`](RedisBuilder::insecure_resume_within);
/// - when it was restarted without `appendonly yes`, as a snapshot does not hold what came after it.
///
/// With `appendonly yes`, a restart, and a promotion of a replica that lacks nothing, goes unnoticed but
/// for a moment. When the address leads to another server, a logout there counts at a node
/// that was connected to the one before within `staleness` and `timeout` together.
///
/// What the server and the node that a logout was made at lose together can not be missed by others, and
/// two servers that both take logouts, each with nodes that do not reach the other, do not know of each
/// other: [`replicas`](RedisBuilder::replicas) closes both.
///
/// A server whose `maxmemory-policy` is not `noeviction` is refused. When it is full, logouts fail, and
/// say so, until sessions have ended.
///
/// Entries have the hash of a session's id as their key and a time as their value, and end with the
/// session. Where all sessions of a subject were ended, there is one with the hash of realm and subject
/// as its key, until the last of them would have ended. The store's user needs `INFO`, `WATCH`, `MULTI`,
/// `EXEC`, `GET`, `MGET` and `SET` on keys that begin with the [`prefix`](RedisBuilder::prefix), and `WAIT` with
/// replicas; what Sentinels and clusters need besides stands in the guide's page on several nodes.
///
/// # Sentinels and clusters
///
/// Where Sentinels watch the server, or it is a node of a cluster, all that the URL names are asked where the
/// store is, again and again, and the latest election counts. Whichever takes over is another server to the
/// nodes, as above. In a cluster all keys have one hash tag, `{iiif-auth}`, so that they are at one node, and
/// move together; while they do, what needs the store is refused. As long as nobody tells where the store is,
/// it counts as down.
///
/// # Example
///
/// ```no_run
/// use tower_iiif_auth::revocation::{Redis, StoreError};
/// use tower_iiif_auth::{AccessService, IiifAuth, Keyring, Realm};
///
/// # async fn configured() -> Result<IiifAuth, Box<dyn std::error::Error>> {
/// let auth = IiifAuth::builder("https://iiif.example")
///     .keyring(Keyring::from_env("IIIF_AUTH_KEY")?) // the same on all nodes
///     .revocations(Redis::connect("redis://127.0.0.1:6379").await?)
///     .images("/iiif/3")
///     .realm(Realm::new().access(AccessService::active("login", "Example Library")))
///     .authorize_with(|request| request.has_role("reader"))
///     .build()?;
/// # Ok(auth)
/// # }
/// ```
#[derive(Clone)]
pub struct Redis {
    shared: Arc<Shared>,
}

/// How often a question is put, where the store turns out to be another.
const TRIES: usize = 3;
const AGAIN_AND_AGAIN: &str = "it is emptied or replaced again and again";

struct Shared {
    link: Arc<Link>,
    cache: Arc<Cache>,
    prefix: Box<str>,
}

impl Redis {
    /// Connects to the store at `url`, with the defaults of [`RedisBuilder`].
    ///
    /// # Errors
    ///
    /// As for [`RedisBuilder::connect`].
    pub async fn connect(url: impl Into<String>) -> Result<Self, StoreError> {
        Self::builder(url).connect().await
    }

    /// The store at `url`, to be set up; what stands in brackets may be missing, and `valkey` means the same
    /// as `redis`:
    ///
    /// - `redis://[[user]:password@]host[:port][/database]`, one server;
    /// - `redis+unix:///path/to/socket[?db=0]`, through a socket;
    /// - `redis+sentinel://[[user]:password@]host[:port],…/service[/database]`, the primary that these
    ///   Sentinels name, with `?sentinel_user=…&sentinel_password=…` where they want their own;
    /// - `redis+cluster://[[user]:password@]host[:port],…`, the one node of a cluster that has the keys.
    ///
    /// `rediss` (and `valkeys`) in place of `redis` is TLS for all of it, with feature `redis-rustls`: the
    /// system's authorities and the host's name or address are what a server is known by, and there is no way
    /// to leave that out. What stands in a URL beside letters and digits is percent-encoded.
    pub fn builder(url: impl Into<String>) -> RedisBuilder {
        RedisBuilder::new(url.into())
    }

    /// How many sessions it remembers the store's word for.
    #[must_use]
    pub fn cached(&self) -> usize {
        self.shared.cache.len()
    }
}

impl Shared {
    /// The key of a session's entry. Whoever reads the store, its log or its backups learns no id.
    fn key(&self, id: SessionId) -> String {
        let hash = digest(&SHA256, id.as_bytes());
        format!("{}:{}", self.prefix, URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]))
    }

    /// Asks the store, and tells everyone who waits.
    async fn resolve(self: Arc<Self>, asked: Asked, question: Question, now: Timestamp) {
        let outcome = self.look_up(&asked, now).await;
        self.cache.answer(asked.id, question, outcome, now);
    }

    async fn look_up(&self, asked: &Asked, now: Timestamp) -> Outcome {
        let deadline = self.link.deadline();
        for _ in 0..TRIES {
            let mut read = redis::pipe();
            // What is asked later proves what is asked before: that the store is in the same life, has
            // what this node stored last, and has thrown nothing away.
            read.cmd("GET").arg(self.key(asked.id)).cmd("MGET").arg(self.link.epoch());
            // Of nobody in particular there is no such entry: what is said in its place does not matter.
            let subject = asked.of_subject.as_ref().map(|(subject, _)| &**subject);
            read.arg(subject.unwrap_or(self.link.epoch()));
            for proof in self.link.memory.proofs() {
                read.arg(proof);
            }
            read.cmd("INFO").arg("stats");
            let (answer, connection) = self.link.ask(&read, Again::Yes, deadline).await?;
            let (until, mut told, stats): (Option<String>, Vec<Option<String>>, InfoDict) = answer;
            let subject = if told.len() > 1 { told.remove(1) } else { None };
            let (epoch, proofs) = told
                .split_first()
                .map_or((None, &[][..]), |(epoch, proofs)| (epoch.as_deref(), proofs));
            if !connection.goes_on(epoch)
                || proofs.iter().any(Option::is_none)
                || server::evicted(&stats) != connection.life.evicted
            {
                // A new connection tells whether it is still the store, and begins a new life if not.
                self.link.close(&connection).await;
                continue;
            }
            let mark = connection.life.mark;
            return Ok(match until {
                // An entry that cannot be read is one all the same.
                Some(until) => Told::Revoked {
                    until: Timestamp::from_millis(until.parse().unwrap_or(now.as_millis())),
                },
                _ if mark.is_on(asked.id) && !asked.is_of_before(subject.as_deref()) => Told::Lives,
                _ => Told::Revoked { until: now.after(self.cache.staleness()) },
            });
        }
        Err(StoreError::Failed(AGAIN_AND_AGAIN.to_owned()))
    }
}

/// How long an entry is kept, for the store has a clock of its own.
fn millis(until: Timestamp, now: Timestamp) -> u64 {
    until.as_millis().saturating_sub(now.as_millis()).max(1)
}

/// Does the work whether or not the client still waits for it, so that no logout is cut off.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, BoxError> {
    tokio::spawn(work).await?.map_err(Into::into)
}

impl Redis {
    /// Whether a session is over, as far as it is known; or asks the store, for everyone who wants to know.
    #[inline]
    fn is_over(
        &self,
        id: SessionId,
        asked: impl Fn(&Shared) -> Asked,
        now: Timestamp,
    ) -> Answer<Result<bool, BoxError>> {
        match self.shared.cache.get(id, now) {
            Known::Lives => return Answer::Now(Ok(false)),
            Known::Revoked => return Answer::Now(Ok(true)),
            Known::Aging => {
                if let Ok(runtime) = Handle::try_current() {
                    if let Some(question) = self.shared.cache.renew(id) {
                        let asked = asked(&self.shared);
                        runtime.spawn(Arc::clone(&self.shared).resolve(asked, question, now));
                    }
                }
                return Answer::Now(Ok(false));
            }
            Known::Nothing => {}
        }
        let (shared, asked) = (Arc::clone(&self.shared), asked(&self.shared));
        Answer::later(async move {
            let (mut outcome, question) = shared.cache.ask(id, now);
            if let Some(question) = question {
                tokio::spawn(shared.resolve(asked, question, now));
            }
            let outcome = outcome.wait_for(Option::is_some).await?.clone();
            match outcome {
                Some(Ok(told)) => Ok(told != Told::Lives),
                Some(Err(error)) => Err(error.into()),
                None => Err("the store's answer was lost".into()),
            }
        })
    }
}

impl Revocations for Redis {
    fn admit(&self, id: SessionId) -> SessionId {
        self.shared.link.mark().put_on(id)
    }

    fn is_revoked(&self, id: SessionId, now: Timestamp) -> Answer<Result<bool, BoxError>> {
        self.is_over(id, |_| Asked::of_id(id), now)
    }

    #[inline]
    fn is_ended(&self, session: &SessionKey<'_>, now: Timestamp) -> Answer<Result<bool, BoxError>> {
        self.is_over(session.id(), |shared| shared.asked(session), now)
    }

    fn end_subject(
        &self,
        realm: &str,
        subject: &str,
        era: Era,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<Result<(), BoxError>> {
        if until <= now {
            return Answer::Now(Ok(()));
        }
        let shared = Arc::clone(&self.shared);
        let key = shared.subject_key(realm, subject);
        Answer::later(to_the_end(async move { shared.end_subject(key, era, until, now).await }))
    }

    fn era_of(&self, realm: &str, subject: &str, _: Timestamp) -> Answer<Result<Era, BoxError>> {
        let shared = Arc::clone(&self.shared);
        let key = shared.subject_key(realm, subject);
        Answer::later(to_the_end(async move { shared.era_of(key).await }))
    }

    fn claim(
        &self,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<Result<bool, BoxError>> {
        if until <= now {
            return Answer::Now(Ok(false));
        }
        let shared = Arc::clone(&self.shared);
        Answer::later(to_the_end(async move { shared.claim(id, until, now).await }))
    }

    fn revoke(
        &self,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<Result<(), BoxError>> {
        if until <= now {
            return Answer::Now(Ok(()));
        }
        let shared = Arc::clone(&self.shared);
        Answer::later(to_the_end(async move { shared.revoke(id, until, now).await }))
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("prefix", &self.shared.prefix)
            .field("staleness", &self.shared.cache.staleness())
            .field("timeout", &self.shared.link.timeout())
            .field("cached", &self.cached())
            .finish_non_exhaustive()
    }
}
