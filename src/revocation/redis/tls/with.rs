//! TLS by rustls.

use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::revocation::redis::StoreError;

/// Certificates of one's own, PEM.
#[derive(Clone, Default)]
pub(in crate::revocation::redis) struct Certificates {
    /// Of authorities. Without it the system's.
    pub(in crate::revocation::redis) authorities: Option<Vec<u8>>,
    /// A chain and its private key, by which a server knows this client.
    pub(in crate::revocation::redis) own: Option<(Vec<u8>, Vec<u8>)>,
}

impl Certificates {
    pub(in crate::revocation::redis) fn is_given(&self) -> bool {
        self.authorities.is_some() || self.own.is_some()
    }

    fn roots(&self) -> Result<RootCertStore, StoreError> {
        let (found, whose) = match &self.authorities {
            Some(pem) => (chain(pem, "the authorities")?, "the authorities have"),
            None => (rustls_native_certs::load_native_certs().certs, "the system has"),
        };
        let mut roots = RootCertStore::empty();
        // Of many some may be of no use; none at all is nobody to trust.
        let (added, _) = roots.add_parsable_certificates(found);
        if added == 0 {
            return Err(wrong(&format!("{whose} no certificate by which a server could be known")));
        }
        Ok(roots)
    }
}

/// What makes TLS of a connection.
pub(in crate::revocation::redis) struct Tls(TlsConnector);

impl Tls {
    pub(in crate::revocation::redis) fn new(given: &Certificates) -> Result<Self, StoreError> {
        // By name: a process may have several providers, and then there is no default.
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|_| wrong("no version of TLS is there"))?
            .with_root_certificates(given.roots()?);
        let config = match &given.own {
            None => config.with_no_client_auth(),
            Some((certificates, key)) => {
                let certificates = chain(certificates, "the client certificate")?;
                // No cause: it could quote the key.
                let key = PrivateKeyDer::from_pem_slice(key)
                    .map_err(|_| wrong("the key of the client certificate is no PEM key"))?;
                let fits = config.with_client_auth_cert(certificates, key);
                fits.map_err(|_| wrong("the client certificate and its key do not fit"))?
            }
        };
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    pub(in crate::revocation::redis) async fn over(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        self.0.connect(name, stream).await
    }
}

fn wrong(what: &str) -> StoreError {
    StoreError::Certificates(what.to_owned())
}

fn chain(pem: &[u8], whose: &str) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(|| {
        wrong(&format!("{whose} hold no PEM certificate, or one that cannot be read"))
    })
}
