//! The connection: made when it is needed, looked at before it is used, and replaced when it fails.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ErrorKind, FromRedisValue, Pipeline, ServerErrorKind};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::StoreError;
use super::epoch::{Epoch, Server};
use crate::revocation::mark::Mark;

/// After a connection failed, how long others are refused for the same reason before it is tried
/// again.
const PAUSE: Duration = Duration::from_millis(250);

pub(super) struct Link {
    client: Client,
    /// Where the store's life stands.
    epoch: String,
    timeout: Duration,
    state: Mutex<State>,
    /// The mark of the store's life, as last heard.
    mark: AtomicU64,
}

enum State {
    Open(Connection),
    Closed,
    Failed { at: Instant, error: StoreError },
}

/// A connection to a store that was found in order when the connection was made.
#[derive(Clone)]
pub(super) struct Connection {
    connection: MultiplexedConnection,
    /// Tells it from those before it.
    made: Instant,
}

/// Whether a question that was perhaps heard may be put again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    Yes,
    No,
}

impl Link {
    pub(super) fn new(client: Client, epoch: String, timeout: Duration) -> Self {
        let (state, mark) = (Mutex::new(State::Closed), AtomicU64::new(0));
        Self { client, epoch, timeout, state, mark }
    }

    pub(super) fn epoch(&self) -> &str {
        &self.epoch
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// When what begins now has taken too long.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
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
            let answer = timeout_at(deadline, question.query_async(&mut open.connection)).await;
            let error = match answer {
                Ok(Ok(answer)) => return Ok((answer, open)),
                Ok(Err(error)) => {
                    if is_refusal(&error) {
                        return Err(StoreError::failed(&error));
                    }
                    StoreError::failed(&error)
                }
                Err(_) => StoreError::TooSlow(self.timeout),
            };
            self.close(&open).await;
            if tries == 0 || Instant::now() >= deadline {
                return Err(error);
            }
        }
    }

    /// An open connection. Callers that come while it is made wait for the one that makes it.
    pub(super) async fn open(&self, deadline: Instant) -> Result<Connection, StoreError> {
        let too_slow = |_| StoreError::TooSlow(self.timeout);
        let mut state = timeout_at(deadline, self.state.lock()).await.map_err(too_slow)?;
        match &*state {
            State::Open(connection) => return Ok(connection.clone()),
            State::Failed { at, error } if at.elapsed() < PAUSE => return Err(error.clone()),
            State::Failed { .. } | State::Closed => {}
        }
        match timeout_at(deadline, self.connect()).await.map_err(too_slow).and_then(|made| made) {
            Ok(connection) => {
                let open = Connection { connection, made: Instant::now() };
                *state = State::Open(open.clone());
                Ok(open)
            }
            Err(error) => {
                *state = State::Failed { at: Instant::now(), error: error.clone() };
                Err(error)
            }
        }
    }

    /// Uses a connection no more, if it is still in use.
    pub(super) async fn close(&self, failed: &Connection) {
        let mut state = self.state.lock().await;
        if matches!(&*state, State::Open(open) if open.made == failed.made) {
            *state = State::Closed;
        }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, StoreError> {
        // All that is waited for has a deadline of its own.
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await;
        let mut connection = connection.map_err(|error| StoreError::failed(&error))?;
        let info = redis::cmd("INFO").query_async(&mut connection).await;
        let info = info.map_err(|error: redis::RedisError| match error.kind() {
            ErrorKind::Server(ServerErrorKind::NoPerm) => StoreError::NoInfo(error.to_string()),
            _ => StoreError::failed(&error),
        })?;
        let server = Server::read(&info)?;
        self.heard(self.life(&mut connection, &server).await?);
        Ok(connection)
    }

    /// The life that the store is in; it begins a new one where it may have forgotten something.
    async fn life(
        &self,
        connection: &mut MultiplexedConnection,
        server: &Server,
    ) -> Result<Mark, StoreError> {
        loop {
            let mut read = redis::pipe();
            read.cmd("WATCH").arg(&self.epoch).ignore().cmd("GET").arg(&self.epoch);
            let read = read.query_async(connection).await;
            let (text,): (Option<String>,) = read.map_err(|error| StoreError::failed(&error))?;
            let known = text.and_then(|text| Epoch::parse(&text));
            if let Some(epoch) = known.filter(|epoch| epoch.goes_on(server)) {
                return Ok(epoch.mark);
            }
            let epoch = Epoch::begin(server)?;
            let mut write = redis::pipe();
            write.atomic().cmd("SET").arg(&self.epoch).arg(epoch.to_string());
            let written = write.query_async(connection).await;
            let written: Option<(String,)> = written.map_err(|error| StoreError::failed(&error))?;
            // Otherwise another process was faster: its epoch counts.
            if written.is_some() {
                return Ok(epoch.mark);
            }
        }
    }
}

/// Whether the store itself said no, over a connection that is in order.
fn is_refusal(error: &redis::RedisError) -> bool {
    match error.kind() {
        // It has become a replica: the next connection may lead elsewhere.
        ErrorKind::Server(ServerErrorKind::ReadOnly) => false,
        ErrorKind::Server(_) | ErrorKind::Extension => true,
        _ => false,
    }
}
