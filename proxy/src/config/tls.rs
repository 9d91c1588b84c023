//! `[tls]`: the proxy ends TLS itself.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::parse;
use super::section::{Found, Section};

/// How the proxy itself ends TLS.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Where plain http is answered with a redirect to `public_url`.
    pub redirect_from: Option<SocketAddr>,
    /// How long browsers shall ask for this host by https alone.
    pub hsts: Option<Duration>,
    pub(crate) server: Arc<ServerConfig>,
}

pub(super) fn read(mut section: Section<'_, '_>, folder: &Path) -> Option<Tls> {
    let mistakes = section.mistakes;
    let certificates = section.required::<String>("certificate_file");
    let key = section.required::<String>("key_file");
    let redirect_from = section.parsed("redirect_from", parse::socket);
    let hsts = section.parsed("hsts", |text| {
        humantime::parse_duration(text)
            .map_err(|_| format!("{text:?} is no time: write it like \"365d\""))
    });
    let span = section.span.clone();
    section.finish();

    let certificates = certificates.and_then(|Found { value, span }| {
        let path = folder.join(value);
        mistakes.reads(&path);
        let read = CertificateDer::pem_file_iter(&path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| {
                format!("certificate_file {} cannot be read: {error}", path.display())
            });
        mistakes.check(&span, read)
    });
    let key = key.and_then(|Found { value, span }| {
        let path = folder.join(value);
        mistakes.reads_secret(&span, &path);
        let read = PrivateKeyDer::from_pem_file(&path)
            .map_err(|error| format!("key_file {} cannot be read: {error}", path.display()));
        mistakes.check(&span, read)
    });
    let server = server(certificates?, key?)
        .map_err(|error| format!("certificate_file and key_file do not go together: {error}"));
    Some(Tls {
        redirect_from: redirect_from.map(|found| found.value),
        hsts: hsts.map(|found| found.value),
        server: Arc::new(mistakes.check(&span, server)?),
    })
}

fn server(
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
    let mut server = builder.with_single_cert(certificates, key)?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(server)
}
