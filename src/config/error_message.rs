//! What to change in a configuration: a sentence for each mistake.

use std::fmt;

use super::ConfigError;

impl fmt::Display for ConfigError {
    // Long, as it is a list of messages.
    #[allow(clippy::too_many_lines)]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let realm_name = |realm: &str| {
            if realm.is_empty() { "the realm".to_owned() } else { format!("realm {realm:?}") }
        };
        match self {
            Self::PublicUrl { url, cause } => {
                write!(f, "public URL {url:?}: {cause}; give what browsers type, like \"https://iiif.example\"")
            }
            Self::PublicUrlPath(url) => {
                write!(f, "public URL {url:?} has a query, a fragment or an odd path; leave it out")
            }
            Self::PlainHttp(url) => write!(
                f,
                "public URL {url:?} is plain http: use https (IIIF Authorization Flow 2.0 demands it); \
                 http is for localhost only, unless the builder's insecure_http() is called"
            ),
            Self::OtherUrl(url) => write!(
                f,
                "also_known_as({url:?}) is no URL of a server: give scheme, host and the path before your \
                 bases, like \"http://iiif.example\""
            ),
            Self::NoKeyring => f.write_str("no keyring: call keyring(Keyring::from_env(\"IIIF_AUTH_KEY\")?)"),
            Self::NoAuthorizer => f.write_str("no authorizer: call authorizer(…) or authorize_with(|request| …)"),
            Self::NoResources => f.write_str("nothing to protect: call images(\"/iiif/3\"), files(…) or resources(…)"),
            Self::NoRealm => f.write_str("no realm: call realm(Realm::new().access(…))"),
            Self::Path(path) => write!(
                f,
                "path {path:?} has to start with a slash, not end in one, and be plain: letters, digits and -._~"
            ),
            Self::PathTwice(path) => {
                write!(f, "two services have the path {path:?}: give one of them another path")
            }
            Self::PathInBase { path, base } => write!(
                f,
                "the service at {path:?} is not reached, as all from base {base:?} down is content: move the \
                 service with path(…), all of them with endpoints(…), or the base"
            ),
            Self::PathInProbe { path, probe } => write!(
                f,
                "{path:?} is not reached, as all from {probe:?} down is probes: move it elsewhere, or the \
                 services with endpoints(…)"
            ),
            Self::BasesOverlap { inner, outer } => write!(
                f,
                "base {inner:?} is not apart from base {outer:?}, so that one map could read the other's \
                 paths: move one, or call resources(…) with one map that asks both"
            ),
            Self::Name(name) => write!(
                f,
                "name {name:?} has to be one path segment of letters, digits, - and _, and not one of \
                 \"probe\", \"token\", \"logout\", \"continue\", \"client\", \"hand-off\", \"redeem\", \"grant\""
            ),
            Self::Dialect { base, fault } => write!(f, "base {base:?}, dialect: {fault}"),
            Self::Families { base, fault } => write!(f, "base {base:?}: {fault}"),
            Self::StepsUnused(name) => write!(
                f,
                "access service {name:?} has steps(…), which only a login of the application's has: leave it out"
            ),
            Self::Step(pattern) => write!(f, "step {pattern:?} matches no path: begin it with a slash or *"),
            Self::ClientsUnused { realm } => write!(
                f,
                "{} has clients, which only 0.9 knows: let a base speak Family::V09 or leave client(…) out",
                realm_name(realm)
            ),
            Self::Client(id) => write!(
                f,
                "client {id:?}: give every client an id of its own, of 1 to 255 bytes"
            ),
            Self::ClientSecret { client } => write!(
                f,
                "client {client:?} has a secret of less than 16 bytes: make one with `openssl rand -hex 16`"
            ),
            Self::RealmTwice(name) => write!(f, "two realms are named {name:?}: rename one"),
            Self::NoAccessService { realm } => {
                write!(f, "{} has no access service: call access(AccessService::…)", realm_name(realm))
            }
            Self::NoDefaultAccessService => f.write_str(
                "every access service has protects(…): leave it out on the one that is for all other resources",
            ),
            Self::TooManyRealms => f.write_str(
                "there are more than 64 realms: put access services for the same users into one realm",
            ),
            Self::NoAspect { realm } => {
                write!(f, "{} has nothing to tell its users by: call aspect(…)", realm_name(realm))
            }
            Self::AspectTwice(name) => write!(
                f,
                "two aspects of a realm are named {name:?}: give them different names, tokens go by them"
            ),
            Self::AspectName { realm, bytes } => write!(
                f,
                "an aspect of {} has a name of {bytes} bytes, and tokens hold 1 to 255: give it a shorter \
                 name, or one at all",
                realm_name(realm)
            ),
            Self::Role { bytes, most } => {
                write!(f, "a role has {bytes} bytes: call role(…) or the like with one of at most {most}")
            }
            Self::RoleUnused(role) => write!(
                f,
                "only a click-through or kiosk grants role {role:?} by itself: leave role(…) out, and say \
                 AccessGrant::to(user).role(…) after a login"
            ),
            Self::ExternalPath(path) => write!(
                f,
                "an external access service has no page that could be at {path:?}: leave path(…) out"
            ),
            Self::TwoCookies { realm } => write!(f, "{} has two access cookies: keep one", realm_name(realm)),
            Self::NoCookie { realm } => write!(
                f,
                "{} has an active or kiosk access service, which sets a cookie, and aspects without one: \
                 add AccessCookie::new() to them with or(…)",
                realm_name(realm)
            ),
            Self::Cookie { realm, cause } => write!(f, "cookie of {}: {cause}", realm_name(realm)),
            Self::CookieTwice(name) => {
                write!(f, "cookie {name:?} is used twice, by realms or for the login in progress: rename one")
            }
            Self::SameSiteCookie(name) => write!(
                f,
                "cookie {name:?} is not SameSite=None, and third_party_cookies(…) is for viewers on other sites: \
                 leave same_site(…) or third_party_cookies(…) out"
            ),
            Self::CookiePath { cookie, path } => {
                write!(f, "cookie {cookie:?} is not sent to {path:?}: give it a path that covers both")
            }
            Self::Language(tag) => {
                write!(f, "{tag:?} is no language tag: use a BCP 47 tag like \"en\", or \"none\"")
            }
            Self::AllowedOrigin { origin, cause } => {
                write!(f, "allowed origin {origin:?}: {cause}; write it like \"https://viewer.example\"")
            }
            Self::NoAllowedOrigins => f.write_str(
                "the list of allowed origins is empty, so that no viewer gets a token: list one, or use \
                 OriginPolicy::Any",
            ),
            Self::PublicPath(pattern) => write!(
                f,
                "public path {pattern:?} matches no path: begin it with a slash, or with *"
            ),
            Self::Limit(limit) => write!(f, "{limit} has to be more than zero"),
            Self::ManifestPath(path) => write!(
                f,
                "manifests at {path:?} match no path: begin it with a slash and end it without one, \
                 like \"/manifests\", or write a pattern such as \"/works/*/manifest.json\""
            ),
            Self::ManifestLimit(limit) => {
                write!(f, "{limit} of manifests has to be more than zero")
            }
            Self::Aspect(error) => error.fmt(f),
            Self::Duration(which) => write!(f, "{which} has to be more than zero and at most 24 hours"),
            Self::NoRandomness => f.write_str("the system gives no random bytes"),
        }
    }
}
