//! The builder: everything is checked in `build()`, so that no request can find a mistake.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::authorizer::{AccessRequest, Authorizer, Decision, from_fn};
use crate::clock::{Clock, SystemClock};
use crate::config::{
    Compatibility, ConfigError, Manifests, OriginPolicy, PublicUrl, Realm, Texts, ThirdPartyCookies,
};
use crate::core::{
    Binder, Surroundings, check_cookies, check_languages, check_path, check_paths, warn,
};
use crate::core::{BoundMap, Core, Seals, Time};
use crate::iiif_auth::IiifAuth;
use crate::observe::{Observation, Observer};
use crate::resource::{Dialect, Families, Files, ImageApi, Pattern, ResourceMap};
use crate::revocation::{InMemory, Revocations};
use crate::said::SaidOnce;
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
    form_timeout: Duration,
    longest_info: usize,
    longest_identifier: usize,
    manifests: Vec<Manifests>,
    hand_on_session: bool,
    observer: Option<Box<Observer>>,
    compatibility: Compatibility,
    plain_language: String,
    third_party: ThirdPartyCookies,
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
            form_timeout: Duration::from_secs(10),
            longest_info: 4 << 20,
            longest_identifier: 1024,
            manifests: Vec::new(),
            hand_on_session: false,
            observer: None,
            compatibility: Compatibility::default(),
            plain_language: String::new(),
            third_party: ThirdPartyCookies::default(),
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

    /// Protects the resources of a map. Several maps may be given.
    ///
    /// No base may be the same as another, or lie below it, as then a path could be read in two ways.
    /// Two maps for one base are one [`ResourceMap`] of your own that asks the second for what is
    /// [`Unknown`](crate::resource::Refusal::Unknown) to the first.
    pub fn resources(mut self, map: impl ResourceMap) -> Self {
        self.maps.push(Box::new(map));
        self
    }

    /// Paths that the checker lets through although they are no resource: the rest of an
    /// application whose every route is below the layers, such as `/` and `/manifests/*`. Default:
    /// none, and an unknown path is 404.
    ///
    /// Patterns begin with a slash or `*`, and are matched against the path as it came in, still
    /// percent-encoded. They open nothing below a base. The application's logins need not be listed.
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

    /// How long the body of a request to the crate's own endpoints may take to arrive, all of it: forms of
    /// the access services and of the hand-off, and the client identity service's JSON. What takes longer
    /// is answered with 408. More than zero, up to 24 hours. Default: ten seconds.
    ///
    /// It needs a tokio runtime with its timer; a body that is there at once needs none.
    pub fn form_timeout(mut self, timeout: Duration) -> Self {
        self.form_timeout = timeout;
        self
    }

    /// The largest `info.json` that is described, in bytes; a larger one of a protected image is
    /// answered with 502. Default: 4 MiB.
    pub fn longest_info(mut self, bytes: usize) -> Self {
        self.longest_info = bytes;
        self
    }

    /// The longest identifier of an image or file, decoded, in bytes; a longer one is answered with
    /// 400, whoever asks. Default: 1024.
    ///
    /// It bounds what strangers can put into logs, and into what authorizers and stores remember of a
    /// resource.
    pub fn longest_identifier(mut self, bytes: usize) -> Self {
        self.longest_identifier = bytes;
        self
    }

    /// Describes the manifests at or below this path, such as `/manifests`: what they show of this
    /// publisher's protected content gets its services. May be called for several paths; the first that
    /// fits counts. Default: none.
    ///
    /// Files (sound, video, PDF) below [`files`](Self::files) are described; images only where
    /// [`Manifests::images`] says so. Who may read a manifest is not changed by it: list its path
    /// among [`public_paths`](Self::public_paths), or let it lie below a base. What can not be
    /// described is answered with 502, an error of the inner service's with its status alone, and with 503 if the authorizer takes longer for all of a
    /// manifest's resources than [`decision_timeout`](Self::decision_timeout).
    ///
    /// # Example
    ///
    /// ```
    /// # use tower_iiif_auth::{AccessService, IiifAuth, Keyring, Realm};
    /// let auth = IiifAuth::builder("https://iiif.example")
    ///     .files("/files")
    ///     .manifests("/manifests")
    ///     .public_paths(["/manifests/*"])
    /// #     .keyring(Keyring::generate()?)
    /// #     .realm(Realm::new().access(AccessService::active("login", "Example Library")))
    /// #     .authorize(|request| request.has_role("reader"))
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn manifests(mut self, manifests: impl Into<Manifests>) -> Self {
        self.manifests.push(manifests.into());
        self
    }

    /// Hands the grant of an allowed request on to the inner service, with the session if it rests on one,
    /// as [`Granted`](crate::check::Granted) among its extensions. Default: no, which saves a few
    /// allocations a tile.
    pub fn hand_on_session(mut self) -> Self {
        self.hand_on_session = true;
        self
    }

    /// Tells `observer` of each decision, for counters: what was asked for, what was answered, why, and
    /// how long it took. A second call replaces the first. Default: nobody.
    ///
    /// It is called in the course of the request, for each tile, so it has to be quick and must not
    /// block. It cannot change the decision; what it panics with is logged. Without an observer, and
    /// with the events of decisions off, no clock is read.
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    /// use tower_iiif_auth::observe::Outcome;
    /// # use tower_iiif_auth::{AccessService, IiifAuth, Keyring, Realm};
    ///
    /// let refused = Arc::new(AtomicU64::new(0));
    /// let counter = Arc::clone(&refused);
    /// let auth = IiifAuth::builder("https://iiif.example")
    ///     .observe(move |seen| {
    ///         if seen.outcome() != Outcome::Granted {
    ///             counter.fetch_add(1, Ordering::Relaxed);
    ///         }
    ///     })
    /// #     .keyring(Keyring::generate()?)
    /// #     .images("/iiif/3")
    /// #     .realm(Realm::new().access(AccessService::active("login", "Example Library")))
    /// #     .authorize(|request| request.has_role("reader"))
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn observe(mut self, observer: impl Fn(&Observation<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// What is done differently for viewers that disagree with the specifications. Default: nothing.
    pub fn compatibility(mut self, compatibility: Compatibility) -> Self {
        self.compatibility = compatibility;
        self
    }

    /// What is done in browsers that block third-party cookies. Default: nothing.
    pub fn third_party_cookies(mut self, ways: ThirdPartyCookies) -> Self {
        self.third_party = ways;
        self
    }

    /// The language of texts in descriptions and errors of 1.0 and 0.9, which have no language maps.
    /// Default: the first that each text has.
    pub fn plain_language(mut self, tag: impl Into<String>) -> Self {
        self.plain_language = tag.into();
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
        self.check_sizes()?;
        let public_url = PublicUrl::parse(&self.public_url, self.insecure_http)?;
        let keyring = self.keyring.ok_or(ConfigError::NoKeyring)?;
        let authorizer = self.authorizer.ok_or(ConfigError::NoAuthorizer)?;
        if self.maps.is_empty() {
            return Err(ConfigError::NoResources);
        }
        for map in &self.maps {
            check_path(map.base())?;
            if let Some(fault) = map.dialect().and_then(Dialect::fault) {
                return Err(ConfigError::Dialect { base: map.base().to_owned(), fault });
            }
        }
        let families = spoken(&self.maps)?;
        check_path(&self.endpoints)?;
        // A token's life is told in whole seconds (2.0 §4.4).
        for (duration, least, what) in [
            (self.token_lifetime, Duration::from_secs(1), "token lifetime in whole seconds"),
            (self.decision_timeout, Duration::from_nanos(1), "decision timeout"),
            (self.form_timeout, Duration::from_nanos(1), "form timeout"),
        ] {
            if duration < least || duration > DAY {
                return Err(ConfigError::Duration(what));
            }
        }
        for manifests in &self.manifests {
            manifests.check()?;
        }
        if matches!(&self.origins, OriginPolicy::AllowList(origins) if origins.is_empty()) {
            return Err(ConfigError::NoAllowedOrigins);
        }
        if let Some(pattern) = self.public_paths.iter().find(|own| !own.may_match_path()) {
            return Err(ConfigError::PublicPath(pattern.as_str().to_owned()));
        }
        for text in self.texts.all() {
            check_languages(text)?;
        }
        let revocations = match self.revocations {
            Some(revocations) => revocations,
            None => Box::new(InMemory::new()?),
        };

        let third_party =
            if public_url.is_https() { self.third_party } else { ThirdPartyCookies::default() };
        let mut binder = Binder::new(Surroundings {
            public_url: &public_url,
            keyring: &keyring,
            endpoints: &self.endpoints,
            texts: &self.texts,
            families,
            compatibility: self.compatibility,
            plain_language: &self.plain_language,
            partitions: third_party.partitions(),
        });
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

        let maps: Vec<_> = self.maps.into_iter().map(BoundMap::new).collect();
        let core = Core {
            active_content: maps.iter().any(BoundMap::has_active_content),
            probe_prefix: format!("{}/probe", self.endpoints).into(),
            continue_path: format!("{}/continue", self.endpoints).into(),
            services_differ: access.iter().any(|access| !access.protects.is_empty()),
            public_url,
            seals: Seals::of(&keyring),
            time: Time::of(self.clock),
            maps,
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
            form_timeout: self.form_timeout,
            longest_info: self.longest_info,
            longest_identifier: self.longest_identifier,
            manifests: self.manifests,
            misplaced: SaidOnce::new(),
            hand_on_session: self.hand_on_session,
            observer: self.observer,
            compatibility: self.compatibility,
            plain_language: self.plain_language.into(),
            third_party,
            hand_off_path: format!("{}/hand-off", self.endpoints).into(),
            redeem_path: format!("{}/redeem", self.endpoints).into(),
            grant_path: format!("{}/grant", self.endpoints).into(),
            families,
        };
        check_paths(&core)?;
        check_cookies(&core, &self.realms)?;
        warn(&core);
        for map in &core.maps {
            crate::trace::base(map.base(), &map.dialect());
        }
        Ok(IiifAuth { core: Arc::new(core) })
    }

    /// Nothing may be so small that nothing fits.
    fn check_sizes(&self) -> Result<(), ConfigError> {
        if self.longest_info == 0 {
            return Err(ConfigError::LongestInfo);
        }
        if self.longest_identifier == 0 {
            return Err(ConfigError::LongestIdentifier);
        }
        Ok(())
    }
}

/// What all bases together speak.
fn spoken(maps: &[Box<dyn ResourceMap>]) -> Result<Families, ConfigError> {
    let mut families = Families::default();
    for (base, own) in maps.iter().map(|map| (map.base(), map.families())) {
        if let Some(fault) = own.fault() {
            return Err(ConfigError::Families { base: base.to_owned(), fault });
        }
        families = families.and(own);
    }
    Ok(families)
}

impl fmt::Debug for IiifAuthBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IiifAuthBuilder")
            .field("public_url", &self.public_url)
            .field("realms", &self.realms)
            .finish_non_exhaustive()
    }
}
