//! The sealed access cookie: a session that the browser carries, without state on the server.

use std::time::Duration;

use super::Aspects;
use super::bound_cookie::BoundCookie;
use super::cookie::{CookieAttributes, CookieError, SameSite};
use super::times::Times;
use crate::path;
use crate::seal::Keyring;
use crate::session::{LONGEST, millis};

/// Browsers keep no cookie for longer (RFC 6265bis §5.6.1).
const MOST_EVER: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// The cookie that an access service sets: a sealed [`Session`](crate::aspect::Session).
///
/// It stands among the aspects of a [realm](crate::Realm::aspect) and is itself none: it says what the
/// cookie is like, and the layers, which have the keys, set it and read it.
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
/// use tower_iiif_auth::AccessCookie;
///
/// let cookie = AccessCookie::new().lifetime(Duration::from_secs(10 * 60));
/// ```
#[derive(Clone, Debug)]
pub struct AccessCookie {
    name: Option<String>,
    lifetime: Duration,
    renewed_up_to: Option<Duration>,
    longer_than_a_day: bool,
    domain: Option<String>,
    path: String,
    same_site: Option<SameSite>,
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
            renewed_up_to: None,
            longer_than_a_day: false,
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
    ///
    /// Where sessions are [renewed](Self::renewed_up_to): from their last use on.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Renews sessions while they are used, up to this long after the login: then they end, whatever
    /// happens. More than the lifetime, and at most 24 hours. Default: they are not renewed.
    ///
    /// A session is used by tiles and files, by token requests that bring its cookie, and by what
    /// [`find_session`](crate::IiifAuth::find_session) is around. When half of its lifetime is over, the
    /// answer to such a request has the cookie anew, for another lifetime. It stays the same session: a logout
    /// ends all of its copies, and what was ended meanwhile is not renewed. Probes renew nothing. A grant with
    /// a [lifetime](crate::access::AccessGrant::lifetime) of its own is renewed by that, unless it is as long
    /// as this.
    ///
    /// Whatever page shows one of your pictures keeps the session of whoever looks at it alive.
    ///
    /// # Example
    ///
    /// A reader who does nothing for half an hour is logged out, and so is everyone after a working day:
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_iiif_auth::AccessCookie;
    ///
    /// let cookie = AccessCookie::new()
    ///     .lifetime(Duration::from_secs(30 * 60))
    ///     .renewed_up_to(Duration::from_secs(10 * 60 * 60));
    /// ```
    #[must_use]
    pub fn renewed_up_to(mut self, after_login: Duration) -> Self {
        self.renewed_up_to = Some(after_login);
        self
    }

    /// Allows sessions of up to 400 days, in place of 24 hours, for [`lifetime`](Self::lifetime),
    /// [`renewed_up_to`](Self::renewed_up_to) and
    /// [`AccessGrant::insecure_lifetime`](crate::access::AccessGrant::insecure_lifetime). 400 days is as
    /// long as browsers keep a cookie.
    ///
    /// **The longer a session, the longer a copy of its cookie is worth something**: on a machine that
    /// others use, in a backup, in the hands of a thief. All that time any viewer that the user let in has
    /// tokens for the asking, and roles stay what they were at the login unless the rules ask a database.
    /// Logouts have to be remembered as long: give it a store that outlives a restart, or each restart logs
    /// everybody out.
    #[must_use]
    pub fn insecure_longer_than_a_day(mut self) -> Self {
        self.longer_than_a_day = true;
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
    /// use tower_iiif_auth::aspect::IpRanges;
    /// use tower_iiif_auth::AccessCookie;
    ///
    /// let aspects = AccessCookie::new().or(IpRanges::new(["192.0.2.0/24"], "reader")?);
    /// # Ok::<(), tower_iiif_auth::ConfigError>(())
    /// ```
    pub fn or(self, other: impl Into<Aspects>) -> Aspects {
        Aspects::from(self).or(other)
    }

    /// There is no such thing: the access cookie takes part in [`or`](Self::or) only, and this does not
    /// compile, with a message that says what to write.
    ///
    /// ```compile_fail,E0277
    /// # use tower_iiif_auth::{AccessCookie, aspect::IpRanges};
    /// AccessCookie::new().and(IpRanges::new(["192.0.2.0/24"], "campus").unwrap());
    /// ```
    #[doc(hidden)]
    pub fn and<B: BesidesTheCookie>(self, other: B) -> Aspects {
        drop(other);
        Aspects::from(self)
    }

    /// Whether browsers send it to `path` (RFC 6265bis §5.1.4).
    pub(crate) fn covers(&self, path: &str) -> bool {
        cookie_covers(&self.path, path)
    }

    /// Fixes the cookie for a realm of a publisher, and checks what browsers would check.
    pub(crate) fn bind(
        &self,
        realm: &str,
        host: &str,
        secure: bool,
        keyring: &Keyring,
        partitions: bool,
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
            partitioned: false,
        };
        attributes.check(host)?;
        Ok(BoundCookie::new(attributes, self.times()?, realm, keyring, partitions))
    }

    fn times(&self) -> Result<Times, CookieError> {
        let longest = if self.longer_than_a_day { MOST_EVER } else { LONGEST };
        let Self { lifetime, renewed_up_to, .. } = *self;
        if lifetime < Duration::from_secs(1) || lifetime > longest {
            return Err(CookieError::Lifetime(lifetime));
        }
        if let Some(up_to) = renewed_up_to.filter(|up_to| *up_to <= lifetime || *up_to > longest) {
            return Err(CookieError::Renewal { lifetime, up_to });
        }
        Ok(Times { lifetime, renewed_up_to, longest, longest_millis: millis(longest) })
    }
}

/// What would have to be there besides the access cookie: nothing can be.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the access cookie takes part in `or` only, not in `and`",
    label = "this cannot be demanded beside the access cookie",
    note = "to demand both, give the second aspect a role and ask for it in the rule: \
            `AccessCookie::new().or(address)` with an authorizer that wants a login, or give this aspect a \
            realm of its own"
)]
pub trait BesidesTheCookie {}

/// Whether browsers send a cookie of path `own` to `path` (RFC 6265bis §5.1.4).
pub(crate) fn cookie_covers(own: &str, path: &str) -> bool {
    match own.strip_suffix('/') {
        Some(folder) => path::below(path, folder).is_some_and(|rest| !rest.is_empty()),
        None => path::below(path, own).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(cookie: &AccessCookie, secure: bool) -> Result<BoundCookie, CookieError> {
        let key: Vec<u8> = (0..32).map(|i: u8| i.wrapping_mul(37)).collect();
        cookie.bind("", "iiif.example", secure, &Keyring::from_bytes(&key).unwrap(), false)
    }

    /// SE-02: what browsers would drop is refused when it is configured.
    #[test]
    fn prefix_and_attribute_rules() {
        let cookie = AccessCookie::new;
        let long = || cookie().insecure_longer_than_a_day();
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
            (cookie().lifetime(Duration::from_secs(86_401)), true, Some("24 hours")),
            (cookie().lifetime(Duration::from_secs(86_400)), true, None),
            (cookie().renewed_up_to(Duration::from_secs(30 * 60)), true, Some("more than")),
            (cookie().renewed_up_to(Duration::from_secs(86_401)), true, Some("24 hours")),
            (cookie().renewed_up_to(Duration::from_secs(86_400)), true, None),
            (long().lifetime(Duration::from_secs(400 * 86_400)), true, None),
            (long().lifetime(Duration::from_secs(400 * 86_400 + 1)), true, Some("400 days")),
            (long().renewed_up_to(Duration::from_secs(400 * 86_400 + 1)), true, Some("400 days")),
            (long().renewed_up_to(Duration::from_secs(400 * 86_400)), true, None),
        ] {
            let message = bind(&cookie, secure).err().map(|error| error.to_string());
            match (expected, &message) {
                (None, None) => {}
                (Some(part), Some(message)) if message.contains(part) => {}
                _ => panic!("{cookie:?}: {message:?}, expected {expected:?}"),
            }
        }
    }
}
