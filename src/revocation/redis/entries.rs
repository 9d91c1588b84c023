//! Entries of the store: sessions that have ended, codes that were claimed.

use std::time::Instant;

use super::cache::Told;
use super::link::Again;
use super::subjects::Asked;
use super::{AGAIN_AND_AGAIN, Shared, StoreError, TRIES, millis};
use crate::clock::Timestamp;
use crate::session::SessionId;

impl Shared {
    pub(super) async fn revoke(
        &self,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let deadline = self.link.deadline();
        for _ in 0..TRIES {
            let mut set = redis::cmd("SET");
            set.arg(self.key(id)).arg(until.as_millis()).arg("PX").arg(millis(until, now));
            let key = self.key(id);
            match self.write(set, key, millis(until, now), Again::Yes, deadline).await {
                Ok(written) if written.goes_on => {
                    self.cache.revoke(id, until, now);
                    return Ok(());
                }
                // It was written where the store has been.
                Ok(_) => {}
                Err(error) => {
                    // It may have been stored.
                    self.cache.doubt(id);
                    return Err(error);
                }
            }
        }
        self.cache.doubt(id);
        Err(StoreError::Failed(AGAIN_AND_AGAIN.to_owned()))
    }

    pub(super) async fn claim(
        &self,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // This may be asked twice, where the connection has died; the claim may not.
        if self.look_up(&Asked::of_id(id), now).await? != Told::Lives {
            return Ok(false);
        }
        let mut set = redis::cmd("SET");
        set.arg(self.key(id)).arg(until.as_millis());
        set.arg("NX").arg("PX").arg(millis(until, now));
        let deadline = self.link.deadline();
        let key = self.key(id);
        let written = self.write(set, key, millis(until, now), Again::No, deadline).await?;
        // Where the store was emptied or replaced in between the claim counts for nothing.
        Ok(written.is_set && written.goes_on)
    }

    /// Writes the entry with this key, to be kept for `millis`.
    pub(super) async fn write(
        &self,
        set: redis::Cmd,
        key: String,
        millis: u64,
        again: Again,
        deadline: tokio::time::Instant,
    ) -> Result<Written, StoreError> {
        let mut write = redis::pipe();
        write.add_command(set).cmd("GET").arg(self.link.epoch());
        let asked = Instant::now();
        let (answer, connection) = self.link.write_through(&write, again, deadline).await?;
        let (set, epoch): (Option<String>, Option<String>) = answer;
        let written =
            Written { is_set: set.is_some(), goes_on: connection.goes_on(epoch.as_deref()) };
        if written.is_set {
            let generation = connection.life.generation;
            self.link.memory.stored(generation, key, asked, millis);
        }
        if !written.goes_on {
            self.link.close(&connection).await;
        }
        Ok(written)
    }
}

/// What came of a write.
pub(super) struct Written {
    /// Whether the entry was not there before, where that was asked.
    pub(super) is_set: bool,
    /// Whether the store was the one that was connected to.
    pub(super) goes_on: bool,
}
