//! A certificate authority for one run, and a certificate of it for this machine.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

pub(super) struct Tls {
    pub(super) acceptor: tokio_rustls::TlsAcceptor,
    /// Of the authority.
    pub(super) pem: String,
}

pub(super) fn authority() -> Result<Tls, String> {
    make().map_err(|error| error.to_string())
}

fn make() -> Result<Tls, Box<dyn std::error::Error>> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, "iiif-auth-check, for one run");
    let key = KeyPair::generate()?;
    let authority = params.self_signed(&key)?;
    let issuer = Issuer::new(params, key);
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let own = KeyPair::generate()?;
    let certificate = CertificateParams::new(names)?.signed_by(&own, &issuer)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(certificate.der().to_vec())],
            PrivatePkcs8KeyDer::from(own.serialize_der()).into(),
        )?;
    Ok(Tls { acceptor: Arc::new(config).into(), pem: authority.pem() })
}
