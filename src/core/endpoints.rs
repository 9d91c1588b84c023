//! Every path and name that is the layers' own: what lies below the endpoints, and cookies.

use std::borrow::Cow;
use std::iter;

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
    hand_off_script: Box<str>,
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
            // Its folder is the helper page.
            hand_off_script: format!("{prefix}/{HAND_OFF}/open.js").into(),
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

    /// The script that opens the helper page.
    #[inline]
    pub(crate) fn hand_off_script(&self) -> &str {
        &self.hand_off_script
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

    /// What is sealed in a path below the place of signed locations, and the path behind it: none where that is
    /// another spelling, or a relative one, so that the two are never taken for each other.
    pub(crate) fn sealed_in<'p>(&self, path: &'p str) -> Option<(&'p str, &'p str)> {
        let below = path::below(path, &self.signed)?.strip_prefix('/')?;
        let (sealed, rest) = below.split_at(below.find('/')?);
        let is_in = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_sealed = !sealed.is_empty() && sealed.bytes().all(is_in);
        (is_sealed && !readings(rest).any(|own| is_relative(&own))).then_some((sealed, rest))
    }

    /// A path as it may be shown: without what opens a signed location. Nothing is shown behind their place
    /// where the path is in another spelling, is asked of the probe, or holds one behind the other.
    pub(crate) fn without_capability<'p>(&self, path: &'p str) -> Cow<'p, str> {
        match self.sealed_in(path) {
            Some((_, rest)) if !self.is_near_signed(rest) => {
                Cow::Owned(format!("{}/…{rest}", self.signed))
            }
            None if !self.is_near_signed(path) => Cow::Borrowed(path),
            _ => Cow::Owned(format!("{}/…", self.signed)),
        }
    }

    /// Whether some reading of a path lies below the place of signed locations, or asks the probe of one.
    fn is_near_signed(&self, path: &str) -> bool {
        readings(path).any(|own| self.is_below_signed(&own))
    }

    /// The same of a path as it is, but for case, empty segments, parameters and dots.
    fn is_below_signed(&self, path: &str) -> bool {
        self.are_below_signed(segments(path))
            || is_relative(path) && self.are_below_signed(resolved(path).into_iter())
    }

    fn are_below_signed<'p>(&self, asked: impl Iterator<Item = &'p str> + Clone) -> bool {
        let asked = behind(asked.clone(), &self.probe).unwrap_or(asked);
        behind(asked, &self.signed).is_some_and(|mut below| below.next().is_some())
    }

    /// All of them.
    pub(super) fn all(&self) -> [&str; 6] {
        [&self.probe, &self.continuing, &self.hand_off, &self.redeem, &self.grant, &self.signed]
    }
}

/// A path as it is, and decoded as often as anybody decodes.
fn readings(path: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let decoded = |read: &Cow<'_, str>| {
        memchr(b'%', read.as_bytes())?;
        Some(Cow::Owned(percent_decode_str(read).decode_utf8_lossy().into_owned()))
    };
    iter::successors(Some(Cow::Borrowed(path)), decoded).take(5)
}

/// Whether some segment leads elsewhere.
fn is_relative(path: &str) -> bool {
    path.split(['/', '\\', ';']).any(|part| matches!(part, "." | ".."))
}

/// The segments of a path that are not empty, without parameters.
fn segments(path: &str) -> impl Iterator<Item = &str> + Clone {
    let parts = path.split(['/', '\\']).filter_map(|part| part.split(';').next());
    parts.filter(|part| !part.is_empty())
}

/// The same with what is relative resolved.
fn resolved(path: &str) -> Vec<&str> {
    let mut all = Vec::new();
    for part in segments(path) {
        match part {
            "." => {}
            ".." => drop(all.pop()),
            _ => all.push(part),
        }
    }
    all
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
