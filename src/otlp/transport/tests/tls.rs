//! TLS: who is believed, who we are, over both protocols, without anything set for the process.

use super::{BODY, Reply, SOON, Signal, open, retried, send};
use crate::otlp::Destination;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::WebPkiClientVerifier,
};
use std::{
    fs,
    io::{BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    sync::Arc,
    thread,
};

/// An authority, and a folder with its certificate, a server's and a client's.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
}

impl Authority {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("spanwright-otlp-tls-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("folder");
        let mut params = CertificateParams::new(Vec::new()).expect("params");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("key")).expect("authority");
        fs::write(folder.join("ca.pem"), issuer.pem()).expect("write");
        Self { issuer, folder }
    }

    /// A certificate and key for a name.
    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().expect("key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("params");
        (params.signed_by(&key, &self.issuer).expect("certificate"), key)
    }

    /// The same in two files.
    fn issue_files(&self, name: &str) -> (PathBuf, PathBuf) {
        let (certificate, key) = self.issue(name);
        let paths = (self.file("client.pem"), self.file("client.key"));
        fs::write(&paths.0, certificate.pem()).expect("write");
        fs::write(&paths.1, key.serialize_pem()).expect("write");
        paths
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).expect("root");
        Arc::new(roots)
    }

    /// A server that this authority vouches for, and that lets in clients which it vouches for too, if that is asked.
    fn server(&self, asks_for_client: bool) -> SocketAddr {
        let (certificate, key) = self.issue("localhost");
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("key");
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
        let config = config.expect("versions");
        let config = match asks_for_client {
            true => {
                let verifier = WebPkiClientVerifier::builder_with_provider(self.roots(), provider).build();
                config.with_client_cert_verifier(verifier.expect("verifier"))
            }
            false => config.with_no_client_auth(),
        };
        serve(config.with_single_cert(chain, key).expect("certificate"))
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn serve(config: ServerConfig) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let (addr, config) = (listener.local_addr().expect("address"), Arc::new(config));
    thread::spawn(move || {
        for tcp in listener.incoming().map_while(Result::ok) {
            let connection = ServerConnection::new(config.clone()).expect("connection");
            thread::spawn(move || attend(StreamOwned::new(connection, tcp)));
        }
    });
    addr
}

fn attend(stream: StreamOwned<ServerConnection, TcpStream>) {
    let mut reader = BufReader::new(stream);
    while super::server::Request::read(&mut reader).is_some() {
        let _ = reader.get_mut().write_all(&super::server::whole(200, "", b""));
    }
}

fn to(addr: SocketAddr) -> Destination {
    Destination::http(format!("https://localhost:{}", addr.port())).timeout(SOON)
}

#[test]
fn who_an_own_authority_vouches_for_is_believed_and_nobody_else() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let server = ours.server(false);
    let mut transport = open(&to(server).ca_certificate(ours.file("ca.pem")));
    assert_eq!(transport.send(Signal::Traces, BODY), Reply::Accepted);
    assert_eq!(transport.send(Signal::Traces, BODY), Reply::Accepted);
    for stranger in [
        to(server).ca_certificate(theirs.file("ca.pem")),
        to(server),
        Destination::http(format!("https://127.0.0.1:{}", server.port())).ca_certificate(ours.file("ca.pem")),
    ] {
        let (_, why) = retried(send(&stranger));
        assert!(why.contains("certificate"), "{why}");
    }
}

#[test]
fn who_must_say_who_we_are_is_told_by_a_certificate() {
    let ours = Authority::new("client");
    let server = ours.server(true);
    let destination = to(server).ca_certificate(ours.file("ca.pem"));
    retried(send(&destination));
    let (certificate, key) = ours.issue_files("client");
    assert_eq!(send(&destination.client_certificate(certificate, key)), Reply::Accepted);
}

#[test]
fn files_that_are_no_certificates_are_told_at_the_start() {
    let ours = Authority::new("files");
    let (certificate, key) = ours.issue_files("client");
    let (_, other_key) = Authority::new("other").issue("client");
    let (empty, letter, wrong) = (ours.file("empty"), ours.file("letter"), ours.file("wrong.key"));
    fs::write(&empty, "").expect("write");
    fs::write(&letter, "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n").expect("write");
    fs::write(&wrong, other_key.serialize_pem()).expect("write");
    let https = Destination::http("https://localhost:1");
    for (bad, said) in [
        (https.clone().ca_certificate(ours.file("missing")), "missing"),
        (https.clone().ca_certificate(&empty), "empty"),
        (https.clone().ca_certificate(&letter), "letter"),
        (https.clone().client_certificate(&certificate, &empty), "client key"),
        (https.clone().client_certificate(&key, &key), "client certificate"),
        (https.client_certificate(&certificate, &wrong), "a pair is accepted"),
    ] {
        let error = bad.transport(Signal::Traces).err().expect(said);
        assert!(error.is_config() && error.to_string().contains(said), "{error}");
        assert!(!error.to_string().contains("PRIVATE"), "{error}");
    }
}

#[cfg(feature = "otlp-grpc")]
#[test]
fn grpc_goes_over_tls_too() {
    use super::{grpc::Keeping, grpc_server::GrpcServer};
    use tonic::transport::{Identity, Server, ServerTlsConfig};
    let ours = Authority::new("grpc");
    let (certificate, key) = ours.issue("localhost");
    let identity = Identity::from_pem(certificate.pem(), key.serialize_pem());
    let builder = Server::builder().tls_config(ServerTlsConfig::new().identity(identity)).expect("tls");
    let kept = Keeping::default();
    let server = GrpcServer::otlp(builder, kept.clone());
    // Without a scheme it is TLS.
    let destination = Destination::grpc(format!("localhost:{}", server.addr().port())).timeout(SOON);
    retried(send(&destination));
    assert_eq!(open(&destination.ca_certificate(ours.file("ca.pem"))).send(Signal::Traces, b""), Reply::Accepted);
    assert_eq!(kept.0.lock().expect("lock").len(), 1);
}
