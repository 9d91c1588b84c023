//! What can be wrong with a configuration.

use crate::aspect::CookieError;
use crate::aspect::SettingError;
use crate::protocol::OriginError;
use crate::revocation::NoRandomness;

/// One mistake of a configuration. Each message says what to change.
///
/// [`build()`](crate::IiifAuthBuilder::build) tells all of them at once, as [`ConfigErrors`](crate::ConfigErrors).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The public URL is no absolute http or https URL.
    PublicUrl {
        /// What it was.
        url: String,
        /// What is wrong with it.
        cause: OriginError,
    },
    /// The public URL has a path that is no plain path.
    PublicUrlPath(String),
    /// The public URL is plain http and not on this machine.
    PlainHttp(String),
    /// Another URL that is to mean the public one is no absolute http or https URL.
    OtherUrl(String),
    /// There is no keyring.
    NoKeyring,
    /// There is no authorizer.
    NoAuthorizer,
    /// There is no base with resources.
    NoResources,
    /// There is no realm.
    NoRealm,
    /// A path is not absolute, ends in a slash or has odd characters.
    Path(String),
    /// Two services have the same path.
    PathTwice(String),
    /// A service lies at or below a base, where everything is content.
    PathInBase {
        /// The service's path.
        path: String,
        /// The base.
        base: String,
    },
    /// A base or an access service lies below the probe service, where every path is a probe.
    PathInProbe {
        /// Its path.
        path: String,
        /// The probe service's.
        probe: String,
    },
    /// A base is the same as another, or lies below it; case does not matter.
    BasesOverlap {
        /// The base.
        inner: String,
        /// The other one.
        outer: String,
    },
    /// A base's dialect is none that a server could have.
    Dialect {
        /// The base's path.
        base: String,
        /// What to change.
        fault: &'static str,
    },
    /// A base speaks families that do not go together.
    Families {
        /// The base.
        base: String,
        /// What is wrong, and what to change.
        fault: &'static str,
    },
    /// A service has steps and is no login of the application's.
    StepsUnused(String),
    /// A step of a login matches no path.
    Step(String),
    /// Clients are registered, and no base speaks 0.9.
    ClientsUnused {
        /// The realm's name.
        realm: String,
    },
    /// A client is registered twice, or its id is empty or longer than 255 bytes.
    Client(String),
    /// A client's secret is shorter than 16 bytes.
    ClientSecret {
        /// The client's id.
        client: String,
    },
    /// A realm or access service has a name that cannot stand in a path.
    Name(String),
    /// Two realms have the same name.
    RealmTwice(String),
    /// A realm has no access service.
    NoAccessService {
        /// The realm's name; empty for the unnamed one.
        realm: String,
    },
    /// Every access service is for certain resources only.
    NoDefaultAccessService,
    /// There are more than 64 realms.
    TooManyRealms,
    /// A realm has nothing to tell its users by.
    NoAspect {
        /// The realm's name.
        realm: String,
    },
    /// A realm has two aspects of the same name.
    AspectTwice(String),
    /// An aspect's name is empty or longer than 255 bytes.
    AspectName {
        /// The realm's name.
        realm: String,
        /// How long it is.
        bytes: usize,
    },
    /// A role that an access service or an aspect gives is too long.
    Role {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        most: usize,
    },
    /// An access service has a role and is neither click-through nor kiosk.
    RoleUnused(String),
    /// An external access service has a path.
    ExternalPath(String),
    /// A realm has two access cookies.
    TwoCookies {
        /// The realm's name.
        realm: String,
    },
    /// A realm whose access service sets a cookie does not have the cookie among its aspects.
    NoCookie {
        /// The realm's name.
        realm: String,
    },
    /// A realm's cookie would be dropped by browsers.
    Cookie {
        /// The realm's name.
        realm: String,
        /// Why.
        cause: CookieError,
    },
    /// Two realms use the same cookie name.
    CookieTwice(String),
    /// A cookie is kept from other sites, and ways around blocked third-party cookies are on.
    SameSiteCookie(String),
    /// A cookie is not sent to one of the paths that need it.
    CookiePath {
        /// The cookie's name.
        cookie: String,
        /// The path.
        path: String,
    },
    /// A text has a key that is no language tag.
    Language(String),
    /// An origin of an allow-list cannot be read.
    AllowedOrigin {
        /// What it was.
        origin: String,
        /// What is wrong with it.
        cause: OriginError,
    },
    /// An allow-list is empty.
    NoAllowedOrigins,
    /// A pattern of public paths matches no path.
    PublicPath(String),
    /// A limit on sizes is zero, so that nothing fits.
    Limit(&'static str),
    /// A path of manifests matches no path.
    ManifestPath(String),
    /// A limit on manifests is zero.
    ManifestLimit(&'static str),
    /// An aspect cannot be as it was described.
    Aspect(SettingError),
    /// A duration is zero or too long.
    Duration(&'static str),
    /// The system gives no random bytes.
    NoRandomness,
}

impl From<SettingError> for ConfigError {
    fn from(error: SettingError) -> Self {
        Self::Aspect(error)
    }
}

impl From<NoRandomness> for ConfigError {
    fn from(_: NoRandomness) -> Self {
        Self::NoRandomness
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Cookie { cause, .. } => Some(cause),
            Self::PublicUrl { cause, .. } | Self::AllowedOrigin { cause, .. } => Some(cause),
            _ => None,
        }
    }
}
