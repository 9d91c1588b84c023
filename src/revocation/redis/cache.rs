//! What this process knows without asking: for a short time who was not revoked, and for good who was.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::StoreError;
use crate::clock::Timestamp;
use crate::revocation::hasher::OfRandomId;
use crate::session::SessionId;

/// What the store said of a session, or what became of the question.
pub(super) type Outcome = Result<Told, StoreError>;

/// What the store says of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Lives,
    /// It was revoked; it would have ended at `until` anyway.
    Revoked {
        until: Timestamp,
    },
}

/// What is known at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Nothing,
    Lives,
    /// It lives, and it is time to ask again; said once for each answer.
    Aging,
    Revoked,
}

pub(super) struct Cache {
    /// Read on every request; never locked.
    entries: papaya::HashMap<SessionId, Entry, BuildHasherDefault<OfRandomId>>,
    /// Held by whoever changes the entries.
    questions: Mutex<Questions>,
    staleness: Duration,
    most: usize,
}

enum Entry {
    Lives {
        /// When the store was asked: what it said may have been untrue ever since.
        asked: Instant,
        renewed: AtomicBool,
    },
    Revoked {
        until: Timestamp,
    },
}

struct Questions {
    /// Those that wait for an answer: one for each session, however many want to know.
    open: HashMap<SessionId, Open>,
    asked: u64,
    /// How many entries to add before looking for old ones.
    until_sweep: usize,
}

struct Open {
    number: u64,
    outcome: Answer,
}

/// A question that its owner puts to the store, and answers with [`Cache::answer`].
pub(super) struct Question {
    number: u64,
    asked: Instant,
    outcome: watch::Sender<Option<Outcome>>,
}

/// Comes to a question, for everyone who waits for it.
pub(super) type Answer = watch::Receiver<Option<Outcome>>;

impl Questions {
    /// The open question about this session; a new one is the caller's to put.
    fn open(&mut self, id: SessionId) -> (Answer, Option<Question>) {
        // One whose owner is gone, with its runtime, is never answered.
        let waits = |open: &&Open| open.outcome.has_changed().is_ok();
        if let Some(open) = self.open.get(&id).filter(waits) {
            return (open.outcome.clone(), None);
        }
        let (question, outcome) = self.number();
        self.open.insert(id, Open { number: question.number, outcome: outcome.clone() });
        (outcome, Some(question))
    }

    fn number(&mut self) -> (Question, Answer) {
        self.asked += 1;
        let (sender, outcome) = watch::channel(None);
        (Question { number: self.asked, asked: Instant::now(), outcome: sender }, outcome)
    }
}

impl Cache {
    pub(super) fn new(staleness: Duration, most: usize) -> Self {
        let questions = Questions { open: HashMap::new(), asked: 0, until_sweep: 0 };
        Self {
            entries: papaya::HashMap::default(),
            questions: Mutex::new(questions),
            staleness,
            most,
        }
    }

    pub(super) fn staleness(&self) -> Duration {
        self.staleness
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, id: SessionId, now: Timestamp) -> Known {
        match self.entries.pin().get(&id) {
            Some(Entry::Revoked { until }) if *until > now => Known::Revoked,
            Some(Entry::Lives { asked, renewed }) => {
                let age = asked.elapsed();
                if age >= self.staleness {
                    Known::Nothing
                } else if age >= self.staleness / 2 && !renewed.swap(true, Ordering::Relaxed) {
                    Known::Aging
                } else {
                    Known::Lives
                }
            }
            _ => Known::Nothing,
        }
    }

    /// Waits for the answer to a question about this session. It is the caller's to put if nobody
    /// has yet.
    pub(super) fn ask(&self, id: SessionId, now: Timestamp) -> (Answer, Option<Question>) {
        let mut questions = self.lock();
        // Whoever wants no stale answer gets none that was asked for before.
        if self.staleness.is_zero() {
            let (question, outcome) = questions.number();
            return (outcome, Some(question));
        }
        // It may have been answered since the caller looked.
        let told = match self.get(id, now) {
            Known::Lives => Some(Told::Lives),
            Known::Revoked => Some(Told::Revoked { until: now }),
            Known::Aging | Known::Nothing => None,
        };
        match told {
            Some(told) => (watch::channel(Some(Ok(told))).1, None),
            None => questions.open(id),
        }
    }

    /// A question ahead of time, for the caller to put if nobody has yet.
    pub(super) fn renew(&self, id: SessionId) -> Option<Question> {
        self.lock().open(id).1
    }

    /// Tells everyone who waits, and remembers it.
    pub(super) fn answer(
        &self,
        id: SessionId,
        question: Question,
        outcome: Outcome,
        now: Timestamp,
    ) {
        let mut questions = self.lock();
        let mine = |open: &Open| open.number == question.number;
        let is_open = questions.open.get(&id).is_some_and(mine);
        if is_open {
            questions.open.remove(&id);
        }
        match outcome {
            Ok(Told::Revoked { until }) => {
                self.put(&mut questions, id, Entry::Revoked { until }, now);
            }
            // A question that was closed meanwhile has an answer from before a logout.
            Ok(Told::Lives) if is_open => {
                let entry = Entry::Lives { asked: question.asked, renewed: AtomicBool::new(false) };
                self.put(&mut questions, id, entry, now);
            }
            Ok(Told::Lives) | Err(_) => {}
        }
        drop(questions);
        let Question { outcome: sender, .. } = question;
        sender.send_replace(Some(outcome));
    }

    /// Remembers a session that this process revoked.
    pub(super) fn revoke(&self, id: SessionId, until: Timestamp, now: Timestamp) {
        let mut questions = self.lock();
        questions.open.remove(&id);
        self.put(&mut questions, id, Entry::Revoked { until }, now);
    }

    /// Forgets that a session lives, as it may not.
    pub(super) fn doubt(&self, id: SessionId) {
        let mut questions = self.lock();
        questions.open.remove(&id);
        let lives = |_: &SessionId, entry: &Entry| matches!(entry, Entry::Lives { .. });
        let _ = self.entries.pin().remove_if(&id, lives);
    }

    /// Forgets that any session lives, as the store that said so counts no more. What is being asked
    /// is asked of that one.
    pub(super) fn forget(&self) {
        let mut questions = self.lock();
        questions.open.clear();
        let dead = |_: &SessionId, entry: &Entry| matches!(entry, Entry::Revoked { .. });
        self.entries.pin().retain(dead);
    }

    fn lock(&self) -> MutexGuard<'_, Questions> {
        // Nothing panics while it is held.
        self.questions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, questions: &mut Questions, id: SessionId, entry: Entry, now: Timestamp) {
        let entries = self.entries.pin();
        if questions.until_sweep == 0 {
            questions.until_sweep = self.sweep(now);
        }
        questions.until_sweep -= 1;
        // Without room the store is asked each time.
        if entries.len() < self.most || entries.contains_key(&id) {
            entries.insert(id, entry);
        }
    }

    /// Drops what has had its time, and returns after how many more entries to do so again.
    fn sweep(&self, now: Timestamp) -> usize {
        let entries = self.entries.pin();
        entries.retain(|_, entry| match entry {
            Entry::Lives { asked, .. } => asked.elapsed() < self.staleness,
            Entry::Revoked { until } => *until > now,
        });
        // The store knows who was revoked; those who live are asked for more often.
        if entries.len() > self.most / 2 {
            entries.retain(|_, entry| matches!(entry, Entry::Lives { .. }));
        }
        let (kept, most) = (entries.len(), self.most);
        kept.max(64).min(most.saturating_sub(kept)).max(most / 16 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const LATER: Timestamp = Timestamp::from_millis(1_800_000_060_000);

    fn id() -> SessionId {
        SessionId::random().unwrap()
    }

    fn tell(cache: &Cache, id: SessionId, told: Told) {
        let (_, question) = cache.ask(id, NOW);
        cache.answer(id, question.unwrap(), Ok(told), NOW);
    }

    #[test]
    fn what_lives_is_known_for_a_while_and_what_was_revoked_for_good() {
        let cache = Cache::new(Duration::from_secs(1), 100);
        let (lives, dead) = (id(), id());
        assert_eq!(cache.get(lives, NOW), Known::Nothing);
        tell(&cache, lives, Told::Lives);
        tell(&cache, dead, Told::Revoked { until: LATER });
        assert_eq!((cache.get(lives, NOW), cache.get(dead, NOW)), (Known::Lives, Known::Revoked));
        std::thread::sleep(Duration::from_millis(600));
        assert_eq!(cache.get(lives, NOW), Known::Aging);
        assert_ne!(cache.get(lives, NOW), Known::Aging, "said once");
        std::thread::sleep(Duration::from_millis(450));
        assert_eq!((cache.get(lives, NOW), cache.get(dead, NOW)), (Known::Nothing, Known::Revoked));
        assert_eq!(cache.get(dead, LATER), Known::Nothing, "it has ended");
    }

    #[test]
    fn one_question_for_all_who_want_to_know() {
        let cache = Cache::new(Duration::from_secs(60), 100);
        let session = id();
        let (mine, question) = cache.ask(session, NOW);
        let (theirs, none) = cache.ask(session, NOW);
        assert!(none.is_none() && cache.ask(id(), NOW).1.is_some());
        let error = StoreError::TooSlow(Duration::ZERO);
        cache.answer(session, question.unwrap(), Err(error.clone()), NOW);
        assert_eq!(*mine.borrow(), Some(Err(error.clone())));
        assert_eq!(*theirs.borrow(), Some(Err(error)));
        assert_eq!(cache.get(session, NOW), Known::Nothing, "an error is no answer");
        let answered = id();
        tell(&cache, answered, Told::Lives);
        let (answer, none) = cache.ask(answered, NOW);
        assert!(none.is_none(), "it was answered while the caller went to ask");
        assert_eq!(*answer.borrow(), Some(Ok(Told::Lives)));
        assert!(cache.renew(answered).is_some());
        let (_, question) = cache.ask(session, NOW);
        drop(question);
        assert!(cache.ask(session, NOW).1.is_some(), "nobody would answer the one before");
    }

    #[test]
    fn without_staleness_everyone_asks() {
        let cache = Cache::new(Duration::ZERO, 100);
        let session = id();
        let (_, one) = cache.ask(session, NOW);
        let (_, other) = cache.ask(session, NOW);
        cache.answer(session, one.unwrap(), Ok(Told::Lives), NOW);
        assert_eq!(cache.get(session, NOW), Known::Nothing);
        cache.answer(session, other.unwrap(), Ok(Told::Revoked { until: LATER }), NOW);
        assert_eq!(cache.get(session, NOW), Known::Revoked);
    }

    /// An answer from before the logout does not undo it.
    #[test]
    fn a_logout_is_seen_at_once() {
        let cache = Cache::new(Duration::from_secs(60), 100);
        let session = id();
        tell(&cache, session, Told::Lives);
        let before = cache.renew(session);
        cache.revoke(session, LATER, NOW);
        assert_eq!(cache.get(session, NOW), Known::Revoked);
        cache.answer(session, before.unwrap(), Ok(Told::Lives), NOW);
        assert_eq!(cache.get(session, NOW), Known::Revoked);

        let other = id();
        tell(&cache, other, Told::Lives);
        let before = cache.renew(other);
        cache.doubt(other);
        assert_eq!(cache.get(other, NOW), Known::Nothing);
        cache.answer(other, before.unwrap(), Ok(Told::Lives), NOW);
        assert_eq!(cache.get(other, NOW), Known::Nothing);
        cache.doubt(session);
        assert_eq!(cache.get(session, NOW), Known::Revoked);
    }

    #[test]
    fn bounded() {
        for most in [0, 1, 100, 1000] {
            let cache = Cache::new(Duration::from_secs(60), most);
            for round in 0..5000 {
                let session = id();
                let told = match round % 3 {
                    0 => Told::Lives,
                    _ => Told::Revoked { until: LATER },
                };
                tell(&cache, session, told);
                assert!(cache.len() <= most);
            }
            assert!(cache.len() >= most / 4, "{} of {most}", cache.len());
        }
    }

    /// Those who live push out those who do not.
    #[test]
    fn a_flood_of_logouts_leaves_room() {
        let cache = Cache::new(Duration::from_secs(60), 1000);
        for _ in 0..10_000 {
            tell(&cache, id(), Told::Revoked { until: LATER });
        }
        let sessions: Vec<_> = (0..400).map(|_| id()).collect();
        for session in &sessions {
            tell(&cache, *session, Told::Lives);
        }
        for session in &sessions[200..] {
            assert_eq!(cache.get(*session, NOW), Known::Lives);
        }
    }

    /// What has ended takes no room.
    #[test]
    fn what_has_ended_is_dropped() {
        let cache = Cache::new(Duration::from_millis(1), 100_000);
        for _ in 0..50_000 {
            tell(&cache, id(), Told::Lives);
        }
        assert!(cache.len() < 50_000, "{}", cache.len());
        std::thread::sleep(Duration::from_millis(2));
        for _ in 0..100_000 {
            tell(&cache, id(), Told::Revoked { until: NOW });
        }
        assert!(cache.len() < 10_000, "{}", cache.len());
    }
}
