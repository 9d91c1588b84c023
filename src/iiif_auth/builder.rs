//! The builder: what a publisher says, one setter for each.

use std::fmt;
use std::sync::Arc;

use crate::authorizer::{AccessRequest, Authorizer, IntoDecision, from_fn};
use crate::config::{ConfigErrors, Limits, Manifests, OriginPolicy, Realm, Texts};
use crate::core::{self, Given};
use crate::iiif_auth::IiifAuth;
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
    pub(super) given: Given,
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
