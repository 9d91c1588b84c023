//! What works and will disappoint.

use super::{AccessServices, BoundAccess, RealmId, Realms};
use crate::config::{ConfigWarning, Page, PublicUrl, ThirdPartyCookies};
use crate::protocol::v2::Profile;

pub(super) fn warnings(
    public_url: &PublicUrl,
    realms: &Realms,
    access: &AccessServices,
    third_party: ThirdPartyCookies,
) -> Vec<ConfigWarning> {
    let mut warnings = Vec::new();
    if !public_url.is_https() {
        warnings.push(ConfigWarning::PlainHttp);
    }
    for (id, realm) in realms.with_ids() {
        let name = || realm.name().to_owned();
        let has_cookie = realm.cookie().is_some();
        let without_click = |service: &BoundAccess| service.profile() != Profile::Active;
        if has_cookie && access.of_realm(id).any(without_click) {
            // V2-COOKIE-6
            warnings.push(ConfigWarning::CookieWithoutClick { realm: name() });
        }
        let login = access.of_realm(id).any(BoundAccess::is_applications);
        if third_party.hand_off && login && !has_cookie {
            warnings.push(ConfigWarning::NothingToHandOff { realm: name() });
        }
        if sessions_replace_each_other(access, id) {
            warnings.push(ConfigWarning::SessionsReplaced { realm: name() });
        }
    }
    warnings
}

/// Whether who goes through one access service of a realm loses what another one of it gave.
///
/// What an application grants after its logins is its own affair.
fn sessions_replace_each_other(access: &AccessServices, realm: RealmId) -> bool {
    let login = access.of_realm(realm).any(BoundAccess::is_applications);
    let mut roles = access
        .of_realm(realm)
        .filter(|service| matches!(service.page(), Page::ClickThrough(_) | Page::Kiosk))
        .map(BoundAccess::role);
    roles.next().is_some_and(|first| login || roles.any(|role| role != first))
}
