//! The sealed access cookie: a session that the browser carries, without state on the server.

use std::fmt;
use std::time::Duration;

use cookie::Cookie;
use http::header::{COOKIE, InvalidHeaderValue};
use http::{HeaderMap, HeaderValue};

use super::session::{LONGEST, Session, SessionId};
use super::{AspectError, Aspects};
use crate::clock::Timestamp;
use crate::seal::{Keyring, Purpose, Scratch};

/// Browsers drop a cookie whose name and value together are longer, without a word.
const MAX_SIZE: usize = 4096;

/// How many cookies of our name are tried: a sibling host can toss in junk beside the good one.
const MAX_TRIES: usize = 8;

/// The cookie that an access service sets: a sealed [`Session`].
///
/// By default it is `__Host-iiif` (or `__Host-iiif-{realm}`), lives 30 minutes, and is
/// `Path=/; Secure; HttpOnly; SameSite=None`: it has to travel in cross-site iframes and images,
/// and no script ever needs it (2.0 §2, §4). On a plain-http loopback URL it is `iiif`,
/// `SameSite=Lax` and not `Secure`, so that browsers keep it during development.
///
/// Lifetimes are meant to be minutes, not months: any page can open the token service in the name
/// of a user whose cookie lives.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use tower_iiif_auth::aspect::AccessCookie;
///
/// let cookie = AccessCookie::new().lifetime(Duration::from_secs(10 * 60));
/// ```
#[derive(Clone, Debug)]
pub struct AccessCookie {
    name: Option<String>,
    lifetime: Duration,
    domain: Option<String>,
    path: String,
    same_site: Option<SameSite>,
}

/// Whether the cookie travels to this site from pages of others (RFC 6265bis §5.6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// It does: what viewers on other sites need.
    None,
    /// Only when the user follows a link: for viewers on the publisher's own site.
    Lax,
    /// Not even then.
    Strict,
}

impl Default for AccessCookie {
    fn default() -> Self {
        Self::new()
    }
}

impl AccessCookie {
    /// The cookie with its defaults.
    #[must_use]
    pub fn new() -> Self {
        Self {
            name: None,
            lifetime: Duration::from_secs(30 * 60),
            domain: None,
            path: "/".to_owned(),
            same_site: None,
        }
    }

    /// Another name. A `__Host-` or `__Secure-` prefix brings the rules that browsers enforce.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// How long a session lasts: from one second to 24 hours. Default: 30 minutes.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Also sends it to the hosts below `domain`. It has to cover the host of the public URL, and
    /// takes a name without the `__Host-` prefix.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// Sends it only below `path`. It has to cover the services and every base. Default: `/`.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Another `SameSite` than the default, see [`AccessCookie`].
    #[must_use]
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = Some(same_site);
        self
    }

    /// This cookie and further aspects, any of which may open a resource; asked in this order.
    ///
    /// # Example
    ///
    /// ```
    /// use tower_iiif_auth::aspect::{AccessCookie, IpRanges};
    ///
    /// let aspects = AccessCookie::new().or(IpRanges::new(["192.0.2.0/24"], "reader")?);
    /// # Ok::<(), tower_iiif_auth::ConfigError>(())
    /// ```
    pub fn or(self, other: impl Into<Aspects>) -> Aspects {
        Aspects::from(self).or(other)
    }

    /// The path that it is sent below.
    pub(crate) fn covers(&self, path: &str) -> bool {
        path.strip_prefix(&*self.path).is_some_and(|rest| {
            self.path.ends_with('/') || rest.is_empty() || rest.starts_with('/')
        })
    }

    /// Fixes the cookie for a realm of a publisher, and checks what browsers would check.
    pub(crate) fn bind(
        &self,
        realm: &str,
        host: &str,
        secure: bool,
        keyring: &Keyring,
    ) -> Result<BoundCookie, CookieError> {
        let same_site =
            self.same_site.unwrap_or(if secure { SameSite::None } else { SameSite::Lax });
        let name = self.name.clone().unwrap_or_else(|| {
            let plain = !secure || self.domain.is_some() || self.path != "/";
            let prefix = if !plain {
                "__Host-"
            } else if secure {
                "__Secure-"
            } else {
                ""
            };
            let suffix = if realm.is_empty() { String::new() } else { format!("-{realm}") };
            format!("{prefix}iiif{suffix}")
        });
        let attributes = CookieAttributes {
            name: name.into(),
            domain: self.domain.as_deref().map(Into::into),
            path: self.path.as_str().into(),
            secure,
            same_site,
        };
        attributes.check(host)?;
        if self.lifetime < Duration::from_secs(1) || self.lifetime > LONGEST {
            return Err(CookieError::Lifetime(self.lifetime));
        }
        Ok(BoundCookie {
            attributes,
            lifetime: self.lifetime,
            realm: realm.into(),
            keyring: keyring.clone(),
        })
    }
}

/// Name and attributes, the same whenever the cookie is set or deleted.
#[derive(Clone, Debug)]
pub(crate) struct CookieAttributes {
    pub(crate) name: Box<str>,
    pub(crate) domain: Option<Box<str>>,
    pub(crate) path: Box<str>,
    pub(crate) secure: bool,
    pub(crate) same_site: SameSite,
}

impl CookieAttributes {
    /// Refuses what a browser would drop (RFC 6265bis §4.1.3, §5.7).
    fn check(&self, host: &str) -> Result<(), CookieError> {
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if self.name.is_empty() || !self.name.bytes().all(token) {
            return Err(CookieError::Name(self.name.to_string()));
        }
        let prefixed = |prefix: &str| {
            self.name.get(..prefix.len()).is_some_and(|own| own.eq_ignore_ascii_case(prefix))
        };
        let host_only = prefixed("__Host-");
        if !self.secure && (host_only || prefixed("__Secure-") || prefixed("__Http-")) {
            return Err(CookieError::PrefixNeedsHttps(self.name.to_string()));
        }
        if host_only && (self.domain.is_some() || &*self.path != "/") {
            return Err(CookieError::HostPrefix(self.name.to_string()));
        }
        if !self.secure && self.same_site == SameSite::None {
            return Err(CookieError::SameSiteNoneNeedsHttps);
        }
        let text = |b: u8| b.is_ascii_graphic() && b != b';' && b != b',';
        if !self.path.starts_with('/') || !self.path.bytes().all(text) {
            return Err(CookieError::Path(self.path.to_string()));
        }
        if let Some(domain) = &self.domain {
            let bare = domain.strip_prefix('.').unwrap_or(domain);
            let covers =
                host == bare || host.strip_suffix(bare).is_some_and(|rest| rest.ends_with('.'));
            if bare.is_empty() || !covers {
                return Err(CookieError::Domain {
                    domain: domain.to_string(),
                    host: host.to_owned(),
                });
            }
        }
        Ok(())
    }

    /// A `Set-Cookie` value. `max_age` zero deletes the cookie.
    pub(crate) fn set(&self, value: &str, max_age: Duration) -> Result<HeaderValue, CookieError> {
        if self.name.len() + value.len() > MAX_SIZE {
            return Err(CookieError::TooLarge { bytes: self.name.len() + value.len() });
        }
        let seconds = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
        let mut cookie = Cookie::build((&*self.name, value))
            .path(&*self.path)
            .http_only(true)
            .same_site(match self.same_site {
                SameSite::None => cookie::SameSite::None,
                SameSite::Lax => cookie::SameSite::Lax,
                SameSite::Strict => cookie::SameSite::Strict,
            })
            .max_age(cookie::time::Duration::seconds(seconds));
        if self.secure {
            cookie = cookie.secure(true);
        }
        if let Some(domain) = &self.domain {
            cookie = cookie.domain(&**domain);
        }
        let text = cookie.build().to_string();
        let mut header = HeaderValue::try_from(text)
            .map_err(|_: InvalidHeaderValue| CookieError::Name(self.name.to_string()))?;
        header.set_sensitive(true);
        Ok(header)
    }

    /// The values of every cookie of this name, over all `Cookie` fields.
    pub(crate) fn values<'h>(&'h self, headers: &'h HeaderMap) -> impl Iterator<Item = &'h [u8]> {
        let name = self.name.as_bytes();
        headers
            .get_all(COOKIE)
            .iter()
            .flat_map(|field| Pairs(field.as_bytes()))
            .filter_map(move |pair| pair.strip_prefix(name)?.strip_prefix(b"="))
    }
}

/// The `name=value` pairs of one `Cookie` field, without the white space before them.
struct Pairs<'h>(&'h [u8]);

impl<'h> Iterator for Pairs<'h> {
    type Item = &'h [u8];

    fn next(&mut self) -> Option<&'h [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let (pair, rest) = match memchr::memchr(b';', self.0) {
            Some(at) => (&self.0[..at], &self.0[at + 1..]),
            None => (self.0, &[][..]),
        };
        self.0 = rest;
        Some(pair.trim_ascii_start())
    }
}

/// The access cookie of a realm, ready to be read and set.
#[derive(Clone, Debug)]
pub(crate) struct BoundCookie {
    attributes: CookieAttributes,
    lifetime: Duration,
    realm: Box<str>,
    keyring: Keyring,
}

impl BoundCookie {
    pub(crate) const NAME: &'static str = "access-cookie";

    /// The session in the request's cookies: the first good one, or the best reason why none is.
    pub(crate) fn read<'b>(
        &self,
        headers: &HeaderMap,
        now: Timestamp,
        scratch: &'b mut Scratch,
    ) -> Result<Session<'b>, AspectError> {
        self.find(headers, now, scratch, 0)?.session(scratch)
    }

    /// Finds the first good session, leaving out the first `skip` cookies of our name.
    pub(crate) fn find(
        &self,
        headers: &HeaderMap,
        now: Timestamp,
        scratch: &mut Scratch,
        skip: usize,
    ) -> Result<FoundSession, AspectError> {
        let mut error = AspectError::Missing;
        let values = self.attributes.values(headers).enumerate().take(MAX_TRIES);
        for (index, value) in values.skip(skip) {
            match self.open(value, now, scratch) {
                Ok((place, id)) => return Ok(FoundSession { place, id, index }),
                Err(worse) => error = error.or_better(worse),
            }
        }
        Err(error)
    }

    fn open(
        &self,
        value: &[u8],
        now: Timestamp,
        scratch: &mut Scratch,
    ) -> Result<((usize, usize), SessionId), AspectError> {
        let place = self
            .keyring
            .open(Purpose::Cookie, &self.realm, value, scratch)
            .map_err(|_| AspectError::Invalid)?;
        let session = Session::read(scratch.at(place)).ok_or(AspectError::Invalid)?;
        if !session.is_plausible(now) {
            return Err(AspectError::Invalid);
        }
        if session.expires_at() <= now {
            return Err(AspectError::Expired);
        }
        Ok((place, session.id()))
    }

    /// Every live session in the request's cookies, with its end: a browser may send several.
    pub(crate) fn sessions(
        &self,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Vec<(SessionId, Timestamp)> {
        let mut scratch = Scratch::new();
        // All of them, however many: whoever logs out wants every one ended.
        let live = self.attributes.values(headers).filter_map(|value| {
            let (place, id) = self.open(value, now, &mut scratch).ok()?;
            Some((id, Session::read(scratch.at(place))?.expires_at()))
        });
        live.collect()
    }

    /// The `Set-Cookie` value for `session`.
    pub(crate) fn set(
        &self,
        session: &Session<'_>,
        now: Timestamp,
    ) -> Result<HeaderValue, CookieError> {
        let mut payload = Vec::with_capacity(256);
        session.write(&mut payload);
        let value = self
            .keyring
            .seal(Purpose::Cookie, &self.realm, &payload)
            .map_err(|_| CookieError::Seal)?;
        self.attributes.set(&value, session.expires_at().remaining(now))
    }

    /// The `Set-Cookie` value that deletes the cookie.
    pub(crate) fn delete(&self) -> Result<HeaderValue, CookieError> {
        self.attributes.set("", Duration::ZERO)
    }

    pub(crate) fn name(&self) -> &str {
        &self.attributes.name
    }

    pub(crate) fn lifetime(&self) -> Duration {
        self.lifetime
    }
}

/// A session that was opened: where it lies, and which cookie of our name it is.
pub(crate) struct FoundSession {
    place: (usize, usize),
    pub(crate) id: SessionId,
    pub(crate) index: usize,
}

impl FoundSession {
    /// The session itself, in place.
    pub(crate) fn session<'b>(&self, scratch: &'b Scratch) -> Result<Session<'b>, AspectError> {
        Session::read(scratch.at(self.place)).ok_or(AspectError::Invalid)
    }
}

/// Why a cookie can not be configured or set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CookieError {
    /// The name is no cookie name.
    Name(String),
    /// The path is no absolute path.
    Path(String),
    /// The domain does not cover the publisher's host.
    Domain {
        /// The domain.
        domain: String,
        /// The host.
        host: String,
    },
    /// A `__Host-`, `__Secure-` or `__Http-` name on a plain-http publisher.
    PrefixNeedsHttps(String),
    /// A `__Host-` name with a domain, or a path other than `/`.
    HostPrefix(String),
    /// `SameSite=None` on a plain-http publisher.
    SameSiteNoneNeedsHttps,
    /// The lifetime is below a second or above 24 hours.
    Lifetime(Duration),
    /// Name and value are longer than the 4096 bytes that browsers keep.
    TooLarge {
        /// How long they are.
        bytes: usize,
    },
    /// The system gave no random bytes.
    Seal,
}

impl fmt::Display for CookieError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name:?} is no cookie name"),
            Self::Path(path) => write!(f, "cookie path {path:?} is not an absolute path"),
            Self::Domain { domain, host } => {
                write!(f, "cookie domain {domain:?} does not cover the public host {host:?}")
            }
            Self::PrefixNeedsHttps(name) => {
                write!(f, "cookie {name:?} needs an https public URL: browsers drop it otherwise")
            }
            Self::HostPrefix(name) => {
                write!(
                    f,
                    "cookie {name:?} allows no domain and no path but \"/\": rename it, or leave them out"
                )
            }
            Self::SameSiteNoneNeedsHttps => {
                f.write_str("SameSite=None needs an https public URL: browsers drop it otherwise")
            }
            Self::Lifetime(lifetime) => {
                write!(f, "cookie lifetime {lifetime:?} is not between 1 second and 24 hours")
            }
            Self::TooLarge { bytes } => {
                write!(
                    f,
                    "the cookie would have {bytes} bytes, browsers keep 4096: fewer roles, please"
                )
            }
            Self::Seal => f.write_str("the system gives no random bytes"),
        }
    }
}

impl std::error::Error for CookieError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(cookie: &AccessCookie, secure: bool) -> Result<BoundCookie, CookieError> {
        let key: Vec<u8> = (0..32).map(|i: u8| i.wrapping_mul(37)).collect();
        cookie.bind("", "iiif.example", secure, &Keyring::from_bytes(&key).unwrap())
    }

    /// SE-02: what browsers would drop is refused when it is configured.
    #[test]
    fn prefix_and_attribute_rules() {
        let cookie = AccessCookie::new;
        for (cookie, secure, expected) in [
            (cookie(), true, None),
            (cookie(), false, None),
            (cookie().domain("example"), true, None),
            (cookie().name("__Host-x").domain("iiif.example"), true, Some("__Host-x")),
            (cookie().name("__Host-x").path("/a"), true, Some("__Host-x")),
            (cookie().name("__Host-x"), false, Some("https")),
            (cookie().name("__host-x"), false, Some("https")),
            (cookie().name("__Secure-x"), false, Some("https")),
            (cookie().name("__Host-Http-x"), false, Some("https")),
            (cookie().same_site(SameSite::None), false, Some("SameSite=None")),
            (cookie().name("a b"), true, Some("no cookie name")),
            (cookie().name(""), true, Some("no cookie name")),
            (cookie().name("a=b"), true, Some("no cookie name")),
            (cookie().path("a"), true, Some("absolute")),
            (cookie().path("/a;b"), true, Some("absolute")),
            (cookie().domain("other.example"), true, Some("cover")),
            (cookie().domain("f.example"), true, Some("cover")),
            (cookie().lifetime(Duration::ZERO), true, Some("lifetime")),
            (cookie().lifetime(Duration::from_secs(86_401)), true, Some("lifetime")),
        ] {
            let message = bind(&cookie, secure).err().map(|error| error.to_string());
            match (expected, &message) {
                (None, None) => {}
                (Some(part), Some(message)) if message.contains(part) => {}
                _ => panic!("{cookie:?}: {message:?}, expected {expected:?}"),
            }
        }
    }

    /// SE-01 and V2-COOKIE-3, V2-COOKIE-4: the attributes; V2-LOGOUT-5: deletion repeats them.
    #[test]
    fn set_and_delete_agree() {
        let attributes = |header: &HeaderValue| {
            let text = header.to_str().unwrap().to_owned();
            let mut parts: Vec<_> = text.split("; ").skip(1).map(str::to_owned).collect();
            parts.retain(|part| !part.starts_with("Max-Age"));
            parts.sort();
            parts
        };
        let cookie = bind(&AccessCookie::new(), true).unwrap();
        let now = Timestamp::from_millis(1_000_000);
        let session = Session::builder("ada").lasting(now, cookie.lifetime()).unwrap();
        let set = cookie.set(&session, now).unwrap();
        assert!(set.is_sensitive());
        assert!(set.to_str().unwrap().contains("Max-Age=1800"));
        assert_eq!(attributes(&set), ["HttpOnly", "Path=/", "SameSite=None", "Secure"]);
        let delete = cookie.delete().unwrap();
        assert!(delete.to_str().unwrap().starts_with("__Host-iiif=; "));
        assert!(delete.to_str().unwrap().contains("Max-Age=0"));
        assert_eq!(attributes(&delete), attributes(&set));
        let plain = bind(&AccessCookie::new(), false).unwrap();
        assert_eq!(plain.name(), "iiif");
        assert_eq!(attributes(&plain.delete().unwrap()), ["HttpOnly", "Path=/", "SameSite=Lax"]);
    }

    /// SE-03: 4096 bytes of name and value are set, one more is refused.
    #[test]
    fn size_limit() {
        let cookie = bind(&AccessCookie::new(), true).unwrap();
        let value = |length: usize| "v".repeat(length - cookie.name().len());
        let set = |length| cookie.attributes.set(&value(length), Duration::from_secs(1));
        assert!(set(4096).is_ok());
        assert_eq!(set(4097), Err(CookieError::TooLarge { bytes: 4097 }));
    }

    /// SE-06, SE-08: duplicates and odd spellings.
    #[test]
    fn reading() {
        let cookie = bind(&AccessCookie::new(), true).unwrap();
        let now = Timestamp::from_millis(1_000_000);
        let session = Session::builder("ada").lasting(now, Duration::from_secs(60)).unwrap();
        let set = cookie.set(&session, now).unwrap();
        let c = set.to_str().unwrap().split([';', '=']).nth(1).unwrap().to_owned();
        let many = "x=y; ".repeat(10_000);
        for (fields, expected) in [
            (vec![format!("__Host-iiif={c}")], "ok"),
            (vec![format!("a=b;__Host-iiif={c};c=d")], "ok"),
            (vec![format!("__Host-iiif=junk; __Host-iiif={c}")], "ok"),
            (vec![format!("__Host-iiif={c}; __Host-iiif=junk")], "ok"),
            (vec!["__Host-iiif=junk".into(), format!("__Host-iiif={c}")], "ok"),
            (vec![format!("{many}__Host-iiif={c}")], "ok"),
            (vec![], "missing"),
            (vec![format!("={c}")], "missing"),
            (vec!["__Host-iiif".into()], "missing"),
            (vec![format!("__host-iiif={c}")], "missing"),
            (vec![format!("x=__Host-iiif={c}")], "missing"),
            (vec![format!(" __Host-iiif ={c}")], "missing"),
            (vec![format!("__Host-iiif=\"{c}\"")], "invalid"),
            (vec![format!("__Host-iiif={c} ")], "invalid"),
            (vec!["__Host-iiif=".into()], "invalid"),
        ] {
            let mut headers = HeaderMap::new();
            for field in &fields {
                headers.append(COOKIE, field.parse().unwrap());
            }
            let mut scratch = Scratch::new();
            let found = cookie.read(&headers, now, &mut scratch);
            let found = found.as_ref().map_or_else(AspectError::as_str, |_| "ok");
            assert_eq!(found, expected, "{:.80}", fields.join(" | "));
        }
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, format!("__Host-iiif={c}").parse().unwrap());
        let mut scratch = Scratch::new();
        let later = now.after(Duration::from_secs(60));
        assert!(matches!(cookie.read(&headers, later, &mut scratch), Err(AspectError::Expired)));
    }
}
