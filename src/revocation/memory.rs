//! Revocations in memory: bounded, expiring, and safe over a restart.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::hash::BuildHasherDefault;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use papaya::HashMap;

use super::filter::Filter;
use super::hasher::OfRandomId;
use super::mark::Mark;
use super::subjects::Subjects;
use super::{Era, Revocations, SessionKey, Share};
use crate::answer::{Answer, BoxError};
use crate::clock::Timestamp;
use crate::session::SessionId;

/// Revocations in the memory of this process; the default.
///
/// Looking up takes no lock. An entry is dropped when its session would have ended. At most a set
/// number is kept for each [`Share`] (default: one million, some 72 MB): for those who logged in to a
/// realm, and for nobody in particular there. When a share is full, what would have to be added to it is
/// refused rather than forgotten: a logout, and a login in the place of a session of a user's that still
/// lives, are answered with an error page until a session has ended. First logins go on; what
/// is handed off to a viewer is not. Other shares do not notice. As many subjects are kept for a realm whose
/// sessions were [ended all at once](crate::IiifAuth::end_sessions_of), apart from these.
///
/// A list in memory is empty after a restart, and sealed cookies outlive it. So that no logged-out
/// cookie comes back to life, each `InMemory` marks the ids of its sessions with a random number of
/// its own and vouches for no other: **a restart logs everybody out**, and two processes do not
/// accept each other's users. Use a shared store where that is too strict. The same happens when the
/// clock is set back by more than five seconds.
pub struct InMemory {
    /// The [`Mark`], as a number.
    mark: AtomicU64,
    /// Read on every request; never locked.
    ends: HashMap<SessionId, Timestamp, BuildHasherDefault<OfRandomId>>,
    /// The same ids, asked first.
    filter: Filter,
    /// The same entries by their end, touched only when something is revoked.
    entries: Mutex<Entries>,
    /// Those whose sessions were ended all at once.
    subjects: Subjects,
    most: usize,
}

#[derive(Default)]
struct Entries {
    /// With their share's place, the earliest end on top.
    by_end: BinaryHeap<Reverse<(Timestamp, [u8; 16], usize)>>,
    /// There are two for a realm.
    shares: Vec<Held>,
}

/// How much a share holds.
struct Held {
    realm: Box<str>,
    is_of_nobody: bool,
    number: usize,
}

impl Entries {
    /// The place of a share.
    fn place(&mut self, share: Share<'_>) -> usize {
        let is =
            |own: &Held| own.is_of_nobody == share.is_of_nobody() && *own.realm == *share.realm();
        self.shares.iter().position(is).unwrap_or_else(|| {
            let (realm, is_of_nobody) = (share.realm().into(), share.is_of_nobody());
            self.shares.push(Held { realm, is_of_nobody, number: 0 });
            self.shares.len() - 1
        })
    }

    /// Takes out the next entry that has ended by `now`.
    fn pop_ended(&mut self, now: Timestamp) -> Option<SessionId> {
        let Reverse((end, id, place)) = self.by_end.peek().copied()?;
        if end > now {
            return None;
        }
        self.by_end.pop();
        self.shares[place].number -= 1;
        Some(SessionId::from_bytes(id))
    }
}

/// The share of a call that names none.
const UNNAMED: Share<'static> = Share { realm: "", is_of_nobody: false };

impl InMemory {
    /// An empty list of at most one million sessions for each share.
    ///
    /// # Errors
    ///
    /// When the system gives no random bytes.
    pub fn new() -> Result<Self, super::NoRandomness> {
        Ok(Self {
            mark: AtomicU64::new(number_of(Mark::random()?)),
            ends: HashMap::default(),
            filter: Filter::new(),
            entries: Mutex::default(),
            subjects: Subjects::default(),
            most: 1_000_000,
        })
    }

    /// Keeps at most `most` sessions for each [`Share`], some 70 bytes each: twice as many for a realm.
    /// With the first one, room is taken to tell ids apart at one look: four to eight bytes for each of
    /// `most`, 1 KB at least and 16 MB at most. Default: one million.
    #[must_use]
    pub fn at_most(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    /// How many revoked sessions and claimed codes it remembers, and subjects whose sessions were ended.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len() + self.subjects.len()
    }

    /// Adds an id until it has ended; false if it is there already.
    fn add(
        &self,
        share: Share<'_>,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, Full> {
        let mut entries = self.entries();
        let ends = self.ends.pin();
        while let Some(id) = entries.pop_ended(now) {
            ends.remove(&id);
            self.filter.remove(id);
        }
        if ends.contains_key(&id) || until <= now {
            return Ok(false);
        }
        let place = entries.place(share);
        if entries.shares[place].number >= self.most {
            return Err(Full { most: self.most });
        }
        entries.shares[place].number += 1;
        self.filter.add(id, self.most);
        ends.insert(id, until);
        entries.by_end.push(Reverse((until, *id.as_bytes(), place)));
        Ok(true)
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        // Nothing panics while it is held; and a list that is whole is better than none.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    fn mark(&self) -> Mark {
        let [_, _, mark @ ..] = self.mark.load(Ordering::Acquire).to_be_bytes();
        Mark(mark)
    }

    /// Whether it remembers none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl InMemory {
    /// Whether a session was ended by its id.
    #[inline]
    fn has_ended(&self, id: SessionId) -> bool {
        let is_listed = || self.filter.may_contain(id) && self.ends.pin().contains_key(&id);
        !self.mark().is_on(id) || is_listed()
    }
}

impl Revocations for InMemory {
    fn admit(&self, id: SessionId) -> SessionId {
        self.mark().put_on(id)
    }

    fn is_revoked(&self, id: SessionId, _: Timestamp) -> Answer<Result<bool, BoxError>> {
        Answer::Now(Ok(self.has_ended(id)))
    }

    #[inline]
    fn is_ended(&self, session: &SessionKey<'_>, now: Timestamp) -> Answer<Result<bool, BoxError>> {
        Answer::Now(Ok(self.has_ended(session.id()) || self.subjects.have_ended(session, now)))
    }

    fn end_subject(
        &self,
        realm: &str,
        subject: &str,
        era: Era,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<Result<(), BoxError>> {
        let is_stored = self.subjects.begin((realm, subject), era, until, now, self.most);
        Answer::Now(if is_stored { Ok(()) } else { Err(Full { most: self.most }.into()) })
    }

    fn era_of(&self, realm: &str, subject: &str, now: Timestamp) -> Answer<Result<Era, BoxError>> {
        Answer::Now(Ok(self.subjects.era_of(realm, subject, now).unwrap_or_default()))
    }

    fn claim(
        &self,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<Result<bool, BoxError>> {
        self.claim_in(UNNAMED, id, until, now)
    }

    fn revoke(
        &self,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<Result<(), BoxError>> {
        self.revoke_in(UNNAMED, id, until, now)
    }

    fn claim_in(
        &self,
        share: Share<'_>,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<Result<bool, BoxError>> {
        // An id of another life may have been claimed there.
        if !self.mark().is_on(id) || until <= now {
            return Answer::Now(Ok(false));
        }
        Answer::Now(self.add(share, id, until, now).map_err(Into::into))
    }

    fn revoke_in(
        &self,
        share: Share<'_>,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<Result<(), BoxError>> {
        Answer::Now(self.add(share, id, until, now).map(|_| ()).map_err(Into::into))
    }

    /// Begins another life: ids with the mark of before are vouched for no more, and what was
    /// remembered of them is dropped.
    fn clock_went_back(&self) {
        let mut entries = self.entries();
        // Random it was, so that the next one is no other list's either.
        let next = (self.mark.load(Ordering::Acquire) + 1) & ((1 << 48) - 1);
        self.mark.store(next, Ordering::Release);
        let ends = self.ends.pin();
        while let Some(id) = entries.pop_ended(Timestamp::from_millis(u64::MAX)) {
            ends.remove(&id);
            self.filter.remove(id);
        }
        self.subjects.forget();
    }
}

/// A mark as a number of six bytes.
fn number_of(Mark(mark): Mark) -> u64 {
    mark.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
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
            "the list of revoked sessions is full: it holds {} of this realm that have not ended",
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

    /// LM-01: what one realm or nobody in particular uses up, others have.
    #[test]
    fn shares_are_apart() {
        let list = InMemory::new().unwrap().at_most(2);
        let revoke = |realm, is_of_nobody, until| {
            let (share, id) = (Share::of(realm, is_of_nobody), id(&list));
            matches!(list.revoke_in(share, id, at(until), at(0)), Answer::Now(Ok(())))
        };
        for (realm, is_of_nobody) in [("", true), ("", false), ("b", true), ("b", false)] {
            let outcomes: Vec<_> = (0..3).map(|_| revoke(realm, is_of_nobody, 10)).collect();
            assert_eq!(outcomes, [true, true, false], "{realm:?} {is_of_nobody}");
            let (share, code) = (Share::of(realm, is_of_nobody), id(&list));
            assert!(matches!(list.claim_in(share, code, at(10), at(0)), Answer::Now(Err(_))));
        }
        assert_eq!(list.len(), 8);
        assert!(super::tests::revoke(&list, id(&list), at(30), at(11)));
        assert_eq!(list.len(), 1, "each has its room again");
        assert!(revoke("", true, 10));
    }

    /// LF-08: a clock that goes back begins another life.
    #[test]
    fn nothing_comes_back_with_the_clock() {
        let list = InMemory::new().unwrap();
        let (one, other) = (id(&list), id(&list));
        assert!(revoke(&list, one, at(10), at(0)) && revoke(&list, other, at(30), at(20)));
        list.clock_went_back();
        assert!(revoked(&list, one, at(0)) && revoked(&list, other, at(0)));
        assert!(list.is_empty() && !list.filter.may_contain(other));
        let after = id(&list);
        assert!(!revoked(&list, after, at(0)));
        // At the end of the numbers, too.
        list.mark.store((1 << 48) - 1, Ordering::Release);
        let before = id(&list);
        list.clock_went_back();
        assert!(revoked(&list, before, at(0)) && !revoked(&list, id(&list), at(0)));
    }
}
