//! A user of a test's own making.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::answer::BoxError;
use crate::aspect::BoundCookie;
use crate::core::{Core, RealmId};
use crate::gate::TokenSession;
use crate::iiif_auth::IiifAuth;
use crate::protocol::{Family, Origin};
use crate::session::{Session, SessionBuilder};
use crate::token::sealed;

/// A user who is in, without a login: see the [module](crate::testing).
#[derive(Clone)]
#[must_use = "a user is of use by a cookie or a token"]
pub struct TestUser {
    realm: String,
    session: SessionBuilder,
    lifetime: Option<Duration>,
}

impl TestUser {
    /// The user of this name or number; empty for nobody in particular.
    pub fn new(subject: impl Into<String>) -> Self {
        Self { realm: String::new(), session: Session::builder(subject), lifetime: None }
    }

    /// With this role; several may be given.
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.session = self.session.role(role);
        self
    }

    /// Who has let in the viewer of this origin; several may be given.
    pub fn viewer(mut self, origin: Origin) -> Self {
        self.session = self.session.origin(origin);
        self
    }

    /// In another realm than the unnamed one.
    pub fn realm(mut self, name: impl Into<String>) -> Self {
        self.realm = name.into();
        self
    }

    /// For another time than the realm's cookie says.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// The value of a `Cookie` header: a session that begins now. Each call begins another one.
    ///
    /// # Errors
    ///
    /// Where there is no such realm, or it has no access cookie; where the session cannot be, or its store
    /// is down.
    pub async fn cookie(&self, auth: &IiifAuth) -> Result<String, BoxError> {
        let (_, cookie, session) = self.begin(auth).await?;
        let set = cookie.set(&session, auth.core.now())?;
        Ok(set.to_str()?.split(';').next().unwrap_or_default().to_owned())
    }

    /// The value of an `Authorization` header: an access token of 2.0 for `viewer`, of a session that begins
    /// now.
    ///
    /// # Errors
    ///
    /// As for [`cookie`](Self::cookie).
    pub async fn token(&self, auth: &IiifAuth, viewer: &Origin) -> Result<String, BoxError> {
        let (realm, _, session) = self.begin(auth).await?;
        let now = auth.core.now();
        let life = auth.core.limits.token_lifetime().min(session.expires_at().remaining(now));
        let of = TokenSession { realm, aspect: Cow::Borrowed(BoundCookie::NAME), session };
        let until = now.after(life);
        let token = sealed::seal(&auth.core, Family::V2, &of, Some(viewer), now, until);
        Ok(format!("Bearer {}", token.map_err(|_| "the system gives no random bytes")?))
    }

    async fn begin<'c>(
        &self,
        auth: &'c IiifAuth,
    ) -> Result<(RealmId, &'c BoundCookie, Session<'static>), BoxError> {
        let core: &Core = &auth.core;
        let realm = core.realm_named(&self.realm).ok_or("there is no such realm")?;
        let cookie = core.realms[realm].cookie().ok_or("its realm has no access cookie")?;
        let now = core.now();
        let builder = self.session.clone().id(core.new_id(now).await?);
        let session = cookie.times().begin(builder, self.lifetime, now)?;
        let era = core.era_of(&self.realm, session.subject(), now).await?;
        Ok((realm, cookie, session.in_era(era)))
    }
}

impl fmt::Debug for TestUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestUser").field("realm", &self.realm).finish_non_exhaustive()
    }
}
