//! What is protected: the resource maps behind their bases, and what is open beside them.

use std::borrow::Cow;
use std::sync::Arc;

use super::{BoundAccess, Core};
use crate::catch::catch;
use crate::config::Manifests;
use crate::path;
use crate::resource::{
    Dialect, Families, Named, Pattern, Refusal, Resource, ResourceKind, ResourceMap,
    ambiguous_path, without_parameters,
};
use crate::said::SaidOnce;

/// A map with its base, which is asked for once.
pub(crate) struct BoundMap {
    base: Box<str>,
    families: Families,
    active_content: bool,
    map: Arc<dyn ResourceMap>,
}

impl BoundMap {
    pub(super) fn new(map: Arc<dyn ResourceMap>) -> Self {
        let base = map.base().strip_suffix('/').unwrap_or(map.base()).into();
        let families = map.families();
        Self { base, families, active_content: map.insecure_active_content(), map }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Whether everything lies below it but what is set apart.
    #[inline]
    pub(crate) fn is_root(&self) -> bool {
        self.base.is_empty()
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
    fn find<'a>(&'a self, below: &'a str) -> Result<Named<'a>, Refusal> {
        // Written in its place: it is large, and this is on the way to every tile.
        let mut found = Err(Refusal::Unavailable);
        if let Err(panic) = catch(|| found = self.map.find(below)) {
            crate::trace::failure("resource map", &panic);
        }
        found
    }
}

/// All that is protected.
pub(crate) struct Sites {
    maps: Vec<BoundMap>,
    /// Whether below any base content may run in browsers.
    active_content: bool,
    public_paths: Vec<Pattern>,
    manifests: Vec<Manifests>,
    /// What was said of the documents at a path.
    said: SaidOnce,
    /// What any base speaks.
    families: Families,
}

impl Sites {
    pub(super) fn new(
        maps: Vec<BoundMap>,
        families: Families,
        public_paths: Vec<Pattern>,
        manifests: Vec<Manifests>,
    ) -> Self {
        Self {
            active_content: maps.iter().any(|map| map.active_content),
            families,
            maps,
            public_paths,
            manifests,
            said: SaidOnce::new(),
        }
    }

    /// Which manifests are described.
    #[cfg(feature = "testing")]
    pub(crate) fn manifests(&self) -> &[Manifests] {
        &self.manifests
    }

    pub(crate) fn maps(&self) -> &[BoundMap] {
        &self.maps
    }

    /// What any base speaks.
    pub(crate) fn families(&self) -> Families {
        self.families
    }

    /// Whether this was not said of the document at a path; it is from now on.
    pub(crate) fn is_new_at(&self, path: &str, what: &'static str) -> bool {
        self.said.is_new(path, what)
    }

    /// Whether a path is listed as public.
    fn is_public(&self, path: &str) -> bool {
        self.public_paths.iter().any(|pattern| pattern.matches(path))
    }

    /// The settings for the manifest at a path, if one may be there.
    pub(crate) fn manifests_at(&self, path: &str) -> Option<&Manifests> {
        self.manifests.iter().find(|manifests| manifests.covers(path))
    }

    /// Whether the describer may have to do with a path.
    #[inline]
    fn may_be_described(&self, path: &str) -> bool {
        self.maps.iter().any(|map| map.may_be_information(path))
            || self.manifests.iter().any(|manifests| manifests.covers(path))
    }

    /// The families that the base of a resource speaks.
    fn families_of(&self, resource: &Resource<'_>) -> Families {
        let own = |map: &&BoundMap| map.base() == resource.base();
        self.maps.iter().find(own).map_or_else(Families::default, |map| map.families)
    }

    /// Whether a resource may run in browsers as a page of this site.
    #[inline]
    fn is_active(&self, resource: &Resource<'_>) -> bool {
        self.active_content && self.is_below_active(resource)
    }

    #[inline(never)]
    fn is_below_active(&self, resource: &Resource<'_>) -> bool {
        self.maps.iter().any(|map| map.active_content && map.base() == resource.base())
    }

    /// Whether a path lies below a base for a server that decodes it, drops path parameters, or
    /// does not mind its case.
    fn is_near_base(&self, path: &str) -> bool {
        let mut path: Cow<'_, str> = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        if path.contains(';') {
            path = path.split('/').map(without_parameters).collect::<Vec<_>>().join("/").into();
        }
        self.maps.iter().filter(|map| !map.is_root()).any(|map| {
            path::below_in_any_case(&path, map.base()).is_some_and(|below| !below.is_empty())
        })
    }

    fn has_root(&self) -> bool {
        self.maps.iter().any(BoundMap::is_root)
    }

    /// Whether a path lies below a base.
    fn is_content(&self, path: &str) -> bool {
        self.maps
            .iter()
            .any(|map| path::below(path, map.base()).is_some_and(|below| !below.is_empty()))
    }
}

/// What a path is to the layers on content routes.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    Resource(Resource<'a>),
    /// Listed as public, or a page of the application's login.
    Public,
    /// Below a signed location.
    Signed(SignedPath<'a>),
    Refused(Refusal),
}

/// A path below the place of signed locations.
#[derive(Clone, Copy)]
pub(crate) struct SignedPath<'a> {
    /// What was sealed, if it was.
    pub(crate) capability: &'a str,
    /// The path that it would be without.
    pub(crate) plain: &'a str,
}

/// Shows nothing of what opens something.
impl std::fmt::Debug for SignedPath<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedPath").field("plain", &self.plain).finish_non_exhaustive()
    }
}

impl Core {
    /// What the path of a request names. What nobody knows is refused.
    #[inline]
    pub(crate) fn find<'a>(&'a self, path: &'a str) -> Found<'a> {
        let max_bytes = self.limits.identifier_bytes();
        // No base lies below another.
        for map in &self.sites.maps {
            let Some(below) = map.below(path) else { continue };
            if map.is_root() && self.is_set_apart(path) {
                return self.find_elsewhere(path);
            }
            return match map.find(below) {
                // A path that nobody could read as another one.
                Err(Refusal::Unknown | Refusal::Shape)
                    if map.is_root() && path::is_plain(path) && self.sites.is_public(path) =>
                {
                    Found::Public
                }
                Ok(named) if named.identifier().len() > max_bytes => {
                    Found::Refused(Refusal::TooLong)
                }
                Ok(named) => Found::Resource(Resource::of(&map.base, named)),
                Err(Refusal::Unknown) if ambiguous_path(path) => Found::Refused(Refusal::Ambiguous),
                Err(refusal) => Found::Refused(refusal),
            };
        }
        self.find_elsewhere(path)
    }

    /// What a path names that no map knows.
    #[inline(never)]
    fn find_elsewhere<'a>(&self, path: &'a str) -> Found<'a> {
        if let Some(signed) = self.signed_at(path) {
            return Found::Signed(signed);
        }
        if ambiguous_path(path) {
            return Found::Refused(Refusal::Ambiguous);
        }
        let of_login =
            |access: &BoundAccess| access.is_applications() && self.is_page_of(access, path);
        let public = self.sites.is_public(path) || self.access.iter().any(of_login);
        if public && !self.sites.is_near_base(path) {
            Found::Public
        } else {
            Found::Refused(Refusal::Unknown)
        }
    }

    /// What lies below the place of signed locations, where there are any.
    pub(crate) fn signed_at<'a>(&self, path: &'a str) -> Option<SignedPath<'a>> {
        if !self.signed_locations {
            return None;
        }
        let (capability, plain) = self.endpoints.sealed_in(path)?;
        Some(SignedPath { capability, plain })
    }

    /// The resource as a whole that a path names, for the probe.
    pub(crate) fn find_whole<'a>(&'a self, path: &'a str) -> Result<Resource<'a>, Refusal> {
        match self.find(path) {
            Found::Resource(resource)
                if matches!(
                    resource.kind(),
                    ResourceKind::ImageService | ResourceKind::Content
                ) =>
            {
                Ok(resource)
            }
            Found::Refused(refusal) => Err(refusal),
            Found::Resource(_) | Found::Public | Found::Signed(_) => Err(Refusal::Unknown),
        }
    }

    /// Whether the describer may have to do with a path.
    #[inline]
    pub(crate) fn may_be_described(&self, path: &str) -> bool {
        self.sites.may_be_described(path)
            || self.signed_locations
                && path.ends_with("/info.json")
                && self.signed_at(path).is_some()
    }

    /// The families that the base of a resource speaks.
    pub(crate) fn families_of(&self, resource: &Resource<'_>) -> Families {
        self.sites.families_of(resource)
    }

    /// Whether a resource must not run in browsers as a page of this site.
    #[inline]
    pub(crate) fn keeps_still(&self, resource: &Resource<'_>) -> bool {
        !self.sites.is_active(resource)
    }

    /// Whether a path lies below a base: content, which the service layers leave alone.
    pub(crate) fn is_content(&self, path: &str) -> bool {
        self.sites.is_content(path) && !(self.sites.has_root() && self.is_set_apart(path))
    }

    /// Whether a path is of a service or a login, and no content although the base is the root.
    #[inline(never)]
    fn is_set_apart(&self, path: &str) -> bool {
        let below = |own: &str| path::below_in_any_case(path, own).is_some();
        below(self.endpoints.prefix())
            || self
                .realms
                .iter()
                .any(|realm| below(realm.token_path()) || realm.logout_path().is_some_and(below))
            || self.access.iter().any(|access| {
                access.path().is_some_and(below)
                    || (access.is_applications() && self.is_page_of(access, path))
            })
    }
}
