//! What is remembered while the user logs in: which viewers wait for it, and in which realm.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};
use ring::rand::{SecureRandom, SystemRandom};

use super::viewer::Viewer;
use crate::aspect::{CookieAttributes, CookieError};
use crate::clock::{SKEW, Timestamp};
use crate::core::{BoundAccess, Core, ReturnTo, flow_cookie_name};
use crate::seal::{Reader, Scratch, write_short_text};

/// First byte of the flow cookie's content.
const LAYOUT: u8 = 3;

/// How long a login may take, from the last time an access service was opened, and how long each
/// viewer is taken to wait for it.
///
/// Nothing is won by less: a viewer that is forgotten while its tab is open leaves the others alone in
/// the list, which is why the user is asked from then on.
pub(super) const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// How many bytes tell one flow from others.
pub(super) const MARK: usize = 8;

/// How many viewers may wait for one login.
const MAX_VIEWERS: usize = 8;

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
    /// Where the login that no viewer opened leads back to.
    return_to: Option<ReturnTo>,
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

impl Flow {
    /// A new flow, or `None` when the system gives no random bytes. `has_others`: whether one was lost.
    pub(super) fn begin(now: Timestamp, has_others: bool) -> Option<Self> {
        let mut secret = [0; 16];
        SystemRandom::new().fill(&mut secret).ok()?;
        let realm = String::new();
        Some(Self { secret, opened: now, realm, has_others, return_to: None, waiting: Vec::new() })
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

    /// What tells this browser's flow from others, and does not give its secret away.
    pub(super) fn mark(&self) -> [u8; MARK] {
        let digest = ring::digest::digest(&ring::digest::SHA256, &self.secret);
        *digest.as_ref().first_chunk().expect("SHA-256 has 32 bytes")
    }

    /// Where the login that no viewer opened leads back to.
    pub(super) fn return_to(&self) -> Option<&ReturnTo> {
        self.return_to.as_ref()
    }

    /// No viewer opened this login: it leads back there, or nowhere.
    pub(super) fn set_return_to(&mut self, return_to: Option<ReturnTo>) {
        self.return_to = return_to;
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

    /// The secret, as a form carries it.
    pub(super) fn form_secret(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.secret)
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
        let length = u16::from_be_bytes(reader.take(2)?.try_into().ok()?);
        let return_to = std::str::from_utf8(reader.take(length.into())?).ok()?;
        // It was good when it was remembered, which may have been by another configuration.
        let return_to = core.parse_return_to(return_to);
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
        let flow = Self { secret, opened, realm, has_others, return_to, waiting };
        (in_time && is_all).then_some(flow)
    }

    /// The `Set-Cookie` value that remembers the flow.
    pub(super) fn set(&self, core: &Core) -> Result<HeaderValue, CookieError> {
        match self.set_with(self.return_to.as_ref(), core) {
            // Viewers that wait are worth more than the way back.
            Err(CookieError::TooLarge { .. }) if self.return_to.is_some() => {
                self.set_with(None, core)
            }
            set => set,
        }
    }

    fn set_with(
        &self,
        return_to: Option<&ReturnTo>,
        core: &Core,
    ) -> Result<HeaderValue, CookieError> {
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
        let return_to = return_to.map_or("", ReturnTo::as_str);
        let length = u16::try_from(return_to.len()).map_err(|_| CookieError::Seal)?;
        payload.extend_from_slice(&length.to_be_bytes());
        payload.extend_from_slice(return_to.as_bytes());
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

fn attributes(core: &Core) -> CookieAttributes {
    let secure = core.public_url.is_https();
    CookieAttributes::of_flow(flow_cookie_name(secure), secure)
}
