//! The configuration file: read as a whole, checked as a whole.
//!
//! Every mistake is told with its line, not the first one only. `proxy.toml` beside the sources is a
//! sample with all keys.

mod access;
mod auth;
mod authorize;
mod base;
mod dialect;
mod manifests;
mod mistakes;
mod network;
mod openid;
mod parse;
mod public;
mod rule;
mod rules_file;
mod scripts;
mod section;
mod single_sign_on;
mod store;
mod text;
mod tls;
mod upstream;
mod upstreams;
mod users;
mod warnings;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use toml::de::DeTable;
use tower_iiif_auth::aspect::TrustedProxies;
use tower_iiif_auth::authorizer::Authorizer;
use tower_iiif_auth::observe::Observation;
use tower_iiif_auth::resource::Pattern;
use tower_iiif_auth::revocation::Revocations;
use tower_iiif_auth::{ConfigErrors, IiifAuth};

pub use crate::upstream::Address;
pub use access::{Login, LoginKind};
pub use base::{Base, Kind};
pub use mistakes::{Mistake, Mistakes};
pub use network::{AccessLog, ForwardAuth, Front, Log, LogFormat};
pub use public::PublicPath;
pub use store::Store;
pub use tls::Tls;
pub use upstream::Upstream;
pub use users::{Hash, User, Users};

use crate::dimensions::Dimensions;
use crate::rights::Rules;
use crate::upstream::Servers;
use mistakes::Collector;
use section::Section;
use upstreams::Named;

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
    /// How the proxy itself ends TLS.
    pub tls: Option<Tls>,
    /// The image servers.
    pub upstreams: Vec<Upstream>,
    pub(crate) servers: Vec<Arc<Servers>>,
    /// What is protected.
    pub bases: Vec<Base>,
    /// Those public paths whose pages may run in browsers as pages of this site.
    pub active_paths: Vec<Pattern>,
    /// What is open to everyone, though below no base.
    pub public_paths: Vec<PublicPath>,
    /// Logins that the proxy itself answers.
    pub logins: Vec<Login>,
    /// The roles that count for a session, so that it stays small: those that a rule names. `None` where
    /// somebody else is told of all.
    pub counting_roles: Option<HashSet<String>>,
    /// Who was logged out, where several proxies serve the same users.
    pub store: Option<Store>,
    /// The listener that answers a front's question.
    pub forward_auth: Option<ForwardAuth>,
    /// Where metrics and health are told.
    pub admin: Option<SocketAddr>,
    /// What is logged.
    pub log: Log,
    /// How long requests may take to end when the proxy is stopped.
    pub shutdown_timeout: Duration,
    /// How long `/readyz` says that it is over before connections are refused.
    pub shutdown_delay: Duration,
    /// How often it is looked whether a file has changed; never, where it is zero.
    pub reload_interval: Duration,
    /// How long a client may take nothing of an answer.
    pub write_timeout: Duration,
    /// What works, and is not what is wanted.
    pub warnings: Vec<Mistake>,
    /// The file that was loaded, if it was one.
    pub(crate) file: Option<PathBuf>,
    /// The files that were read besides.
    pub(crate) files: Vec<PathBuf>,
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
        let config = Self::read(&text, path.parent().unwrap_or(Path::new(".")))?;
        Ok(Self { file: Some(path.to_owned()), ..config })
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
    /// logout.
    ///
    /// # Errors
    ///
    /// When the system gives no random bytes; everything else is told by [`read`](Self::read).
    pub fn auth(
        &self,
        store: impl Revocations,
        observer: impl Fn(&Observation<'_>) + Send + Sync + 'static,
    ) -> Result<IiifAuth, ConfigErrors> {
        self.auth.builder().observe(observer).revocations(store).build()
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

/// What a server listens on and waits for.
struct Operation {
    listen: Option<SocketAddr>,
    tls: Option<Tls>,
    shutdown_timeout: Duration,
    shutdown_delay: Duration,
    reload_interval: Duration,
    write_timeout: Duration,
    store: Option<Store>,
    forward_auth: Option<ForwardAuth>,
    admin: Option<SocketAddr>,
    log: Log,
}

impl Operation {
    fn read(section: &mut Section<'_, '_>, folder: &Path) -> Self {
        let listen = network::listen(section);
        let mut duration = |key, default: u64, parse: fn(&str) -> Result<Duration, String>| {
            let found = section.parsed(key, parse);
            found.map_or(Duration::from_secs(default), |found| found.value)
        };
        let shutdown_timeout = duration("shutdown_timeout", 30, parse::duration);
        let shutdown_delay = duration("shutdown_delay", 0, parse::duration_or_none);
        let reload_interval = duration("reload_interval", 2, parse::duration_or_none);
        let write_timeout = duration("write_timeout", 60, parse::duration);
        let tls = section.section("tls").and_then(|own| tls::read(own, folder));
        let store = section.section("store").map(|own| store::read(own, folder));
        let forward_auth = section.section("forward_auth").and_then(network::forward_auth);
        let admin = section.section("admin").and_then(|mut admin| {
            let listen = network::listen(&mut admin);
            admin.finish();
            listen
        });
        let log = section.section("log").map(network::log).unwrap_or_default();
        Self {
            listen,
            tls,
            shutdown_timeout,
            shutdown_delay,
            reload_interval,
            write_timeout,
            store,
            forward_auth,
            admin,
            log,
        }
    }
}

/// The image servers, and by which names they are meant.
fn upstreams(section: &mut Section<'_, '_>, folder: &Path) -> (Vec<Upstream>, Named) {
    let mistakes = section.mistakes;
    if !section.has("upstream") {
        mistakes.add(&section.span, "[upstream] is missing: give it the url of the image server");
    }
    let sections = section.one_or_sections("upstream");
    let count = sections.len();
    let upstreams: Vec<_> =
        sections.into_iter().filter_map(|own| upstream::read(own, folder)).collect();
    let named = Named::new(&upstreams, upstreams.len() < count || count == 0, mistakes);
    (upstreams, named)
}

/// Where days begin and hours are counted.
fn zone(section: &mut Section<'_, '_>) -> TimeZone {
    let named = section.parsed("time_zone", |text| {
        TimeZone::get(text).map_err(|_| {
            format!("{text:?} is no time zone: write it like \"Europe/Berlin\" or \"UTC\"")
        })
    });
    named.map_or_else(TimeZone::system, |found| found.value)
}

/// The rules in order, and who decides what none of them does.
fn rights(
    section: &mut Section<'_, '_>,
    folder: &Path,
    dimensions: Option<&Arc<Dimensions>>,
    public_url: &str,
) -> (Vec<rule::Rule>, Option<Arc<dyn Authorizer>>) {
    let zone = zone(section);
    let with = rule::With { dimensions, zone: &zone };
    let mut rules = rules_file::read(section, folder, with);
    let own = section.sections("rule").into_iter();
    rules.extend(own.filter_map(|own| rule::read(own, with)));
    let external = authorize::read(section, folder, public_url);
    (rules, external.map(|own| Arc::new(own) as Arc<dyn Authorizer>))
}

/// Long, as each line is one table of the file or one field of what is made of them.
fn read(mut section: Section<'_, '_>, folder: &Path) -> Option<Config> {
    let mistakes = section.mistakes;
    let proxies = network::ranges(&mut section, "trusted_proxies");
    let trusted_proxies = TrustedProxies::new(proxies.iter().map(String::as_str));
    let trusted_proxies = mistakes.check(&(0..0), trusted_proxies);
    let (upstreams, named) = upstreams(&mut section, folder);
    let operation = Operation::read(&mut section, folder);
    let bases = section.sections("base").into_iter();
    let bases: Vec<_> = bases.filter_map(|own| base::read(own, &named)).collect();
    let active_paths = section.list("insecure_active_paths").into_iter();
    let active_paths = active_paths.map(|own| Pattern::from(own.value.as_str())).collect();
    let settings = auth::Settings::read(&mut section, folder, &named);

    let around = access::Surroundings {
        endpoints: &settings.endpoints,
        public_url: settings.public_url.as_deref().unwrap_or("https://unknown.invalid"),
        folder,
        trusted_proxies: &proxies,
    };
    let manifests = section.sections("manifests").into_iter();
    let manifests = manifests.filter_map(manifests::read).collect();
    let accesses = section.sections("access");
    let accesses: Vec<_> =
        accesses.into_iter().filter_map(|own| access::read(own, &around)).collect();
    let servers: Vec<_> = upstreams.iter().map(|own| Arc::new(Servers::new(own.clone()))).collect();
    let dimensions = (!servers.is_empty()).then(|| {
        let public_url = settings.public_url.as_deref().unwrap_or_default();
        Arc::new(Dimensions::new(&servers, public_url, &bases))
    });
    let url = settings.public_url.as_deref().unwrap_or_default();
    let (rules, external) = rights(&mut section, folder, dimensions.as_ref(), url);
    section.finish();
    warnings::find(&warnings::Given {
        settings: &settings,
        bases: &bases,
        accesses: &accesses,
        rules: &rules,
        has_front: !proxies.is_empty() || operation.tls.is_some(),
        mistakes,
    });

    let (public_url, endpoints) = (settings.public_url.clone(), settings.endpoints.clone());
    let public_paths = settings.public_paths.clone();
    let logins = accesses.iter().filter_map(|access| access.login.clone()).collect();
    let hand_on_session = upstreams.iter().any(Upstream::wants_session);
    let told_all = external.is_some() || upstreams.iter().any(|own| own.roles_header.is_some());
    let counting_roles =
        (!told_all).then(|| rules.iter().flat_map(|own| own.roles.iter().cloned()).collect());
    let rules = rules.into_iter().map(|own| own.says).collect();
    let rules = Rules::new(rules, external);
    let given = auth::Given { manifests, accesses, rules, hand_on_session };
    let auth = auth::Parts::check(settings, &bases, given, mistakes);
    Some(Config {
        listen: operation.listen?,
        public_url: public_url?.trim_end_matches('/').to_owned(),
        endpoints,
        trusted_proxies: trusted_proxies?,
        tls: operation.tls,
        upstreams,
        servers,
        bases,
        active_paths,
        public_paths,
        logins,
        counting_roles,
        store: operation.store,
        forward_auth: operation.forward_auth,
        admin: operation.admin,
        log: operation.log,
        shutdown_timeout: operation.shutdown_timeout,
        shutdown_delay: operation.shutdown_delay,
        reload_interval: operation.reload_interval,
        write_timeout: operation.write_timeout,
        warnings: mistakes.warnings(),
        file: None,
        files: mistakes.files(),
        auth: auth?,
    })
}
