//! A session: who, with which roles, seen from which viewers, until when.

use std::fmt;
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

use super::AspectError;
use super::binary::Reader;
use super::fields::Fields;
use crate::clock::Timestamp;
use crate::protocol::Origin;

/// First byte of a session's binary form.
const LAYOUT: u8 = 1;

/// Longest time a session may last, whatever a sealed value says.
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// What stands among the origins of a session that no viewer may use; no viewer's origin is empty.
const NO_VIEWER: &str = "";

/// How many viewers a session of the access cookie remembers.
const MAX_ORIGINS: usize = 8;

/// How far the clocks of two nodes may differ.
pub(crate) const SKEW: Duration = Duration::from_secs(5);

/// Sixteen bytes that name a session, random and never shown to a client in the clear.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// The id made of these bytes, for aspects whose sessions live in a store of their own.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// A new random id.
    ///
    /// # Errors
    ///
    /// When the system gives no random bytes.
    pub fn random() -> Result<Self, SessionError> {
        let mut bytes = [0; 16];
        SystemRandom::new().fill(&mut bytes).map_err(|_| SessionError::NoRandomness)?;
        Ok(Self(bytes))
    }
}

/// Shows nothing: an id is no secret by itself, yet nothing in a log should name a session.
impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId([redacted])")
    }
}

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
}

/// Which session it is, and its times: what stands first, and tells whether the rest is worth reading.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) id: SessionId,
    pub(super) issued_at: Timestamp,
    expires_at: Timestamp,
}

impl<'a> Session<'a> {
    /// Begins a session for `subject`: a user name, an account number; empty for nobody in
    /// particular. At most 255 bytes, or [`lasting`](SessionBuilder::lasting) fails.
    #[must_use]
    pub fn builder(subject: impl Into<String>) -> SessionBuilder {
        SessionBuilder { id: None, subject: subject.into(), roles: vec![], origins: None }
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

    /// The viewers' origins that its access service was opened with. None: any viewer, unless it was
    /// [made for none](SessionBuilder::origins).
    pub fn origins(&self) -> impl Iterator<Item = &str> {
        self.fields.origins().filter(|own| *own != NO_VIEWER)
    }

    /// Whether it may be used from this viewer: no origins are known, or this one is.
    #[must_use]
    pub fn is_bound_to(&self, origin: &Origin) -> bool {
        !self.fields.has_origins() || self.fields.origins().any(|own| own == origin.as_str())
    }

    /// When it began.
    #[must_use]
    pub fn issued_at(&self) -> Timestamp {
        self.stamp.issued_at
    }

    /// When it ends.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.stamp.expires_at
    }

    /// The same session, owning its parts.
    #[must_use]
    pub fn into_owned(self) -> Session<'static> {
        Session { stamp: self.stamp, fields: self.fields.into_owned() }
    }

    /// The same session, also used from `origin`: the latest viewers are kept, so that it fits a
    /// cookie however many there were.
    pub(crate) fn with_origin(&self, origin: &Origin) -> Result<Session<'static>, SessionError> {
        let others: Vec<_> = self.origins().filter(|own| *own != origin.as_str()).collect();
        let skipped = (others.len() + 1).saturating_sub(MAX_ORIGINS);
        let origins = others.into_iter().skip(skipped).chain([origin.as_str()]);
        Ok(self.with_fields(Fields::new(self.subject(), self.roles(), origins)?))
    }

    /// The same session, used from any viewer.
    pub(crate) fn for_any_viewer(&self) -> Result<Session<'static>, SessionError> {
        Ok(self.with_fields(Fields::new(self.subject(), self.roles(), [])?))
    }

    /// The same session with the roles of another one added.
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
        let fields = self.fields.with_roles(roles)?;
        let expires_at = self.stamp.expires_at.min(other.stamp.expires_at);
        Ok(Session { stamp: Stamp { expires_at, ..self.stamp }, fields })
    }

    fn with_fields(&self, fields: Fields<'static>) -> Session<'static> {
        Session { stamp: self.stamp, fields }
    }

    /// Which session it is, and its times.
    pub(crate) fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// Appends the binary form.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(LAYOUT);
        out.extend_from_slice(&self.stamp.id.0);
        out.extend_from_slice(&self.stamp.issued_at.as_millis().to_be_bytes());
        out.extend_from_slice(&self.stamp.expires_at.as_millis().to_be_bytes());
        out.extend_from_slice(self.fields.as_bytes());
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
        reader.0.is_empty().then_some(Self { stamp, fields })
    }
}

impl Stamp {
    /// How many bytes it takes, with the layout before it.
    pub(crate) const LENGTH: usize = 1 + 16 + 8 + 8;

    /// Reads it off the front; the rest is behind it.
    #[inline]
    pub(crate) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (stamp, rest) = bytes.split_first_chunk::<{ Self::LENGTH }>()?;
        if stamp[0] != LAYOUT {
            return None;
        }
        let time =
            |bytes: &[u8]| Some(Timestamp::from_millis(u64::from_be_bytes(bytes.try_into().ok()?)));
        let id = SessionId(stamp[1..17].try_into().ok()?);
        let (issued_at, expires_at) = (time(&stamp[17..25])?, time(&stamp[25..])?);
        Some((Self { id, issued_at, expires_at }, rest))
    }

    /// Whether the session lives. Sealed values are trusted for who, not for when: its times have to be
    /// sane, and it has to have begun.
    #[inline]
    pub(crate) fn check(&self, now: Timestamp) -> Result<(), AspectError> {
        let Self { issued_at, expires_at, .. } = *self;
        if issued_at > now.after(SKEW)
            || issued_at > expires_at
            || expires_at > issued_at.after(LONGEST)
        {
            return Err(AspectError::Invalid);
        }
        if expires_at <= now {
            return Err(AspectError::Expired);
        }
        Ok(())
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

/// A session in the making.
#[derive(Clone)]
pub struct SessionBuilder {
    id: Option<SessionId>,
    subject: String,
    roles: Vec<String>,
    /// None: any.
    origins: Option<Vec<Origin>>,
}

impl SessionBuilder {
    /// Gives it a role.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.roles.push(role.into());
        self
    }

    /// Gives it several roles.
    #[must_use]
    pub fn roles<R: Into<String>>(mut self, roles: impl IntoIterator<Item = R>) -> Self {
        self.roles.extend(roles.into_iter().map(Into::into));
        self
    }

    /// Binds it to a viewer's origin; several may be given. Default: any viewer may use it.
    #[must_use]
    pub fn origin(self, origin: Origin) -> Self {
        self.origins([origin])
    }

    /// Binds it to these viewers' origins. With none given it is for no viewer until one is let in:
    /// right for a user who logged in to an application in no viewer's tab.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_iiif_auth::aspect::Session;
    /// use tower_iiif_auth::clock::{Clock, SystemClock};
    ///
    /// let session = Session::builder("ada")
    ///     .origins([])
    ///     .lasting(SystemClock.now(), Duration::from_secs(600))?;
    /// assert!(!session.is_bound_to(&"https://viewer.example".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn origins(mut self, origins: impl IntoIterator<Item = Origin>) -> Self {
        self.origins.get_or_insert_default().extend(origins);
        self
    }

    /// Names it. The default is a new random id.
    #[must_use]
    pub fn id(mut self, id: SessionId) -> Self {
        self.id = Some(id);
        self
    }

    /// Finishes it: it begins at `now` and ends after `lifetime`.
    ///
    /// # Errors
    ///
    /// When the subject or a role has more than 255 bytes, all roles together, or all origins, more
    /// than 65 535, or the lifetime is below a second or longer than 24 hours; and when the system
    /// gives no random bytes for the id.
    pub fn lasting(
        self,
        now: Timestamp,
        lifetime: Duration,
    ) -> Result<Session<'static>, SessionError> {
        if lifetime < Duration::from_secs(1) || lifetime > LONGEST {
            return Err(SessionError::Lifetime(lifetime));
        }
        let no_viewer = self.origins.as_ref().is_some_and(Vec::is_empty).then_some(NO_VIEWER);
        let origins = self.origins.iter().flatten().map(Origin::as_str).chain(no_viewer);
        let roles = self.roles.iter().map(String::as_str);
        Ok(Session {
            fields: Fields::new(&self.subject, roles, origins)?,
            stamp: Stamp {
                id: self.id.map_or_else(SessionId::random, Ok)?,
                issued_at: now,
                expires_at: now.after(lifetime),
            },
        })
    }
}

impl fmt::Debug for SessionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionBuilder").field("roles", &self.roles).finish_non_exhaustive()
    }
}

/// Why there can be no such session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionError {
    /// The subject is too long.
    Subject(FieldError),
    /// A role, or all of them together, is too long.
    Role(FieldError),
    /// An origin, or all of them together, is too long.
    Origin(FieldError),
    /// The lifetime is below a second or above 24 hours.
    Lifetime(Duration),
    /// The system gave no random bytes.
    NoRandomness,
}

/// How long a field was that is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldError {
    pub(super) bytes: usize,
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subject(e) => write!(f, "subject has {} bytes, 255 are the most", e.bytes),
            Self::Role(e) => {
                write!(f, "roles have {} bytes: 255 are the most for one, 65535 for all", e.bytes)
            }
            Self::Origin(e) => write!(f, "origins have {} bytes, that is too much", e.bytes),
            Self::Lifetime(lifetime) => {
                write!(f, "a lifetime of {lifetime:?} is not between 1 second and 24 hours")
            }
            Self::NoRandomness => f.write_str("the system gives no random bytes"),
        }
    }
}

impl std::error::Error for SessionError {}

impl<'a> Reader<'a> {
    /// The binary form of a session.
    pub(crate) fn session(&mut self) -> Option<Session<'a>> {
        let (stamp, rest) = Stamp::read(self.0)?;
        self.0 = rest;
        Some(Session { stamp, fields: Fields::read(self)? })
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

    /// Bound to no viewer is not the same as bound to none in particular.
    #[test]
    fn origins_that_are_none() {
        let viewer: Origin = "https://viewer.example".parse().unwrap();
        let lasting = |builder: SessionBuilder| {
            let session = builder.lasting(NOW, Duration::from_secs(60)).unwrap();
            let mut bytes = vec![];
            session.write(&mut bytes);
            Session::read(&bytes).unwrap().into_owned()
        };
        for (builder, bound, count) in [
            (Session::builder("ada"), true, 0),
            (Session::builder("ada").origins([]), false, 0),
            (Session::builder("ada").origins([]).origin(viewer.clone()), true, 1),
            (Session::builder("ada").origin("https://other.example".parse().unwrap()), false, 1),
        ] {
            let session = lasting(builder);
            assert_eq!(session.is_bound_to(&viewer), bound, "{count}");
            assert_eq!(session.origins().count(), count);
            let with = session.with_origin(&viewer).unwrap();
            assert!(with.is_bound_to(&viewer));
        }
    }

    /// What both have in common stands once, and so does what one has twice; the viewers stay.
    #[test]
    fn roles_of_another_session() {
        let lasting = |roles: &[&str], seconds| {
            let session = Session::builder("ada").roles(roles.iter().copied());
            session.origins([]).lasting(NOW, Duration::from_secs(seconds)).unwrap()
        };
        let both = lasting(&["a", "b"], 60).with_roles_of(&lasting(&["b", "c", "c"], 30)).unwrap();
        assert_eq!(both.roles().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(both.expires_at(), NOW.after(Duration::from_secs(30)));
        assert!(!both.is_bound_to(&"https://viewer.example".parse().unwrap()));
        let mut bytes = vec![];
        both.write(&mut bytes);
        assert_eq!(Session::read(&bytes), Some(both));
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
            let is_invalid = matches!(stamp.check(NOW), Err(AspectError::Invalid));
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
