//! The builder: what a publisher says, one setter for each.

use std::fmt;
use std::sync::Arc;

use crate::authorizer::{AccessRequest, Authorizer, IntoDecision, from_fn};
use crate::clock::Clock;
use crate::config::{
    Compatibility, ConfigErrors, ContentForScripts, Limits, Manifests, OriginPolicy, Realm, Texts,
    ThirdPartyCookies,
};
use crate::core::{self, Given};
use crate::iiif_auth::IiifAuth;
use crate::observe::Observation;
use crate::protocol::Origin;
use crate::resource::{Files, ImageApi, Pattern, ResourceMap};
use crate::revocation::Revocations;
use crate::seal::Keyring;

/// Collects the configuration of an [`IiifAuth`].
///
/// A clone is a configuration of its own; authorizer, maps, store, clock and observer are shared.
#[derive(Clone)]
#[must_use = "a builder does nothing until `build()` is called"]
pub struct IiifAuthBuilder {
    given: Given,
}

impl IiifAuthBuilder {
    pub(super) fn new(public_url: String) -> Self {
        Self { given: Given::new(public_url) }
    }

    /// The keys behind cookies and tokens. Required. Nodes that serve the same users need the same.
    pub fn keyring(mut self, keyring: Keyring) -> Self {
        self.given.keyring = Some(keyring);
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
        self.given.maps.push(Arc::new(map));
        self
    }

    /// Paths that the checker lets through although they are no resource: the rest of an
    /// application whose every route is below the layers, such as `/` and `/manifests/*`. Default:
    /// none, and an unknown path is 404.
    ///
    /// Patterns begin with a slash or `*`, and are matched against the path as it came in, still
    /// percent-encoded. They open nothing below a base. The application's logins need not be listed.
    pub fn public_paths<P: Into<Pattern>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.given.public_paths.extend(paths.into_iter().map(Into::into));
        self
    }

    /// Adds a realm. At least one is required, at most 64 are taken. A publisher with one kind of
    /// users needs one.
    pub fn realm(mut self, realm: Realm) -> Self {
        self.given.realms.push(realm);
        self
    }

    /// Who may have what. Required; a second call replaces the first.
    pub fn authorizer(mut self, authorizer: impl Authorizer) -> Self {
        self.given.authorizer = Some(Arc::new(authorizer));
        self
    }

    /// Who may have what, as a closure: [`authorizer`](Self::authorizer) with
    /// [`from_fn`](crate::authorizer::from_fn). What waits for a database is
    /// `.authorizer(from_async_fn(…))`, see [`from_async_fn`](crate::authorizer::from_async_fn).
    #[doc(alias = "authorize")]
    pub fn authorize_with<F, D>(self, decide: F) -> Self
    where
        F: Fn(&AccessRequest<'_>) -> D + Send + Sync + 'static,
        D: IntoDecision + 'static,
    {
        self.authorizer(from_fn(decide))
    }

    /// Where logged-out sessions are remembered. Default: [`InMemory`](crate::revocation::InMemory).
    pub fn revocations(mut self, revocations: impl Revocations) -> Self {
        self.given.revocations = Some(Arc::new(revocations));
        self
    }

    /// Which viewers get tokens. Default: [`OriginPolicy::Bound`].
    pub fn origins(mut self, origins: OriginPolicy) -> Self {
        self.given.origins = origins;
        self
    }

    /// Other sites that a login or logout may lead back to. Default: none, and this one alone.
    ///
    /// A link of the site's own menu, `/auth/login?return_to=/items/7` or `/auth/logout?return_to=/`, comes
    /// back to that address; where a viewer opened the tab, it closes. An address is a path of this site, or a
    /// URL of it or of these. What is none of these is not gone to, and no address of the services is.
    ///
    /// # Example
    ///
    /// ```
    /// # use tower_iiif_auth::{AccessService, IiifAuth, Keyring, Realm};
    /// let auth = IiifAuth::builder("https://iiif.example")
    ///     .return_to(["https://catalogue.example".parse()?])
    /// #     .keyring(Keyring::generate()?)
    /// #     .images("/iiif/3")
    /// #     .realm(Realm::new().access(AccessService::active("login", "Example Library")))
    /// #     .authorize_with(|request| request.has_role("reader"))
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn return_to(mut self, origins: impl IntoIterator<Item = Origin>) -> Self {
        self.given.return_origins.extend(origins);
        self
    }

    /// Other texts than the [default ones](Texts).
    pub fn texts(mut self, texts: Texts) -> Self {
        self.given.texts = texts;
        self
    }

    /// The path below which the services lie: absolute, without a slash at its end. Default: `/auth`.
    pub fn endpoints(mut self, prefix: impl Into<String>) -> Self {
        self.given.endpoints = prefix.into();
        self
    }

    /// How large and how slow things may be. Default: [`Limits::new`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.given.limits = limits;
        self
    }

    /// Describes the manifests at or below this path, such as `/manifests`: what they show of this
    /// publisher's protected content gets its services. May be called for several paths; the first that
    /// fits counts. Default: none.
    ///
    /// Files (sound, video, PDF) below [`files`](Self::files) are described, and painted images, whose image
    /// services are left alone unless [`Manifests::images`] says so. Who may read a manifest is not changed by it: list its path
    /// among [`public_paths`](Self::public_paths), or let it lie below a base. What cannot be
    /// described is answered with 502, an error of the inner service's with its status alone, and with 503
    /// if the authorizer takes longer for all of a manifest's resources than [`max_decision_time`](Limits::max_decision_time).
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
    /// #     .authorize_with(|request| request.has_role("reader"))
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn manifests(mut self, manifests: impl Into<Manifests>) -> Self {
        self.given.manifests.push(manifests.into());
        self
    }

    /// Other URLs that mean this publisher: `http://` for `https://`, another host of the same server
    /// (`www.`, a CDN), the inner URL of an image server that writes its own into documents. Default: none.
    ///
    /// What manifests show below one of them gets its services like what lies below the public URL, and a
    /// redirect of a description to one of them leads to the public URL. Case and the default port need not be
    /// told. Name only what leads to these layers, or to nothing: what a viewer gets around them is not
    /// protected.
    ///
    /// # Example
    ///
    /// ```
    /// # use tower_iiif_auth::{AccessService, IiifAuth, Keyring, Realm};
    /// let auth = IiifAuth::builder("https://iiif.example")
    ///     .also_known_as(["http://iiif.example", "http://localhost:8182"])
    ///     .public_ids()
    /// #     .keyring(Keyring::generate()?)
    /// #     .images("/iiif/3")
    /// #     .realm(Realm::new().access(AccessService::active("login", "Example Library")))
    /// #     .authorize_with(|request| request.has_role("reader"))
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn also_known_as<U: Into<String>>(mut self, urls: impl IntoIterator<Item = U>) -> Self {
        self.given.also_known_as.extend(urls.into_iter().map(Into::into));
        self
    }

    /// Writes the URI that was asked for into `id` or `@id` of each `info.json`, also of open images, and
    /// public URLs in place of [others](Self::also_known_as) into the ids of manifests. Default: no, ids stay
    /// as they are, and a `warn` event tells of an `info.json` whose id is not the public URI.
    ///
    /// For image servers that cannot be told under which URL they are seen: viewers ask for tiles below
    /// the id, and would go around these layers, or to nothing.
    pub fn public_ids(mut self) -> Self {
        self.given.public_ids = true;
        self
    }

    /// Puts the grant of an allowed request among its extensions for the inner service, with the session if
    /// it rests on one, as [`Granted`](crate::check::Granted). Default: no, which saves a few allocations a
    /// tile.
    pub fn session_extension(mut self) -> Self {
        self.given.hands_session_on = true;
        self
    }

    /// Leaves [`Refused`](crate::check::Refused) among the extensions of each refusal, so that a layer around
    /// the checker can put a page of the application's own in its place. Default: no, which saves a few
    /// allocations a refusal.
    pub fn refusal_extension(mut self) -> Self {
        self.given.marks_refusals = true;
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
    /// #     .authorize_with(|request| request.has_role("reader"))
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn observe(mut self, observer: impl Fn(&Observation<'_>) + Send + Sync + 'static) -> Self {
        self.given.observer = Some(Arc::new(observer));
        self
    }

    /// What is done differently for viewers that disagree with the specifications. Default: nothing.
    pub fn compatibility(mut self, compatibility: Compatibility) -> Self {
        self.given.compatibility = compatibility;
        self
    }

    /// What is done in browsers that block third-party cookies. Default: nothing.
    pub fn third_party_cookies(mut self, ways: ThirdPartyCookies) -> Self {
        self.given.third_party = ways;
        self
    }

    /// Speaks of signed locations, where the authorizer answers with
    /// [`Decision::Signed`]. Default: off.
    ///
    /// The probe of a resource that a session opens then says 302 with a `location` below
    /// `{endpoints}/signed`: a URI of this publisher whose path carries, sealed, which resource it opens, for
    /// which session, and until when. It opens that image service with all its images, or that one file with
    /// its ranges, without a cookie: for scripts, native players, downloads, and browsers that block
    /// cookies. Every request below it is decided on anew, so that a logout, a revocation and another answer
    /// of the authorizer's end it at once; else it ends with
    /// [`max_location_lifetime`](Limits::max_location_lifetime), and the next probe gives another. Only a
    /// probe with an access token gets one.
    ///
    /// **Whoever has the link has the resource until it ends**: it stands in the browser's history, and may
    /// be passed on. The wrapped service, logs and observers see the path without it; what logs whole
    /// requests in front of the layers asks [`IiifAuth::path_without_capability`]. A router that lets the
    /// layers see some paths alone has to let them see those below `{endpoints}/signed`, too.
    pub fn signed_locations(mut self) -> Self {
        self.given.signed_locations = true;
        self
    }

    /// Which pages may read content and `info.json` in scripts with the user's cookie, as players of HLS
    /// and `OpenSeadragon` with `ajaxWithCredentials` do. Default: none.
    pub fn content_for_scripts(mut self, pages: ContentForScripts) -> Self {
        self.given.scripts = pages;
        self
    }

    /// The language of texts in descriptions and errors of 1.0 and 0.9, which have no language maps.
    /// Default: the first that each text has.
    pub fn plain_language(mut self, tag: impl Into<String>) -> Self {
        self.given.plain_language = tag.into();
        self
    }

    /// Another clock than the machine's, for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.given.clock = Arc::new(clock);
        self
    }

    /// Allows a plain-http public URL that is not on this machine.
    ///
    /// Cookies and tokens then cross the network in the clear, and browsers keep the cookie from
    /// viewers on other sites. For closed test networks only.
    pub fn insecure_http(mut self) -> Self {
        self.given.insecure_http = true;
        self
    }

    /// Checks everything and finishes: what is wrong shows here, and not at the first request.
    ///
    /// Nothing is logged by it. What works and will disappoint, such as a plain-http public URL, is told
    /// by [`IiifAuth::warnings`].
    ///
    /// # Errors
    ///
    /// All mistakes at once; each says what to change.
    ///
    /// # Example
    ///
    /// ```
    /// use tower_iiif_auth::{AccessService, ConfigError, IiifAuth, Realm};
    ///
    /// let builder = IiifAuth::builder("https://iiif.example")
    ///     .images("/iiif/3")
    ///     .realm(Realm::new().access(AccessService::active("login", "Example Library")));
    /// let mistakes = builder.build().unwrap_err();
    /// assert_eq!(
    ///     mistakes.iter().collect::<Vec<_>>(),
    ///     [&ConfigError::NoKeyring, &ConfigError::NoAuthorizer]
    /// );
    /// ```
    pub fn build(self) -> Result<IiifAuth, ConfigErrors> {
        core::build(&self.given).map(|core| IiifAuth { core: Arc::new(core) })
    }
}

/// Shows nothing of keys and secrets.
impl fmt::Debug for IiifAuthBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IiifAuthBuilder")
            .field("public_url", &self.given.public_url)
            .field("realms", &self.given.realms)
            .finish_non_exhaustive()
    }
}
