use super::*;
use crate::{stage::Stage, tls};
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::path::Path;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{TlsAcceptor, TlsConnector, client};

fn connector(folder: &Path) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(folder.join("domain/ca/ca.pem")).unwrap();
    roots.add(authority).unwrap();
    let certificate = CertificateDer::from_pem_file(folder.join("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![certificate], key)
        .unwrap();
    TlsConnector::from(Arc::new(config))
}

/// Both ends of a real connection.
async fn connected(stage: &Stage) -> (Line, client::TlsStream<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(tls::config(&stage.folder.path().join("domain")).unwrap());
    let accepting = async {
        let stream = listener.accept().await.unwrap().0;
        Line::new(acceptor.accept(stream).await.unwrap())
    };
    let connecting = async {
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connector = connector(stage.folder.path());
        connector.connect(name, stream).await.unwrap()
    };
    tokio::join!(accepting, connecting)
}

#[tokio::test]
async fn a_line_knows_the_certificate_at_its_other_end() {
    let stage = Stage::set().await;
    let (line, _client) = connected(&stage).await;
    assert_eq!(line.connect_info().certificate(), Some(&*stage.certificate));
}

#[tokio::test]
async fn what_waits_for_a_slow_reader_never_leaves_a_severed_line() {
    let stage = Stage::set().await;
    let (mut line, mut client) = connected(&stage).await;
    let peer = line.connect_info();
    // More than all buffers on the way hold, and nobody reads.
    let writing = tokio::spawn(async move {
        let mut written = 0u64;
        let error = loop {
            match line.write(&[7; 1 << 16]).await {
                Ok(more) => written += more as u64,
                Err(error) => break error,
            }
        };
        (written, error.kind())
    });
    while !peer.is_backed_up() {
        tokio::task::yield_now().await;
    }
    peer.sever();
    let (written, why) = writing.await.unwrap();
    assert_eq!(why, io::ErrorKind::ConnectionAborted);
    let (mut read, mut buffer) = (0u64, vec![0; 1 << 16]);
    let broken = loop {
        match client.read(&mut buffer).await {
            Ok(0) => break false,
            Ok(more) => read += more as u64,
            Err(_) => break true,
        }
    };
    assert!(broken, "the connection ended as if all had been sent");
    assert!(read < written, "{read} of {written} bytes arrived");
}

#[tokio::test]
async fn a_line_that_is_read_is_not_backed_up() {
    let stage = Stage::set().await;
    let (mut line, mut client) = connected(&stage).await;
    line.write_all(b"hello").await.unwrap();
    line.flush().await.unwrap();
    let mut buffer = [0; 5];
    client.read_exact(&mut buffer).await.unwrap();
    assert!(!line.connect_info().is_backed_up());
    line.connect_info().sever();
    assert!(line.read(&mut buffer).await.is_err());
}
