//! A realm: users who are told by the same aspects, with one token and one logout service.

use std::fmt;

use crate::aspect::Aspects;
use crate::config::AccessService;
use crate::protocol::{LanguageMap, Message};

/// A group of access services that lead to the same authorizing aspects, with one token service
/// and, unless it is left out, one logout service.
///
/// A realm has one access cookie at the most, and it holds one session: going through one of its
/// access services ends the session of another. So give a click-through or a kiosk a realm of its
/// own ([`named`](Self::named)) beside readers who log in, or beside terms for another role; else a
/// reader who accepts the terms is logged out. [`IiifAuth::warnings`](crate::IiifAuth::warnings) says so.
///
/// An application may have several realms. Their cookies and tokens are never taken for each other's. The unnamed realm has its
/// services at `/auth/token`, `/auth/logout` and `/auth/{service}`, a named one at
/// `/auth/{realm}/token` and so on.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::aspect::IpRanges;
/// use tower_iiif_auth::{AccessCookie, AccessService, Realm};
///
/// let readers = Realm::new()
///     .access(AccessService::active("login", "Example Library"))
///     .aspect(AccessCookie::new().or(IpRanges::new(["192.0.2.0/24"], "reader")?));
/// # Ok::<(), tower_iiif_auth::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Realm {
    pub(crate) name: String,
    pub(crate) access: Vec<AccessService>,
    pub(crate) aspects: Option<Aspects>,
    pub(crate) token_error: Option<Message>,
    pub(crate) logout: Logout,
    pub(crate) clients: Vec<Client>,
    pub(crate) session_cookies: Vec<String>,
}

/// A client that is registered.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// Shows the id and nothing of the secret.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("id", &self.id).finish_non_exhaustive()
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Logout {
    /// Offered where there is a cookie to delete.
    Default,
    Labelled(LanguageMap),
    Without,
}

impl Default for Realm {
    fn default() -> Self {
        Self::new()
    }
}

impl Realm {
    /// The unnamed realm; the only one most publishers need.
    #[must_use]
    pub fn new() -> Self {
        Self::named("")
    }

    /// A realm with a name that stands in its services' paths.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            access: Vec::new(),
            aspects: None,
            token_error: None,
            logout: Logout::Default,
            clients: Vec::new(),
            session_cookies: Vec::new(),
        }
    }

    /// Adds an access service.
    #[must_use]
    pub fn access(mut self, service: AccessService) -> Self {
        self.access.push(service);
        self
    }

    /// What its users are told by: one aspect, or several joined by `or`. A second call replaces the
    /// first. Default: an [`AccessCookie`](crate::AccessCookie), unless all services are
    /// external.
    #[must_use]
    pub fn aspect(mut self, aspects: impl Into<Aspects>) -> Self {
        self.aspects = Some(aspects.into());
        self
    }

    /// Has `build()` check the cookie of an aspect of the application's own: a `Set-Cookie` value as the
    /// application sends it, for example `sid=0; Path=/; Secure; HttpOnly; SameSite=None`. Its value
    /// does not matter.
    ///
    /// Viewers on other sites get nothing without `SameSite=None; Secure`, and most session layers
    /// default to something else: better said at start than by the first viewer that fails. On a
    /// plain-http public URL, where no cookie crosses sites, only path and domain are looked at.
    ///
    /// It also tells the layers that a cookie would help users who have none, so that
    /// [`storage_access`](crate::ThirdPartyCookies::storage_access) is for this one, too.
    ///
    /// # Example
    ///
    /// ```
    /// use tower_iiif_auth::{AccessService, IiifAuth, Keyring, Realm};
    /// # use tower_iiif_auth::aspect::{AspectError, AuthorizingAspect, Head, Reading};
    /// # use tower_iiif_auth::{Answer, clock::Timestamp};
    /// # struct AppLogin;
    /// # impl AuthorizingAspect for AppLogin {
    /// #     fn name(&self) -> &str { "app" }
    /// #     fn read(&self, _: &Head<'_>, _: Timestamp) -> Reading { Answer::Now(Err(AspectError::Missing)) }
    /// # }
    ///
    /// let keyring = Keyring::generate()?;
    /// let with = |set_cookie: &str| {
    ///     let login = AccessService::active("login", "Example Library");
    ///     IiifAuth::builder("https://iiif.example")
    ///         .keyring(keyring.clone())
    ///         .images("/iiif/3")
    ///         .authorize_with(|request| request.has_role("reader"))
    ///         .realm(Realm::new().access(login).aspect(AppLogin).session_cookie(set_cookie))
    ///         .build()
    /// };
    /// assert!(with("sid=0; Path=/; Secure; HttpOnly; SameSite=None").is_ok());
    /// let error = with("sid=0; Path=/; Secure; HttpOnly; SameSite=Lax").unwrap_err().to_string();
    /// assert!(error.contains("SameSite=Lax"), "{error}");
    /// # Ok::<(), tower_iiif_auth::KeyringError>(())
    /// ```
    #[must_use]
    pub fn session_cookie(mut self, set_cookie: impl Into<String>) -> Self {
        self.session_cookies.push(set_cookie.into());
        self
    }

    /// What viewers show when the token service gives no token and no reason of its own. It stands
    /// in the description of the token service. Default: nothing.
    #[must_use]
    pub fn token_error(mut self, message: impl Into<Message>) -> Self {
        self.token_error = Some(message.into());
        self
    }

    /// The label of the logout service, which viewers write on a button and which has to name the
    /// institution (2.0 §6.1). Default: [`Texts::logout_label`](crate::Texts::logout_label) with the
    /// label of the first access service. A realm without an access cookie offers a logout only by this call.
    #[must_use]
    pub fn logout_label(mut self, label: impl Into<LanguageMap>) -> Self {
        self.logout = Logout::Labelled(label.into());
        self
    }

    /// Registers a client of 0.9.2 by id and secret; several may be given. From then on its login and
    /// token services of 0.9 want the `code` that the client identity service gives to a registered
    /// client (0.9.2 §2.4). Default: none, and a `code` is ignored.
    ///
    /// It tells which software asks, and not who uses it: a client in a browser keeps no secret from
    /// its users. The id has 1 to 255 bytes, the secret 16 at the least. A wrong secret may be tried
    /// ten times a minute; after that none is looked at for the rest of it, nor is the right one: whoever
    /// knows the id can keep its client from new codes. A code that was given stays good for an hour.
    #[must_use]
    pub fn client(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.clients.push(Client { id: id.into(), secret: secret.into() });
        self
    }

    /// Offers no logout: right where the users' aspect cannot be taken back here.
    #[must_use]
    pub fn without_logout(mut self) -> Self {
        self.logout = Logout::Without;
        self
    }
}
