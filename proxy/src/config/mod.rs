//! The configuration file: read as a whole, checked as a whole.
//!
//! Every mistake is told with its line, not the first one only. `proxy.toml` beside the sources is a
//! sample with all keys.

mod access;
mod auth;
mod base;
mod dialect;
mod manifests;
mod mistakes;
mod network;
mod parse;
mod public;
mod rule;
mod section;
mod store;
mod text;
mod upstream;
mod users;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use toml::de::DeTable;
use tower_iiif_auth::aspect::TrustedProxies;
use tower_iiif_auth::observe::Observation;
use tower_iiif_auth::resource::Pattern;
use tower_iiif_auth::revocation::Redis;
use tower_iiif_auth::{ConfigErrors, IiifAuth};

pub use access::{Login, LoginKind};
pub use base::{Base, Kind};
pub use mistakes::{Mistake, Mistakes};
pub use network::{ForwardAuth, Log, LogFormat};
pub use public::PublicPath;
pub use store::Store;
pub use upstream::Upstream;
pub use users::{Hash, User, Users};

use crate::dimensions::Dimensions;
use mistakes::Collector;
use section::Section;

/// A configuration without a mistake.
pub struct Config {
    /// Where the proxy listens.
    pub listen: SocketAddr,
    /// What browsers type, without a slash at its end.
    pub public_url: String,
    /// The path below which the services lie.
    pub endpoints: String,
    /// Proxies in front, whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
    /// The image server.
    pub upstream: Upstream,
    /// What is protected.
    pub bases: Vec<Base>,
    /// Those public paths whose pages may run in browsers as pages of this site.
    pub active_paths: Vec<Pattern>,
    /// What is open to everyone, though below no base.
    pub public_paths: Vec<PublicPath>,
    /// Logins that the proxy itself answers.
    pub logins: Vec<Login>,
    /// Who was logged out, where several proxies serve the same users.
    pub store: Option<Store>,
    /// The listener that answers nginx's `auth_request`.
    pub forward_auth: Option<ForwardAuth>,
    /// Where metrics and health are told.
    pub admin: Option<SocketAddr>,
    /// What is logged.
    pub log: Log,
    /// How long requests may take to end when the proxy is stopped.
    pub shutdown_timeout: std::time::Duration,
    /// What works, and is not what is wanted.
    pub warnings: Vec<Mistake>,
    auth: auth::Parts,
}

impl Config {
    /// Reads a file. Paths in it are relative to its folder.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or [`Mistakes`].
    pub fn load(path: &Path) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let text = std::fs::read_to_string(path)?;
        Ok(Self::read(&text, path.parent().unwrap_or(Path::new(".")))?)
    }

    /// Reads the text of a file that lies in `folder`.
    ///
    /// # Errors
    ///
    /// Every mistake, with its line.
    pub fn read(text: &str, folder: &Path) -> Result<Self, Mistakes> {
        let mistakes = Collector::new(text);
        let (table, faults) = DeTable::parse_recoverable(text);
        for fault in &faults {
            mistakes.add(&fault.span().unwrap_or(0..0), fault.message());
        }
        // Of a text that is no TOML only that is sure.
        let config = if faults.is_empty() {
            let section = Section::new("", 0..0, table.into_inner(), &mistakes);
            read(section, folder)
        } else {
            None
        };
        mistakes.finish(config)
    }

    /// The layers of this configuration, which tell `observer` of each decision and `store` of each
    /// logout; without one they remember logouts themselves.
    ///
    /// # Errors
    ///
    /// When the system gives no random bytes; everything else is told by [`read`](Self::read).
    pub fn auth(
        &self,
        store: Option<Redis>,
        observer: impl Fn(&Observation<'_>) + Send + Sync + 'static,
    ) -> Result<IiifAuth, ConfigErrors> {
        let builder = self.auth.builder().observe(observer);
        match store {
            Some(store) => builder.revocations(store).build(),
            None => builder.build(),
        }
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("listen", &self.listen)
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}

fn read(mut section: Section<'_, '_>, folder: &Path) -> Option<Config> {
    let mistakes = section.mistakes;
    let listen = network::listen(&mut section);
    let shutdown = section.parsed("shutdown_timeout", parse::duration);
    let proxies = network::ranges(&mut section, "trusted_proxies");
    let trusted_proxies = TrustedProxies::new(proxies.iter().map(String::as_str));
    let trusted_proxies = mistakes.check(&(0..0), trusted_proxies);
    let upstream = if section.has("upstream") {
        section.section("upstream").and_then(upstream::read)
    } else {
        mistakes.add(&section.span, "[upstream] is missing: give it the url of the image server");
        section.section("upstream");
        None
    };
    let bases: Vec<_> = section.sections("base").into_iter().filter_map(base::read).collect();
    let active_paths = section.list("insecure_active_paths").into_iter();
    let active_paths = active_paths.map(|own| Pattern::from(own.value.as_str())).collect();
    let store = section.section("store").map(|own| store::read(own, folder));
    let forward_auth = section.section("forward_auth").and_then(network::forward_auth);
    let admin = section.section("admin").and_then(|mut admin| {
        let listen = network::listen(&mut admin);
        admin.finish();
        listen
    });
    let log = section.section("log").map(network::log).unwrap_or_default();
    let settings = auth::Settings::read(&mut section, folder);

    let around =
        access::Surroundings { endpoints: &settings.endpoints, folder, trusted_proxies: &proxies };
    let manifests = section.sections("manifests").into_iter();
    let manifests = manifests.filter_map(manifests::read).collect();
    let accesses = section.sections("access");
    let accesses: Vec<_> =
        accesses.into_iter().filter_map(|own| access::read(own, &around)).collect();
    let dimensions = upstream.as_ref().map(|own| Arc::new(Dimensions::new(own, &bases)));
    let rules = section.sections("rule").into_iter();
    let rules = rules.filter_map(|own| rule::read(own, dimensions.as_ref())).collect();
    section.finish();

    let (public_url, endpoints) = (settings.public_url.clone(), settings.endpoints.clone());
    let public_paths = settings.public_paths.clone();
    let logins = accesses.iter().filter_map(|access| access.login.clone()).collect();
    if let Some(url) = settings.public_url.as_deref().filter(|_| proxies.is_empty()) {
        if url.starts_with("https:") {
            let message = "trusted_proxies is missing, though TLS has to end in a front: list its \
                           address, or all its clients are one for the limit of wrong passwords and \
                           for the log, and none of them is in a reading room";
            mistakes.warn(&settings.public_url_span, message);
        }
    }
    let hand_on_session = upstream.as_ref().is_some_and(Upstream::wants_session);
    let given = auth::Given { manifests, accesses, rules, hand_on_session };
    let auth = auth::Parts::check(settings, &bases, given, mistakes);
    Some(Config {
        listen: listen?,
        public_url: public_url?.trim_end_matches('/').to_owned(),
        endpoints,
        trusted_proxies: trusted_proxies?,
        upstream: upstream?,
        bases,
        active_paths,
        public_paths,
        logins,
        store,
        forward_auth,
        admin,
        log,
        shutdown_timeout: shutdown.map_or(std::time::Duration::from_secs(30), |own| own.value),
        warnings: mistakes.warnings(),
        auth: auth?,
    })
}
