//! TLS: the server's certificate is always verified.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::url::Address;

/// A connector that trusts the certificates in `sslrootcert`, or else those of the system.
///
/// # Errors
/// If there are no certificates to trust.
pub(super) fn connector(address: &Address) -> Result<MakeRustlsConnect, String> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = &address.root {
        let shown = path.display();
        let read = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| format!("cannot read the certificates in {shown}: {error}"))?;
        let (added, _) = roots.add_parsable_certificates(read);
        if added == 0 {
            return Err(format!("{shown} holds no certificate: set sslrootcert to a PEM file"));
        }
    } else if address.hosts.iter().any(|host| host.get_ssl_mode() != SslMode::Disable) {
        // Reading the system's certificates takes milliseconds. A socket or `sslmode=disable` needs none.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("cannot use TLS: {error}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
