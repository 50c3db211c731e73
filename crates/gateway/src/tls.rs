//! Who may connect: TLS 1.3 with a client certificate of the domain's own authority, no resumption.

use rustls::{
    RootCertStore, ServerConfig,
    server::{NoServerSessionStorage, WebPkiClientVerifier},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::{path::Path, sync::Arc};

/// The TLS files of a domain cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the domain's TLS files in `ca/`: {0}")]
pub struct Unusable(String);

/// The server's configuration from a domain's folder.
///
/// A resumed session would skip the certificate check, so none is stored and no ticket is sent.
pub(crate) fn config(dir: &Path) -> Result<Arc<ServerConfig>, Unusable> {
    let unusable = |error: &dyn std::fmt::Display| Unusable(error.to_string());
    let ca = dir.join("ca");
    let authority = CertificateDer::from_pem_file(ca.join("ca.pem")).map_err(|e| unusable(&e))?;
    let mut roots = RootCertStore::empty();
    roots.add(authority).map_err(|error| unusable(&error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|error| unusable(&error))?;
    let server = CertificateDer::from_pem_file(ca.join("server.pem")).map_err(|e| unusable(&e))?;
    let key = PrivateKeyDer::from_pem_file(ca.join("server-key.pem")).map_err(|e| unusable(&e))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| unusable(&error))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![server], key)
        .map_err(|error| unusable(&error))?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}
