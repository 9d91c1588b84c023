//! Decisions that are remembered for a while.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use quick_cache::Equivalent;
use quick_cache::sync::Cache;

use super::{AccessRequest, Answer, Authorizer, BoxError, Decision, Remedy};
use crate::clock::{SKEW, Timestamp};
use crate::resource::Resource;
use crate::session::Session;

/// An authorizer whose decisions are remembered for a while: made by [`Authorizer::cached`].
///
/// A database is then asked once for a picture and a user, and not for each tile. A clone shares what is
/// remembered: keep one, to [forget](Self::forget_resource) what has changed.
///
/// - **What it is asked by.** A decision is remembered for a resource as a whole, and for a subject with its
///   roles; what everybody may see apart from that. So the authorizer inside sees no region or size, and must
///   not look at other things of a session than these. What does goes around it:
///   `from_async_fn(…).cached(…).or(MaxUnauthorized::new(400))`.
/// - **One question at a time.** Tiles that come together wait for one answer.
/// - **Errors are not remembered**, nor is [`Denial::later`](super::Denial::later): the next tile asks again.
/// - **It is bounded.** Where there is no room, what is asked for least makes some.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use tower_iiif_auth::authorizer::{AccessRequest, Authorizer, from_async_fn};
///
/// async fn ask_the_database(request: AccessRequest<'static>) -> Result<bool, std::io::Error> {
///     Ok(request.has_role("reader")) // … await a query …
/// }
///
/// let rules = from_async_fn(ask_the_database).cached(Duration::from_secs(30), 100_000);
/// let in_the_admin_page = rules.clone();
/// in_the_admin_page.forget_resource("letter-17"); // its rights were changed
/// in_the_admin_page.forget_subject("ada"); // her roles were
/// ```
pub struct Cached<A> {
    shared: Arc<Shared<A>>,
}

struct Shared<A> {
    inner: A,
    entries: Cache<Key, Entry>,
    lives_for: Duration,
    /// How often something was forgotten. Held for writing while it is, so that an answer from before is not
    /// put in behind it.
    forgotten: RwLock<u64>,
}

#[derive(Clone)]
struct Entry {
    decision: Decision,
    /// When it was asked for: what it rests on may have changed ever since.
    asked: Timestamp,
}

/// A page and a scale of an image.
type Part = (Option<u32>, Option<(u32, u32)>);

/// What a decision is remembered by.
#[derive(Clone, PartialEq, Eq)]
struct Key {
    base: Box<str>,
    identifier: Box<str>,
    part: Part,
    /// Subject and roles, in the session's own form.
    who: Option<Box<[u8]>>,
}

/// The same as it is asked for.
struct Asked<'a> {
    resource: &'a Resource<'a>,
    session: Option<&'a Session<'a>>,
}

impl Asked<'_> {
    fn part(&self) -> Part {
        (self.resource.page(), self.resource.scale())
    }

    fn to_key(&self) -> Key {
        Key {
            base: self.resource.base().into(),
            identifier: self.resource.identifier().into(),
            part: self.part(),
            who: self.session.map(|session| session.who().into()),
        }
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&*self.base, &*self.identifier, self.part, self.who.as_deref()).hash(state);
    }
}

impl Hash for Asked<'_> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let who = self.session.map(Session::who);
        (self.resource.base(), self.resource.identifier(), self.part(), who).hash(state);
    }
}

impl Equivalent<Key> for Asked<'_> {
    #[inline]
    fn equivalent(&self, key: &Key) -> bool {
        self.session.map(Session::who) == key.who.as_deref()
            && self.resource.identifier() == &*key.identifier
            && self.resource.base() == &*key.base
            && self.part() == key.part
    }
}

impl<A: Authorizer> Cached<A> {
    pub(super) fn new(inner: A, lives_for: Duration, at_most: usize) -> Self {
        let entries = Cache::new(at_most);
        Self { shared: Arc::new(Shared { inner, entries, lives_for, forgotten: RwLock::new(0) }) }
    }
}

impl<A> Cached<A> {
    /// Forgets what was decided on the resources with this identifier, below every base and for everybody:
    /// the rights of an item were changed. What is being asked for is asked again.
    ///
    /// It looks through all that is remembered, some milliseconds for 100 000.
    pub fn forget_resource(&self, identifier: &str) {
        self.shared.forget(|key| *key.identifier == *identifier);
    }

    /// Forgets what was decided for this subject: its rights were changed.
    pub fn forget_subject(&self, subject: &str) {
        self.shared
            .forget(|key| key.who.as_ref().is_some_and(|who| Session::subject_of(who) == subject));
    }

    /// Forgets everything.
    pub fn forget_all(&self) {
        self.shared.forget(|_| true);
    }

    /// How many decisions are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.entries.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<A> Shared<A> {
    fn forget(&self, is_meant: impl Fn(&Key) -> bool) {
        // Nothing panics while it is held.
        let mut forgotten = self.forgotten.write().unwrap_or_else(PoisonError::into_inner);
        *forgotten += 1;
        self.entries.retain(|key, _| !is_meant(key));
    }

    fn forgotten(&self) -> u64 {
        *self.forgotten.read().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    fn is_fresh(&self, entry: &Entry, now: Timestamp) -> bool {
        now < entry.asked.after(self.lives_for) && entry.asked <= now.after(SKEW)
    }
}

impl<A: Authorizer> Shared<A> {
    /// Asks, or waits for who does.
    async fn ask(&self, request: AccessRequest<'static>) -> Result<Decision, BoxError> {
        let key = Asked { resource: request.resource(), session: request.session() }.to_key();
        let now = request.now();
        self.entries.remove_if(&key, |entry| !self.is_fresh(entry, now));
        let guard = match self.entries.get_value_or_guard_async(&key).await {
            Ok(entry) => return Ok(entry.decision),
            Err(guard) => guard,
        };
        let before = self.forgotten();
        // Where it fails, or nobody waits any more, the next one asks.
        let decision = match self.inner.authorize(&request) {
            Answer::Now(outcome) => outcome?,
            Answer::Later(outcome) => outcome.await?,
        };
        let is_kept =
            !matches!(&decision, Decision::Deny(denial) if denial.remedy() == Remedy::Later);
        let forgotten = self.forgotten.read().unwrap_or_else(PoisonError::into_inner);
        if is_kept && *forgotten == before {
            let _ = guard.insert(Entry { decision: decision.clone(), asked: now });
        }
        Ok(decision)
    }
}

impl<A: Authorizer> Authorizer for Cached<A> {
    #[inline]
    fn authorize(&self, request: &AccessRequest<'_>) -> Answer<Result<Decision, BoxError>> {
        let asked = Asked { resource: request.resource(), session: request.session() };
        if let Some(entry) = self.shared.entries.get(&asked) {
            if self.shared.is_fresh(&entry, request.now()) {
                return Answer::Now(Ok(entry.decision));
            }
        }
        let (shared, request) = (Arc::clone(&self.shared), request.of_whole());
        Answer::later(async move { shared.ask(request).await })
    }
}

impl<A> Clone for Cached<A> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<A: fmt::Debug> fmt::Debug for Cached<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached")
            .field("inner", &self.shared.inner)
            .field("lives_for", &self.shared.lives_for)
            .field("len", &self.len())
            .finish()
    }
}
