//! What is remembered while the user logs in: which viewers asked, and through which service.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use ring::rand::{SecureRandom, SystemRandom};

use crate::aspect::{
    CookieAttributes, CookieError, Reader, SKEW, SameSite, Session, write_short_text,
};
use crate::clock::Timestamp;
use crate::config::{BoundAccess, Core};
use crate::protocol::Origin;
use crate::seal::{Purpose, Scratch};

/// How long a user may take to log in.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// How many viewers may wait for one login.
const MAX_ORIGINS: usize = 8;

/// The login in progress, among the extensions of the requests that the application sees.
///
/// It is there from the request that opens an access service until the grant, for an hour at the
/// most, at any path outside of the content.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::access::AccessFlow;
///
/// fn heading<B>(request: &http::Request<B>) -> String {
///     match request.extensions().get::<AccessFlow>().and_then(AccessFlow::viewer) {
///         Some(viewer) => format!("Log in to continue to {viewer}"),
///         None => "Log in".to_owned(),
///     }
/// }
/// ```
#[derive(Clone)]
pub struct AccessFlow {
    viewer: Option<Origin>,
    session: Option<Session<'static>>,
}

impl AccessFlow {
    pub(super) fn new(flow: &Flow, session: Option<Session<'static>>) -> Self {
        Self { viewer: flow.origins.last().cloned(), session }
    }

    /// The origin of the viewer that opened the tab, where it said so.
    #[must_use]
    pub fn viewer(&self) -> Option<&Origin> {
        self.viewer.as_ref()
    }

    /// The session that the user has already, in the realm whose service was opened: a reason to
    /// answer with [`AccessGrant::current_session`](super::AccessGrant::current_session) in place of
    /// a login form.
    #[must_use]
    pub fn session(&self) -> Option<&Session<'static>> {
        self.session.as_ref()
    }
}

impl fmt::Debug for AccessFlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessFlow").field("session", &self.session).finish_non_exhaustive()
    }
}

/// The content of the flow cookie.
#[derive(Clone)]
pub(super) struct Flow {
    /// Known to this browser only: what a form of ours has to bring along.
    pub(super) secret: [u8; 16],
    created: Timestamp,
    pub(super) realm: String,
    pub(super) service: String,
    pub(super) origins: Vec<Origin>,
}

impl Flow {
    /// A new flow, or `None` when the system gives no random bytes.
    pub(super) fn begin(now: Timestamp) -> Option<Self> {
        let mut secret = [0; 16];
        SystemRandom::new().fill(&mut secret).ok()?;
        Some(Self {
            secret,
            created: now,
            realm: String::new(),
            service: String::new(),
            origins: Vec::new(),
        })
    }

    /// The flow goes on through this service, for this viewer. Viewers of other tabs stay.
    pub(super) fn visit(&mut self, core: &Core, access: &BoundAccess, origin: Option<Origin>) {
        self.realm = core.realms[access.realm].name.to_string();
        self.service = access.name.to_string();
        if let Some(origin) = origin {
            self.origins.retain(|own| *own != origin);
            self.origins.push(origin);
            if self.origins.len() > MAX_ORIGINS {
                self.origins.remove(0);
            }
        }
    }

    /// The flow in the request's cookies.
    pub(super) fn read(core: &Core, headers: &HeaderMap, now: Timestamp) -> Option<Self> {
        let attributes = attributes(core);
        attributes.values(headers).find_map(|value| {
            let mut scratch = Scratch::new();
            let found = core.keyring.open(Purpose::Flow, "", value, &mut scratch).ok()?;
            let mut reader = Reader(scratch.at(found));
            let secret = reader.take(16)?.try_into().ok()?;
            let created = reader.timestamp()?;
            let realm = reader.short_text()?.to_owned();
            let service = reader.short_text()?.to_owned();
            let count = usize::from(reader.byte()?);
            let origins = (0..count)
                .map(|_| reader.short_text()?.parse().ok())
                .collect::<Option<Vec<Origin>>>()?;
            let in_time = created <= now.after(SKEW) && now < created.after(LIFETIME);
            in_time.then_some(Self { secret, created, realm, service, origins })
        })
    }

    /// The `Set-Cookie` value that remembers the flow.
    pub(super) fn set(&self, core: &Core) -> Result<HeaderValue, CookieError> {
        let mut payload = Vec::with_capacity(256);
        payload.extend_from_slice(&self.secret);
        payload.extend_from_slice(&self.created.as_millis().to_be_bytes());
        let write = |payload: &mut Vec<u8>, text: &str| {
            write_short_text(payload, text).ok_or(CookieError::Seal)
        };
        write(&mut payload, &self.realm)?;
        write(&mut payload, &self.service)?;
        // Origins are at most 512 bytes each by their own rules, and 255 here: longer is no name.
        let origins: Vec<_> = self.origins.iter().filter(|own| own.as_str().len() < 256).collect();
        payload.push(u8::try_from(origins.len()).map_err(|_| CookieError::Seal)?);
        for origin in origins {
            write(&mut payload, origin.as_str())?;
        }
        let value =
            core.keyring.seal(Purpose::Flow, "", &payload).map_err(|_| CookieError::Seal)?;
        attributes(core).set(&value, LIFETIME)
    }

    /// The `Set-Cookie` value that forgets it.
    pub(super) fn forget(core: &Core) -> Result<HeaderValue, CookieError> {
        attributes(core).set("", Duration::ZERO)
    }
}

/// The flow cookie's name, which no access cookie may have.
pub(crate) const fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-iiif-flow" } else { "iiif-flow" }
}

/// `SameSite=None`: an identity provider may come back with a form posted from its own site.
fn attributes(core: &Core) -> CookieAttributes {
    let secure = core.public_url.is_https();
    CookieAttributes {
        name: cookie_name(secure).into(),
        domain: None,
        path: "/".into(),
        secure,
        same_site: if secure { SameSite::None } else { SameSite::Lax },
    }
}
