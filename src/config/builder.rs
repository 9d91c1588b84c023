//! The builder: everything is checked in `build()`, so that no request can find a mistake.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::access::flow_cookie_name;
use crate::aspect::{AccessCookie, BoundCookie, aspects};
use crate::authorizer::{AccessRequest, Authorizer, Decision, from_fn};
use crate::clock::{Clock, SystemClock};
use crate::config::bound::CandidateAspect;
use crate::config::public_url::plain_path;
use crate::config::realm::Logout;
use crate::config::{
    AccessService, BoundAccess, BoundRealm, Candidate, ConfigError, Core, IiifAuth, OriginPolicy,
    Page, PublicUrl, Realm, Texts,
};
use crate::protocol::{LanguageMap, Message, v2};
use crate::resource::{Files, ImageApi, Pattern, ResourceMap};
use crate::revocation::{InMemory, Revocations};
use crate::seal::Keyring;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Collects the configuration of an [`IiifAuth`].
#[must_use = "a builder does nothing until `build()` is called"]
pub struct IiifAuthBuilder {
    public_url: String,
    insecure_http: bool,
    keyring: Option<Keyring>,
    clock: Box<dyn Clock>,
    maps: Vec<Box<dyn ResourceMap>>,
    public_paths: Vec<Pattern>,
    realms: Vec<Realm>,
    authorizer: Option<Box<dyn Authorizer>>,
    revocations: Option<Box<dyn Revocations>>,
    origins: OriginPolicy,
    texts: Texts,
    endpoints: String,
    token_lifetime: Duration,
    decision_timeout: Duration,
    longest_info: usize,
    hand_on_session: bool,
}

impl IiifAuthBuilder {
    pub(super) fn new(public_url: String) -> Self {
        Self {
            public_url,
            insecure_http: false,
            keyring: None,
            clock: Box::new(SystemClock),
            maps: Vec::new(),
            public_paths: Vec::new(),
            realms: Vec::new(),
            authorizer: None,
            revocations: None,
            origins: OriginPolicy::default(),
            texts: Texts::default(),
            endpoints: "/auth".to_owned(),
            token_lifetime: Duration::from_secs(300),
            decision_timeout: Duration::from_secs(5),
            longest_info: 4 << 20,
            hand_on_session: false,
        }
    }

    /// The keys behind cookies and tokens. Required. Nodes that serve the same users need the same.
    pub fn keyring(mut self, keyring: Keyring) -> Self {
        self.keyring = Some(keyring);
        self
    }

    /// Protects the Image API base at this path, such as `/iiif/3`: see [`ImageApi`].
    pub fn images(self, base: &str) -> Self {
        self.resources(ImageApi::new(base))
    }

    /// Protects the files below this path, such as `/files`: see [`Files`].
    pub fn files(self, base: &str) -> Self {
        self.resources(Files::new(base))
    }

    /// Protects the resources of a map. Several maps may be given; the first that knows a path
    /// reads it.
    pub fn resources(mut self, map: impl ResourceMap) -> Self {
        self.maps.push(Box::new(map));
        self
    }

    /// Paths that the checker lets through although they are no resource: the rest of an
    /// application whose every route is below the layers, such as `/` and `/manifests/*`. Default:
    /// none, and an unknown path is 404.
    ///
    /// Patterns are matched against the path as it came in, still percent-encoded. They open nothing
    /// below a base. The application's logins need not be listed.
    pub fn public_paths<P: Into<Pattern>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.public_paths.extend(paths.into_iter().map(Into::into));
        self
    }

    /// Adds a realm. At least one is required, at most 64 are taken. A publisher with one kind of
    /// users needs one.
    pub fn realm(mut self, realm: Realm) -> Self {
        self.realms.push(realm);
        self
    }

    /// Who may have what. Required; a second call replaces the first.
    pub fn authorizer(mut self, authorizer: impl Authorizer) -> Self {
        self.authorizer = Some(Box::new(authorizer));
        self
    }

    /// Who may have what, as a closure: [`authorizer`](Self::authorizer) with
    /// [`from_fn`](crate::authorizer::from_fn).
    pub fn authorize<F, D>(self, decide: F) -> Self
    where
        F: Fn(&AccessRequest<'_>) -> D + Send + Sync + 'static,
        D: Into<Decision> + 'static,
    {
        self.authorizer(from_fn(decide))
    }

    /// Where logged-out sessions are remembered. Default: [`InMemory`].
    pub fn revocations(mut self, revocations: impl Revocations) -> Self {
        self.revocations = Some(Box::new(revocations));
        self
    }

    /// Which viewers get tokens. Default: [`OriginPolicy::Bound`].
    pub fn origins(mut self, origins: OriginPolicy) -> Self {
        self.origins = origins;
        self
    }

    /// Other texts than the [default ones](Texts).
    pub fn texts(mut self, texts: Texts) -> Self {
        self.texts = texts;
        self
    }

    /// The path below which the services lie: absolute, without a slash at its end. Default: `/auth`.
    pub fn endpoints(mut self, prefix: impl Into<String>) -> Self {
        self.endpoints = prefix.into();
        self
    }

    /// How long an access token lives at the most; never longer than its session. From one second
    /// to 24 hours. Default: five minutes.
    ///
    /// A token is looked at anew whenever it is used, so a longer life does not outlast a logout.
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = lifetime;
        self
    }

    /// How long each answer of an asynchronous aspect, authorizer or store may take before the
    /// request is refused with 503. More than zero, up to 24 hours. Default: five seconds.
    ///
    /// It needs a tokio runtime with its timer. What answers at once has no limit.
    pub fn decision_timeout(mut self, timeout: Duration) -> Self {
        self.decision_timeout = timeout;
        self
    }

    /// The largest `info.json` that is described, in bytes; a larger one of a protected image is
    /// answered with 502. Default: 4 MiB.
    pub fn longest_info(mut self, bytes: usize) -> Self {
        self.longest_info = bytes;
        self
    }

    /// Hands the session of an allowed request on to the inner service, as a
    /// [`Session<'static>`](crate::aspect::Session) among its extensions. Default: no, which saves
    /// a few allocations a tile.
    pub fn hand_on_session(mut self) -> Self {
        self.hand_on_session = true;
        self
    }

    /// Another clock than the machine's, for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Allows a plain-http public URL that is not on this machine.
    ///
    /// Cookies and tokens then cross the network in the clear, and browsers keep the cookie from
    /// viewers on other sites. For closed test networks only.
    pub fn insecure_http(mut self) -> Self {
        self.insecure_http = true;
        self
    }

    /// Checks everything and finishes: what is wrong shows here, and not at the first request.
    ///
    /// What works and will disappoint, such as a plain-http public URL, is logged as a warning.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] that says what to change.
    pub fn build(self) -> Result<IiifAuth, ConfigError> {
        let public_url = PublicUrl::parse(&self.public_url, self.insecure_http)?;
        let keyring = self.keyring.ok_or(ConfigError::NoKeyring)?;
        let authorizer = self.authorizer.ok_or(ConfigError::NoAuthorizer)?;
        if self.maps.is_empty() {
            return Err(ConfigError::NoResources);
        }
        for map in &self.maps {
            check_path(map.base())?;
        }
        check_path(&self.endpoints)?;
        // A token's life is told in whole seconds (2.0 §4.4).
        for (duration, least, what) in [
            (self.token_lifetime, Duration::from_secs(1), "token lifetime in whole seconds"),
            (self.decision_timeout, Duration::from_nanos(1), "decision timeout"),
        ] {
            if duration < least || duration > DAY {
                return Err(ConfigError::Duration(what));
            }
        }
        for text in self.texts.all() {
            check_languages(text)?;
        }
        let revocations = match self.revocations {
            Some(revocations) => revocations,
            None => Box::new(InMemory::new()?),
        };

        let mut binder = Binder {
            public_url: &public_url,
            keyring: &keyring,
            endpoints: &self.endpoints,
            texts: &self.texts,
            realms: Vec::new(),
            access: Vec::new(),
            candidates: Vec::new(),
        };
        for realm in &self.realms {
            binder.bind(realm)?;
        }
        let Binder { realms, access, candidates, .. } = binder;
        if realms.is_empty() {
            return Err(ConfigError::NoRealm);
        }
        if realms.len() > 64 {
            return Err(ConfigError::TooManyRealms);
        }
        if access.iter().all(|access| !access.protects.is_empty()) {
            return Err(ConfigError::NoDefaultAccessService);
        }

        let core = Core {
            probe_prefix: format!("{}/probe", self.endpoints).into(),
            continue_path: format!("{}/continue", self.endpoints).into(),
            services_differ: access.iter().any(|access| !access.protects.is_empty()),
            public_url,
            keyring,
            clock: self.clock,
            maps: self.maps,
            public_paths: self.public_paths,
            realms,
            access,
            candidates,
            authorizer,
            revocations,
            origins: self.origins,
            texts: self.texts,
            token_lifetime: self.token_lifetime,
            decision_timeout: self.decision_timeout,
            longest_info: self.longest_info,
            hand_on_session: self.hand_on_session,
        };
        check_paths(&core)?;
        check_cookies(&core, &self.realms)?;
        warn(&core);
        Ok(IiifAuth { core: Arc::new(core) })
    }
}

/// Turns realms into what the layers use.
struct Binder<'a> {
    public_url: &'a PublicUrl,
    keyring: &'a Keyring,
    endpoints: &'a str,
    texts: &'a Texts,
    realms: Vec<BoundRealm>,
    access: Vec<BoundAccess>,
    candidates: Vec<Candidate>,
}

impl Binder<'_> {
    fn bind(&mut self, realm: &Realm) -> Result<(), ConfigError> {
        let index = self.realms.len();
        if !realm.name.is_empty() {
            check_name(&realm.name)?;
        }
        if self.realms.iter().any(|other| *other.name == *realm.name) {
            return Err(ConfigError::RealmTwice(realm.name.clone()));
        }
        let Some(first) = realm.access.first() else {
            return Err(ConfigError::NoAccessService { realm: realm.name.clone() });
        };
        if let Some(error) = &realm.token_error {
            check_message(error)?;
        }
        let cookie = self.bind_aspects(index, realm)?;
        let prefix = if realm.name.is_empty() {
            self.endpoints.to_owned()
        } else {
            format!("{}/{}", self.endpoints, realm.name)
        };
        let token_path = format!("{prefix}/token");
        let label = match &realm.logout {
            Logout::Without => None,
            Logout::Labelled(label) => Some(label.clone()),
            Logout::Default => cookie
                .as_ref()
                .map(|_| self.texts.logout_label.filled("{institution}", &self.label_of(first))),
        };
        if let Some(label) = &label {
            check_languages(label)?;
        }
        let logout_path = label.as_ref().map(|_| format!("{prefix}/logout"));
        let token = v2::TokenService {
            id: self.public_url.join(&token_path),
            error: realm.token_error.clone(),
        };
        let logout = label.zip(logout_path.as_deref()).map(|(label, path)| v2::LogoutService {
            id: self.public_url.join(path),
            kind: v2::description::LogoutType::default(),
            label,
        });
        for service in &realm.access {
            let bound = self.bind_access(index, &prefix, service, &token, logout.as_ref())?;
            self.access.push(bound);
        }
        self.realms.push(BoundRealm {
            name: realm.name.as_str().into(),
            cookie,
            token_path: token_path.into(),
            logout_path: logout_path.map(Into::into),
        });
        Ok(())
    }

    fn bind_aspects(
        &mut self,
        index: usize,
        realm: &Realm,
    ) -> Result<Option<BoundCookie>, ConfigError> {
        let needs_cookie =
            realm.access.iter().any(|service| service.profile != v2::Profile::External);
        let name = || realm.name.clone();
        let parts = match &realm.aspects {
            Some(aspects) => aspects.clone(),
            None if needs_cookie => AccessCookie::new().into(),
            None => return Err(ConfigError::NoAspect { realm: name() }),
        };
        let mut cookie = None;
        for part in parts.into_parts() {
            let aspect = match part {
                aspects::Part::Other(aspect) => CandidateAspect::Other(aspect),
                aspects::Part::Cookie(_) if cookie.is_some() => {
                    return Err(ConfigError::TwoCookies { realm: name() });
                }
                aspects::Part::Cookie(config) => {
                    let bound = config
                        .bind(
                            &realm.name,
                            self.public_url.host(),
                            self.public_url.is_https(),
                            self.keyring,
                        )
                        .map_err(|cause| ConfigError::Cookie { realm: name(), cause })?;
                    cookie = Some(bound.clone());
                    CandidateAspect::Cookie(bound)
                }
            };
            let candidate = Candidate { realm: index, aspect };
            let same = |own: &&Candidate| own.realm == index && own.name() == candidate.name();
            if let Some(own) = self.candidates.iter().find(same) {
                return Err(ConfigError::AspectTwice(own.name().to_owned()));
            }
            self.candidates.push(candidate);
        }
        let sets_cookie =
            |service: &AccessService| matches!(service.page, Page::ClickThrough(_) | Page::Kiosk);
        if cookie.is_none() && realm.access.iter().any(sets_cookie) {
            return Err(ConfigError::NoCookie { realm: name() });
        }
        Ok(cookie)
    }

    /// What names the institution: the label, or else the host.
    fn label_of(&self, service: &AccessService) -> LanguageMap {
        service.label.clone().unwrap_or_else(|| self.public_url.host().into())
    }

    fn bind_access(
        &self,
        realm: usize,
        prefix: &str,
        service: &AccessService,
        token: &v2::TokenService,
        logout: Option<&v2::LogoutService>,
    ) -> Result<BoundAccess, ConfigError> {
        for text in service.texts() {
            check_languages(text)?;
        }
        let path = match (service.profile, &service.path) {
            (v2::Profile::External, _) => None,
            (_, Some(path)) => Some(path.clone()),
            (_, None) => {
                check_name(&service.name)?;
                Some(format!("{prefix}/{}", service.name))
            }
        };
        if let Some(path) = &path {
            check_path(path)?;
        }
        let id = path.as_deref().map(|path| self.public_url.join(path));
        let reference = id.as_deref().map(|id| raw(&Reference { id, kind: "AuthAccessService2" }));
        let json = raw(&v2::AccessService {
            id,
            profile: service.profile,
            // Some viewers do not survive a service without a label, whatever its profile.
            label: Some(self.label_of(service)),
            message: service.message.clone(),
            confirm_label: service.confirm_label.clone(),
            token: token.clone(),
            logout: logout.cloned(),
        });
        Ok(BoundAccess {
            name: service.name.as_str().into(),
            realm,
            profile: service.profile,
            page: service.page.clone(),
            path: path.map(Into::into),
            protects: service.protects.clone(),
            role: service.role.as_deref().unwrap_or(&service.name).into(),
            json,
            reference,
        })
    }
}

#[derive(Serialize)]
struct Reference<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
}

fn raw(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).expect("strings and maps with text keys are JSON")
}

fn check_name(name: &str) -> Result<(), ConfigError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let reserved = matches!(name, "probe" | "token" | "logout" | "continue");
    if name.is_empty() || name.len() > 64 || reserved || !name.bytes().all(plain) {
        return Err(ConfigError::Name(name.to_owned()));
    }
    Ok(())
}

fn check_path(path: &str) -> Result<(), ConfigError> {
    if plain_path(path) { Ok(()) } else { Err(ConfigError::Path(path.to_owned())) }
}

fn check_languages(text: &LanguageMap) -> Result<(), ConfigError> {
    text.bad_tag().map_or(Ok(()), |tag| Err(ConfigError::Language(tag.to_owned())))
}

fn check_message(message: &Message) -> Result<(), ConfigError> {
    check_languages(message.heading())?;
    message.note_text().map_or(Ok(()), check_languages)
}

/// No two services share a path, and no base lies over one.
fn check_paths(core: &Core) -> Result<(), ConfigError> {
    let mut seen = HashSet::new();
    for path in service_paths(core) {
        let below = |base: &str| {
            path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if !seen.insert(path) || core.maps.iter().any(|map| below(map.base())) {
            return Err(ConfigError::PathTwice(path.to_owned()));
        }
    }
    for (index, map) in core.maps.iter().enumerate() {
        if core.maps[..index].iter().any(|other| other.base() == map.base()) {
            return Err(ConfigError::PathTwice(map.base().to_owned()));
        }
    }
    Ok(())
}

fn service_paths(core: &Core) -> impl Iterator<Item = &str> {
    let realms = core
        .realms
        .iter()
        .flat_map(|realm| std::iter::once(&*realm.token_path).chain(realm.logout_path.as_deref()));
    let access = core.access.iter().filter_map(|access| access.path.as_deref());
    [&*core.probe_prefix, &*core.continue_path].into_iter().chain(realms).chain(access)
}

/// Cookies have names of their own and reach every path that needs them (2.0 §2, §4).
fn check_cookies(core: &Core, realms: &[Realm]) -> Result<(), ConfigError> {
    let mut names = HashSet::from([flow_cookie_name(core.public_url.is_https())]);
    for (index, bound) in core.realms.iter().enumerate() {
        let Some(cookie) = &bound.cookie else { continue };
        if !names.insert(cookie.name()) {
            return Err(ConfigError::CookieTwice(cookie.name().to_owned()));
        }
        let config = realms[index].aspects.as_ref().and_then(aspects::Aspects::cookie);
        let Some(config) = config else { continue };
        let services = core.access.iter().filter(|access| access.realm == index);
        let mut paths: Vec<&str> = services.filter_map(|access| access.path.as_deref()).collect();
        paths.push(&bound.token_path);
        paths.extend(core.maps.iter().map(|map| map.base()));
        for path in paths {
            let path = core.public_url.browser_path(path);
            if !config.covers(&path) {
                return Err(ConfigError::CookiePath { cookie: cookie.name().to_owned(), path });
            }
        }
    }
    Ok(())
}

/// What works and will disappoint.
fn warn(core: &Core) {
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
}

impl fmt::Debug for IiifAuthBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IiifAuthBuilder")
            .field("public_url", &self.public_url)
            .field("realms", &self.realms)
            .finish_non_exhaustive()
    }
}
