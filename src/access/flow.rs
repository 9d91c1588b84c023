//! What is remembered while the user logs in: which viewers wait for it, and in which realm.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use ring::rand::{SecureRandom, SystemRandom};

use super::tab::AccessTab;
use crate::aspect::{CookieAttributes, CookieError, SameSite};
use crate::clock::SKEW;
use crate::clock::Timestamp;
use crate::core::{BoundAccess, Core, flow_cookie_name};
use crate::protocol::Origin;
use crate::seal::Scratch;
use crate::seal::{Reader, write_short_text};
use crate::session::Session;

/// First byte of the flow cookie's content.
const LAYOUT: u8 = 2;

/// How long a login may take, from the last time an access service was opened, and how long each
/// viewer is taken to wait for it.
///
/// Nothing is won by less: a viewer that is forgotten while its tab is open leaves the others alone in
/// the list, which is why the user is asked from then on.
pub(super) const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// How many viewers may wait for one login.
const MAX_VIEWERS: usize = 8;

/// The login in progress, among the extensions of the requests that the application sees.
///
/// It is there from the request that opens an access service until the grant, for a day at the
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
    tab: Option<AccessTab>,
    session: Option<Session<'static>>,
}

impl AccessFlow {
    pub(super) fn new(
        viewer: Option<&Viewer>,
        tab: Option<AccessTab>,
        session: Option<Session<'static>>,
    ) -> Self {
        let viewer = match viewer {
            Some(Viewer::Named(origin)) => Some(origin.clone()),
            Some(Viewer::Unnamed) | None => None,
        };
        Self { viewer, tab, session }
    }

    /// The origin of the viewer that this login is for, where it said who it is: of the one that opened
    /// this tab, or else of the only one that waits.
    ///
    /// Where several wait and nothing tells whose tab it is, the layer asks the user for which of them
    /// the login was.
    #[must_use]
    pub fn viewer(&self) -> Option<&Origin> {
        self.viewer.as_ref()
    }

    /// What tells this tab from others, where it is known which viewer opened it: see [`AccessTab`].
    #[must_use]
    pub fn tab(&self) -> Option<&AccessTab> {
        self.tab.as_ref()
    }

    /// The session that the user has already, in the realm whose service was opened: a reason to
    /// offer [`AccessGrant::current_session`](super::AccessGrant::current_session) beside the login
    /// form.
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
    /// When an access service was opened last.
    opened: Timestamp,
    /// The name of that service's realm.
    pub(super) realm: String,
    /// Whether there may be tabs of which nothing is remembered: their viewers were forgotten, or no
    /// viewer opened them. Whoever waits is then not taken for the viewer of a tab that does not tell.
    pub(super) has_others: bool,
    /// The viewers that wait, the last one last.
    waiting: Vec<Waiting>,
}

#[derive(Clone)]
struct Waiting {
    viewer: Viewer,
    /// The name of the realm whose service it opened.
    realm: String,
    since: Timestamp,
}

/// Who opened an access service.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Viewer {
    Named(Origin),
    /// 0.9.2 knows no `origin`: the session is then for any viewer, where the configuration says so
    /// ([`Compatibility::insecure_any_viewer_in_0_9`](crate::Compatibility::insecure_any_viewer_in_0_9)).
    Unnamed,
}

impl Viewer {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Named(origin) => origin.as_str(),
            Self::Unnamed => "",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() { Some(Self::Unnamed) } else { text.parse().ok().map(Self::Named) }
    }
}

impl Flow {
    /// A new flow, or `None` when the system gives no random bytes. `has_others`: whether one was lost.
    pub(super) fn begin(now: Timestamp, has_others: bool) -> Option<Self> {
        let mut secret = [0; 16];
        SystemRandom::new().fill(&mut secret).ok()?;
        Some(Self { secret, opened: now, realm: String::new(), has_others, waiting: Vec::new() })
    }

    /// An access service was opened, by this viewer. Those of other tabs go on waiting.
    pub(super) fn open(
        &mut self,
        core: &Core,
        access: &BoundAccess,
        viewer: Option<Viewer>,
        now: Timestamp,
    ) {
        core.realms[access.realm()].name().clone_into(&mut self.realm);
        self.opened = now;
        let before = self.waiting.len();
        self.waiting.retain(|own| now < own.since.after(LIFETIME));
        self.has_others |= self.waiting.len() < before;
        if let Some(viewer) = viewer {
            let realm = self.realm.clone();
            self.waiting.retain(|own| own.viewer != viewer || own.realm != realm);
            if self.waiting.len() == MAX_VIEWERS {
                self.waiting.remove(0);
                self.has_others = true;
            }
            self.waiting.push(Waiting { viewer, realm, since: now });
        }
    }

    /// The viewers that wait for a login of this realm, the last one last.
    pub(super) fn viewers(&self, realm: &str) -> Vec<Viewer> {
        let own = self.waiting.iter().filter(|own| own.realm == realm);
        own.map(|own| own.viewer.clone()).collect()
    }

    /// The viewers that wait for a login of any realm, each once.
    pub(super) fn all_viewers(&self) -> Vec<Viewer> {
        let mut all: Vec<Viewer> = Vec::new();
        for Waiting { viewer, .. } in &self.waiting {
            if !all.contains(viewer) {
                all.push(viewer.clone());
            }
        }
        all
    }

    /// A viewer waits no longer for a login of this realm, or, where it does not, of any. It may have
    /// further tabs.
    pub(super) fn leave(&mut self, viewer: &Viewer, realm: &str) {
        let here = self.waiting.iter().any(|own| own.viewer == *viewer && own.realm == realm);
        let before = self.waiting.len();
        self.waiting.retain(|own| own.viewer != *viewer || (here && own.realm != realm));
        self.has_others |= self.waiting.len() < before;
    }

    /// The `Set-Cookie` value when a tab has done its part: forgets the flow, or remembers it for
    /// the viewers that still wait.
    pub(super) fn close(flow: Option<&Self>, core: &Core) -> Result<HeaderValue, CookieError> {
        match flow {
            Some(flow) if !flow.waiting.is_empty() => flow.set(core),
            _ => attributes(core).set("", Duration::ZERO),
        }
    }

    /// Whether the browser sent a flow at all, good or bad.
    pub(super) fn is_sent(core: &Core, headers: &HeaderMap) -> bool {
        attributes(core).values(headers).next().is_some()
    }

    /// The flow in the request's cookies.
    pub(super) fn read(core: &Core, headers: &HeaderMap, now: Timestamp) -> Option<Self> {
        let attributes = attributes(core);
        attributes.values(headers).find_map(|value| {
            let mut scratch = Scratch::new();
            let found = core.seals.flow().open(value, &mut scratch).ok()?;
            Self::parse(core, Reader(scratch.at(found)), now)
        })
    }

    fn parse(core: &Core, mut reader: Reader<'_>, now: Timestamp) -> Option<Self> {
        if reader.byte()? != LAYOUT {
            return None;
        }
        let secret = reader.take(16)?.try_into().ok()?;
        let opened = reader.timestamp()?;
        let realm = reader.short_text()?.to_owned();
        let has_others = reader.byte()? != 0;
        let count = reader.byte()?;
        let waiting = (0..count).map(|_| {
            let since = reader.timestamp()?;
            let viewer = Viewer::parse(reader.short_text()?)?;
            Some(Waiting { viewer, realm: reader.short_text()?.to_owned(), since })
        });
        let mut waiting: Vec<_> = waiting.collect::<Option<_>>()?;
        // It was allowed when it was remembered, which may have been by another configuration.
        let allowed = core.compatibility.any_viewer_in_0_9;
        waiting.retain(|own| allowed || own.viewer != Viewer::Unnamed);
        let has_others = has_others || waiting.len() < usize::from(count);
        let in_time = opened <= now.after(SKEW) && now < opened.after(LIFETIME);
        let is_all = reader.0.is_empty();
        (in_time && is_all).then_some(Self { secret, opened, realm, has_others, waiting })
    }

    /// The `Set-Cookie` value that remembers the flow.
    pub(super) fn set(&self, core: &Core) -> Result<HeaderValue, CookieError> {
        let mut payload = Vec::with_capacity(256);
        let timestamp = |payload: &mut Vec<u8>, time: Timestamp| {
            payload.extend_from_slice(&time.as_millis().to_be_bytes());
        };
        let text = |payload: &mut Vec<u8>, text: &str| {
            write_short_text(payload, text).ok_or(CookieError::Seal)
        };
        payload.push(LAYOUT);
        payload.extend_from_slice(&self.secret);
        timestamp(&mut payload, self.opened);
        text(&mut payload, &self.realm)?;
        payload.push(u8::from(self.has_others));
        payload.push(u8::try_from(self.waiting.len()).map_err(|_| CookieError::Seal)?);
        for Waiting { viewer, realm, since } in &self.waiting {
            timestamp(&mut payload, *since);
            text(&mut payload, viewer.as_str())?;
            text(&mut payload, realm)?;
        }
        let value = core.seals.flow().seal(&payload).map_err(|_| CookieError::Seal)?;
        attributes(core).set(&value, LIFETIME)
    }
}

/// `SameSite=None`: an identity provider may come back with a form posted from its own site.
fn attributes(core: &Core) -> CookieAttributes {
    let secure = core.public_url.is_https();
    CookieAttributes {
        name: flow_cookie_name(secure).into(),
        domain: None,
        path: "/".into(),
        secure,
        same_site: if secure { SameSite::None } else { SameSite::Lax },
        partitioned: false,
    }
}
