//! Revocations in memory: bounded, expiring, and safe over a restart.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::hash::BuildHasherDefault;
use std::sync::{Mutex, PoisonError};

use papaya::HashMap;

use super::Revocations;
use super::filter::Filter;
use super::hasher::OfRandomId;
use super::mark::Mark;
use crate::answer::{Answer, BoxError};
use crate::aspect::SessionId;
use crate::clock::Timestamp;

/// Ends with their sessions, the earliest on top.
type ByEnd = BinaryHeap<Reverse<(Timestamp, [u8; 16])>>;

/// Revocations in the memory of this process; the default.
///
/// Looking up takes no lock. An entry is dropped when its session would have ended. At most a set
/// number is kept (default: one million, some 64 MB). When it is full, what would have to be added is
/// refused rather than forgotten: a logout, and a login in the place of a session that still lives,
/// are answered with an error page until a session has ended. First logins go on; what
/// is handed off to a viewer is not.
///
/// A list in memory is empty after a restart, and sealed cookies outlive it. So that no logged-out
/// cookie comes back to life, each `InMemory` marks the ids of its sessions with a random number of
/// its own and vouches for no other: **a restart logs everybody out**, and two processes do not
/// accept each other's users. Use a shared store where that is too strict.
pub struct InMemory {
    mark: Mark,
    /// Read on every request; never locked.
    ends: HashMap<SessionId, Timestamp, BuildHasherDefault<OfRandomId>>,
    /// The same ids, asked first.
    filter: Filter,
    /// The same entries by their end, touched only when something is revoked.
    by_end: Mutex<ByEnd>,
    most: usize,
}

impl InMemory {
    /// An empty list of at most one million sessions.
    ///
    /// # Errors
    ///
    /// When the system gives no random bytes.
    pub fn new() -> Result<Self, crate::ConfigError> {
        Ok(Self {
            mark: Mark::random()?,
            ends: HashMap::default(),
            filter: Filter::new(),
            by_end: Mutex::new(BinaryHeap::new()),
            most: 1_000_000,
        })
    }

    /// Keeps at most `most` sessions, some 60 bytes each. With the first one, room is taken to tell ids apart
    /// at one look: four to eight bytes for each of `most`, 1 KB at least and 16 MB at most. Default: one
    /// million.
    #[must_use]
    pub fn at_most(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    /// How many revoked sessions and claimed codes it remembers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Adds an id until it has ended; false if it is there already.
    fn add(&self, id: SessionId, until: Timestamp, now: Timestamp) -> Result<bool, Full> {
        // Nothing panics while it is held; and a list that is whole is better than none.
        let mut by_end = self.by_end.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = self.ends.pin();
        while let Some(Reverse((end, id))) = by_end.peek().copied() {
            if end > now {
                break;
            }
            by_end.pop();
            let id = SessionId::from_bytes(id);
            ends.remove(&id);
            self.filter.remove(id);
        }
        if ends.contains_key(&id) || until <= now {
            return Ok(false);
        }
        if by_end.len() >= self.most {
            return Err(Full { most: self.most });
        }
        self.filter.add(id, self.most);
        ends.insert(id, until);
        by_end.push(Reverse((until, *id.as_bytes())));
        Ok(true)
    }

    /// Whether it remembers none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Revocations for InMemory {
    fn admit(&self, id: SessionId) -> SessionId {
        self.mark.put_on(id)
    }

    fn is_revoked(&self, id: SessionId, _: Timestamp) -> Answer<Result<bool, BoxError>> {
        let is_listed = || self.filter.may_contain(id) && self.ends.pin().contains_key(&id);
        Answer::Now(Ok(!self.mark.is_on(id) || is_listed()))
    }

    fn claim(
        &self,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<Result<bool, BoxError>> {
        // An id of another life may have been claimed there.
        if !self.mark.is_on(id) || until <= now {
            return Answer::Now(Ok(false));
        }
        Answer::Now(self.add(id, until, now).map_err(Into::into))
    }

    fn revoke(
        &self,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<Result<(), BoxError>> {
        Answer::Now(self.add(id, until, now).map(|_| ()).map_err(Into::into))
    }
}

impl fmt::Debug for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemory")
            .field("len", &self.len())
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}

/// The list holds as many live sessions as it may.
#[derive(Debug)]
struct Full {
    most: usize,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the list of revoked sessions is full: it holds {} that have not ended",
            self.most
        )
    }
}

impl std::error::Error for Full {}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn id(list: &InMemory) -> SessionId {
        list.admit(SessionId::random().unwrap())
    }

    fn revoked(list: &InMemory, id: SessionId, now: Timestamp) -> bool {
        matches!(list.is_revoked(id, now), Answer::Now(Ok(true)))
    }

    fn revoke(list: &InMemory, id: SessionId, until: Timestamp, now: Timestamp) -> bool {
        matches!(list.revoke(id, until, now), Answer::Now(Ok(())))
    }

    #[test]
    fn revoked_until_the_session_ends() {
        let list = InMemory::new().unwrap();
        let (one, other) = (id(&list), id(&list));
        assert!(!revoked(&list, one, at(0)));
        assert!(revoke(&list, one, at(10), at(0)) && revoke(&list, one, at(10), at(0)));
        assert!(revoked(&list, one, at(9)) && !revoked(&list, other, at(9)));
        assert_eq!(list.len(), 1);
        assert!(revoke(&list, other, at(30), at(20)));
        assert_eq!(list.len(), 1, "what has ended is dropped");
        assert!(revoke(&list, id(&list), at(20), at(20)));
        assert_eq!(list.len(), 1, "a session that has ended need not be kept");
    }

    #[test]
    fn bounded() {
        let list = InMemory::new().unwrap().at_most(2);
        assert!(revoke(&list, id(&list), at(10), at(0)) && revoke(&list, id(&list), at(20), at(0)));
        let third = id(&list);
        assert!(!revoke(&list, third, at(20), at(0)), "full is said, not hidden");
        assert!(revoke(&list, third, at(20), at(11)), "room again when one has ended");
    }

    #[test]
    fn one_caller_claims() {
        let list = InMemory::new().unwrap();
        let claim = |list: &InMemory, id, until, now| {
            matches!(list.claim(id, until, now), Answer::Now(Ok(true)))
        };
        let code = id(&list);
        assert!(claim(&list, code, at(60), at(0)));
        assert!(!claim(&list, code, at(60), at(1)));
        assert!(!claim(&list, id(&list), at(60), at(60)), "too late");
        assert!(!claim(&InMemory::new().unwrap(), id(&list), at(60), at(0)), "of another life");
        let full = InMemory::new().unwrap().at_most(0);
        assert!(matches!(full.claim(id(&full), at(60), at(0)), Answer::Now(Err(_))));
    }

    /// RE-10: another life's sessions are not vouched for.
    #[test]
    fn nothing_comes_back_after_a_restart() {
        let (before, after) = (InMemory::new().unwrap(), InMemory::new().unwrap());
        let session = id(&before);
        assert!(!revoked(&before, session, at(0)) && revoked(&after, session, at(0)));
    }
}
