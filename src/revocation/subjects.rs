//! Subjects whose sessions were ended all at once, in memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::HashMap as Counts;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use papaya::{Equivalent, HashMap};

use crate::clock::Timestamp;
use crate::session::{Era, SessionKey};

/// The present era of each subject whose sessions were ended, while one of those could live.
#[derive(Default)]
pub(super) struct Subjects {
    /// Read on requests; never locked.
    eras: HashMap<Subject, Since>,
    /// How many there are: nearly always none, and then nothing else is looked at.
    number: AtomicUsize,
    /// Touched only when sessions are ended.
    ends: Mutex<Ends>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Subject {
    realm: Arc<str>,
    name: Arc<str>,
}

#[derive(Clone, Copy)]
struct Since {
    era: Era,
    until: Timestamp,
}

#[derive(Default)]
struct Ends {
    /// The earliest on top. One whose time was moved on stands here twice.
    by_end: BinaryHeap<Reverse<(Timestamp, Subject)>>,
    /// How many a realm has.
    of_realm: Counts<Arc<str>, usize>,
}

/// A subject as it is asked for.
struct Asked<'a> {
    realm: &'a str,
    name: &'a str,
}

impl Hash for Subject {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Asked { realm: &self.realm, name: &self.name }.hash(state);
    }
}

impl Hash for Asked<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.realm.hash(state);
        self.name.hash(state);
    }
}

impl Equivalent<Subject> for Asked<'_> {
    fn equivalent(&self, key: &Subject) -> bool {
        *self.name == *key.name && *self.realm == *key.realm
    }
}

impl Subjects {
    /// Whether a session is over with all others of its subject's.
    #[inline]
    pub(super) fn have_ended(&self, session: &SessionKey<'_>, now: Timestamp) -> bool {
        let present = || self.era_of(session.realm(), session.subject(), now);
        self.number.load(Ordering::Acquire) != 0
            && present().is_some_and(|present| present != session.era())
    }

    /// The era of a subject, if it has had more than one.
    #[inline(never)]
    pub(super) fn era_of(&self, realm: &str, name: &str, now: Timestamp) -> Option<Era> {
        let eras = self.eras.pin();
        eras.get(&Asked { realm, name }).filter(|since| now < since.until).map(|since| since.era)
    }

    /// Begins another era; false if the realm has as many as it may.
    pub(super) fn begin(
        &self,
        (realm, name): (&str, &str),
        era: Era,
        until: Timestamp,
        now: Timestamp,
        most: usize,
    ) -> bool {
        // Nothing panics while it is held.
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let eras = self.eras.pin();
        self.forget_ended(&mut ends, now);
        let before = eras.get(&Asked { realm, name }).copied();
        let subject = Subject { realm: realm.into(), name: name.into() };
        // What ends sooner than the one before would let its sessions live again.
        let until = before.map_or(until, |before| before.until.max(until));
        if before.is_none() {
            let held = ends.of_realm.entry(Arc::clone(&subject.realm)).or_default();
            if *held >= most {
                return false;
            }
            *held += 1;
        }
        if before.is_none_or(|before| before.until != until) {
            ends.by_end.push(Reverse((until, subject.clone())));
        }
        eras.insert(subject, Since { era, until });
        self.number.store(eras.len(), Ordering::Release);
        true
    }

    /// Drops those that have had their time.
    fn forget_ended(&self, ends: &mut Ends, now: Timestamp) {
        let eras = self.eras.pin();
        while ends.by_end.peek().is_some_and(|Reverse((until, _))| *until <= now) {
            let Some(Reverse((_, subject))) = ends.by_end.pop() else { return };
            if eras.get(&subject).is_some_and(|since| since.until <= now) {
                eras.remove(&subject);
                if let Some(held) = ends.of_realm.get_mut(&subject.realm) {
                    *held = held.saturating_sub(1);
                }
            }
        }
        self.number.store(eras.len(), Ordering::Release);
    }

    /// Drops all.
    pub(super) fn forget(&self) {
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        *ends = Ends::default();
        self.eras.pin().clear();
        self.number.store(0, Ordering::Release);
    }

    pub(super) fn len(&self) -> usize {
        self.number.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::session::Session;

    const fn at(second: u64) -> Timestamp {
        Timestamp::from_millis(second * 1000)
    }

    const ERAS: [Era; 3] = [Era::FIRST, Era::from_number(7), Era::from_number(3)];

    /// Those of another era are over, in this realm and of this subject, and for so long.
    #[test]
    fn eras_of_subjects() {
        let subjects = Subjects::default();
        let have_ended = |realm, name, era, second| {
            let session = Session::builder(name).lasting(at(0), Duration::from_secs(60));
            let session = session.unwrap().in_era(era);
            subjects.have_ended(&SessionKey::new(realm, &session), at(second))
        };
        assert!(!have_ended("", "ada", ERAS[0], 0));
        assert!(subjects.begin(("", "ada"), ERAS[1], at(10), at(0), 9));
        for (realm, name, era, second, ended) in [
            ("", "ada", ERAS[0], 0, true),
            ("", "ada", ERAS[0], 9, true),
            ("", "ada", ERAS[0], 10, false),
            ("", "ada", ERAS[1], 9, false),
            ("", "ada", ERAS[2], 9, true),
            ("", "bob", ERAS[0], 9, false),
            ("", "ad", ERAS[0], 9, false),
            ("a", "da", ERAS[0], 9, false),
            ("other", "ada", ERAS[0], 9, false),
        ] {
            let told = have_ended(realm, name, era, second);
            assert_eq!(told, ended, "{realm:?} {name} {era:?} {second}");
        }
        // Again, and for no shorter time than before.
        assert!(subjects.begin(("", "ada"), ERAS[2], at(5), at(1), 9));
        assert!(have_ended("", "ada", ERAS[1], 9));
        assert!(!have_ended("", "ada", ERAS[2], 9));
        assert_eq!((subjects.len(), subjects.era_of("", "ada", at(9))), (1, Some(ERAS[2])));
    }

    /// LM-01: each realm has its room, which comes back.
    #[test]
    fn bounded() {
        let subjects = Subjects::default();
        let begin =
            |realm, name, until, now| subjects.begin((realm, name), ERAS[1], at(until), at(now), 2);
        assert!(begin("", "a", 10, 0) && begin("", "b", 20, 0));
        assert!(!begin("", "c", 20, 0) && begin("other", "c", 20, 0));
        assert!(begin("", "a", 30, 1), "one that is there takes no more room");
        assert!(!begin("", "c", 30, 10), "its time was moved on");
        assert!(begin("", "c", 40, 20) && !begin("", "d", 40, 20));
        assert_eq!(subjects.len(), 2);
        subjects.forget();
        assert!(subjects.len() == 0 && begin("", "d", 40, 20));
    }
}
