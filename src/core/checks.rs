//! What `build()` refuses, and what it warns of.

use std::collections::HashSet;

use super::BoundClients;
use super::endpoints::{RESERVED, flow_cookie_name};
use crate::aspect::aspects;
use crate::config::{ConfigError, Page, Realm};
use crate::core::{BoundAccess, BoundMap, Core, session_cookie};
use crate::path;
use crate::protocol::v1::Version;
use crate::protocol::{LanguageMap, Message, v2};

pub(crate) fn check_name(name: &str) -> Result<(), ConfigError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let reserved = RESERVED.contains(&name);
    if name.is_empty() || name.len() > 64 || reserved || !name.bytes().all(plain) {
        return Err(ConfigError::Name(name.to_owned()));
    }
    Ok(())
}

pub(crate) fn check_path(path: &str) -> Result<(), ConfigError> {
    if path::is_plain(path) { Ok(()) } else { Err(ConfigError::Path(path.to_owned())) }
}

pub(crate) fn check_languages(text: &LanguageMap) -> Result<(), ConfigError> {
    text.bad_tag().map_or(Ok(()), |tag| Err(ConfigError::Language(tag.to_owned())))
}

pub(crate) fn check_message(message: &Message) -> Result<(), ConfigError> {
    message.texts().try_for_each(check_languages)
}

/// Every service and every base is reached.
pub(crate) fn check_paths(core: &Core) -> Result<(), ConfigError> {
    let bases: Vec<&str> = core.maps.iter().map(BoundMap::base).collect();
    let mut seen = HashSet::new();
    for path in service_paths(core) {
        let path = &*path;
        // In any case, as nothing near a base is open either.
        let base = bases.iter().find(|base| path::below_in_any_case(path, base).is_some());
        if let Some(base) = base {
            return Err(ConfigError::PathInBase { path: path.into(), base: (*base).into() });
        }
        if !seen.insert(path.to_owned()) {
            return Err(ConfigError::PathTwice(path.to_owned()));
        }
    }
    // The other services of the crate answer at one path each, and the nearest access service
    // answers where they lie below each other: only the probe service hides what is below it.
    let probe = &*core.probe_prefix;
    let access = core.access.iter().filter_map(|access| access.path.as_deref());
    for path in access.chain(bases.iter().copied()) {
        if path != probe && path::below(path, probe).is_some() {
            return Err(ConfigError::PathInProbe { path: path.into(), probe: probe.into() });
        }
    }
    check_bases(&bases)
}

/// No base lies at or below another, in whichever order they are given: the outer map may read
/// `/%33/x` or `/A/x` as its own, and the server answers with what lies at `/3/x` or `/a/x`.
fn check_bases(bases: &[&str]) -> Result<(), ConfigError> {
    for (index, one) in bases.iter().enumerate() {
        for other in &bases[..index] {
            for (inner, outer) in [(one, other), (other, one)] {
                if path::below_in_any_case(inner, outer).is_some() {
                    let (inner, outer) = ((*inner).to_owned(), (*outer).to_owned());
                    return Err(ConfigError::BasesOverlap { inner, outer });
                }
            }
        }
    }
    Ok(())
}

/// Every path that a service answers at, in each family that is spoken.
fn service_paths(core: &Core) -> Vec<String> {
    let in_families = |path: &str| {
        let spoken = |version: &Version| core.families.contains((*version).into());
        let below = |version: Version| format!("{path}/{}", version.digit());
        let older: Vec<_> = Version::ALL.into_iter().filter(spoken).map(below).collect();
        std::iter::once(path.to_owned()).chain(older)
    };
    let of_realms = core
        .realms
        .iter()
        .flat_map(|realm| std::iter::once(&*realm.token_path).chain(realm.logout_path.as_deref()));
    let clients = core.realms.iter().filter_map(|realm| realm.clients.as_ref());
    let alone = [
        &*core.probe_prefix,
        &*core.continue_path,
        &*core.hand_off_path,
        &*core.redeem_path,
        &*core.grant_path,
    ];
    let alone = alone.into_iter().chain(clients.map(BoundClients::path)).map(ToOwned::to_owned);
    let access = core.access.iter().filter_map(|access| access.path.as_deref());
    alone.chain(of_realms.chain(access).flat_map(in_families)).collect()
}

/// Cookies have names of their own and reach every path that needs them (2.0 §2, §4).
pub(crate) fn check_cookies(core: &Core, realms: &[Realm]) -> Result<(), ConfigError> {
    let mut names = HashSet::from([flow_cookie_name(core.public_url.is_https())]);
    for (index, bound) in core.realms.iter().enumerate() {
        let paths = paths_with_cookie(core, index);
        for set_cookie in &realms[index].session_cookies {
            let realm = || realms[index].name.clone();
            let missed = session_cookie::check(set_cookie, &core.public_url, &paths)
                .map_err(|cause| ConfigError::Cookie { realm: realm(), cause })?;
            if let Some((cookie, path)) = missed {
                return Err(ConfigError::CookiePath { cookie, path: path.to_owned() });
            }
        }
        let Some(cookie) = &bound.cookie else { continue };
        if !names.insert(cookie.name()) {
            return Err(ConfigError::CookieTwice(cookie.name().to_owned()));
        }
        if core.third_party.partitions() && !cookie.is_for_other_sites() {
            return Err(ConfigError::SameSiteCookie(cookie.name().to_owned()));
        }
        if cookie.partitioned_name().is_some_and(|name| !names.insert(name)) {
            return Err(ConfigError::CookieTwice(format!("{}-p", cookie.name())));
        }
        let config = realms[index].aspects.as_ref().and_then(aspects::Aspects::cookie);
        let Some(config) = config else { continue };
        if let Some(path) = paths.into_iter().find(|path| !config.covers(path)) {
            return Err(ConfigError::CookiePath { cookie: cookie.name().to_owned(), path });
        }
    }
    Ok(())
}

/// The paths that a realm's cookie has to reach, as browsers see them.
fn paths_with_cookie(core: &Core, realm: usize) -> Vec<String> {
    let bound = &core.realms[realm];
    let services = core.access.iter().filter(|access| access.realm == realm);
    let mut paths: Vec<&str> = services.filter_map(|access| access.path.as_deref()).collect();
    paths.push(&bound.token_path);
    paths.extend(bound.logout_path.as_deref());
    paths.push(&core.continue_path);
    paths.extend(core.maps.iter().map(BoundMap::base));
    paths.into_iter().map(|path| core.public_url.browser_path(path)).collect()
}

/// What works and will disappoint.
pub(crate) fn warn(core: &Core) {
    if !core.public_url.is_https() {
        crate::trace::warning(
            "the public URL is plain http: for development only, viewers on other sites get no cookie",
        );
    }
    for access in &core.access {
        let with_cookie = core.realms[access.realm].cookie.is_some();
        if with_cookie && access.profile != v2::Profile::Active {
            // V2-COOKIE-6
            crate::trace::warning(
                "a kiosk or external access service with a cookie: browsers may keep the cookie from \
                 viewers on other sites, as the user never clicks here",
            );
        }
    }
    let cookieless = |access: &BoundAccess| core.realms[access.realm].cookie.is_none();
    if core.third_party.hand_off
        && core.access.iter().any(|own| own.is_applications() && cookieless(own))
    {
        crate::trace::warning(
            "hand_off() has nothing to carry for a login whose realm has no access cookie: where browsers \
             block third-party cookies, its users are not let in",
        );
    }
    if (0..core.realms.len()).any(|realm| sessions_replace_each_other(core, realm)) {
        crate::trace::warning(
            "a click-through or kiosk beside a login, or beside one with another role, in one realm: its \
             session takes the place of the other's, as a realm has one cookie; give it a realm of its \
             own with Realm::named(…)",
        );
    }
}

/// Whether who goes through one access service of a realm loses what another one of it gave.
///
/// What an application grants after its logins is its own affair.
fn sessions_replace_each_other(core: &Core, realm: usize) -> bool {
    let of_realm = || core.access.iter().filter(move |access| access.realm == realm);
    let login = of_realm().any(BoundAccess::is_applications);
    let mut roles = of_realm()
        .filter(|access| matches!(access.page, Page::ClickThrough(_) | Page::Kiosk))
        .map(|access| &access.role);
    roles.next().is_some_and(|first| login || roles.any(|role| role != first))
}
