//! The configured whole: [`IiifAuth`], which hands out the layers, and its builder.

mod builder;
mod describing;
mod options;
mod sessions;
pub mod stack;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

pub use builder::IiifAuthBuilder;
pub use sessions::{LoggedOut, SessionsError};
use stack::IiifAuthLayer;

use crate::access::SetAccessCookieLayer;
use crate::check::CheckLayer;
use crate::client_identity::ClientIdentityLayer;
use crate::config::ConfigWarning;
use crate::core::{BoundRealm, Core, flow_cookie_name};
use crate::describe::DescribeLayer;
use crate::logout::LogoutLayer;
use crate::probe::ProbeLayer;
use crate::token::TokenLayer;

/// A publisher's access control: what is protected, who may see it, and where the services are.
///
/// It hands out the layers. All of them share this configuration; a clone is one more reference to
/// it.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::authorizer::RolesFor;
/// use tower_iiif_auth::{AccessService, IiifAuth, Keyring, Realm};
///
/// let auth = IiifAuth::builder("https://iiif.example")
///     .keyring(Keyring::generate()?)
///     .images("/iiif/3")
///     .realm(Realm::new().access(AccessService::active("login", "Example Library")))
///     .authorizer(RolesFor::new().open("covers-*").roles("*", ["reader"]))
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct IiifAuth {
    pub(crate) core: Arc<Core>,
}

impl IiifAuth {
    /// Begins the configuration of the publisher whose absolute URL is `public_url`: what browsers
    /// type, such as `https://iiif.example`, whatever address the server itself listens on.
    pub fn builder(public_url: impl Into<String>) -> IiifAuthBuilder {
        IiifAuthBuilder::new(public_url.into())
    }

    /// What works in this configuration and will disappoint, such as a plain-http public URL. Nothing
    /// logs it by itself.
    ///
    /// # Example
    ///
    /// ```
    /// # use tower_iiif_auth::{AccessService, IiifAuth, Keyring, Realm};
    /// # let auth = IiifAuth::builder("http://localhost:3000")
    /// #     .keyring(Keyring::generate()?)
    /// #     .images("/iiif/3")
    /// #     .realm(Realm::new().access(AccessService::active("login", "Example Library")))
    /// #     .authorize_with(|request| request.has_role("reader"))
    /// #     .build()?;
    /// for warning in auth.warnings() {
    ///     eprintln!("warning: {warning}");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn warnings(&self) -> &[ConfigWarning] {
        &self.core.warnings
    }

    /// All layers in the right order, for a stack or a router that holds the image routes and the
    /// application's login.
    pub fn layer(&self) -> IiifAuthLayer {
        IiifAuthLayer::new(self.clone())
    }

    /// The five layers that answer at the services' paths below [`endpoints`]: probe, token, client
    /// identity, logout and access cookie; without the two on the content routes.
    ///
    /// [`endpoints`]: IiifAuthBuilder::endpoints
    pub fn services(&self) -> stack::ServicesLayer {
        stack::ServicesLayer::new(self.clone())
    }

    /// The checker of authorizing aspects, for content routes.
    pub fn check(&self) -> CheckLayer {
        CheckLayer::new(Arc::clone(&self.core))
    }

    /// The describer of `info.json` and manifests, for the same routes.
    pub fn describe(&self) -> DescribeLayer {
        DescribeLayer::new(Arc::clone(&self.core))
    }

    /// The probe responder.
    pub fn probe(&self) -> ProbeLayer {
        ProbeLayer::new(Arc::clone(&self.core))
    }

    /// The token issuer.
    pub fn token(&self) -> TokenLayer {
        TokenLayer::new(Arc::clone(&self.core))
    }

    /// The access-cookie setter, around the application's own login.
    pub fn set_access_cookie(&self) -> SetAccessCookieLayer {
        SetAccessCookieLayer::new(Arc::clone(&self.core))
    }

    /// The client identity service of 0.9.2.
    pub fn client_identity(&self) -> ClientIdentityLayer {
        ClientIdentityLayer::new(Arc::clone(&self.core))
    }

    /// The logout service.
    pub fn logout(&self) -> LogoutLayer {
        LogoutLayer::new(Arc::clone(&self.core))
    }

    /// A path as it may be logged: what opens something in one of a
    /// [signed location](IiifAuthBuilder::signed_locations) is replaced by `…`.
    ///
    /// # Example
    ///
    /// ```
    /// # use tower_iiif_auth::{AccessService, IiifAuth, Keyring, Realm};
    /// # let auth = IiifAuth::builder("https://iiif.example")
    /// #     .keyring(Keyring::generate()?)
    /// #     .images("/iiif/3")
    /// #     .realm(Realm::new().access(AccessService::active("login", "Example Library")))
    /// #     .authorize_with(|request| request.has_role("reader"))
    /// #     .signed_locations()
    /// #     .build()?;
    /// let shown = auth.path_without_capability("/auth/signed/AQx3/iiif/3/letter/info.json");
    /// assert_eq!(shown, "/auth/signed/…/iiif/3/letter/info.json");
    /// assert_eq!(auth.path_without_capability("/iiif/3/letter"), "/iiif/3/letter");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn path_without_capability<'p>(&self, path: &'p str) -> Cow<'p, str> {
        self.core.endpoints.without_capability(path)
    }

    /// Whether a cookie of this name is the layers' own: an access cookie, its fellow in viewers'
    /// partitions, or the one that remembers a login in progress. Case does not matter.
    ///
    /// A reverse proxy keeps these from the server behind it, and takes away what that server sets
    /// under such a name.
    ///
    /// # Example
    ///
    /// ```
    /// # use tower_iiif_auth::{AccessService, IiifAuth, Keyring, Realm};
    /// # let auth = IiifAuth::builder("https://iiif.example")
    /// #     .keyring(Keyring::generate()?)
    /// #     .images("/iiif/3")
    /// #     .realm(Realm::new().access(AccessService::active("login", "Example Library")))
    /// #     .authorize_with(|request| request.has_role("reader"))
    /// #     .build()?;
    /// assert!(auth.is_own_cookie("__Host-iiif"));
    /// assert!(!auth.is_own_cookie("PHPSESSID"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_own_cookie(&self, name: &str) -> bool {
        let flow = flow_cookie_name(self.core.public_url.is_https());
        let cookies = self.core.realms.iter().filter_map(BoundRealm::cookie);
        let names = cookies.flat_map(|own| [Some(own.name()), own.partitioned_name()]);
        names.flatten().chain([flow]).any(|own| own.eq_ignore_ascii_case(name))
    }
}

impl fmt::Debug for IiifAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bases = self.core.sites.maps().iter().map(|map| (map.base(), map.dialect()));
        let bases = bases.collect::<Vec<_>>();
        f.debug_struct("IiifAuth")
            .field("public_url", &self.core.public_url.as_str())
            .field("bases", &bases)
            .field("realms", &self.core.realms.iter().map(BoundRealm::name).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
