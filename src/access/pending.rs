//! What is granted to a viewer, and the form it has while it waits for a click.

use std::time::Duration;

use super::flow::Flow;
use super::viewer::Viewer;
use super::whom::Whom;
use crate::answer::BoxError;
use crate::clock::{SKEW, Timestamp};
use crate::core::{Core, RealmId};
use crate::seal::{Reader, Scratch, write_short_text};
use crate::session::Session;

/// How long the gesture page may be left open.
const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// The session that a grant makes or goes on with, before it is known for which viewer.
pub(super) struct Offered {
    pub(super) session: Session<'static>,
    /// Whether the application wants it for any viewer.
    pub(super) for_any: bool,
}

impl Offered {
    /// The session for one viewer, or for none.
    pub(super) fn session_for(
        &self,
        viewer: Option<&Viewer>,
    ) -> Result<Session<'static>, BoxError> {
        Ok(match viewer {
            _ if self.for_any => self.session.for_any_viewer()?,
            Some(Viewer::Unnamed) => self.session.for_any_viewer()?,
            Some(Viewer::Named(origin)) => self.session.with_origin(origin)?,
            None => self.session.clone(),
        })
    }
}

/// How a user is known from now on.
pub(super) enum Way {
    /// By the access cookie, which holds this session.
    Cookie(Session<'static>),
    /// By an aspect of the application's own.
    OwnAspect,
}

/// What is granted for one viewer.
pub(super) struct Granted {
    pub(super) realm: RealmId,
    pub(super) way: Way,
    /// The viewer that this tab is for, where it is known.
    pub(super) viewer: Option<Viewer>,
    /// The name of the realm whose service was opened.
    pub(super) opened: String,
    /// Where the login leads back to if no viewer opened it.
    pub(super) back: Option<String>,
}

impl Granted {
    /// What a click in a tab lets one viewer have.
    pub(super) fn new(
        whom: &Whom,
        realm: RealmId,
        way: Way,
        viewer: Option<&Viewer>,
        back: Option<String>,
    ) -> Self {
        let back = back.filter(|_| viewer.is_none());
        Self { realm, way, viewer: viewer.cloned(), opened: whom.realm.clone(), back }
    }

    /// For the form on the gesture page of this browser.
    pub(super) fn seal(&self, core: &Core, flow: &Flow, now: Timestamp) -> Option<String> {
        let mut payload = Vec::with_capacity(512);
        payload.extend_from_slice(&flow.secret);
        payload.extend_from_slice(&now.as_millis().to_be_bytes());
        payload.push(u8::from(self.viewer.is_some()));
        let viewer = self.viewer.as_ref().map_or("", Viewer::as_str);
        for text in [core.realms[self.realm].name(), &self.opened, viewer] {
            write_short_text(&mut payload, text)?;
        }
        let back = self.back.as_deref().unwrap_or_default();
        payload.extend_from_slice(&u16::try_from(back.len()).ok()?.to_be_bytes());
        payload.extend_from_slice(back.as_bytes());
        if let Way::Cookie(session) = &self.way {
            session.write(&mut payload);
        }
        core.seals.pending_grant().seal(&payload).ok()
    }

    /// What the form brings back, if it is of this browser and in time.
    pub(super) fn open(core: &Core, flow: &Flow, sealed: &str, now: Timestamp) -> Option<Self> {
        let mut scratch = Scratch::new();
        let found = core.seals.pending_grant().open(sealed.as_bytes(), &mut scratch).ok()?;
        let mut reader = Reader(scratch.at(found));
        let secret = reader.take(16)?;
        let created = reader.timestamp()?;
        let has_viewer = reader.byte()? == 1;
        let realm = core.realm_named(reader.short_text()?)?;
        let opened = reader.short_text()?.to_owned();
        let viewer = Viewer::parse(reader.short_text()?).filter(|_| has_viewer);
        let length = u16::from_be_bytes(reader.take(2)?.try_into().ok()?);
        let back = std::str::from_utf8(reader.take(length.into())?).ok()?;
        let back = (!back.is_empty()).then(|| back.to_owned());
        let way = if reader.0.is_empty() {
            Way::OwnAspect
        } else {
            let session = reader.session()?.into_owned();
            let longest = core.realms[realm].cookie()?.times().longest_millis;
            if session.stamp().check_within(longest, now).is_err() {
                return None;
            }
            Way::Cookie(session)
        };
        let in_time = created <= now.after(SKEW) && now < created.after(LIFETIME);
        // Both values come from this very browser, so that time tells an onlooker nothing.
        (in_time && secret == flow.secret).then_some(Self { realm, way, viewer, opened, back })
    }
}
