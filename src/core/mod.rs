//! The configuration as the layers use it: checked, and prepared once.

mod bind;
mod checks;
mod clients;
mod cookie_service;
mod endpoints;
mod session_cookie;
mod time;

pub(crate) use bind::{Binder, Surroundings};
pub(crate) use checks::{check_cookies, check_languages, check_path, check_paths, warn};
pub(crate) use clients::{BoundClients, Identified};
pub(crate) use endpoints::flow_cookie_name;
pub(crate) use time::Time;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use serde_json::value::RawValue;

use crate::aspect::{AuthorizingAspect, BoundCookie};
use crate::authorizer::Authorizer;
use crate::catch::catch;
use crate::clock::Timestamp;
use crate::config::{
    Compatibility, Manifests, OriginPolicy, Page, PublicUrl, Texts, ThirdPartyCookies,
};
use crate::observe::Observer;
use crate::path;
use crate::protocol::v2::Profile;
use crate::protocol::{Family, v1};
use crate::resource::{
    Dialect, Families, Pattern, Refusal, Resource, ResourceMap, ambiguous_path, without_parameters,
};
use crate::revocation::Revocations;
use crate::said::SaidOnce;
use crate::seal::{Keyring, Purpose, RecallingSealer, Sealer};
use crate::session::SessionId;
use crate::storage_access::{self, StorageAccess};

/// Everything the layers share.
pub(crate) struct Core {
    pub(crate) public_url: PublicUrl,
    pub(crate) seals: Seals,
    pub(crate) time: Time,
    pub(crate) maps: Vec<BoundMap>,
    /// Whether below any base content may run in browsers.
    pub(crate) active_content: bool,
    pub(crate) public_paths: Vec<Pattern>,
    pub(crate) realms: Vec<BoundRealm>,
    pub(crate) access: Vec<BoundAccess>,
    /// The aspects of all realms, in the order they are asked.
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) authorizer: Box<dyn Authorizer>,
    pub(crate) revocations: Box<dyn Revocations>,
    pub(crate) origins: OriginPolicy,
    pub(crate) texts: Texts,
    pub(crate) probe_prefix: Box<str>,
    pub(crate) continue_path: Box<str>,
    pub(crate) token_lifetime: Duration,
    pub(crate) decision_timeout: Duration,
    pub(crate) form_timeout: Duration,
    pub(crate) longest_info: usize,
    pub(crate) longest_identifier: usize,
    pub(crate) manifests: Vec<Manifests>,
    /// The manifests of which was said that services could not be placed.
    pub(crate) misplaced: SaidOnce,
    pub(crate) hand_on_session: bool,
    pub(crate) observer: Option<Box<Observer>>,
    pub(crate) compatibility: Compatibility,
    /// What is in effect: nothing on plain http.
    pub(crate) third_party: ThirdPartyCookies,
    pub(crate) hand_off_path: Box<str>,
    pub(crate) redeem_path: Box<str>,
    pub(crate) grant_path: Box<str>,
    /// The language of plain texts in 1.0 and 0.9; empty for each text's first.
    pub(crate) plain_language: Box<str>,
    /// What any base speaks.
    pub(crate) families: Families,
    /// Whether some access service is for certain resources only.
    pub(crate) services_differ: bool,
}

/// What seals the values that are the same for all realms.
pub(crate) struct Seals {
    pub(crate) token: RecallingSealer,
    pub(crate) flow: Sealer,
    pub(crate) tab: Sealer,
    pub(crate) pending_grant: Sealer,
    pub(crate) hand_off: Sealer,
}

impl Seals {
    pub(crate) fn of(keyring: &Keyring) -> Self {
        let sealer = |purpose| keyring.sealer(purpose, "");
        Self {
            token: RecallingSealer::new(sealer(Purpose::Token)),
            flow: sealer(Purpose::Flow),
            tab: sealer(Purpose::Tab),
            pending_grant: sealer(Purpose::PendingGrant),
            hand_off: sealer(Purpose::HandOff),
        }
    }
}

/// A map with its base, which is asked for once.
pub(crate) struct BoundMap {
    base: Box<str>,
    families: Families,
    active_content: bool,
    map: Box<dyn ResourceMap>,
}

impl BoundMap {
    pub(crate) fn new(map: Box<dyn ResourceMap>) -> Self {
        let (base, families) = (map.base().into(), map.families());
        Self { base, families, active_content: map.insecure_active_content(), map }
    }

    /// Whether what lies below may run in browsers.
    pub(crate) fn has_active_content(&self) -> bool {
        self.active_content
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn families(&self) -> Families {
        self.families
    }

    /// What operators read of how its server reads identifiers.
    pub(crate) fn dialect(&self) -> Cow<'static, str> {
        self.map.dialect().map_or(Cow::Borrowed("none"), Dialect::name)
    }

    /// What of a path the map is asked for.
    #[inline]
    fn below<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_prefix(&*self.base)?.strip_prefix('/')
    }

    /// Whether a path may be of an information document. One that the map panics at may be.
    #[inline]
    fn may_be_information(&self, path: &str) -> bool {
        let Some(below) = self.below(path) else { return false };
        catch(|| self.map.may_be_information(below)).unwrap_or_else(|panic| {
            crate::trace::failure("resource map", &panic);
            true
        })
    }

    /// What a path names whose part below the base is `below`. One that the map panics at is refused.
    #[inline]
    fn find<'a>(&'a self, below: &'a str) -> Result<Resource<'a>, Refusal> {
        // Written in its place: it is large, and this is on the way to every tile.
        let mut found = Err(Refusal::Unavailable);
        if let Err(panic) = catch(|| found = self.map.find(below)) {
            crate::trace::failure("resource map", &panic);
        }
        found.map(|named| Resource::of(&self.base, named))
    }
}

/// A realm as the layers use it.
pub(crate) struct BoundRealm {
    pub(crate) name: Box<str>,
    pub(crate) cookie: Option<BoundCookie>,
    /// Whether an aspect of the application's own goes by a cookie, as far as it was told.
    pub(crate) own_cookie: bool,
    pub(crate) token_path: Box<str>,
    pub(crate) logout_path: Option<Box<str>>,
    /// The registered clients of 0.9.2.
    pub(crate) clients: Option<BoundClients>,
}

/// An access service as the layers use it.
pub(crate) struct BoundAccess {
    pub(crate) realm: usize,
    pub(crate) profile: Profile,
    pub(crate) page: Page,
    pub(crate) path: Option<Box<str>>,
    pub(crate) protects: Vec<Pattern>,
    pub(crate) role: Box<str>,
    /// The complete description.
    pub(crate) json: Box<RawValue>,
    /// Id and type, for repeats in a manifest; the external profile has no id to refer to.
    pub(crate) reference: Option<Box<RawValue>>,
    /// The same service in 1.0 and 0.9, as far as a base speaks them.
    pub(crate) authentication: Vec<BoundCookieService>,
    /// Further pages of the application's login.
    pub(crate) steps: Vec<Pattern>,
}

/// An access service as 1.0 or 0.9 describe it.
pub(crate) struct BoundCookieService {
    pub(crate) version: v1::Version,
    pub(crate) id: Option<Box<str>>,
    /// In Image API 2 and Presentation 2 documents.
    pub(crate) for_two: Box<RawValue>,
    pub(crate) for_three: Box<RawValue>,
}

/// One aspect of one realm.
pub(crate) struct Candidate {
    pub(crate) realm: usize,
    pub(crate) aspect: CandidateAspect,
}

pub(crate) enum CandidateAspect {
    /// The crate's cookie: read in place, and looked up among the revoked.
    Cookie(BoundCookie),
    Other(Arc<dyn AuthorizingAspect>),
}

impl Candidate {
    pub(crate) fn name(&self) -> &str {
        match &self.aspect {
            CandidateAspect::Cookie(_) => BoundCookie::NAME,
            CandidateAspect::Other(aspect) => aspect.name(),
        }
    }
}

/// Some of the realms, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RealmSet(u64);

impl RealmSet {
    pub(crate) fn only(realm: usize) -> Self {
        Self(1 << realm)
    }

    pub(crate) fn contains(self, realm: usize) -> bool {
        self.0 & (1 << realm) != 0
    }
}

/// What a path is to the layers on content routes.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    Resource(Resource<'a>),
    /// Listed as public, or a page of the application's login.
    Public,
    Refused(Refusal),
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("public_url", &self.public_url.as_str())
            .field("realms", &self.realms.iter().map(|realm| &*realm.name).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl Core {
    /// What the path of a request names. What nobody knows is refused.
    #[inline]
    pub(crate) fn find<'a>(&'a self, path: &'a str) -> Found<'a> {
        // No base lies below another.
        for map in &self.maps {
            let Some(below) = map.below(path) else { continue };
            return match map.find(below) {
                Ok(resource) if resource.identifier().len() > self.longest_identifier => {
                    Found::Refused(Refusal::TooLong)
                }
                Ok(resource) => Found::Resource(resource),
                Err(Refusal::Unknown) if ambiguous_path(path) => Found::Refused(Refusal::Ambiguous),
                Err(refusal) => Found::Refused(refusal),
            };
        }
        self.find_elsewhere(path)
    }

    /// What a path names that no map knows.
    #[inline(never)]
    fn find_elsewhere(&self, path: &str) -> Found<'_> {
        if ambiguous_path(path) {
            return Found::Refused(Refusal::Ambiguous);
        }
        let public = self.public_paths.iter().any(|pattern| pattern.matches(path))
            || self.access.iter().any(|own| own.is_applications() && self.is_page_of(own, path));
        if public && !self.is_near_base(path) {
            Found::Public
        } else {
            Found::Refused(Refusal::Unknown)
        }
    }

    /// Whether the describer may have to do with a path.
    #[inline]
    pub(crate) fn may_be_described(&self, path: &str) -> bool {
        self.maps.iter().any(|map| map.may_be_information(path))
            || self.manifests.iter().any(|own| own.covers(path))
    }

    /// The families that the base of a resource speaks.
    pub(crate) fn families_of(&self, resource: &Resource<'_>) -> Families {
        let own = |map: &&BoundMap| map.base() == resource.base();
        self.maps.iter().find(own).map_or_else(Families::default, BoundMap::families)
    }

    /// Whether a resource must not run in browsers as a page of this site.
    #[inline]
    pub(crate) fn keeps_still(&self, resource: &Resource<'_>) -> bool {
        !self.active_content || !self.is_below_active(resource)
    }

    #[inline(never)]
    fn is_below_active(&self, resource: &Resource<'_>) -> bool {
        self.maps.iter().any(|map| map.has_active_content() && map.base() == resource.base())
    }

    /// Which family's service a path is, for a service whose 2.0 path is `own`: those of 1.0 and 0.9
    /// lie at `1` and `0` below it (requirements CON-3).
    pub(crate) fn family_at(&self, path: &str, own: &str) -> Option<Family> {
        let below = path::below(path, own)?;
        if below.is_empty() {
            return Some(Family::V2);
        }
        let family = Family::from_digit(below.strip_prefix('/')?.parse().ok()?)?;
        (family != Family::V2 && self.families.contains(family)).then_some(family)
    }

    /// The cookie that the viewer's partition of this request is to get for the session `id`, if any:
    /// the browser may not send the other one by itself next time.
    #[inline]
    pub(crate) fn companion(
        &self,
        id: SessionId,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Option<HeaderValue> {
        if !self.third_party.partitions() {
            return None;
        }
        let active = storage_access::of(headers) == StorageAccess::Active;
        let companion = self.third_party.storage_access && active;
        self.realms.iter().filter_map(|realm| realm.cookie.as_ref()).find_map(|cookie| {
            let session = cookie.for_partition(id, headers, companion, now)?;
            cookie.set_partitioned(&session, now)?.ok()
        })
    }

    /// Whether a cookie could open a resource.
    pub(crate) fn has_cookie(&self, resource: &Resource<'_>) -> bool {
        let realms = self.realms_of(resource);
        let mut realms = self.realms.iter().enumerate().filter(|(own, _)| realms.contains(*own));
        realms.any(|(_, realm)| realm.cookie.is_some() || realm.own_cookie)
    }

    /// The realm whose token service a path is, and in which family.
    pub(crate) fn token_at(&self, path: &str) -> Option<(usize, Family)> {
        let at = |realm: &BoundRealm| self.family_at(path, &realm.token_path);
        self.realms.iter().enumerate().find_map(|(index, realm)| Some((index, at(realm)?)))
    }

    /// The realm whose logout service a path is, in any family.
    pub(crate) fn logout_at(&self, path: &str) -> Option<usize> {
        let at = |realm: &BoundRealm| self.family_at(path, realm.logout_path.as_deref()?);
        self.realms.iter().position(|realm| at(realm).is_some())
    }

    /// Whether a path is an access service's own, in any family, or a step of its login. What else lies
    /// below it is no page of the login, and open to nobody.
    pub(crate) fn is_page_of(&self, access: &BoundAccess, path: &str) -> bool {
        let own = access.path.as_deref().is_some_and(|own| self.family_at(path, own).is_some());
        own || access.steps.iter().any(|step| step.matches(path))
    }

    /// The access service that a path is, and in which family.
    pub(crate) fn access_at(&self, path: &str) -> Option<(usize, Family)> {
        let at = |access: &BoundAccess| self.family_at(path, access.path.as_deref()?);
        self.access.iter().enumerate().find_map(|(index, access)| Some((index, at(access)?)))
    }

    /// The realm whose client identity service a path is.
    pub(crate) fn clients_at(&self, path: &str) -> Option<usize> {
        let own = |realm: &BoundRealm| realm.clients.as_ref().is_some_and(|own| own.path() == path);
        self.realms.iter().position(own)
    }

    /// The resource as a whole that a path names, for the probe.
    pub(crate) fn find_whole<'a>(&'a self, path: &'a str) -> Result<Resource<'a>, Refusal> {
        use crate::resource::ResourceKind::{Content, ImageService};
        match self.find(path) {
            Found::Resource(resource) if matches!(resource.kind(), ImageService | Content) => {
                Ok(resource)
            }
            Found::Refused(refusal) => Err(refusal),
            Found::Resource(_) | Found::Public => Err(Refusal::Unknown),
        }
    }

    /// Whether a path lies below a base for a server that decodes it, drops path parameters, or
    /// does not mind its case.
    fn is_near_base(&self, path: &str) -> bool {
        let mut path: Cow<'_, str> = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        if path.contains(';') {
            path = path.split('/').map(without_parameters).collect::<Vec<_>>().join("/").into();
        }
        self.maps.iter().any(|map| {
            path::below_in_any_case(&path, map.base()).is_some_and(|below| !below.is_empty())
        })
    }

    /// Whether a path lies below a base: content, which the service layers leave alone.
    pub(crate) fn is_content(&self, path: &str) -> bool {
        self.maps
            .iter()
            .any(|map| path::below(path, map.base()).is_some_and(|below| !below.is_empty()))
    }

    /// The access services that a resource declares: those whose patterns match it, or else those
    /// without patterns.
    pub(crate) fn access_of(&self, resource: &Resource<'_>) -> impl Iterator<Item = &BoundAccess> {
        let matching = |access: &BoundAccess| access.protects.iter().any(|p| p.covers(resource));
        let special = self.services_differ && self.access.iter().any(matching);
        let special_for = move |access: &BoundAccess, resource: &Resource<'_>| {
            if special {
                access.protects.iter().any(|pattern| pattern.covers(resource))
            } else {
                access.protects.is_empty()
            }
        };
        self.access.iter().filter(move |access| special_for(access, resource))
    }

    /// The realms whose sessions and tokens count for a resource.
    #[inline]
    pub(crate) fn realms_of(&self, resource: &Resource<'_>) -> RealmSet {
        if self.realms.len() == 1 {
            return RealmSet(1);
        }
        RealmSet(self.access_of(resource).fold(0, |set, access| set | (1 << access.realm)))
    }

    /// The absolute URI of a resource's probe.
    pub(crate) fn probe_uri(&self, resource: &Resource<'_>) -> String {
        format!("{}{}{}", self.public_url.as_str(), self.probe_prefix, resource.path())
    }

    pub(crate) fn realm_named(&self, name: &str) -> Option<usize> {
        self.realms.iter().position(|realm| &*realm.name == name)
    }
}

impl BoundAccess {
    /// Whether a page of the application's own answers.
    pub(crate) fn is_applications(&self) -> bool {
        matches!(self.page, Page::Application)
    }

    /// Whether a path is the service's own, lies below it, or is a further step of the login: whose tab
    /// it is, and not who may ask for it.
    pub(crate) fn covers(&self, path: &str) -> bool {
        self.path.as_deref().is_some_and(|own| path::below(path, own).is_some())
            || self.steps.iter().any(|step| step.matches(path))
    }
}
