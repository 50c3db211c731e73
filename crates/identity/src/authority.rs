use chrono::{DateTime, Datelike, Days, Utc};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateSigningRequestParams,
    DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use std::path::{Path, PathBuf};
use terms::{Digest, Person};

/// How long the CA's own certificate holds, in days.
const CA_DAYS: u64 = 3650;
/// How long a person's or server's certificate holds, in days.
const LEAF_DAYS: u64 = 365;

/// The domain's own certificate authority: ECDSA P-256.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    ca_pem: String,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority")
    }
}

/// A certificate with its key, as issued. Only pilots keep people's keys.
pub struct Issued {
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// The key, PKCS 8 PEM.
    pub key_pem: String,
    /// SHA-256 of the certificate's DER bytes.
    pub digest: Digest,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Issued({})", self.digest)
    }
}

/// A certificate for a key that its holder alone has.
#[derive(Debug)]
pub struct Certified {
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// SHA-256 of the certificate's DER bytes.
    pub digest: Digest,
}

/// The authority's files cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum Unissued {
    /// A file cannot be read or written.
    #[error("the authority's file `{path}`: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A certificate request does not prove its key, or has a key of a kind that is not taken.
    #[error("the certificate request proves no key that is taken")]
    Request,
    /// A certificate cannot be made.
    #[error("the certificate cannot be made")]
    Certificate(#[from] rcgen::Error),
}

impl Authority {
    /// Makes a new authority and keeps it in `ca.pem` and `ca-key.pem` of a folder that has none.
    ///
    /// # Errors
    /// [`Unissued`].
    pub fn create(dir: &Path, name: &str, now: DateTime<Utc>) -> Result<Self, Unissued> {
        let key = KeyPair::generate()?;
        let mut params = params(name, "bonded", now, CA_DAYS);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?;
        write(&dir.join("ca-key.pem"), &key.serialize_pem(), 0o600)?;
        write(&dir.join("ca.pem"), &certificate.pem(), 0o644)?;
        Self::open(dir)
    }

    /// Opens an authority kept in a folder.
    ///
    /// # Errors
    /// [`Unissued`].
    pub fn open(dir: &Path) -> Result<Self, Unissued> {
        let ca_pem = read(&dir.join("ca.pem"))?;
        let key = KeyPair::from_pem(&read(&dir.join("ca-key.pem"))?)?;
        let issuer = Issuer::from_ca_cert_pem(&ca_pem, key)?;
        Ok(Self { issuer, ca_pem })
    }

    /// The authority's certificate, PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// A client certificate for a person. Source: AO-16(1).
    ///
    /// # Errors
    /// [`Unissued`].
    pub fn issue(&self, person: &Person, now: DateTime<Utc>) -> Result<Issued, Unissued> {
        let mut params = params(person.id.as_str(), &person.organisation, now, LEAF_DAYS);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params)
    }

    /// A client certificate for a person, by a request from their own machine. Of the request its
    /// public key is taken, once its signature proves that who made it has the key; subject, usages and
    /// validity are ours. Source: AO-16(1), RFC 2986.
    ///
    /// # Errors
    /// [`Unissued::Request`].
    pub fn certify(
        &self,
        request_pem: &str,
        person: &Person,
        now: DateTime<Utc>,
    ) -> Result<Certified, Unissued> {
        let request = CertificateSigningRequestParams::from_pem(request_pem);
        let key = request.map_err(|_| Unissued::Request)?.public_key;
        let taken = [
            &rcgen::PKCS_ECDSA_P256_SHA256,
            &rcgen::PKCS_ECDSA_P384_SHA384,
            &rcgen::PKCS_ED25519,
        ];
        if !taken.contains(&key.algorithm()) {
            return Err(Unissued::Request);
        }
        let mut params = params(person.id.as_str(), &person.organisation, now, LEAF_DAYS);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Certified {
            certificate_pem: certificate.pem(),
            digest: Digest::of(certificate.der()),
        })
    }

    /// A key and the request that proves it, made where the person is. Gives the key, PKCS 8 PEM, and
    /// the request, PKCS 10 PEM.
    ///
    /// # Errors
    /// [`Unissued::Certificate`].
    pub fn request(id: &str, organisation: &str) -> Result<(String, String), Unissued> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, id);
        params
            .distinguished_name
            .push(DnType::OrganizationName, organisation);
        let request = params.serialize_request(&key)?;
        Ok((key.serialize_pem(), request.pem()?))
    }

    /// A server certificate for the loopback names.
    ///
    /// # Errors
    /// [`Unissued`].
    pub fn issue_server(&self, names: &[String], now: DateTime<Utc>) -> Result<Issued, Unissued> {
        let mut params = CertificateParams::new(names.to_vec())?;
        let common = names.first().map_or("localhost", String::as_str);
        params.distinguished_name.push(DnType::CommonName, common);
        validity(&mut params, now, LEAF_DAYS);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(params)
    }

    fn sign(&self, mut params: CertificateParams) -> Result<Issued, Unissued> {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate: Certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Issued {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            digest: Digest::of(certificate.der()),
        })
    }
}

fn params(name: &str, organisation: &str, now: DateTime<Utc>, days: u64) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut who = DistinguishedName::new();
    who.push(DnType::CommonName, name);
    who.push(DnType::OrganizationName, organisation);
    params.distinguished_name = who;
    validity(&mut params, now, days);
    params
}

/// Valid from the day before, so that clocks may differ.
fn validity(params: &mut CertificateParams, now: DateTime<Utc>, days: u64) {
    let day = |date: chrono::NaiveDate| {
        let (month, day) = (u8::try_from(date.month()), u8::try_from(date.day()));
        date_time_ymd(date.year(), month.unwrap_or(1), day.unwrap_or(1))
    };
    let today = now.date_naive();
    params.not_before = day(today.checked_sub_days(Days::new(1)).unwrap_or(today));
    params.not_after = day(today.checked_add_days(Days::new(days)).unwrap_or(today));
}

fn read(path: &Path) -> Result<String, Unissued> {
    std::fs::read_to_string(path).map_err(|source| Unissued::File {
        path: path.into(),
        source,
    })
}

/// Writes a new file. One that is there is kept: its mode may be another, its key may be in use.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), Unissued> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let write = || {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true).mode(mode);
        options.open(path)?.write_all(text.as_bytes())
    };
    write().map_err(|source| Unissued::File {
        path: path.into(),
        source,
    })
}

#[cfg(test)]
mod tests;
