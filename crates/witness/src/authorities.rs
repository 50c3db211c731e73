//! Which servers are believed to be who they say.

use crate::Unwitnessed;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use std::path::Path;
use std::sync::Arc;

/// What believes the certificates that the authorities in a PEM file vouch for, over TLS 1.2 or 1.3.
///
/// # Errors
/// [`Unwitnessed::Malformed`] if the file holds no certificates.
pub fn believing(authorities: &Path) -> Result<Arc<ClientConfig>, Unwitnessed> {
    let unusable = |why: &dyn std::fmt::Display| {
        let what = format!(
            "the certificate authorities `{}`: {why}",
            authorities.display()
        );
        Unwitnessed::Malformed { what }
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(authorities).map_err(|why| unusable(&why))? {
        let certificate = certificate.map_err(|why| unusable(&why))?;
        roots.add(certificate).map_err(|why| unusable(&why))?;
    }
    if roots.is_empty() {
        return Err(unusable(&"there is no certificate in it"));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|why| unusable(&why))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
