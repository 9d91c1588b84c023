//! Cookies as browsers take them: names and attributes, `Set-Cookie` out and `Cookie` in.

use std::fmt;
use std::time::Duration;

use cookie::Cookie;
use http::header::{COOKIE, InvalidHeaderValue, ValueIter};
use http::{HeaderMap, HeaderValue};

/// Browsers drop a cookie whose name and value together are longer, without a word.
const MAX_SIZE: usize = 4096;

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

/// Longest name, so that a session has room beside it.
const LONGEST_NAME: usize = 255;

/// Name and attributes, the same whenever the cookie is set or deleted.
#[derive(Clone, Debug)]
pub(crate) struct CookieAttributes {
    pub(crate) name: Box<str>,
    pub(crate) domain: Option<Box<str>>,
    pub(crate) path: Box<str>,
    pub(crate) secure: bool,
    pub(crate) same_site: SameSite,
    /// Kept apart for each site that embeds this one (CHIPS).
    pub(crate) partitioned: bool,
}

impl CookieAttributes {
    /// Those of the cookie that remembers a login under way. `SameSite=None`: an identity provider may come
    /// back with a form posted from its own site.
    pub(crate) fn of_flow(name: &str, secure: bool) -> Self {
        Self {
            name: name.into(),
            domain: None,
            path: "/".into(),
            secure,
            same_site: if secure { SameSite::None } else { SameSite::Lax },
            partitioned: false,
        }
    }

    /// Refuses what a browser would drop (RFC 6265bis §4.1.3, §5.7).
    pub(crate) fn check(&self, host: &str) -> Result<(), CookieError> {
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if self.name.is_empty() || !self.name.bytes().all(token) {
            return Err(CookieError::Name(self.name.to_string()));
        }
        if self.name.len() > LONGEST_NAME {
            return Err(CookieError::NameTooLong { bytes: self.name.len() });
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
        if self.partitioned {
            cookie = cookie.partitioned(true);
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
    #[inline]
    pub(crate) fn values<'h>(&'h self, headers: &'h HeaderMap) -> Values<'h> {
        Values::of(&self.name, headers)
    }
}

/// The values of every cookie called `name`, as browsers send them: for an aspect of your own whose
/// users carry a session cookie of the application's.
///
/// A request may have several `Cookie` fields (HTTP/2 allows one a cookie), other cookies with bytes
/// that are not ASCII, and several cookies of one name, as a neighbouring host or another path can set
/// one. All are looked at, in the order in which they come; the name counts to the letter. A pair of
/// quotation marks around a value is left out, as some servers set values with them. Values are bytes:
/// nothing is decoded.
///
/// Which of several is the right one is for the store to say: try a few. A `__Host-` name keeps
/// neighbours from setting one at all.
///
/// # Example
///
/// ```
/// use http::HeaderMap;
/// use http::header::COOKIE;
/// use tower_iiif_auth::aspect::cookies;
///
/// let mut headers = HeaderMap::new();
/// headers.append(COOKIE, "lang=b%C3%BC; sid=\"42\"".parse()?);
/// headers.append(COOKIE, "sid=43".parse()?);
/// assert_eq!(cookies(&headers, "sid").collect::<Vec<_>>(), [b"42", b"43"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn cookies<'h>(headers: &'h HeaderMap, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
    Values::of(name, headers).map(|value| {
        let value = value.trim_ascii();
        let quoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
        quoted.unwrap_or(value)
    })
}

/// See [`CookieAttributes::values`].
pub(crate) struct Values<'h> {
    name: &'h [u8],
    /// Of the present field, what has not been looked at.
    rest: &'h [u8],
    /// The fields behind that one, where there may be any.
    fields: Option<ValueIter<'h, HeaderValue>>,
}

impl<'h> Values<'h> {
    #[inline]
    fn of(name: &'h str, headers: &'h HeaderMap) -> Self {
        let name = name.as_bytes();
        // Nearly always no header stands twice, and one field is quicker to find.
        if headers.len() == headers.keys_len() {
            let rest = headers.get(COOKIE).map_or(&[][..], HeaderValue::as_bytes);
            return Self { name, rest, fields: None };
        }
        Self { name, rest: &[], fields: Some(headers.get_all(COOKIE).iter()) }
    }

    /// Whether there are no more, as far as one look tells.
    #[inline]
    pub(crate) fn are_over(&self) -> bool {
        self.rest.is_empty() && self.fields.is_none()
    }
}

impl<'h> Iterator for Values<'h> {
    type Item = &'h [u8];

    #[inline]
    fn next(&mut self) -> Option<&'h [u8]> {
        loop {
            while !self.rest.is_empty() {
                let end = memchr::memchr(b';', self.rest).unwrap_or(self.rest.len());
                let pair = self.rest[..end].trim_ascii_start();
                self.rest = self.rest.get(end + 1..).unwrap_or_default();
                // The first byte tells nearly all others apart, and costs no call.
                if pair.first() == self.name.first() {
                    if let Some([b'=', value @ ..]) = pair.strip_prefix(self.name) {
                        return Some(value);
                    }
                }
            }
            self.rest = self.fields.as_mut()?.next()?.as_bytes();
        }
    }
}

/// Why a cookie cannot be configured or set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CookieError {
    /// The name is no cookie name.
    Name(String),
    /// The name leaves too little room for a session.
    NameTooLong {
        /// How long it is.
        bytes: usize,
    },
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
    /// A `Set-Cookie` value that cannot be read.
    Unreadable,
    /// A cookie of the application's without a path.
    NoPath(String),
    /// A cookie of the application's that browsers keep from viewers on other sites.
    KeptFromOtherSites {
        /// Its name.
        name: String,
        /// Its `SameSite`, if it has one.
        same_site: Option<SameSite>,
    },
    /// A cookie of the application's of which browsers keep another one for each viewer's site.
    Partitioned(String),
    /// The lifetime is below a second, or longer than sessions may last.
    Lifetime(Duration),
    /// Renewals end before they begin, or later than sessions may last.
    Renewal {
        /// The lifetime.
        lifetime: Duration,
        /// Up to when sessions are renewed.
        up_to: Duration,
    },
    /// Name and value are longer than the 4096 bytes that browsers keep.
    TooLarge {
        /// How long they are.
        bytes: usize,
    },
    /// The system gave no random bytes.
    Seal,
}

impl fmt::Display for CookieError {
    // Long, as it is a list of messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name:?} is no cookie name"),
            Self::NameTooLong { bytes } => {
                write!(f, "the cookie's name has {bytes} bytes: give it one of at most 255")
            }
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
            Self::Unreadable => f.write_str(
                "the session cookie cannot be read: give a Set-Cookie value, like \
                 \"sid=0; Path=/; Secure; HttpOnly; SameSite=None\"",
            ),
            Self::NoPath(name) => write!(f, "session cookie {name:?} has no Path: set Path=/"),
            Self::KeptFromOtherSites { name, same_site } => {
                let now = match same_site {
                    Some(SameSite::Strict) => "is SameSite=Strict",
                    Some(SameSite::Lax) => "is SameSite=Lax",
                    Some(SameSite::None) => "is SameSite=None without Secure",
                    None => "has no SameSite, which browsers take for Lax",
                };
                write!(
                    f,
                    "session cookie {name:?} {now}, so that browsers keep it from viewers on other \
                     sites: make it SameSite=None and Secure, and guard the application's forms \
                     against forgery"
                )
            }
            Self::Partitioned(name) => write!(
                f,
                "session cookie {name:?} is Partitioned, so that a viewer's page never has the one that \
                 the login set: leave Partitioned out"
            ),
            Self::Lifetime(lifetime) => {
                write!(
                    f,
                    "cookie lifetime {lifetime:?} is not between 1 second and 24 hours, or 400 days with \
                     insecure_longer_than_a_day()"
                )
            }
            Self::Renewal { lifetime, up_to } => write!(
                f,
                "renewed_up_to {up_to:?} has to be more than the lifetime of {lifetime:?} and at most 24 \
                 hours, or 400 days with insecure_longer_than_a_day()"
            ),
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

    /// However the cookies are spread over fields, and whatever else is among them.
    #[test]
    fn every_cookie_of_a_name_is_found() {
        for (fields, expected) in [
            (&["sid=42"][..], &["42"][..]),
            (&["a=1; sid=42; b=2"], &["42"]),
            (&["a=1;sid=42;b=2"], &["42"]),
            (&["a=1", "sid=42", "b=2"], &["42"]),
            (&["a=1; sid=42", "sid=43; sid=44"], &["42", "43", "44"]),
            (&["name=Zoë; sid=42"], &["42"]),
            (&["sid=\"42\""], &["42"]),
            (&["sid=\"4=2\""], &["4=2"]),
            (&["sid=\""], &["\""]),
            (&["sid="], &[""]),
            (&["xsid=1; sidx=2; SID=3; sid"], &[]),
            (&["sid=a=b "], &["a=b"]),
            (&[";; ;sid=42;"], &["42"]),
            (&[], &[]),
        ] {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(COOKIE, HeaderValue::from_bytes(field.as_bytes()).unwrap());
            }
            let found = cookies(&headers, "sid").map(|value| std::str::from_utf8(value).unwrap());
            assert_eq!(found.collect::<Vec<_>>(), expected, "{fields:?}");
        }
    }

    /// SE-03: 4096 bytes of name and value are set, one more is refused.
    #[test]
    fn size_limit() {
        let attributes = CookieAttributes {
            name: "__Host-iiif".into(),
            domain: None,
            path: "/".into(),
            secure: true,
            same_site: SameSite::None,
            partitioned: false,
        };
        let value = |length: usize| "v".repeat(length - attributes.name.len());
        let set = |length| attributes.set(&value(length), Duration::from_secs(1));
        assert!(set(4096).is_ok());
        assert_eq!(set(4097), Err(CookieError::TooLarge { bytes: 4097 }));
    }
}
