//! A session in the making.

use std::fmt;
use std::time::Duration;

use super::besides::Besides;
use super::fields::{Fields, Written};
use super::stamp::{LONGEST, Stamp};
use super::{Session, SessionError, SessionId};
use crate::clock::Timestamp;
use crate::protocol::Origin;

/// A session in the making.
#[derive(Clone)]
pub struct SessionBuilder {
    id: Option<SessionId>,
    subject: String,
    roles: Vec<String>,
    origins: Vec<Origin>,
    any_viewer: bool,
}

impl SessionBuilder {
    pub(super) fn new(subject: String) -> Self {
        Self { id: None, subject, roles: vec![], origins: vec![], any_viewer: false }
    }

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

    /// Makes it for the viewer of this origin; several may be given. Default: it is for no viewer.
    #[must_use]
    pub fn origin(self, origin: Origin) -> Self {
        self.origins([origin])
    }

    /// Makes it for the viewers of these origins, and for those given before. With none at all it is
    /// for no viewer until one is let in: right for a user who logged in to an application in no
    /// viewer's tab.
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
        self.origins.extend(origins);
        self
    }

    /// Makes it for any viewer, whatever origins are given: each page that the user visits can have a
    /// token for it.
    ///
    /// Right for what nobody logs in to, such as an address, or a header of a single sign-on in front:
    /// no viewer ever opened a login, so none can be told from others. Where users log in, it gives
    /// tokens to pages that they never let in.
    #[must_use]
    pub fn for_any_viewer(mut self) -> Self {
        self.any_viewer = true;
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
        if lifetime > LONGEST {
            return Err(SessionError::Lifetime(lifetime));
        }
        self.lasting_long(now, lifetime)
    }

    /// The same for longer than 24 hours, where the realm has such sessions.
    pub(crate) fn lasting_long(
        self,
        now: Timestamp,
        lifetime: Duration,
    ) -> Result<Session<'static>, SessionError> {
        if lifetime < Duration::from_secs(1) {
            return Err(SessionError::Lifetime(lifetime));
        }
        let viewers = if self.any_viewer {
            Written::Any
        } else {
            Written::These(self.origins.iter().map(Origin::as_str).collect())
        };
        let roles = self.roles.iter().map(String::as_str);
        Ok(Session {
            fields: Fields::new(&self.subject, roles, &viewers)?,
            stamp: Stamp {
                id: self.id.map_or_else(SessionId::random, Ok)?,
                issued_at: now,
                expires_at: now.after(lifetime),
                has_besides: false,
            },
            besides: Besides::default(),
        })
    }
}

impl fmt::Debug for SessionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionBuilder").field("roles", &self.roles).finish_non_exhaustive()
    }
}
