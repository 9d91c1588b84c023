//! Whether a server is the store, and has all that was ever stored there.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, InfoDict, Pipeline, ServerErrorKind};

use super::StoreError;
use super::life::{Life, Sight};
use super::link::Link;
use super::server::Server;

/// How often another node may be faster in a row.
const TRIES: usize = 100;

impl Link {
    /// Looks at the server, and says in the store that this node is there. Begins a new life where
    /// something may have been forgotten. The connection is nobody else's.
    pub(super) async fn verify(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> Result<Life, StoreError> {
        let info = redis::cmd("INFO").query_async(connection).await;
        let info: InfoDict = info.map_err(|error: redis::RedisError| match error.kind() {
            ErrorKind::Server(ServerErrorKind::NoPerm) => StoreError::NoInfo(error.to_string()),
            _ => StoreError::failed(&error),
        })?;
        let server = Server::read(&info, self.is_cluster())?;
        for _ in 0..TRIES {
            let (read, has_proofs) = self.read(connection).await?;
            let known = self.memory.known();
            let sight = Sight {
                server: &server,
                node: self.node,
                known: known.as_ref(),
                has_proofs,
                beat: self.beat(),
                waited: self.memory.waited(read.as_ref()),
                resume_within: self.resume_within,
            };
            let before = read.as_ref().map(Life::head);
            let life = Life::next(read, &sight)?;
            match self.write(connection, &life).await {
                Ok(true) => return self.took(life, sight.beat),
                // Another node was faster: what it wrote counts.
                Ok(false) => {}
                // It takes no logouts either, and what it has it still knows.
                Err(error) if error.is_full() && before == Some(life.head()) => {
                    return self.took(life, 0);
                }
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Failed("its life is changed again and again".to_owned()))
    }

    fn took(&self, life: Life, beat: u64) -> Result<Life, StoreError> {
        if life.is_awaited() {
            return Err(StoreError::Unproven);
        }
        self.memory.took(&life, beat);
        self.heard(life.mark);
        Ok(life)
    }

    /// The life in the store, and whether all is there that this node stored last.
    async fn read(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> Result<(Option<Life>, bool), StoreError> {
        let mut read = redis::pipe();
        read.cmd("WATCH").arg(self.epoch()).ignore().cmd("GET").arg(self.epoch());
        for proof in self.memory.proofs() {
            read.cmd("GET").arg(proof);
        }
        let answers: Vec<Option<String>> = query(&read, connection).await?;
        let (life, proofs) = answers.split_first().map_or((None, &[][..]), |(life, proofs)| {
            (life.as_deref().and_then(Life::parse), proofs)
        });
        Ok((life, proofs.iter().all(Option::is_some)))
    }

    /// True if nobody else wrote meanwhile.
    async fn write(
        &self,
        connection: &mut MultiplexedConnection,
        life: &Life,
    ) -> Result<bool, StoreError> {
        let mut write = redis::pipe();
        write.atomic().cmd("SET").arg(self.epoch()).arg(life.to_string());
        let written: Option<(String,)> = query(&write, connection).await?;
        if written.is_some() {
            self.await_replicas(connection).await?;
        }
        Ok(written.is_some())
    }

    /// Waits until as many replicas as are wanted have all that was written over this connection.
    pub(super) async fn await_replicas(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> Result<(), StoreError> {
        if self.replicas == 0 {
            return Ok(());
        }
        let patience = self.timeout() * 3 / 4;
        let millis = patience.max(Duration::from_millis(1)).as_millis();
        let millis = u64::try_from(millis).unwrap_or(u64::MAX);
        let mut wait = redis::pipe();
        wait.cmd("WAIT").arg(self.replicas).arg(millis);
        let (found,): (usize,) = query(&wait, connection).await?;
        if found < self.replicas {
            return Err(StoreError::Replicas { wanted: self.replicas, found });
        }
        Ok(())
    }
}

async fn query<T: redis::FromRedisValue>(
    question: &Pipeline,
    connection: &mut MultiplexedConnection,
) -> Result<T, StoreError> {
    question.query_async(connection).await.map_err(|error| StoreError::failed(&error))
}
