use super::*;
use rustls::{RootCertStore, server::WebPkiClientVerifier};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject};
use std::{os::unix::fs::PermissionsExt, sync::Arc, time::Duration};
use x509_parser::{
    extensions::GeneralName,
    prelude::{FromDer, X509Certificate},
};

fn now() -> DateTime<Utc> {
    "2026-11-21T09:00:00Z".parse().unwrap()
}

fn ann() -> Person {
    let person = serde_json::json!({"id": "ann", "role": "operator-member", "organisation":
        "数据公司", "vetted": true, "nda_until": null});
    serde_json::from_value(person).unwrap()
}

fn created() -> (tempfile::TempDir, Authority) {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::create(folder.path(), "wuxi", now()).unwrap();
    (folder, authority)
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

/// Whether TLS, trusting this authority, takes the certificate for a client's at a time.
fn takes(authority: &Authority, issued: &Issued, at: DateTime<Utc>) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(der(authority.ca_pem())).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let seconds = u64::try_from(at.timestamp()).unwrap();
    let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let client = der(&issued.certificate_pem);
    verifier
        .build()
        .unwrap()
        .verify_client_cert(&client, &[], at)
        .is_ok()
}

#[test]
fn tls_takes_a_persons_certificate_of_this_authority_within_its_time() {
    let (_folder, authority) = created();
    let issued = authority.issue(&ann(), now()).unwrap();
    assert!(takes(&authority, &issued, now()));
    assert!(!takes(&authority, &issued, now() - Days::new(3)));
    assert!(!takes(&authority, &issued, now() + Days::new(366)));
}

#[test]
fn tls_refuses_a_certificate_of_another_authority_of_the_same_name() {
    let ((_ours, ours), (_theirs, theirs)) = (created(), created());
    let issued = theirs.issue(&ann(), now()).unwrap();
    assert!(takes(&theirs, &issued, now()));
    assert!(!takes(&ours, &issued, now()));
}

#[test]
fn tls_refuses_a_servers_certificate_from_a_client() {
    let (_folder, authority) = created();
    let issued = authority
        .issue_server(&["localhost".to_owned()], now())
        .unwrap();
    assert!(!takes(&authority, &issued, now()));
}

#[test]
fn the_authority_signs_certificates_and_nothing_below_it_does() {
    let (_folder, authority) = created();
    let pem = der(authority.ca_pem());
    let (_, ca) = X509Certificate::from_der(&pem).unwrap();
    let constraints = ca.basic_constraints().unwrap().unwrap().value;
    assert!(constraints.ca);
    assert_eq!(constraints.path_len_constraint, Some(0));
    assert!(ca.key_usage().unwrap().unwrap().value.key_cert_sign());
    let days = ca.validity().not_after.timestamp() - ca.validity().not_before.timestamp();
    assert_eq!(days / 86_400, 3651);

    let issued = authority.issue(&ann(), now()).unwrap();
    let leaf = der(&issued.certificate_pem);
    let (_, leaf) = X509Certificate::from_der(&leaf).unwrap();
    assert!(!leaf.is_ca());
    assert!(!leaf.key_usage().unwrap().unwrap().value.key_cert_sign());
}

#[test]
fn a_persons_certificate_names_the_id_and_serves_clients_alone() {
    let (_folder, authority) = created();
    let issued = authority.issue(&ann(), now()).unwrap();
    let der = der(&issued.certificate_pem);
    assert_eq!(issued.digest, Digest::of(&der));
    let (rest, leaf) = X509Certificate::from_der(&der).unwrap();
    assert!(rest.is_empty());
    let name = leaf.subject().iter_common_name().next().unwrap();
    assert_eq!(name.as_str().unwrap(), "ann");
    let house = leaf.subject().iter_organization().next().unwrap();
    assert_eq!(house.as_str().unwrap(), "数据公司");
    let usage = leaf.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.client_auth && !usage.server_auth && !usage.any);
    let issuer = leaf.issuer().iter_common_name().next().unwrap();
    assert_eq!(issuer.as_str().unwrap(), "wuxi");
}

#[test]
fn a_servers_certificate_names_its_hosts_and_serves_servers_alone() {
    let (_folder, authority) = created();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let issued = authority.issue_server(&names, now()).unwrap();
    let der = der(&issued.certificate_pem);
    let (_, leaf) = X509Certificate::from_der(&der).unwrap();
    let usage = leaf.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.server_auth && !usage.client_auth && !usage.any);
    let hosts = &leaf
        .subject_alternative_name()
        .unwrap()
        .unwrap()
        .value
        .general_names;
    let expect = [
        GeneralName::DNSName("localhost"),
        GeneralName::IPAddress(&[127, 0, 0, 1]),
    ];
    assert_eq!(hosts, &expect);
}

#[test]
fn no_two_certificates_share_a_key_or_a_digest() {
    let (_folder, authority) = created();
    let one = authority.issue(&ann(), now()).unwrap();
    let two = authority.issue(&ann(), now()).unwrap();
    assert_ne!(one.digest, two.digest);
    assert_ne!(one.key_pem, two.key_pem);
    PrivateKeyDer::from_pem_slice(one.key_pem.as_bytes()).unwrap();
}

#[test]
fn an_authority_opened_again_issues_for_the_same_root() {
    let (folder, authority) = created();
    let again = Authority::open(folder.path()).unwrap();
    assert_eq!(again.ca_pem(), authority.ca_pem());
    let issued = again.issue(&ann(), now()).unwrap();
    assert!(takes(&authority, &issued, now()));
}

#[test]
fn the_key_is_readable_by_its_owner_alone() {
    let (folder, _) = created();
    let mode = |name: &str| {
        let file = std::fs::metadata(folder.path().join(name)).unwrap();
        file.permissions().mode() & 0o777
    };
    assert_eq!(mode("ca-key.pem"), 0o600);
}

#[test]
fn an_authority_is_never_written_over() {
    let (folder, authority) = created();
    let why = Authority::create(folder.path(), "wuxi", now()).unwrap_err();
    assert!(matches!(why, Unissued::File { path, .. } if path.ends_with("ca-key.pem")));
    let again = Authority::open(folder.path()).unwrap();
    assert_eq!(again.ca_pem(), authority.ca_pem());
}

#[test]
fn a_file_that_is_missing_or_broken_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Authority::open(folder.path()).unwrap_err();
    assert!(matches!(&missing, Unissued::File { path, .. } if path.ends_with("ca.pem")));

    let (folder, _) = created();
    std::fs::write(folder.path().join("ca-key.pem"), "x").unwrap();
    let broken = Authority::open(folder.path()).unwrap_err();
    assert!(matches!(broken, Unissued::Certificate(_)));
}

#[test]
fn debug_output_holds_no_key() {
    let (_folder, authority) = created();
    let issued = authority.issue(&ann(), now()).unwrap();
    assert_eq!(format!("{authority:?}"), "Authority");
    assert_eq!(format!("{issued:?}"), format!("Issued({})", issued.digest));
}

/// Whether TLS takes a certified key's certificate.
fn takes_certified(authority: &Authority, certified: &Certified) -> bool {
    let issued = Issued {
        certificate_pem: certified.certificate_pem.clone(),
        key_pem: String::new(),
        digest: certified.digest,
    };
    takes(authority, &issued, now())
}

#[test]
fn a_request_gives_its_key_and_nothing_else() {
    let (_folder, authority) = created();
    let (key, request) = Authority::request("mallory", "elsewhere").unwrap();
    let certified = authority.certify(&request, &ann(), now()).unwrap();
    assert!(takes_certified(&authority, &certified));
    let der = der(&certified.certificate_pem);
    assert_eq!(Digest::of(&der), certified.digest);
    let (_, parsed) = X509Certificate::from_der(&der).unwrap();
    let subject = parsed.subject().to_string();
    assert!(
        subject.contains("CN=ann") && !subject.contains("mallory"),
        "{subject}"
    );
    assert!(!parsed.is_ca());
    let key = KeyPair::from_pem(&key).unwrap();
    let public = parsed.public_key().subject_public_key.data.as_ref();
    assert_eq!(public, key.public_key_raw());
}

#[test]
fn a_request_that_asks_to_be_an_authority_gets_a_persons_certificate() {
    let (_folder, authority) = created();
    let key = KeyPair::generate().unwrap();
    let mut wanted = CertificateParams::new(vec!["gateway".to_owned()]).unwrap();
    wanted.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let request = wanted.serialize_request(&key).unwrap().pem().unwrap();
    let certified = authority.certify(&request, &ann(), now()).unwrap();
    assert!(takes_certified(&authority, &certified));
    let der = der(&certified.certificate_pem);
    let (_, parsed) = X509Certificate::from_der(&der).unwrap();
    let usage = parsed.key_usage().unwrap().unwrap().value;
    assert!(usage.digital_signature() && !usage.key_cert_sign());
    let extended = parsed.extended_key_usage().unwrap().unwrap().value;
    assert!(extended.client_auth && !extended.server_auth);
    assert!(parsed.subject_alternative_name().unwrap().is_none());
}

#[test]
fn a_request_whose_signature_does_not_prove_its_key_is_refused() {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let (_folder, authority) = created();
    let (_, request) = Authority::request("ann", "x").unwrap();
    let body: String = request
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let bytes = BASE64_STANDARD.decode(body).unwrap();
    for at in [bytes.len() - 1, bytes.len() / 2, 40] {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        let forged = format!(
            "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
            BASE64_STANDARD.encode(bytes)
        );
        let refused = authority.certify(&forged, &ann(), now());
        assert!(matches!(refused, Err(Unissued::Request)), "byte {at}");
    }
    for text in ["", "x", authority.ca_pem()] {
        let refused = authority.certify(text, &ann(), now());
        assert!(matches!(refused, Err(Unissued::Request)));
    }
}
