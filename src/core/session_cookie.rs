//! A look at the session cookie of an application's own, as browsers will take it.

use cookie::Cookie;

use crate::aspect::{CookieAttributes, CookieError, SameSite, cookie_covers};
use crate::config::PublicUrl;

/// What there is to say of a cookie that would work.
pub(super) struct Seen<'p> {
    pub(super) name: String,
    /// Which of the paths it is not sent to, if any.
    pub(super) missed: Option<&'p str>,
    /// Whether scripts can read it.
    pub(super) is_open_to_scripts: bool,
}

/// Looks at a `Set-Cookie` value, which is to reach `paths`.
pub(super) fn check<'p>(
    set_cookie: &str,
    public_url: &PublicUrl,
    paths: &'p [String],
) -> Result<Seen<'p>, CookieError> {
    let cookie = Cookie::parse(set_cookie).map_err(|_| CookieError::Unreadable)?;
    let name = || cookie.name().to_owned();
    let same_site = cookie.same_site().map(|same_site| match same_site {
        cookie::SameSite::None => SameSite::None,
        cookie::SameSite::Lax => SameSite::Lax,
        cookie::SameSite::Strict => SameSite::Strict,
    });
    let secure = cookie.secure() == Some(true);
    if public_url.is_https() && !(secure && same_site == Some(SameSite::None)) {
        return Err(CookieError::KeptFromOtherSites { name: name(), same_site });
    }
    if cookie.partitioned() == Some(true) {
        return Err(CookieError::Partitioned(name()));
    }
    let own = cookie.path().ok_or_else(|| CookieError::NoPath(name()))?;
    let attributes = CookieAttributes {
        name: cookie.name().into(),
        domain: cookie.domain().map(Into::into),
        path: own.into(),
        secure,
        same_site: same_site.unwrap_or(SameSite::Lax),
        partitioned: false,
    };
    attributes.check(public_url.host())?;
    let missed = paths.iter().find(|path| !cookie_covers(own, path)).map(String::as_str);
    let is_open_to_scripts = cookie.http_only() != Some(true);
    Ok(Seen { name: name(), missed, is_open_to_scripts })
}
