//! What the application says of a user who went through its login.

use std::fmt;
use std::time::Duration;

use crate::session::{LONGEST, SessionError};

/// The user is in: put it into the extensions of a response, and the access-cookie layer makes a
/// session of it. The response itself is replaced by a page that closes the tab, or first by one
/// that asks for a click (see [`access`](crate::access)); only its `Set-Cookie` headers are kept.
///
/// A grant that cannot be carried out is logged, and the user is told: a subject of more than 255
/// bytes or an unknown realm is answered with 503, a session too large for a cookie
/// with 500.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::access::AccessGrant;
///
/// let mut response = http::Response::new(());
/// response.extensions_mut().insert(AccessGrant::to("ada").roles(["reader", "curator"]));
/// ```
#[derive(Clone)]
#[must_use = "a grant does nothing until it is in the extensions of a response"]
pub struct AccessGrant {
    pub(super) who: Who,
    pub(super) lifetime: Option<Duration>,
    pub(super) realm: Option<String>,
    pub(super) gesture_done: bool,
    /// Whether a service of ours makes it for whoever clicks.
    pub(super) by_a_click: bool,
    pub(super) for_any_viewer: bool,
}

#[derive(Clone)]
pub(super) enum Who {
    /// A new session.
    New { subject: String, roles: Vec<String> },
    /// The session that the user has, for one more viewer.
    Current,
    /// Whoever an aspect of the application's own says.
    ByOwnAspect,
}

impl AccessGrant {
    fn new(who: Who) -> Self {
        Self {
            who,
            lifetime: None,
            realm: None,
            gesture_done: false,
            by_a_click: false,
            for_any_viewer: false,
        }
    }

    /// A new session for `subject`: a user name, an account number; empty for nobody in particular.
    pub fn to(subject: impl Into<String>) -> Self {
        Self::new(Who::New { subject: subject.into(), roles: Vec::new() })
    }

    /// The session that the user has already, now also for the viewer that opened this tab: see
    /// [`AccessFlow::session`](super::AccessFlow::session). If there is none, or it has ended, the
    /// user is told to start again.
    pub fn current_session() -> Self {
        Self::new(Who::Current)
    }

    /// Nothing of ours: an aspect of the application's own, its session for example, tells who the
    /// user is from now on. The aspect is told of the viewer
    /// ([`bind`](crate::aspect::AuthorizingAspect::bind)), the tab is closed, and no cookie is set.
    ///
    /// It needs the user's click as any grant does: browsers want one on this site before they send
    /// the application's cookie along with other sites' pages, and no viewer lets itself in.
    pub fn by_own_aspect() -> Self {
        Self::new(Who::ByOwnAspect)
    }

    /// Gives the new session a role.
    pub fn role(self, role: impl Into<String>) -> Self {
        self.roles([role])
    }

    /// Gives the new session several roles.
    pub fn roles<R: Into<String>>(mut self, more: impl IntoIterator<Item = R>) -> Self {
        if let Who::New { roles, .. } = &mut self.who {
            roles.extend(more.into_iter().map(Into::into));
        }
        self
    }

    /// Another lifetime than the cookie's, from one second to 24 hours.
    ///
    /// # Errors
    ///
    /// When it is shorter or longer: [`insecure_lifetime`](Self::insecure_lifetime) allows longer ones.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_iiif_auth::access::AccessGrant;
    ///
    /// let grant = AccessGrant::to("ada").lifetime(Duration::from_secs(8 * 60 * 60))?;
    /// assert!(AccessGrant::to("ada").lifetime(Duration::from_secs(25 * 60 * 60)).is_err());
    /// # Ok::<(), tower_iiif_auth::aspect::SessionError>(())
    /// ```
    pub fn lifetime(self, lifetime: Duration) -> Result<Self, SessionError> {
        if lifetime > LONGEST {
            return Err(SessionError::Lifetime(lifetime));
        }
        self.insecure_lifetime(lifetime)
    }

    /// The same for more than 24 hours, where the realm's cookie
    /// [allows it](crate::AccessCookie::insecure_longer_than_a_day), with what is said of it there. Where it
    /// does not, 24 hours it is. To be offered as a box to tick, for machines that nobody else uses.
    ///
    /// # Errors
    ///
    /// When it is shorter than a second.
    pub fn insecure_lifetime(mut self, lifetime: Duration) -> Result<Self, SessionError> {
        if lifetime < Duration::from_secs(1) {
            return Err(SessionError::Lifetime(lifetime));
        }
        self.lifetime = Some(lifetime);
        Ok(self)
    }

    /// The realm to grant, by name. Default: that of the access service that was opened.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// For whoever clicks: the session that they have of it is given again.
    pub(super) fn by_a_click(self) -> Self {
        Self { by_a_click: true, ..self }
    }

    /// Makes the session one for *any* viewer, whichever opened the login: every page that the user
    /// visits while it lasts can have a token for it.
    ///
    /// Without this a login is for the viewer that opened it, and one that no viewer opened is for none:
    /// it opens content, and each viewer asks the user once. With
    /// [`by_own_aspect`](Self::by_own_aspect) it only saves a choice: for whom its sessions are is the
    /// aspect's word.
    pub fn insecure_for_any_viewer(mut self) -> Self {
        self.for_any_viewer = true;
        self
    }

    /// Says that the user has just acted on this site and wanted this, so that no gesture page is
    /// needed although the response is not to a form of this site.
    ///
    /// Where several viewers wait, or nothing tells that the tab is of the one that does, it is shown all
    /// the same, to choose one (an [`AccessTab`](super::AccessTab) tells); and there is no hand-off
    /// without a click.
    ///
    /// Unless that is sure, a foreign page could log a user in behind their back, and browsers that
    /// want a gesture keep the cookie from viewers.
    pub fn insecure_without_gesture_page(mut self) -> Self {
        self.gesture_done = true;
        self
    }
}

/// Shows the roles. Who it is stays out of logs.
impl fmt::Debug for AccessGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("AccessGrant");
        if let Who::New { roles, .. } = &self.who {
            shown.field("roles", roles);
        }
        shown.finish_non_exhaustive()
    }
}

/// The user is not in and gave up: put it into the extensions of a response, and the tab closes
/// without a cookie, so that the viewer goes on.
#[derive(Clone, Copy, Debug)]
pub struct AccessDeclined;
