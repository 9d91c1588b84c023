//! The connection: made when it is needed, proved again and again, and replaced when it fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, FromRedisValue, Pipeline, ServerErrorKind};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::StoreError;
use super::cache::Cache;
use super::dial::Dialled;
use super::find::Target;
use super::life::Life;
use super::memory::Memory;
use crate::revocation::mark::Mark;

/// After a connection failed, how long others are refused for the same reason before it is tried
/// again.
const PAUSE: Duration = Duration::from_millis(250);

/// How often it is looked whether the other nodes have confirmed a store.
const POLL: Duration = Duration::from_millis(40);

/// What a link is made with.
pub(super) struct Settings {
    /// Where the store's life stands.
    pub(super) epoch: String,
    pub(super) timeout: Duration,
    pub(super) replicas: usize,
    pub(super) resume_within: Duration,
}

pub(super) struct Link {
    target: Arc<Target>,
    settings: Settings,
    pub(super) replicas: usize,
    pub(super) resume_within: Duration,
    /// Tells this process from others in the store.
    pub(super) node: u64,
    begun: Instant,
    pub(super) memory: Memory,
    pub(super) cache: Arc<Cache>,
    state: Mutex<State>,
    /// When the store was last proved, in milliseconds since the link was made.
    proved: AtomicU64,
    /// The mark of the store's life, as last heard.
    mark: AtomicU64,
}

enum State {
    Open(Connection),
    Closed,
    Failed { at: Instant, error: StoreError },
}

/// A connection to a server that was found to be the store.
#[derive(Clone)]
pub(super) struct Connection {
    inner: MultiplexedConnection,
    /// Tells it from those before it.
    made: Instant,
    /// When it was last certain that the address leads to this server, and that it is the store.
    proved: Instant,
    pub(super) life: Arc<Life>,
    head: Arc<str>,
}

/// A connection to a server that has just been found to be the store.
struct Proved {
    dialled: Dialled,
    life: Life,
    at: Instant,
}

impl Connection {
    fn new(proved: Proved) -> Self {
        let Proved { dialled, life, at } = proved;
        let head = life.head().into();
        let inner = dialled.keep();
        Self { inner, made: Instant::now(), proved: at, life: Arc::new(life), head }
    }

    /// Whether this is the life that the store was in when it was proved, at the same server.
    pub(super) fn goes_on(&self, epoch: Option<&str>) -> bool {
        epoch.is_some_and(|epoch| epoch.starts_with(&*self.head))
    }
}

/// Whether a question that was perhaps heard may be put again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    Yes,
    No,
}

impl Link {
    pub(super) fn new(
        target: Target,
        settings: Settings,
        cache: Arc<Cache>,
    ) -> Result<Self, StoreError> {
        let mut node = [0; 8];
        SystemRandom::new().fill(&mut node).map_err(|_| StoreError::NoRandomness)?;
        let Settings { replicas, resume_within, .. } = settings;
        Ok(Self {
            target: Arc::new(target),
            settings,
            replicas,
            resume_within,
            node: u64::from_be_bytes(node),
            begun: Instant::now(),
            memory: Memory::default(),
            cache,
            state: Mutex::new(State::Closed),
            proved: AtomicU64::new(0),
            mark: AtomicU64::new(0),
        })
    }

    pub(super) fn epoch(&self) -> &str {
        &self.settings.epoch
    }

    /// Whether the store is one of several nodes among which keys are spread.
    pub(super) fn is_cluster(&self) -> bool {
        self.target.address.is_cluster()
    }

    pub(super) fn timeout(&self) -> Duration {
        self.settings.timeout
    }

    /// When what begins now has taken too long.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout()
    }

    /// For how long a connection is good that was found to be the store's.
    pub(super) fn window(&self) -> Duration {
        self.cache.staleness() + self.timeout()
    }

    /// How long this process has been there, in milliseconds.
    pub(super) fn beat(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The mark of the store's life, as last heard.
    pub(super) fn mark(&self) -> Mark {
        let [_, _, mark @ ..] = self.mark.load(Ordering::Relaxed).to_be_bytes();
        Mark(mark)
    }

    pub(super) fn heard(&self, mark: Mark) {
        let mut bytes = [0; 8];
        bytes[2..].copy_from_slice(&mark.0);
        self.mark.store(u64::from_be_bytes(bytes), Ordering::Relaxed);
    }

    /// Puts a question, and tells the connection that was answered on. Where one turns out to be dead
    /// the question is put again, on a new one.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        question: &Pipeline,
        again: Again,
        deadline: Instant,
    ) -> Result<(T, Connection), StoreError> {
        let mut tries = if again == Again::Yes { 2 } else { 1 };
        loop {
            let mut open = self.open(deadline).await?;
            tries -= 1;
            let answer = timeout_at(deadline, question.query_async(&mut open.inner)).await;
            let error = match answer {
                Ok(Ok(answer)) => return Ok((answer, open)),
                Ok(Err(error)) => {
                    if is_refusal(&error) {
                        return Err(StoreError::failed(&error));
                    }
                    StoreError::failed(&error)
                }
                Err(_) => StoreError::TooSlow(self.timeout()),
            };
            self.close(&open).await;
            if tries == 0 || Instant::now() >= deadline {
                return Err(error);
            }
        }
    }

    /// Writes, and waits for as many replicas as are wanted: over a connection of its own, as others
    /// would wait with it.
    pub(super) async fn write_through<T: FromRedisValue>(
        &self,
        write: &Pipeline,
        again: Again,
        deadline: Instant,
    ) -> Result<(T, Connection), StoreError> {
        if self.replicas == 0 {
            return self.ask(write, again, deadline).await;
        }
        let open = self.open(deadline).await?;
        let work = async {
            let mut dialled = self.target.dial().await?;
            let mut own = dialled.connection.clone();
            let work = async {
                let answer = write.query_async(&mut own).await;
                let answer = answer.map_err(|error| StoreError::failed(&error))?;
                self.await_replicas(&mut own).await.map(|()| answer)
            };
            dialled.while_driven(work).await
        };
        let answer = timeout_at(deadline, work).await;
        let answer = answer.map_err(|_| StoreError::TooSlow(self.timeout()))?;
        answer.map(|answer| (answer, open))
    }

    /// A connection to the store. Callers that come while it is made wait for the one that makes it.
    pub(super) async fn open(&self, deadline: Instant) -> Result<Connection, StoreError> {
        let too_slow = |_| StoreError::TooSlow(self.timeout());
        let mut state = timeout_at(deadline, self.state.lock()).await.map_err(too_slow)?;
        match &*state {
            State::Open(open) if open.proved.elapsed() < self.window() => return Ok(open.clone()),
            State::Failed { at, error } if at.elapsed() < PAUSE => return Err(error.clone()),
            State::Open(_) | State::Failed { .. } | State::Closed => {}
        }
        let made = match timeout_at(deadline, self.prove(deadline)).await {
            Ok(made) => made,
            Err(_) if self.memory.is_waiting() => Err(StoreError::Unproven),
            Err(_) => Err(StoreError::TooSlow(self.timeout())),
        };
        match made {
            Ok(proved) => {
                let open = Connection::new(proved);
                *state = State::Open(open.clone());
                self.proved(&open);
                // What another server said counts no more.
                self.cache.forget();
                Ok(open)
            }
            Err(error) => {
                self.failed(&mut state, &error);
                Err(error)
            }
        }
    }

    /// The store could not be proved.
    fn failed(&self, state: &mut State, error: &StoreError) {
        let is_old = self.beat().saturating_sub(self.proved.load(Ordering::Relaxed))
            >= u64::try_from(self.window().as_millis()).unwrap_or(u64::MAX);
        if is_old || error.is_verdict() {
            self.cache.forget();
        }
        let at = Instant::now();
        match (&*state, error) {
            // The other nodes may say so at any moment.
            (_, StoreError::Unproven) => *state = State::Closed,
            // What is connected may be asked until the proof is too old.
            (State::Open(_), error) if !is_old && !error.is_verdict() => {}
            (_, error) => *state = State::Failed { at, error: error.clone() },
        }
    }

    fn proved(&self, open: &Connection) {
        let since = open.proved.saturating_duration_since(self.begun).as_millis();
        self.proved.fetch_max(u64::try_from(since).unwrap_or_default(), Ordering::Relaxed);
    }

    /// A new connection, once the server is proved to be the store; tries until then where that
    /// waits for other nodes.
    async fn prove(&self, deadline: Instant) -> Result<Proved, StoreError> {
        let mut dialled = self.target.dial().await?;
        let mut connection = dialled.connection.clone();
        let work = async {
            loop {
                let asked = Instant::now();
                match self.verify(&mut connection).await {
                    Ok(life) => return Ok((life, asked)),
                    // They are on their way.
                    Err(StoreError::Unproven) if asked + POLL < deadline => {
                        tokio::time::sleep(POLL).await;
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        let (life, at) = dialled.while_driven(work).await?;
        Ok(Proved { dialled, life, at })
    }

    /// Looks where the address leads now, and whether that is still the store.
    pub(super) async fn look_again(&self) -> Result<(), StoreError> {
        let made = match timeout_at(self.deadline(), self.prove(Instant::now())).await {
            Ok(made) => made,
            Err(_) => Err(StoreError::TooSlow(self.timeout())),
        };
        let mut state = self.state.lock().await;
        let proved = match made {
            Ok(proved) => proved,
            Err(error) => {
                self.failed(&mut state, &error);
                return Err(error);
            }
        };
        match &mut *state {
            State::Open(open) if *open.head == *proved.life.head() => {
                open.proved = open.proved.max(proved.at);
                self.proved(open);
            }
            state => {
                let open = Connection::new(proved);
                self.proved(&open);
                *state = State::Open(open);
                self.cache.forget();
            }
        }
        Ok(())
    }

    /// Uses a connection no more, if it is still in use.
    pub(super) async fn close(&self, failed: &Connection) {
        let mut state = self.state.lock().await;
        if matches!(&*state, State::Open(open) if open.made == failed.made) {
            *state = State::Closed;
        }
    }
}

/// Whether the store itself said no, over a connection that is in order.
fn is_refusal(error: &redis::RedisError) -> bool {
    match error.kind() {
        // It has become a replica, or another node has its keys: the next connection may lead elsewhere.
        ErrorKind::Server(
            ServerErrorKind::ReadOnly
            | ServerErrorKind::Moved
            | ServerErrorKind::Ask
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::MasterDown,
        ) => false,
        ErrorKind::Server(_) | ErrorKind::Extension => true,
        _ => false,
    }
}
