//! Which service a path is, and which services a resource has.

use std::borrow::Cow;

use http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::endpoints::family_at;
use super::{BoundAccess, BoundRealm, Core, RealmId, RealmSet, ServiceId};
use crate::authorizer::Denial;
use crate::clock::Timestamp;
use crate::protocol::Family;
use crate::query;
use crate::resource::{Refusal, Resource};
use crate::session::{Session, SessionId};
use crate::storage_access::{self, StorageAccess};

/// Few paths of resources are longer.
const USUAL_PATH: usize = 64;

/// The parameter that names a resource in the query of a probe's URI: by its path or its URI.
const RESOURCE: &str = "resource";

/// What stays as it is in the value of a parameter: characters of paths that mean nothing in a query.
const IN_QUERY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b':');

impl Core {
    /// Which family's service a path is, for a service whose 2.0 path is `service`.
    pub(crate) fn family_at(&self, path: &str, service: &str) -> Option<Family> {
        family_at(path, service, self.sites.families())
    }

    /// The realm whose token service a path is, and in which family.
    pub(crate) fn token_at(&self, path: &str) -> Option<(RealmId, Family)> {
        let at = |realm: &BoundRealm| self.family_at(path, realm.token_path());
        self.realms.with_ids().find_map(|(id, realm)| Some((id, at(realm)?)))
    }

    /// The realm whose logout service a path is, in any family.
    pub(crate) fn logout_at(&self, path: &str) -> Option<RealmId> {
        let at = |realm: &BoundRealm| self.family_at(path, realm.logout_path()?);
        self.realms.find(|realm| at(realm).is_some())
    }

    /// The realm whose client identity service a path is.
    pub(crate) fn clients_at(&self, path: &str) -> Option<RealmId> {
        self.realms.find(|realm| realm.clients().is_some_and(|clients| clients.path() == path))
    }

    /// The access service that a path is, and in which family.
    pub(crate) fn access_at(&self, path: &str) -> Option<(ServiceId, Family)> {
        let at = |access: &BoundAccess| self.family_at(path, access.path()?);
        self.access.with_ids().find_map(|(id, access)| Some((id, at(access)?)))
    }

    /// Whether a path is an access service's own, in any family, or a step of its login. What else lies
    /// below it is no page of the login, and open to nobody.
    pub(crate) fn is_page_of(&self, access: &BoundAccess, path: &str) -> bool {
        let own = access.path().is_some_and(|own| self.family_at(path, own).is_some());
        own || access.is_step(path)
    }

    pub(crate) fn realm_named(&self, name: &str) -> Option<RealmId> {
        self.realms.named(name)
    }

    /// The access services that a resource declares: those whose patterns match it, or else those
    /// without patterns.
    pub(crate) fn access_of(&self, resource: &Resource<'_>) -> impl Iterator<Item = &BoundAccess> {
        self.access.of(resource)
    }

    /// The realms whose sessions and tokens count for a resource.
    #[inline]
    pub(crate) fn realms_of(&self, resource: &Resource<'_>) -> RealmSet {
        if self.realms.is_one() {
            return RealmSet::only(RealmId::FIRST);
        }
        self.access_of(resource).fold(RealmSet::NONE, |set, access| set.with(access.realm()))
    }

    /// The same where the rule over nobody may have said which access services lead to it; none where it says
    /// one that there is not.
    #[inline]
    pub(crate) fn realms_behind(
        &self,
        resource: &Resource<'_>,
        denial: &Denial,
    ) -> Option<RealmSet> {
        match denial.services() {
            None => Some(self.realms_of(resource)),
            Some(names) => self.realms_named(names),
        }
    }

    #[cold]
    fn realms_named(&self, names: &[Box<str>]) -> Option<RealmSet> {
        self.access.have(names).then(|| {
            let meant = self.access.iter().filter(|access| names.contains(&access.name));
            meant.fold(RealmSet::NONE, |set, access| set.with(access.realm()))
        })
    }

    /// The absolute URI of a resource's probe.
    pub(crate) fn probe_uri(&self, resource: &Resource<'_>) -> String {
        let (url, probe) = (self.public_url.as_str(), self.endpoints.probe());
        let mut uri = String::with_capacity(url.len() + probe.len() + USUAL_PATH);
        uri.push_str(url);
        uri.push_str(probe);
        if self.compatibility.probe_in_query {
            uri.extend(["?", RESOURCE, "="]);
            uri.extend(utf8_percent_encode(&resource.path(), IN_QUERY));
        } else {
            resource.write_path_below_probe(&mut uri);
        }
        uri
    }

    /// The path that a probe's query names; `None` if it names none.
    ///
    /// # Errors
    ///
    /// Where it names two, or something else than a path of this publisher's.
    pub(crate) fn path_in_probe_query<'q>(
        &self,
        probe_query: &'q str,
    ) -> Result<Option<Cow<'q, str>>, Refusal> {
        let named = query::single(probe_query, RESOURCE).map_err(|_| Refusal::Ambiguous)?;
        let Some(named) = named else { return Ok(None) };
        let path = named.strip_prefix(self.public_url.as_str()).unwrap_or(&named);
        match path.starts_with('/') {
            true if path.len() == named.len() => Ok(Some(named)),
            true => Ok(Some(Cow::Owned(path.to_owned()))),
            false => Err(Refusal::Unknown),
        }
    }

    /// Whether a cookie could open a resource.
    pub(crate) fn has_cookie(&self, resource: &Resource<'_>) -> bool {
        let realms = self.realms_of(resource);
        let mut realms = self.realms.with_ids().filter(|(id, _)| realms.contains(*id));
        realms.any(|(_, realm)| realm.cookie().is_some() || realm.has_own_cookie())
    }

    /// The session `id`, where the viewer's partition of this request is to get a cookie for it, and its realm.
    #[inline]
    pub(crate) fn companion(
        &self,
        id: SessionId,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Option<(RealmId, Session<'static>)> {
        if !self.third_party.partitions() {
            return None;
        }
        let active = storage_access::of(headers) == StorageAccess::Active;
        let companion = self.third_party.storage_access && active;
        self.realms.with_ids().find_map(|(realm, bound)| {
            let session = bound.cookie()?.for_partition(id, headers, companion, now)?;
            Some((realm, session))
        })
    }
}
