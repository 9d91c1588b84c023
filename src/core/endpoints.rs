//! Every path and name that is the layers' own: what lies below the endpoints, and cookies.

use std::borrow::Cow;

use memchr::memchr;
use percent_encoding::percent_decode_str;

use crate::path;
use crate::protocol::Family;
use crate::resource::Families;

const PROBE: &str = "probe";
const TOKEN: &str = "token";
const LOGOUT: &str = "logout";
const CONTINUE: &str = "continue";
const CLIENT: &str = "client";
const HAND_OFF: &str = "hand-off";
const REDEEM: &str = "redeem";
const GRANT: &str = "grant";
const SIGNED: &str = "signed";

/// What no access service and no realm may be called.
pub(super) const RESERVED: [&str; 9] =
    [PROBE, TOKEN, LOGOUT, CONTINUE, CLIENT, HAND_OFF, REDEEM, GRANT, SIGNED];

/// The flow cookie's name, which no access cookie may have.
pub(crate) const fn flow_cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-iiif-flow" } else { "iiif-flow" }
}

/// The paths of the services that are the same for all realms.
pub(crate) struct Endpoints {
    prefix: Box<str>,
    probe: Box<str>,
    continuing: Box<str>,
    hand_off: Box<str>,
    redeem: Box<str>,
    grant: Box<str>,
    signed: Box<str>,
}

impl Endpoints {
    /// Those below `prefix`.
    pub(super) fn below(prefix: &str) -> Self {
        let path = |name| format!("{prefix}/{name}").into();
        Self {
            prefix: prefix.into(),
            probe: path(PROBE),
            continuing: path(CONTINUE),
            hand_off: path(HAND_OFF),
            redeem: path(REDEEM),
            grant: path(GRANT),
            signed: path(SIGNED),
        }
    }

    /// Where the services of a realm lie.
    pub(super) fn of_realm(&self, name: &str) -> RealmEndpoints {
        let prefix = &self.prefix;
        let prefix = if name.is_empty() { prefix.to_string() } else { format!("{prefix}/{name}") };
        RealmEndpoints { prefix, realm: name.to_owned() }
    }

    /// What all services lie below that have no path of their own.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The probe service's, below which every path is a probe.
    #[inline]
    pub(crate) fn probe(&self) -> &str {
        &self.probe
    }

    /// Where the gesture page's form goes.
    #[inline]
    pub(crate) fn continuing(&self) -> &str {
        &self.continuing
    }

    /// The helper page of a hand-off.
    #[inline]
    pub(crate) fn hand_off(&self) -> &str {
        &self.hand_off
    }

    /// Where the code of a hand-off is redeemed.
    #[inline]
    pub(crate) fn redeem(&self) -> &str {
        &self.redeem
    }

    /// The page that asks for access to the cookie.
    #[inline]
    pub(crate) fn grant(&self) -> &str {
        &self.grant
    }

    /// What signed locations lie below.
    #[inline]
    pub(crate) fn signed(&self) -> &str {
        &self.signed
    }

    /// A path as it may be shown: without what opens a signed location. Nothing is shown behind their place
    /// where the path is in another spelling, is asked of the probe, or holds one behind the other.
    pub(crate) fn without_capability<'p>(&self, path: &'p str) -> Cow<'p, str> {
        let below = path.strip_prefix(&*self.signed).and_then(|below| below.strip_prefix('/'));
        let rest = below.map(|below| below.find('/').map_or("", |end| &below[end..]));
        match rest {
            Some(rest) if !self.is_near_signed(rest) => {
                Cow::Owned(format!("{}/…{rest}", self.signed))
            }
            None if !self.is_near_signed(path) => Cow::Borrowed(path),
            _ => Cow::Owned(format!("{}/…", self.signed)),
        }
    }

    /// Whether some reading of a path lies below the place of signed locations, or asks the probe of one.
    fn is_near_signed(&self, path: &str) -> bool {
        let mut read = Cow::Borrowed(path);
        // As often as anybody decodes.
        for _ in 0..4 {
            if self.is_below_signed(&read) {
                return true;
            }
            if memchr(b'%', read.as_bytes()).is_none() {
                return false;
            }
            read = Cow::Owned(percent_decode_str(&read).decode_utf8_lossy().into_owned());
        }
        false
    }

    /// The same of a path as it is, but for case and empty segments.
    fn is_below_signed(&self, path: &str) -> bool {
        let asked = segments(path);
        let asked = behind(asked.clone(), &self.probe).unwrap_or(asked);
        behind(asked, &self.signed).is_some_and(|mut below| below.next().is_some())
    }

    /// All of them.
    pub(super) fn all(&self) -> [&str; 6] {
        [&self.probe, &self.continuing, &self.hand_off, &self.redeem, &self.grant, &self.signed]
    }
}

/// The segments of a path that are not empty.
fn segments(path: &str) -> impl Iterator<Item = &str> + Clone {
    path.split('/').filter(|part| !part.is_empty())
}

/// The segments behind those of this place, if they begin with them in whatever case.
fn behind<'p, I: Iterator<Item = &'p str>>(mut asked: I, place: &str) -> Option<I> {
    let all =
        segments(place).all(|part| asked.next().is_some_and(|own| own.eq_ignore_ascii_case(part)));
    all.then_some(asked)
}

/// The paths of a realm's services.
pub(super) struct RealmEndpoints {
    /// What they lie below.
    prefix: String,
    /// The realm's name.
    realm: String,
}

impl RealmEndpoints {
    pub(super) fn realm(&self) -> &str {
        &self.realm
    }

    pub(super) fn token(&self) -> String {
        self.service(TOKEN)
    }

    pub(super) fn logout(&self) -> String {
        self.service(LOGOUT)
    }

    pub(super) fn client(&self) -> String {
        self.service(CLIENT)
    }

    /// An access service's.
    pub(super) fn service(&self, name: &str) -> String {
        format!("{}/{name}", self.prefix)
    }
}

/// Which family's service a path is, for a service whose 2.0 path is `service`: those of 1.0 and 0.9
/// lie at `1` and `0` below it (requirements CON-3).
pub(super) fn family_at(path: &str, service: &str, spoken: Families) -> Option<Family> {
    let below = path::below(path, service)?;
    if below.is_empty() {
        return Some(Family::V2);
    }
    let family = Family::from_digit(below.strip_prefix('/')?.parse().ok()?)?;
    (family != Family::V2 && spoken.contains(family)).then_some(family)
}
