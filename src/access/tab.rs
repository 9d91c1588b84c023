//! What the application carries along to tell the tab of a login from others.

use std::fmt;

use super::flow::{Flow, LIFETIME, MARK};
use super::viewer::Viewer;
use crate::clock::{SKEW, Timestamp};
use crate::core::Core;
use crate::seal::{Reader, Scratch, write_short_text};

/// First byte of what is sealed.
const LAYOUT: u8 = 2;

/// The name of the parameter that carries an [`AccessTab`] in a URL.
pub(super) const PARAMETER: &str = "tab";

/// What tells the tab of a login from others: which viewer opened it, sealed, for a day.
///
/// The layer knows the tab of a form that is posted to the URL it was opened by, `?origin=` and all, or
/// from a page at that URL. A login that leaves this URL, for further steps or an identity provider,
/// carries the tab along: [`AccessFlow::tab`](super::AccessFlow::tab) gives it, to be kept with the
/// login, by the `state` for example. It comes back among the extensions of the response, beside the
/// [`AccessGrant`](super::AccessGrant) or [`AccessDeclined`](super::AccessDeclined); or as the parameter
/// `tab` in the URL of a page or form of this site, at any path of the login, in the browser that it was
/// given to. Without it the user is asked on the gesture page which viewer the login was for.
///
/// It holds no secret and opens nothing. Keep it tied to the browser that it is of, as the `state` is.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::access::{AccessFlow, AccessGrant, AccessTab};
///
/// // As the login begins: `state` is remembered, and the tab with it.
/// fn remembered<B>(request: &http::Request<B>) -> Option<String> {
///     let tab = request.extensions().get::<AccessFlow>()?.tab()?;
///     Some(tab.as_str().to_owned())
/// }
///
/// // As the user comes back.
/// fn welcome(user: &str, tab: Option<String>) -> http::Response<()> {
///     let mut response = http::Response::new(());
///     response.extensions_mut().insert(AccessGrant::to(user));
///     if let Some(tab) = tab {
///         response.extensions_mut().insert(AccessTab::from(tab));
///     }
///     response
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct AccessTab(String);

impl AccessTab {
    /// As it is written: up to 500 ASCII characters that need no escape in a URL, form or cookie.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value for a tab that this viewer opened, to log in to this realm.
    pub(super) fn seal(
        core: &Core,
        flow: &Flow,
        viewer: &Viewer,
        realm: &str,
        now: Timestamp,
    ) -> Option<Self> {
        let mut payload = vec![LAYOUT];
        payload.extend_from_slice(&flow.mark());
        payload.extend_from_slice(&now.as_millis().to_be_bytes());
        for text in [realm, viewer.as_str()] {
            write_short_text(&mut payload, text)?;
        }
        core.seals.tab().seal(&payload).ok().map(Self)
    }

    /// Whose tab it is, if it is one of ours and in time, as the application says that kept it.
    pub(super) fn open(&self, core: &Core, now: Timestamp) -> Option<Known> {
        self.read(core, now).map(|(known, _)| known)
    }

    /// Whose tab it is, as a URL says. Anybody can put a value of their own into the URL that they open
    /// the login by: that of another browser, or of a flow that is lost, decides nothing by itself.
    pub(super) fn open_in_url(
        &self,
        core: &Core,
        flow: Option<&Flow>,
        now: Timestamp,
    ) -> Option<Known> {
        let (known, mark) = self.read(core, now)?;
        let is_of_flow = flow.is_some_and(|flow| flow.mark() == mark);
        Some(Known { sure: if is_of_flow { Sure::Yes } else { Sure::No }, ..known })
    }

    /// The same, with the mark of the flow that it is of.
    fn read(&self, core: &Core, now: Timestamp) -> Option<(Known, [u8; MARK])> {
        let mut scratch = Scratch::new();
        let found = core.seals.tab().open(self.0.as_bytes(), &mut scratch).ok()?;
        let mut reader = Reader(scratch.at(found));
        if reader.byte()? != LAYOUT {
            return None;
        }
        let mark = reader.take(MARK)?.try_into().ok()?;
        let created = reader.timestamp()?;
        let realm = core.realm_named(reader.short_text()?)?;
        let viewer = Viewer::parse(reader.short_text()?)?;
        let in_time = created <= now.after(SKEW) && now < created.after(LIFETIME);
        let admitted = match &viewer {
            Viewer::Named(origin) => !core.origins.refuses(origin),
            Viewer::Unnamed => core.compatibility.any_viewer_in_0_9,
        };
        let realm = core.realms[realm].name().to_owned();
        let known = Known { viewer, realm, sure: Sure::Yes };
        (reader.0.is_empty() && in_time && admitted).then_some((known, mark))
    }
}

/// Takes back what [`as_str`](Self::as_str) gave. What is none counts as no tab.
impl From<String> for AccessTab {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Shows nothing.
impl fmt::Debug for AccessTab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessTab([redacted])")
    }
}

/// The viewer that opened a tab, and the name of the realm that it wants a login of.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) viewer: Viewer,
    pub(super) realm: String,
    pub(super) sure: Sure,
}

/// Whether it is sure who opened a tab. Where it is not, the user is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sure {
    Yes,
    /// A URL alone says so: where a flow is beside it.
    WithFlow,
    No,
}
