//! Access services: how users come by their authorizing aspect.

use crate::protocol::v2::Profile;
use crate::protocol::{LanguageMap, Message};
use crate::resource::Pattern;

/// An access service: the page, opened in a tab, on which a user gets through (2.0 §3).
///
/// Its name is its place: `login` is at `/auth/login`.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::{AccessService, LanguageMap, Message};
///
/// let login = AccessService::active("login", LanguageMap::new("en", "Example Library"))
///     .message(Message::new("Please log in").note("Readers of the library may see this."));
/// let terms = AccessService::click_through(
///     "accept",
///     "Example Library",
///     Message::new("Terms of use").note("For private study only."),
/// )
/// .protects(["letters-*"]);
/// ```
#[derive(Clone, Debug)]
pub struct AccessService {
    pub(crate) name: String,
    pub(crate) profile: Profile,
    pub(crate) page: Page,
    pub(crate) label: Option<LanguageMap>,
    pub(crate) message: Option<Message>,
    pub(crate) confirm_label: Option<LanguageMap>,
    pub(crate) protects: Vec<Pattern>,
    pub(crate) role: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) steps: Vec<Pattern>,
}

/// Who answers at an access service's path.
#[derive(Clone, Debug)]
pub(crate) enum Page {
    /// The application.
    Application,
    /// The crate: terms to agree to.
    ClickThrough(Message),
    /// The crate: grants by being opened.
    Kiosk,
    /// Nobody: the external profile.
    None,
}

impl AccessService {
    fn new(name: String, profile: Profile, page: Page) -> Self {
        Self {
            name,
            profile,
            page,
            label: None,
            message: None,
            confirm_label: None,
            protects: Vec::new(),
            role: None,
            path: None,
            steps: Vec::new(),
        }
    }

    /// A page of the application's own on which the user acts: its login. `label` names the
    /// institution.
    ///
    /// The application answers at the service's path; when the user is in, its response carries an
    /// [`AccessGrant`](crate::access::AccessGrant). **Only that one path is let through.** Further
    /// pages, such as the return from an identity provider, are listed as [`steps`](Self::steps), also
    /// those below the path.
    #[must_use]
    pub fn active(name: impl Into<String>, label: impl Into<LanguageMap>) -> Self {
        let mut service = Self::new(name.into(), Profile::Active, Page::Application);
        service.label = Some(label.into());
        service
    }

    /// A page of the crate's own that shows `terms` with buttons to agree and to decline. Whoever agrees
    /// gets a session without a subject, with the role named by [`role`](Self::role). It takes the
    /// place of any other session of the realm: beside a login, give it a
    /// [realm](crate::Realm) of its own.
    #[must_use]
    pub fn click_through(
        name: impl Into<String>,
        label: impl Into<LanguageMap>,
        terms: impl Into<Message>,
    ) -> Self {
        let page = Page::ClickThrough(terms.into());
        let mut service = Self::new(name.into(), Profile::Active, page);
        service.label = Some(label.into());
        service
    }

    /// A page of the crate's own that grants by being opened, without a click. Whoever opens it gets a
    /// session with the role named by [`role`](Self::role), in place of any other one of the realm:
    /// beside a login, give it a [realm](crate::Realm) of its own.
    ///
    /// Browsers may keep its cookie from viewers on other sites (2.0 §3.3.2).
    #[must_use]
    pub fn kiosk(name: impl Into<String>) -> Self {
        Self::new(name.into(), Profile::Kiosk, Page::Kiosk)
    }

    /// No page at all: the user has the aspect already, an address for example, or has not. Its
    /// realm needs [aspects](crate::Realm::aspect). Give it a [`label`](Self::label).
    #[must_use]
    pub fn external() -> Self {
        Self::new(String::new(), Profile::External, Page::None)
    }

    /// Names the institution. Required for `active`; by default it is the publisher's host.
    #[must_use]
    pub fn label(mut self, label: impl Into<LanguageMap>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// What the viewer shows beside the button that opens the service.
    #[must_use]
    pub fn message(mut self, message: impl Into<Message>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// The text of that button.
    ///
    /// It is left out by default: `@columbia-libraries/mirador` 4.0.0-alpha.16 crashes on the
    /// language map that the specification demands here.
    #[must_use]
    pub fn confirm_label(mut self, label: impl Into<LanguageMap>) -> Self {
        self.confirm_label = Some(label.into());
        self
    }

    /// Declares this service for resources that one of `patterns` covers, and for no other: by their
    /// identifier below every base or, where a pattern begins with a slash, by their path. A service
    /// without patterns is for every resource that no pattern of another service covers.
    #[must_use]
    pub fn protects<P: Into<Pattern>>(mut self, patterns: impl IntoIterator<Item = P>) -> Self {
        self.protects.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// The role that a click-through or kiosk grants, of at most 255 bytes. Default: the service's
    /// name. Others take none: after a login the application's
    /// [`AccessGrant`](crate::access::AccessGrant) says the roles.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.role = Some(role.into());
        self
    }

    /// Another path than `{endpoints}/{name}` or, in a named realm, `{endpoints}/{realm}/{name}`:
    /// absolute, without a slash at its end, and neither below a base nor below the probe service. An
    /// external service takes none. What is below a base stays content, also where the base is below
    /// this path.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Further paths of the application's login: the return from an identity provider, the second page
    /// of a form. Absolute, wherever they lie; `*` stands for any text. Default: none, so that what
    /// lies below the service's own path is 404.
    ///
    /// There, too, the viewer's tie to the tab is kept, pages are not framed, what browsers load in
    /// advance is answered with 503, and the checker lets
    /// requests through as they come, by any method and with any query: list what the application answers, and no
    /// more. Only a login of the application's has steps.
    ///
    /// ```
    /// use tower_iiif_auth::AccessService;
    ///
    /// let login = AccessService::active("login", "Example Library")
    ///     .steps(["/auth/login/callback", "/saml/*"]);
    /// ```
    #[must_use]
    pub fn steps<P: Into<Pattern>>(mut self, patterns: impl IntoIterator<Item = P>) -> Self {
        self.steps.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Every text, to be looked over at build time.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &LanguageMap> {
        let terms = match &self.page {
            Page::ClickThrough(terms) => Some(terms),
            _ => None,
        };
        let messages = [self.message.as_ref(), terms];
        let in_messages = messages.into_iter().flatten().flat_map(Message::texts);
        self.label.iter().chain(self.confirm_label.iter()).chain(in_messages)
    }
}
