//! The configured whole: [`IiifAuth`] and its builder, where every configuration error is found.

mod access_service;
mod bind;
mod bound;
mod builder;
mod checks;
mod compatibility;
mod cookie_service;
mod error;
mod manifests;
mod origin_policy;
mod public_url;
mod realm;
mod session_cookie;
mod texts;
mod third_party_cookies;
mod time;

use std::fmt;
use std::sync::Arc;

pub use access_service::AccessService;
pub use builder::IiifAuthBuilder;
pub use compatibility::Compatibility;
pub use error::ConfigError;
pub use manifests::Manifests;
pub use origin_policy::OriginPolicy;
pub use realm::Realm;
pub use texts::Texts;
pub use third_party_cookies::ThirdPartyCookies;

pub(crate) use access_service::Page;
pub(crate) use bound::{
    BoundAccess, BoundCookieService, BoundMap, BoundRealm, Candidate, CandidateAspect, Core, Found,
    RealmSet, Seals,
};
pub(crate) use public_url::PublicUrl;
pub(crate) use realm::Client;
pub(crate) use time::Time;

use crate::access::{AccessCookieLayer, flow_cookie_name};
use crate::check::CheckLayer;
use crate::client_identity::ClientIdentityLayer;
use crate::describe::DescribeLayer;
use crate::logout::LogoutLayer;
use crate::probe::ProbeLayer;
use crate::stack::IiifAuthLayer;
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

    /// All layers in the right order, for a stack or a router that holds the image routes and the
    /// application's login.
    pub fn layer(&self) -> IiifAuthLayer {
        IiifAuthLayer::new(self.clone())
    }

    /// The five layers that answer at the services' paths below [`endpoints`]: probe, token, client
    /// identity, logout and access cookie; without the two on the content routes.
    ///
    /// [`endpoints`]: IiifAuthBuilder::endpoints
    pub fn services(&self) -> crate::stack::ServicesLayer {
        crate::stack::ServicesLayer::new(self.clone())
    }

    /// The checker of authorizing aspects, for content routes.
    pub fn check(&self) -> CheckLayer {
        CheckLayer::new(self.clone())
    }

    /// The describer of `info.json` and manifests, for the same routes.
    pub fn describe(&self) -> DescribeLayer {
        DescribeLayer::new(self.clone())
    }

    /// The probe responder.
    pub fn probe(&self) -> ProbeLayer {
        ProbeLayer::new(self.clone())
    }

    /// The token issuer.
    pub fn token(&self) -> TokenLayer {
        TokenLayer::new(self.clone())
    }

    /// The access-cookie setter, around the application's own login.
    pub fn access_cookie(&self) -> AccessCookieLayer {
        AccessCookieLayer::new(self.clone())
    }

    /// The client identity service of 0.9.2.
    pub fn client_identity(&self) -> ClientIdentityLayer {
        ClientIdentityLayer::new(self.clone())
    }

    /// The logout service.
    pub fn logout(&self) -> LogoutLayer {
        LogoutLayer::new(self.clone())
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
    /// #     .authorize(|request| request.has_role("reader"))
    /// #     .build()?;
    /// assert!(auth.is_own_cookie("__Host-iiif"));
    /// assert!(!auth.is_own_cookie("PHPSESSID"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_own_cookie(&self, name: &str) -> bool {
        let flow = flow_cookie_name(self.core.public_url.is_https());
        let cookies = self.core.realms.iter().filter_map(|realm| realm.cookie.as_ref());
        let names = cookies.flat_map(|own| [Some(own.name()), own.partitioned_name()]);
        names.flatten().chain([flow]).any(|own| own.eq_ignore_ascii_case(name))
    }
}

impl fmt::Debug for IiifAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bases = self.core.maps.iter().map(|map| (map.base(), map.dialect()));
        let bases = bases.collect::<Vec<_>>();
        f.debug_struct("IiifAuth")
            .field("public_url", &self.core.public_url.as_str())
            .field("bases", &bases)
            .field("realms", &self.core.realms.iter().map(|realm| &*realm.name).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
