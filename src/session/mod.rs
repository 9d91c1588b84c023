//! **Who** is in: what access, token, gate and hand-off all speak of.

mod besides;
mod builder;
mod error;
mod fields;
mod id;
mod key;
mod stamp;
mod viewers;

use std::fmt;
use std::time::Duration;

pub use besides::Era;
pub use builder::SessionBuilder;
pub use error::{FieldError, SessionError};
pub use id::SessionId;
pub use key::SessionKey;
pub use viewers::{ViewerOrigins, Viewers};

use besides::Besides;
use fields::{Fields, Written};
use stamp::{LAYOUT, LAYOUT_BESIDES};
pub(crate) use stamp::{LONGEST, NotNow, Stamp, millis};

use crate::clock::Timestamp;
use crate::protocol::Origin;
use crate::seal::Reader;

/// How many viewers a session of the access cookie remembers.
const MAX_ORIGINS: usize = 8;

/// Who asks: small and fixed, so that it fits a cookie.
///
/// An authorizer that needs to know more looks it up by [`subject`](Self::subject).
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use tower_iiif_auth::aspect::Session;
/// use tower_iiif_auth::clock::{Clock, SystemClock};
///
/// let session = Session::builder("ada")
///     .role("reader")
///     .lasting(SystemClock.now(), Duration::from_secs(600))?;
/// assert!(session.has_role("reader") && !session.has_role("curator"));
/// # Ok::<(), tower_iiif_auth::aspect::SessionError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Session<'a> {
    stamp: Stamp,
    fields: Fields<'a>,
    besides: Besides,
}

impl<'a> Session<'a> {
    /// Begins a session for `subject`: a user name, an account number; empty for nobody in
    /// particular. At most 255 bytes, or [`lasting`](SessionBuilder::lasting) fails.
    #[must_use]
    pub fn builder(subject: impl Into<String>) -> SessionBuilder {
        SessionBuilder::new(subject.into())
    }

    /// What names this session.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.stamp.id
    }

    /// Who it is; empty for nobody in particular.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.fields.subject()
    }

    /// Whether it has the role `role`, to the letter.
    #[must_use]
    #[inline]
    pub fn has_role(&self, role: &str) -> bool {
        self.fields.has_role(role)
    }

    /// Its roles, in the order they were given.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.fields.roles()
    }

    /// For which viewers it is.
    #[must_use]
    pub fn viewers(&self) -> Viewers<'_> {
        self.fields.viewers()
    }

    /// The origins of the [viewers](Self::viewers) that it is for. Empty where it is for none, and
    /// where it is for any.
    pub fn origins(&self) -> impl Iterator<Item = &str> {
        let these = match self.viewers() {
            Viewers::These(origins) => Some(origins.iter()),
            Viewers::None | Viewers::Any => None,
        };
        these.into_iter().flatten()
    }

    /// Whether it may be used from this viewer.
    #[must_use]
    pub fn is_bound_to(&self, origin: &Origin) -> bool {
        match self.viewers() {
            Viewers::None => false,
            Viewers::These(origins) => origins.iter().any(|own| own == origin.as_str()),
            Viewers::Any => true,
        }
    }

    /// When it began.
    #[must_use]
    pub fn issued_at(&self) -> Timestamp {
        self.stamp.issued_at
    }

    /// Whose it is and with which roles, in a form to be compared.
    #[inline]
    pub(crate) fn who(&self) -> &[u8] {
        self.fields.who()
    }

    /// The subject in such a form.
    pub(crate) fn subject_of(who: &[u8]) -> &str {
        Reader(who).short_text().unwrap_or_default()
    }

    /// When it ends, unless it is [renewed](crate::AccessCookie::renewed_up_to) before.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.stamp.expires_at
    }

    /// How long it lasts from each renewal on, if it is renewed at all.
    pub(crate) fn idle(&self) -> Option<Duration> {
        self.besides.idle()
    }

    /// Which of its subject's sessions it belongs to, for stores that end all of them.
    #[must_use]
    #[inline]
    pub fn era(&self) -> Era {
        self.besides.era()
    }

    /// The same session, to be renewed: it lasts so long from each renewal on.
    pub(crate) fn renewed_by(self, idle: Duration) -> Self {
        let besides = Besides::new(Some(idle), self.besides.era());
        self.with_besides(besides)
    }

    /// The same session, in this era of its subject's.
    pub(crate) fn in_era(self, era: Era) -> Self {
        let besides = Besides::new(self.besides.idle(), era);
        self.with_besides(besides)
    }

    fn with_besides(mut self, besides: Besides) -> Self {
        self.besides = besides;
        self.stamp.has_besides = !besides.is_nothing();
        self
    }

    /// The same session, which ends then.
    pub(crate) fn until(mut self, expires_at: Timestamp) -> Self {
        self.stamp.expires_at = expires_at;
        self
    }

    /// Another session of the same user's, for the same viewers and until the same end at the latest: with
    /// another id and other roles.
    pub(crate) fn again_as<'t>(
        &'t self,
        id: SessionId,
        roles: impl IntoIterator<Item = &'t str>,
    ) -> Result<Session<'static>, SessionError> {
        let viewers = Written::from(self.viewers());
        let fields = Fields::new(self.subject(), roles, &viewers)?;
        Ok(Session { stamp: Stamp { id, ..self.stamp }, fields, besides: self.besides })
    }

    /// The same session, owning its parts.
    #[must_use]
    pub fn into_owned(self) -> Session<'static> {
        Session { stamp: self.stamp, fields: self.fields.into_owned(), besides: self.besides }
    }

    /// The same session, also for the viewer `origin`: the latest viewers are kept, so that it fits a
    /// cookie however many there were. One for any viewer stays so.
    pub(crate) fn with_origin(&self, origin: &Origin) -> Result<Session<'static>, SessionError> {
        self.with_origins([origin.as_str()])
    }

    /// The same session, also for the viewers of another one of the same user's. Any viewer is not
    /// among them: that was said of the other one.
    pub(crate) fn with_viewers_of(
        &self,
        other: &Session<'_>,
    ) -> Result<Session<'static>, SessionError> {
        let own: Vec<_> = self.origins().collect();
        let mut all: Vec<_> = other.origins().filter(|origin| !own.contains(origin)).collect();
        all.extend(own);
        self.with_origins(all)
    }

    fn with_origins<'t>(
        &'t self,
        more: impl IntoIterator<Item = &'t str>,
    ) -> Result<Session<'static>, SessionError> {
        if matches!(self.viewers(), Viewers::Any) {
            return Ok(self.clone().into_owned());
        }
        let more: Vec<_> = more.into_iter().collect();
        let mut all: Vec<_> = self.origins().filter(|own| !more.contains(own)).collect();
        all.extend(more);
        all.drain(..all.len().saturating_sub(MAX_ORIGINS));
        self.with_fields(self.roles(), &Written::These(all))
    }

    /// The same session, for any viewer.
    pub(crate) fn for_any_viewer(&self) -> Result<Session<'static>, SessionError> {
        self.with_fields(self.roles(), &Written::Any)
    }

    /// The same session with the roles of another one added, for the viewers that both are for.
    pub(crate) fn with_roles_of(
        &self,
        other: &Session<'_>,
    ) -> Result<Session<'static>, SessionError> {
        let mut roles: Vec<_> = self.roles().collect();
        for role in other.roles() {
            if !roles.contains(&role) {
                roles.push(role);
            }
        }
        let viewers = match (self.viewers(), other.viewers()) {
            (Viewers::Any, viewers) | (viewers, Viewers::Any) => viewers.into(),
            _ => {
                let both = |own: &&str| other.origins().any(|origin| origin == *own);
                Written::These(self.origins().filter(both).collect())
            }
        };
        let expires_at = self.stamp.expires_at.min(other.stamp.expires_at);
        let session = self.with_fields(roles, &viewers)?;
        Ok(Session { stamp: Stamp { expires_at, ..self.stamp }, ..session })
    }

    fn with_fields<'t>(
        &self,
        roles: impl IntoIterator<Item = &'t str>,
        viewers: &Written<'t>,
    ) -> Result<Session<'static>, SessionError> {
        let fields = Fields::new(self.subject(), roles, viewers)?;
        Ok(Session { stamp: self.stamp, fields, besides: self.besides })
    }

    /// Which session it is, and its times.
    pub(crate) fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// Appends the binary form.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(if self.stamp.has_besides { LAYOUT_BESIDES } else { LAYOUT });
        out.extend_from_slice(self.stamp.id.as_bytes());
        out.extend_from_slice(&self.stamp.issued_at.as_millis().to_be_bytes());
        out.extend_from_slice(&self.stamp.expires_at.as_millis().to_be_bytes());
        out.extend_from_slice(self.fields.as_bytes());
        if self.stamp.has_besides {
            self.besides.write(out);
        }
    }

    /// Reads the binary form, which has to fill `bytes`.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (stamp, fields) = Stamp::read(bytes)?;
        Self::read_fields(stamp, fields)
    }

    /// Reads what stands behind the stamp, which has to fill `bytes`.
    #[inline]
    pub(crate) fn read_fields(stamp: Stamp, bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let fields = Fields::read(&mut reader)?;
        let mut besides = Besides::default();
        if stamp.has_besides {
            besides = Besides::read(&mut reader)?;
        }
        reader.0.is_empty().then_some(Self { stamp, fields, besides })
    }
}

/// Shows roles and times. Who it is, and from where, stays out of logs.
impl fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("roles", &self.fields)
            .field("issued_at", &self.stamp.issued_at)
            .field("expires_at", &self.stamp.expires_at)
            .finish_non_exhaustive()
    }
}

impl<'a> Reader<'a> {
    /// The binary form of a session.
    pub(crate) fn session(&mut self) -> Option<Session<'a>> {
        let (stamp, rest) = Stamp::read(self.0)?;
        self.0 = rest;
        let fields = Fields::read(self)?;
        let besides = if stamp.has_besides { Besides::read(self)? } else { Besides::default() };
        Some(Session { stamp, fields, besides })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn session() -> Session<'static> {
        Session::builder("ada")
            .roles(["reader", "curator"])
            .origin("https://viewer.example".parse().unwrap())
            .lasting(NOW, Duration::from_secs(600))
            .unwrap()
    }

    #[test]
    fn the_binary_form_is_read_back_in_place() {
        let mut bytes = vec![];
        session().write(&mut bytes);
        let read = Session::read(&bytes).unwrap();
        assert_eq!(read.subject(), "ada");
        assert_eq!(read.roles().collect::<Vec<_>>(), ["reader", "curator"]);
        assert_eq!(read.origins().collect::<Vec<_>>(), ["https://viewer.example"]);
        assert_eq!(read.expires_at(), NOW.after(Duration::from_secs(600)));
        assert!(bytes.as_ptr_range().contains(&read.subject().as_ptr()));
        for end in 0..bytes.len() {
            assert!(Session::read(&bytes[..end]).is_none(), "{end} bytes");
        }
        let mut no_text = bytes.clone();
        no_text[Stamp::LENGTH + 1] = 0xff;
        assert!(Session::read(&no_text).is_none(), "the subject is text");
        bytes.push(0);
        assert!(Session::read(&bytes).is_none());
    }

    fn kept(builder: SessionBuilder) -> Session<'static> {
        let session = builder.lasting(NOW, Duration::from_secs(60)).unwrap();
        let mut bytes = vec![];
        session.write(&mut bytes);
        Session::read(&bytes).unwrap().into_owned()
    }

    fn origin(text: &str) -> Origin {
        text.parse().unwrap()
    }

    /// LF-02: a session is for any viewer by a word alone, and for none without a viewer.
    #[test]
    fn for_whom_a_session_is() {
        let viewer = origin("https://viewer.example");
        let other = origin("https://other.example");
        for (builder, shown, own, others) in [
            (Session::builder("ada"), "None", false, false),
            (Session::builder("ada").origins([]), "None", false, false),
            (Session::builder("ada").origin(viewer.clone()), "These", true, false),
            (Session::builder("ada").origins([]).origin(viewer.clone()), "These", true, false),
            (Session::builder("ada").for_any_viewer(), "Any", true, true),
            (Session::builder("ada").origin(viewer.clone()).for_any_viewer(), "Any", true, true),
        ] {
            let session = kept(builder);
            assert!(format!("{:?}", session.viewers()).starts_with(shown), "{shown}");
            assert_eq!(session.is_bound_to(&viewer), own, "{shown}");
            assert_eq!(session.is_bound_to(&other), others, "{shown}");
            assert_eq!(session.origins().count(), usize::from(shown == "These"));
            let with = session.with_origin(&viewer).unwrap();
            assert!(with.is_bound_to(&viewer));
            assert_eq!(with.is_bound_to(&other), others, "{shown}: nothing else is gained or lost");
            assert!(session.for_any_viewer().unwrap().is_bound_to(&other));
        }
    }

    /// Any viewer is not handed on from one session to the next; the latest of the others are.
    #[test]
    fn viewers_of_another_session() {
        let viewer = |number: u8| origin(&format!("https://v{number}.example"));
        let old = kept(Session::builder("ada").origins((0..8).map(viewer)));
        let new = kept(Session::builder("ada").origins([viewer(0), viewer(9)]));
        let both = new.with_viewers_of(&old).unwrap();
        assert_eq!(both.origins().count(), MAX_ORIGINS);
        assert_eq!(both.origins().last(), Some("https://v9.example"));
        assert!(both.is_bound_to(&viewer(0)) && !both.is_bound_to(&viewer(1)));
        let any = kept(Session::builder("ada").for_any_viewer());
        let new = kept(Session::builder("ada"));
        assert!(matches!(new.with_viewers_of(&any).unwrap().viewers(), Viewers::None));
        assert!(matches!(any.with_viewers_of(&old).unwrap().viewers(), Viewers::Any));
    }

    /// An old cookie that named no viewer was for any: it is for nobody now.
    #[test]
    fn the_layout_before_is_not_read() {
        let mut bytes = vec![];
        kept(Session::builder("ada")).write(&mut bytes);
        assert!(Session::read(&bytes).is_some());
        bytes[0] = 1;
        assert!(Session::read(&bytes).is_none());
    }

    /// What both have in common stands once, and so does what one has twice.
    #[test]
    fn roles_of_another_session() {
        let lasting = |roles: &[&str], seconds| {
            let session = Session::builder("ada").roles(roles.iter().copied());
            session.lasting(NOW, Duration::from_secs(seconds)).unwrap()
        };
        let both = lasting(&["a", "b"], 60).with_roles_of(&lasting(&["b", "c", "c"], 30)).unwrap();
        assert_eq!(both.roles().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(both.expires_at(), NOW.after(Duration::from_secs(30)));
        let mut bytes = vec![];
        both.write(&mut bytes);
        assert_eq!(Session::read(&bytes), Some(both));
    }

    /// Where two aspects have to be there, a viewer has to be let in by both.
    #[test]
    fn viewers_of_two_aspects() {
        let (v, w) = (origin("https://v.example"), origin("https://w.example"));
        let none = || Session::builder("ada");
        for (one, other, for_v, for_w) in [
            (none(), none().for_any_viewer(), false, false),
            (none().origin(v.clone()), none().for_any_viewer(), true, false),
            (none().origin(v.clone()), none(), false, false),
            (none().origins([v.clone(), w.clone()]), none().origin(w.clone()), false, true),
            (none().for_any_viewer(), none().for_any_viewer(), true, true),
        ] {
            let (one, other) = (kept(one), kept(other));
            for both in [one.with_roles_of(&other), other.with_roles_of(&one)] {
                let both = both.unwrap();
                assert_eq!((both.is_bound_to(&v), both.is_bound_to(&w)), (for_v, for_w));
            }
        }
    }

    #[test]
    fn limits() {
        let long = "x".repeat(256);
        let lasting = |builder: SessionBuilder| builder.lasting(NOW, Duration::from_secs(60));
        assert!(matches!(lasting(Session::builder(&*long)), Err(SessionError::Subject(_))));
        assert!(matches!(lasting(Session::builder("a").role(&*long)), Err(SessionError::Role(_))));
        let many = Session::builder("a").roles((0..7000).map(|n| format!("role-{n:05}")));
        assert!(matches!(lasting(many), Err(SessionError::Role(_))));
        for bad in [Duration::ZERO, Duration::from_secs(86_401), Duration::MAX] {
            assert!(Session::builder("a").lasting(NOW, bad).is_err());
        }
    }

    /// CR-07: times that no honest node writes.
    #[test]
    fn implausible_times() {
        for (issued, expires, plausible) in [
            (NOW, NOW.after(Duration::from_secs(1)), true),
            (NOW.after(Duration::from_secs(4)), NOW.after(Duration::from_secs(600)), true),
            (NOW.after(Duration::from_secs(600)), NOW.after(Duration::from_secs(700)), false),
            (NOW, Timestamp::from_millis(0), false),
            (NOW, Timestamp::from_millis(u64::MAX), false),
            (NOW, Timestamp::from_millis(i64::MAX as u64), false),
            (Timestamp::from_millis(u64::MAX), Timestamp::from_millis(u64::MAX), false),
        ] {
            let stamp = Stamp { issued_at: issued, expires_at: expires, ..session().stamp };
            let is_invalid = matches!(stamp.check(NOW), Err(NotNow::Invalid));
            assert_eq!(!is_invalid, plausible, "{issued:?} {expires:?}");
        }
    }

    /// CR-12
    #[test]
    fn debug_names_nobody() {
        let shown = format!("{:?} {:?}", session(), session().id());
        assert!(shown.contains("reader") && !shown.contains("ada") && !shown.contains("viewer"));
    }
}
