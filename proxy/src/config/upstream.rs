//! `[upstream]`: the image server behind the proxy; with `[[upstream]]` several, each with a name.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use http::uri::PathAndQuery;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::mistakes::{Collector, Span};
use super::parse;
use super::section::{Found, Section};
use crate::upstream::Address;

/// An image server behind the proxy, or several that have the same images.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// By what bases and public paths name it; empty for the one that they mean without a name.
    pub name: String,
    /// Where it listens; of several each is asked in turn.
    pub servers: Vec<Address>,
    /// What `Host` it is sent; by default its own authority.
    pub host: Option<http::HeaderValue>,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long until the head of an answer.
    pub header_timeout: Duration,
    /// How long a body, of a request or of an answer, may stand still.
    pub idle_timeout: Duration,
    /// How long an unused connection is kept: less than the image server keeps it, which with many is
    /// 5 seconds.
    pub keep_alive: Duration,
    /// The header in which it is told who asks: the name of the user.
    pub user_header: Option<HeaderName>,
    /// The header with the user's roles, separated by commas. A comma in a role, a `%`, controls and what
    /// is not ASCII are percent-encoded, as in the name of the user.
    pub roles_header: Option<HeaderName>,
    /// What `/readyz` asks it for; without one, a connection is enough.
    pub health_path: Option<PathAndQuery>,
    /// By which certificates an https server is known.
    pub(crate) tls: Arc<rustls::ClientConfig>,
    pub(super) span: Span,
}

impl Upstream {
    /// Something else that is asked, at one address.
    pub(super) fn plain(address: Address, tls: Arc<rustls::ClientConfig>) -> Self {
        Self {
            name: String::new(),
            servers: vec![address],
            host: None,
            connect_timeout: Duration::from_secs(5),
            header_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(60),
            keep_alive: Duration::from_secs(4),
            user_header: None,
            roles_header: None,
            health_path: None,
            tls,
            span: 0..0,
        }
    }

    /// Whether it is told who asks.
    #[must_use]
    pub fn wants_session(&self) -> bool {
        self.user_header.is_some() || self.roles_header.is_some()
    }
}

pub(super) fn read(mut section: Section<'_, '_>, folder: &Path) -> Option<Upstream> {
    let mistakes = section.mistakes;
    let name = section.optional::<String>("name").map(|found| found.value).unwrap_or_default();
    let mut servers = Vec::new();
    let urls = section.one_or_list("url");
    for Found { value, span } in urls {
        let address = Address::parse(&value).map_err(|error| format!("url: {error}"));
        servers.extend(mistakes.check(&span, address));
    }
    let host = section.parsed("host", str::parse::<http::HeaderValue>);
    let mut duration = |key, default: u64| {
        let found = section.parsed(key, parse::duration);
        found.map_or(Duration::from_secs(default), |found| found.value)
    };
    let connect_timeout = duration("connect_timeout", 5);
    let header_timeout = duration("header_timeout", 60);
    let idle_timeout = duration("idle_timeout", 60);
    let keep_alive = duration("keep_alive", 4);
    let user_header = section.parsed("user_header", parse::header_name);
    let roles_header = section.parsed("roles_header", parse::header_name);
    let health_path = section.parsed("health_path", |text| {
        let path = text.parse::<PathAndQuery>().ok().filter(|_| text.starts_with('/'));
        path.ok_or_else(|| format!("{text:?} is no path: write it like \"/health\""))
    });
    let ca_file = section.optional::<String>("ca_file");
    let is_https = servers.iter().any(Address::is_https);
    let tls = roots(ca_file.as_ref(), is_https, &section, folder);
    let span = section.span.clone();
    section.finish();
    if servers.is_empty() {
        return None;
    }
    Some(Upstream {
        name,
        servers,
        host: host.map(|found| found.value),
        connect_timeout,
        header_timeout,
        idle_timeout,
        keep_alive,
        user_header: user_header.map(|found| found.value),
        roles_header: roles_header.map(|found| found.value),
        health_path: health_path.map(|found| found.value),
        tls: Arc::new(mistakes.check(&span, client(tls?))?),
        span,
    })
}

/// The certificates by which an https server is known: of the file, or of the system.
fn roots(
    ca_file: Option<&Found<String>>,
    is_https: bool,
    section: &Section<'_, '_>,
    folder: &Path,
) -> Option<RootCertStore> {
    let mistakes = section.mistakes;
    let mut roots = RootCertStore::empty();
    if let Some(Found { value, span }) = ca_file {
        if !is_https {
            mistakes.add(span, "ca_file has no meaning without an https url");
            return None;
        }
        let path = folder.join(value);
        mistakes.reads(&path);
        let shown = path.display();
        let read = CertificateDer::pem_file_iter(&path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| format!("ca_file {shown} cannot be read: {error}"));
        let (added, _) = roots.add_parsable_certificates(mistakes.check(span, read)?);
        if added == 0 {
            mistakes.add(span, format!("ca_file {shown} has no certificate"));
            return None;
        }
    } else if is_https {
        return of_system(&section.span, mistakes);
    }
    Some(roots)
}

fn of_system(span: &Span, mistakes: &Collector<'_>) -> Option<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let message = "the system has no certificates by which an https server is known: install \
                       ca-certificates, or name a ca_file";
        mistakes.add(span, message);
        return None;
    }
    Some(roots)
}

/// As a client that goes by the system's authorities, if https is spoken at all.
pub(super) fn tls_of(
    address: &Address,
    span: &Span,
    mistakes: &Collector<'_>,
) -> Option<Arc<rustls::ClientConfig>> {
    let roots =
        if address.is_https() { of_system(span, mistakes)? } else { RootCertStore::empty() };
    Some(Arc::new(mistakes.check(span, client(roots))?))
}

fn client(roots: RootCertStore) -> Result<rustls::ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
