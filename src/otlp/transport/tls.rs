//! TLS for a destination: rustls, its cryptography (ring) named here and not taken from the process.

use super::super::settings::Way;
use crate::Error;
use rustls::{
    ClientConfig, ConfigBuilder, RootCertStore,
    client::WantsClientCert,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt;
use std::{path::Path, sync::Arc};

/// What a connection to this place goes by. `is_https` says whether there will be any TLS at all: without, no roots are
/// looked for, which not every system has.
pub(super) fn config(way: &Way, is_https: bool, protocol: &str) -> Result<ClientConfig, Error> {
    let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|source| Error::config("TLS of an OTLP destination").with_source(source))?;
    let builder = match &way.authority {
        _ if !is_https => builder.with_root_certificates(RootCertStore::empty()),
        Some(path) => builder.with_root_certificates(roots(path)?),
        None => builder.with_platform_verifier().map_err(|source| {
            Error::config("TLS of an OTLP destination: the system's certificates; a file of your own is accepted too")
                .with_source(source)
        })?,
    };
    let mut config = with_client(builder, way)?;
    // Each transport speaks one version of HTTP, so that is the one to agree on (RFC 7301).
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    Ok(config)
}

fn with_client(builder: ConfigBuilder<ClientConfig, WantsClientCert>, way: &Way) -> Result<ClientConfig, Error> {
    let (Some(certificate), Some(key)) = (&way.certificate, &way.key) else {
        return Ok(builder.with_no_client_auth());
    };
    // No source: it could hold a piece of the key.
    let private = PrivateKeyDer::from_pem_file(key).map_err(|_| unreadable("client key", key))?;
    let chain = certificates("client certificate", certificate)?;
    builder.with_client_auth_cert(chain, private).map_err(|source| {
        Error::config("client certificate and key of an OTLP destination: a pair is accepted").with_source(source)
    })
}

fn roots(path: &Path) -> Result<RootCertStore, Error> {
    let mut store = RootCertStore::empty();
    for certificate in certificates("CA certificate", path)? {
        store.add(certificate).map_err(|source| unreadable("CA certificate", path).with_source(source))?;
    }
    Ok(store)
}

fn certificates(what: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let all = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let all = all.map_err(|source| unreadable(what, path).with_source(source))?;
    if all.is_empty() { Err(unreadable(what, path)) } else { Ok(all) }
}

fn unreadable(what: &str, path: &Path) -> Error {
    Error::config(format!("{what} of an OTLP destination, {}: a file in PEM is accepted", path.display()))
}
