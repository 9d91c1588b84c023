//! From the words of a publisher to what the layers share. Everything is looked at, and all that is
//! wrong is told at once.

use std::sync::Arc;

use super::bind::{Binder, Surroundings};
use super::checks::{Bound, check_base, check_languages, check_path};
use super::mistakes::Mistakes;
use super::probe_denials::ProbeDenials;
use super::sites::BoundMap;
use super::time::Time;
use super::warnings::warnings;
use super::{
    AccessServices, BoundRealm, Candidates, Core, Endpoints, Given, RealmId, Realms, Seals, Sites,
};
use crate::body::Room;
use crate::config::{
    ConfigError, ConfigErrors, ConfigWarning, OriginPolicy, PublicUrl, ThirdPartyCookies,
};
use crate::protocol::v2::error_members;
use crate::resource::{Dialect, Families};
use crate::revocation::{InMemory, Revocations};
use crate::seal::Keyring;

/// Checks everything.
pub(crate) fn build(given: &Given) -> Result<Core, ConfigErrors> {
    let mut mistakes = Mistakes::default();
    let url = mistakes.check(PublicUrl::parse(&given.public_url, given.insecure_http));
    let also_known_as: Vec<_> =
        given.also_known_as.iter().filter_map(|url| mistakes.check(other_url(url))).collect();
    if given.keyring.is_none() {
        mistakes.add(ConfigError::NoKeyring);
    }
    if given.authorizer.is_none() {
        mistakes.add(ConfigError::NoAuthorizer);
    }
    given.limits.mistakes().into_iter().for_each(|mistake| mistakes.add(mistake));
    check_words(given, &mut mistakes);
    let sites = sites(given, &mut mistakes);
    let endpoints = mistakes.check(check_path(&given.endpoints)).map(|()| &*given.endpoints);
    let revocations = mistakes.check(revocations(given));
    let around = Around::of(given, url, endpoints);
    let bound = around.as_ref().map(|around| bind(given, around, &sites, &mut mistakes));
    let core = || {
        let Around { public_url, third_party, endpoints, .. } = around?;
        let Parts { realms, access, candidates, warnings } = bound?;
        let renews = realms.iter().any(BoundRealm::renews);
        Some(Core {
            public_url,
            also_known_as,
            public_ids: given.public_ids,
            endpoints,
            sites,
            realms,
            access,
            candidates,
            authorizer: given.authorizer.clone()?,
            revocations: revocations?,
            observer: given.observer.clone(),
            seals: Seals::of(given.keyring.as_ref()?),
            limits: given.limits,
            room: Room::new(given.limits.described_bytes_at_once(), given.limits.read_pause()),
            origins: given.origins.clone(),
            probe_denials: ProbeDenials::of(&given.texts),
            return_origins: given.return_origins.clone(),
            texts: given.texts.clone(),
            probe_errors: error_members(&given.texts.denied_login).into(),
            hands_session_on: given.hands_session_on,
            marks_refusals: given.marks_refusals,
            keeps_session: given.hands_session_on || given.scripts.is_on(),
            signed_locations: given.signed_locations,
            scripts: given.scripts.clone(),
            renews,
            refreshes: renews || third_party.partitions(),
            compatibility: given.compatibility,
            third_party,
            plain_language: given.plain_language.as_str().into(),
            warnings,
            time: Time::of(Arc::clone(&given.clock)),
        })
    };
    mistakes.finish()?;
    // What is lacking was a mistake already, but for randomness.
    core().ok_or_else(|| ConfigError::NoRandomness.into())
}

/// One that means the public URL: inner ones are plain http.
fn other_url(url: &str) -> Result<PublicUrl, ConfigError> {
    let other = |_| ConfigError::OtherUrl(url.to_owned());
    PublicUrl::parse(url, true).map_err(other)
}

/// Lists and texts, each by itself.
fn check_words(given: &Given, mistakes: &mut Mistakes) {
    for manifests in &given.manifests {
        mistakes.check(manifests.check());
    }
    if matches!(&given.origins, OriginPolicy::AllowList(origins) if origins.is_empty()) {
        mistakes.add(ConfigError::NoAllowedOrigins);
    }
    for pattern in given.public_paths.iter().filter(|pattern| !pattern.may_match_path()) {
        mistakes.add(ConfigError::PublicPath(pattern.as_str().to_owned()));
    }
    for text in given.texts.all() {
        mistakes.check(check_languages(text));
    }
    if given.realms.is_empty() {
        mistakes.add(ConfigError::NoRealm);
    }
    if given.realms.len() > RealmId::MOST {
        mistakes.add(ConfigError::TooManyRealms);
    }
    let mut services = given.realms.iter().flat_map(|realm| &realm.access).peekable();
    if services.peek().is_some() && services.all(|service| !service.protects.is_empty()) {
        mistakes.add(ConfigError::NoDefaultAccessService);
    }
}

/// The bases that can be where they are said to be.
fn sites(given: &Given, mistakes: &mut Mistakes) -> Sites {
    if given.maps.is_empty() {
        mistakes.add(ConfigError::NoResources);
    }
    let (mut maps, mut families) = (Vec::new(), Families::default());
    for map in &given.maps {
        if mistakes.check(check_base(map.base())).is_some() {
            maps.push(BoundMap::new(Arc::clone(map)));
        }
        let base = || map.base().to_owned();
        if let Some(fault) = map.dialect().and_then(Dialect::fault) {
            mistakes.add(ConfigError::Dialect { base: base(), fault });
        }
        if let Some(fault) = map.families().fault() {
            mistakes.add(ConfigError::Families { base: base(), fault });
        }
        families = families.and(map.families());
    }
    Sites::new(maps, families, given.public_paths.clone(), given.manifests.clone())
}

fn revocations(given: &Given) -> Result<Arc<dyn Revocations>, ConfigError> {
    match &given.revocations {
        Some(revocations) => Ok(Arc::clone(revocations)),
        None => Ok(Arc::new(InMemory::new()?)),
    }
}

/// What realms are looked through with. What the configuration lacks is lent, and nothing is served by it.
struct Around {
    public_url: PublicUrl,
    is_url_lent: bool,
    keyring: Keyring,
    endpoints: Endpoints,
    are_endpoints_lent: bool,
    /// What is in effect.
    third_party: ThirdPartyCookies,
}

impl Around {
    /// None if there is nothing to lend, which does not happen.
    fn of(given: &Given, url: Option<PublicUrl>, endpoints: Option<&str>) -> Option<Self> {
        let is_url_lent = url.is_none();
        let key = || Keyring::from_bytes(b"a stand-in, never used to serve.").ok();
        let public_url =
            url.or_else(|| PublicUrl::parse("https://stand-in.invalid", false).ok())?;
        let https = public_url.is_https();
        Some(Self {
            public_url,
            is_url_lent,
            keyring: given.keyring.clone().or_else(key)?,
            endpoints: Endpoints::below(endpoints.unwrap_or("/auth")),
            are_endpoints_lent: endpoints.is_none(),
            third_party: if https { given.third_party } else { ThirdPartyCookies::default() },
        })
    }

    /// Whether a mistake would be one with the true values, too.
    fn is_sure(&self, mistake: &ConfigError) -> bool {
        !(self.is_url_lent && hangs_on_url(mistake)
            || self.are_endpoints_lent && hangs_on_paths(mistake))
    }
}

/// What the realms of a configuration become.
struct Parts {
    realms: Realms,
    access: AccessServices,
    candidates: Candidates,
    warnings: Vec<ConfigWarning>,
}

/// Binds the realms.
fn bind(given: &Given, around: &Around, sites: &Sites, mistakes: &mut Mistakes) -> Parts {
    let Around { public_url, keyring, endpoints, third_party, .. } = around;
    let mut of_realms = Mistakes::default();
    let surroundings = Surroundings {
        public_url,
        keyring,
        endpoints,
        texts: &given.texts,
        families: sites.families(),
        compatibility: given.compatibility,
        plain_language: &given.plain_language,
        partitions: third_party.partitions(),
    };
    let mut binder = Binder::new(surroundings, &mut of_realms);
    given.realms.iter().for_each(|realm| binder.bind(realm));
    let Binder { realms, words, mut access, candidates, .. } = binder;
    access.prepare(&given.texts.denied_login, given.compatibility);
    let mut warnings = warnings(public_url, &realms, &access, *third_party);
    let bound = Bound {
        public_url,
        endpoints,
        sites,
        realms: &realms,
        access: &access,
        partitions: third_party.partitions(),
    };
    bound.check_paths(&mut of_realms);
    bound.check_cookies(&words, &mut of_realms, &mut warnings);
    of_realms.retain(|mistake| around.is_sure(mistake));
    mistakes.append(of_realms);
    Parts { realms, access, candidates, warnings }
}

fn hangs_on_url(mistake: &ConfigError) -> bool {
    matches!(
        mistake,
        ConfigError::Cookie { .. }
            | ConfigError::CookiePath { .. }
            | ConfigError::CookieTwice(_)
            | ConfigError::SameSiteCookie(_)
    )
}

fn hangs_on_paths(mistake: &ConfigError) -> bool {
    matches!(
        mistake,
        ConfigError::CookiePath { .. }
            | ConfigError::PathTwice(_)
            | ConfigError::PathInBase { .. }
            | ConfigError::PathInProbe { .. }
    )
}
