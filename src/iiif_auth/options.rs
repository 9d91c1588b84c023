//! The builder, in what few publishers say.

use std::sync::Arc;

use super::builder::IiifAuthBuilder;
use crate::clock::Clock;
use crate::config::{Compatibility, ContentForScripts, ThirdPartyCookies};
use crate::observe::Observation;

impl IiifAuthBuilder {
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
    /// [`Decision::Signed`](crate::authorizer::Decision::Signed). Default: off.
    ///
    /// The probe of a resource that a session opens then says 302 with a `location` below
    /// `{endpoints}/signed`: a URI of this publisher whose path carries, sealed, which resource it opens, for
    /// which session, and until when. It opens that image service with all its images, or that one file with
    /// its ranges, without a cookie: for scripts, native players, downloads, and browsers that block
    /// cookies. Every request below it is decided on anew, so that a logout, a revocation and another answer
    /// of the authorizer's end it at once; else it ends with
    /// [`max_location_lifetime`](crate::Limits::max_location_lifetime), and the next probe gives another. Only a
    /// probe with an access token gets one.
    ///
    /// **Whoever has the link has the resource until it ends**: it stands in the browser's history, and may
    /// be passed on. The wrapped service, logs and observers see the path without it; what logs whole
    /// requests in front of the layers asks [`path_without_capability`](crate::IiifAuth::path_without_capability). A router that lets the
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
}
