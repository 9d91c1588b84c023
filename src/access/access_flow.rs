//! What the application sees of the login in progress.

use std::fmt;

use super::context::Context;
use super::opener::Opener;
use super::tab::{AccessTab, Sure};
use super::viewer::Viewer;
use crate::clock::Timestamp;
use crate::protocol::Origin;
use crate::session::Session;

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
    back: Option<String>,
    script: Option<String>,
}

impl AccessFlow {
    /// What the application is told of the login that a request is of, if of any.
    pub(super) fn of(context: &Context, now: Timestamp) -> Option<Self> {
        let core = &context.core;
        let flow = context.flow.as_ref()?;
        let cookie = context
            .service
            .map(|service| core.access[service].realm())
            .or_else(|| core.realm_named(&flow.realm))
            .and_then(|realm| core.realms[realm].cookie());
        let session = cookie.and_then(|cookie| context.current_session(cookie, now));
        let tab = match &context.opener {
            // What is a guess is none the less one when it comes back.
            Opener::Viewer(own) if own.sure != Sure::No => {
                AccessTab::seal(core, flow, &own.viewer, &own.realm, now)
            }
            Opener::Viewer(_) | Opener::Nobody | Opener::Untold | Opener::Silent => None,
        };
        let viewer = match context.viewer() {
            Some(Viewer::Named(origin)) => Some(origin),
            Some(Viewer::Unnamed) | None => None,
        };
        let back = context.back.clone().filter(|_| context.whom(None).viewers.is_empty());
        let may_hand_off = viewer.is_some() && cookie.is_some() && core.third_party.hand_off;
        let script = core.endpoints.hand_off_script();
        let script = may_hand_off.then(|| core.public_url.browser_path(script));
        Some(Self { viewer, tab, session, back, script })
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

    /// Where a login that no viewer opened leads back to, an absolute URL: the parameter `return_to` of the
    /// link to it. A redirect in the response that holds the grant leads elsewhere.
    #[must_use]
    pub fn return_to(&self) -> Option<&str> {
        self.back.as_deref()
    }

    /// The path of a script for the login page, where logins are
    /// [handed off](crate::ThirdPartyCookies::hand_off): it lets the click that sends the form open the small
    /// window, which spares the user the click on "Continue to …" behind it. `None` without the hand-off, where no
    /// viewer is known, and where the realm has no access cookie.
    ///
    /// The page names the [`viewer`](Self::viewer), as that other page would, and marks its forms with
    /// `data-hand-off` and a button that cancels with `data-hand-off="no"`. Its policy allows scripts of this
    /// site (`script-src 'self'`). Where a browser opens no window, the other page asks for the click as ever.
    ///
    /// # Example
    ///
    /// ```
    /// use tower_iiif_auth::access::AccessFlow;
    ///
    /// fn form(flow: Option<&AccessFlow>) -> String {
    ///     let viewer = flow.and_then(AccessFlow::viewer).map(ToString::to_string).unwrap_or_default();
    ///     let script = flow.and_then(AccessFlow::hand_off_script).map_or_else(String::new, |path| {
    ///         format!("<script src=\"{path}\" defer></script>")
    ///     });
    ///     format!(
    ///         "{script}<p>Log in to continue to {viewer}</p><form method=\"post\" data-hand-off>\
    ///          <input name=\"password\" type=\"password\"><button>Log in</button></form>"
    ///     )
    /// }
    /// ```
    #[must_use]
    pub fn hand_off_script(&self) -> Option<&str> {
        self.script.as_deref()
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
