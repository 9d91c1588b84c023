//! The configuration file: read as a whole, checked as a whole.
//!
//! Every mistake is told with its line, not the first one only. `proxy.toml` beside the sources is a
//! sample with all keys.

mod access;
mod auth;
mod authorize;
mod base;
mod clients;
mod dialect;
mod manifests;
mod mistakes;
mod network;
mod openid;
mod operation;
mod parse;
mod public;
mod rule;
mod rules_file;
mod scripts;
mod section;
mod settings;
mod single_sign_on;
mod store;
mod text;
mod texts;
mod tls;
mod upstream;
mod upstreams;
mod users;
mod warnings;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

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
pub use texts::FormTexts;
pub use tls::Tls;
pub use upstream::Upstream;
pub use users::{Hash, User, Users};

use crate::dimensions::Dimensions;
use crate::rights::Rules;
use crate::upstream::Servers;
use mistakes::Collector;
use operation::Operation;
use section::Section;
use settings::Settings;
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
    /// What was said of it, to tell whether it has changed.
    pub(crate) store_as_given: Option<u64>,
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
    /// How long a form may take to come in.
    pub form_timeout: Duration,
    /// What stands on the page with the form.
    pub form_texts: FormTexts,
    /// What works, and is not what is wanted.
    pub warnings: Vec<Mistake>,
    /// The file that was loaded, if it was one.
    pub(crate) file: Option<PathBuf>,
    /// When it began to be read.
    pub(crate) read_at: SystemTime,
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
        let read_at = SystemTime::now();
        let text = std::fs::read_to_string(path)?;
        let config = Self::read(&text, path.parent().unwrap_or(Path::new(".")))?;
        Ok(Self { file: Some(path.to_owned()), read_at, ..config })
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
        let config = mistakes.finish(config)?;
        Ok(Self { store_as_given: operation::store_as_given(text, folder), ..config })
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

/// What stands in the file, table by table.
struct Tables {
    /// Proxies in front, as they were written.
    proxies: Vec<String>,
    upstreams: Vec<Upstream>,
    operation: Operation,
    bases: Vec<Base>,
    active_paths: Vec<Pattern>,
    settings: Settings,
    manifests: Vec<manifests::Described>,
    accesses: Vec<access::Access>,
}

impl Tables {
    fn read(section: &mut Section<'_, '_>, folder: &Path) -> Self {
        let proxies = network::ranges(section, "trusted_proxies");
        let (upstreams, named) = upstreams(section, folder);
        let operation = Operation::read(section, folder);
        let bases = section.sections("base").into_iter();
        let bases = bases.filter_map(|own| base::read(own, &named)).collect();
        let active_paths = section.list("insecure_active_paths").into_iter();
        let active_paths = active_paths.map(|own| Pattern::from(own.value.as_str())).collect();
        let settings = Settings::read(section, folder, &named);
        let around = access::Surroundings {
            endpoints: &settings.endpoints,
            public_url: settings.public_url.as_deref().unwrap_or("https://unknown.invalid"),
            folder,
            trusted_proxies: &proxies,
        };
        let manifests = section.sections("manifests").into_iter();
        let manifests = manifests.filter_map(manifests::read).collect();
        let accesses = section.sections("access").into_iter();
        let accesses = accesses.filter_map(|own| access::read(own, &around)).collect();
        Self { proxies, upstreams, operation, bases, active_paths, settings, manifests, accesses }
    }

    /// The layers, and what the proxy itself goes by.
    fn config(
        self,
        servers: Vec<Arc<Servers>>,
        (rules, external): (Vec<rule::Rule>, Option<Arc<dyn Authorizer>>),
        mistakes: &mistakes::Collector<'_>,
    ) -> Option<Config> {
        let Self { upstreams, operation, bases, settings, accesses, .. } = self;
        let trusted_proxies = TrustedProxies::new(self.proxies.iter().map(String::as_str));
        let trusted_proxies = mistakes.check(&(0..0), trusted_proxies);
        let (public_url, endpoints) = (settings.public_url.clone(), settings.endpoints.clone());
        let (public_paths, form_timeout) = (settings.public_paths.clone(), settings.form_timeout);
        let form_texts = settings.form_texts.clone();
        let logins = accesses.iter().filter_map(|access| access.login.clone()).collect();
        let counting_roles = counting_roles(&upstreams, &rules, external.is_some());
        let hand_on_session = upstreams.iter().any(Upstream::wants_session);
        let rules = Rules::new(rules.into_iter().map(|own| own.says).collect(), external);
        let given = auth::Given { manifests: self.manifests, accesses, rules, hand_on_session };
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
            active_paths: self.active_paths,
            public_paths,
            logins,
            counting_roles,
            store: operation.store,
            store_as_given: None,
            forward_auth: operation.forward_auth,
            admin: operation.admin,
            log: operation.log,
            shutdown_timeout: operation.shutdown_timeout,
            shutdown_delay: operation.shutdown_delay,
            reload_interval: operation.reload_interval,
            write_timeout: operation.write_timeout,
            form_timeout,
            form_texts,
            warnings: mistakes.warnings(),
            file: None,
            read_at: SystemTime::now(),
            files: mistakes.files(),
            auth: auth?,
        })
    }
}

/// The roles that some rule names, unless somebody is told of all.
fn counting_roles(
    upstreams: &[Upstream],
    rules: &[rule::Rule],
    is_asked: bool,
) -> Option<HashSet<String>> {
    let told_all = is_asked || upstreams.iter().any(|own| own.roles_header.is_some());
    (!told_all).then(|| rules.iter().flat_map(|own| own.roles.iter().cloned()).collect())
}

fn read(mut section: Section<'_, '_>, folder: &Path) -> Option<Config> {
    let mistakes = section.mistakes;
    let tables = Tables::read(&mut section, folder);
    let Tables { upstreams, bases, settings, .. } = &tables;
    let public_url = settings.public_url.as_deref().unwrap_or_default();
    let servers: Vec<_> = upstreams.iter().map(|own| Arc::new(Servers::new(own.clone()))).collect();
    let dimensions =
        (!servers.is_empty()).then(|| Arc::new(Dimensions::new(&servers, public_url, bases)));
    let rights = rights(&mut section, folder, dimensions.as_ref(), public_url);
    section.finish();
    warnings::find(&warnings::Given {
        settings,
        bases,
        accesses: &tables.accesses,
        rules: &rights.0,
        has_front: !tables.proxies.is_empty() || tables.operation.tls.is_some(),
        mistakes,
    });
    tables.config(servers, rights, mistakes)
}
