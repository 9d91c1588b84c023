//! Every path and name that is the layers' own: what lies below the endpoints, and cookies.

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

    /// All of them.
    pub(super) fn all(&self) -> [&str; 6] {
        [&self.probe, &self.continuing, &self.hand_off, &self.redeem, &self.grant, &self.signed]
    }
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
