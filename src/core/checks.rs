//! What `build()` refuses of words, paths and cookies.

use std::collections::HashSet;

use super::endpoints::{RESERVED, flow_cookie_name};
use super::mistakes::Mistakes;
use super::session_cookie;
use super::sites::BoundMap;
use super::{
    AccessServices, BoundAccess, BoundClients, BoundRealm, Endpoints, RealmId, Realms, Sites,
};
use crate::aspect::{BoundCookie, aspects};
use crate::config::{ConfigError, ConfigWarning, PublicUrl, Realm};
use crate::path;
use crate::protocol::v1::Version;
use crate::protocol::{LanguageMap, Message};

pub(super) fn check_name(name: &str) -> Result<(), ConfigError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let reserved = RESERVED.contains(&name);
    if name.is_empty() || name.len() > 64 || reserved || !name.bytes().all(plain) {
        return Err(ConfigError::Name(name.to_owned()));
    }
    Ok(())
}

pub(super) fn check_path(path: &str) -> Result<(), ConfigError> {
    if path::is_plain(path) { Ok(()) } else { Err(ConfigError::Path(path.to_owned())) }
}

/// A base may be the root.
pub(super) fn check_base(base: &str) -> Result<(), ConfigError> {
    if base == "/" { Ok(()) } else { check_path(base) }
}

pub(super) fn check_languages(text: &LanguageMap) -> Result<(), ConfigError> {
    text.bad_tag().map_or(Ok(()), |tag| Err(ConfigError::Language(tag.to_owned())))
}

pub(super) fn check_message(message: &Message) -> Result<(), ConfigError> {
    message.texts().try_for_each(check_languages)
}

/// What is bound, and what lies where.
pub(super) struct Bound<'a> {
    pub(super) public_url: &'a PublicUrl,
    pub(super) endpoints: &'a Endpoints,
    pub(super) sites: &'a Sites,
    pub(super) realms: &'a Realms,
    pub(super) access: &'a AccessServices,
    /// Whether cookies are set for viewers' partitions.
    pub(super) partitions: bool,
}

impl Bound<'_> {
    fn bases(&self) -> impl Iterator<Item = &str> {
        self.sites.maps().iter().map(BoundMap::base)
    }

    /// Every service and every base is reached.
    pub(super) fn check_paths(&self, mistakes: &mut Mistakes) {
        let bases: Vec<&str> = self.bases().collect();
        let (mut seen, mut hidden, mut twice) = (HashSet::new(), Vec::new(), Vec::new());
        for path in self.service_paths() {
            // In any case, as nothing near a base is open either.
            // Of the root the services are set apart.
            let hides =
                |base: &&&str| !base.is_empty() && path::below_in_any_case(&path, base).is_some();
            let base = bases.iter().find(hides);
            if let Some(base) = base {
                self.hidden_by(base, &path, &mut hidden, mistakes);
            }
            let below = |told: &String| path::below(&path, told).is_some();
            if !seen.insert(path.clone()) && !twice.iter().any(below) {
                twice.push(path.clone());
                mistakes.add(ConfigError::PathTwice(path));
            }
        }
        // The other services of the crate answer at one path each, and the nearest access service
        // answers where they lie below each other: only the probe service hides what is below it.
        let probe = self.endpoints.probe();
        let access = self.access.iter().filter_map(BoundAccess::path);
        for path in access.chain(bases.iter().copied()) {
            if path != probe && path::below(path, probe).is_some() {
                mistakes.add(ConfigError::PathInProbe { path: path.into(), probe: probe.into() });
            }
        }
        check_bases(&bases, mistakes);
    }

    /// A service lies below a base. Those that are moved together are told of once.
    fn hidden_by<'b>(
        &self,
        base: &'b str,
        path: &str,
        told: &mut Vec<(String, &'b str)>,
        mistakes: &mut Mistakes,
    ) {
        let with_others = |path: &str| path::below(path, self.endpoints.prefix()).is_some();
        let together = |first: &str| {
            path::below(path, first).is_some() || (with_others(path) && with_others(first))
        };
        if !told.iter().any(|(first, by)| *by == base && together(first)) {
            told.push((path.to_owned(), base));
            let (path, base) = (path.to_owned(), base.to_owned());
            mistakes.add(ConfigError::PathInBase { path, base });
        }
    }

    /// Every path that a service answers at, in each family that is spoken.
    fn service_paths(&self) -> Vec<String> {
        let in_families = |path: &str| {
            let spoken = |version: &Version| self.sites.families().contains((*version).into());
            let below = |version: Version| format!("{path}/{}", version.digit());
            let older: Vec<_> = Version::ALL.into_iter().filter(spoken).map(below).collect();
            std::iter::once(path.to_owned()).chain(older)
        };
        let of_realm =
            |realm: &BoundRealm| [Some(realm.token_path.clone()), realm.logout_path.clone()];
        let of_realms: Vec<_> = self.realms.iter().flat_map(of_realm).flatten().collect();
        let of_realms = of_realms.iter().map(|path| &**path);
        let clients = self.realms.iter().filter_map(BoundRealm::clients).map(BoundClients::path);
        let alone = self.endpoints.all().into_iter().chain(clients).map(ToOwned::to_owned);
        let access = self.access.iter().filter_map(BoundAccess::path);
        alone.chain(of_realms.chain(access).flat_map(in_families)).collect()
    }

    /// Cookies have names of their own and reach every path that needs them (2.0 §2, §4).
    pub(super) fn check_cookies(
        &self,
        words: &[&Realm],
        mistakes: &mut Mistakes,
        warnings: &mut Vec<ConfigWarning>,
    ) {
        let mut names = HashSet::from([flow_cookie_name(self.public_url.is_https())]);
        for ((id, bound), words) in self.realms.with_ids().zip(words) {
            let paths = self.paths_with_cookie(id);
            for set_cookie in &words.session_cookies {
                match session_cookie::check(set_cookie, self.public_url, &paths) {
                    Ok(seen) => {
                        if let Some(path) = seen.missed {
                            let (cookie, path) = (seen.name.clone(), path.to_owned());
                            mistakes.add(ConfigError::CookiePath { cookie, path });
                        }
                        if seen.is_open_to_scripts {
                            warnings.push(ConfigWarning::CookieOpenToScripts { cookie: seen.name });
                        }
                    }
                    Err(cause) => {
                        mistakes.add(ConfigError::Cookie { realm: words.name.clone(), cause });
                    }
                }
            }
            let Some(cookie) = bound.cookie() else { continue };
            self.check_names(cookie, &mut names, mistakes);
            let config = words.aspects.as_ref().and_then(aspects::Aspects::cookie);
            let missed = config.and_then(|own| paths.into_iter().find(|path| !own.covers(path)));
            if let Some(path) = missed {
                mistakes.add(ConfigError::CookiePath { cookie: cookie.name().to_owned(), path });
            }
        }
    }

    fn check_names<'c>(
        &self,
        cookie: &'c BoundCookie,
        names: &mut HashSet<&'c str>,
        mistakes: &mut Mistakes,
    ) {
        if !names.insert(cookie.name()) {
            mistakes.add(ConfigError::CookieTwice(cookie.name().to_owned()));
        } else if cookie.partitioned_name().is_some_and(|name| !names.insert(name)) {
            mistakes.add(ConfigError::CookieTwice(format!("{}-p", cookie.name())));
        }
        if self.partitions && !cookie.is_for_other_sites() {
            mistakes.add(ConfigError::SameSiteCookie(cookie.name().to_owned()));
        }
    }

    /// The paths that a realm's cookie has to reach, as browsers see them.
    fn paths_with_cookie(&self, realm: RealmId) -> Vec<String> {
        let bound = &self.realms[realm];
        let mut paths: Vec<&str> =
            self.access.of_realm(realm).filter_map(BoundAccess::path).collect();
        paths.push(bound.token_path());
        paths.extend(bound.logout_path());
        paths.push(self.endpoints.continuing());
        paths.extend(self.bases());
        paths.into_iter().map(|path| self.public_url.browser_path(path)).collect()
    }
}

/// No base lies at or below another, in whichever order they are given: the outer map may read
/// `/%33/x` or `/A/x` as its own, and the server answers with what lies at `/3/x` or `/a/x`.
fn check_bases(bases: &[&str], mistakes: &mut Mistakes) {
    for (index, one) in bases.iter().enumerate() {
        for other in &bases[..index] {
            for (inner, outer) in [(one, other), (other, one)] {
                if path::below_in_any_case(inner, outer).is_some() {
                    let (inner, outer) = ((*inner).to_owned(), (*outer).to_owned());
                    mistakes.add(ConfigError::BasesOverlap { inner, outer });
                    break;
                }
            }
        }
    }
}
