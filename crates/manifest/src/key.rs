use crate::Broken;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, UnparsedPublicKey,
};
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use terms::Digest;

/// What stands before the point in the DER of a P-256 public key. Source: RFC 5480.
const P256_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// What stands before the 32 bytes in the DER of an Ed25519 public key. Source: RFC 8410.
const ED25519_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
/// An uncompressed point of P-256: 0x04 and two coordinates.
const POINT_BYTES: usize = 65;
const ED25519_BYTES: usize = 32;
const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PEM_END: &str = "-----END PUBLIC KEY-----";

/// With what a domain signs its manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// ECDSA over P-256 with SHA-256: what every verifier and key store knows.
    #[default]
    P256,
    /// Ed25519, for recipients who ask for it.
    Ed25519,
}

/// The domain's key for manifests.
pub struct ManifestKey {
    pair: Pair,
    public: PublicKey,
}

enum Pair {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// The public half, which a recipient has from the domain and not from the package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    algorithm: Algorithm,
    bytes: Vec<u8>,
}

fn unusable(what: impl Into<String>) -> Broken {
    Broken::Key { what: what.into() }
}

// === impl ManifestKey ===

impl ManifestKey {
    /// Makes the key of a new domain: `keys/manifest.key` and `keys/manifest.pub.pem`.
    ///
    /// # Errors
    /// [`Broken::Unreachable`] if there is one already or the folder can't be written.
    pub fn create(dir: &Path, algorithm: Algorithm) -> Result<Self, Broken> {
        let folder = dir.join("keys");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|source| Broken::Unreachable {
                file: folder.clone(),
                source,
            })?;
        let random = SystemRandom::new();
        let pkcs8 = match algorithm {
            Algorithm::P256 => {
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random)
            }
            Algorithm::Ed25519 => Ed25519KeyPair::generate_pkcs8(&random),
        };
        let pkcs8 = pkcs8.map_err(|_| unusable("the system made no key"))?;
        let key = Self::from_pkcs8(pkcs8.as_ref())
            .ok_or_else(|| unusable("the key just made can't be read"))?;
        write_new(folder.join("manifest.key"), pkcs8.as_ref())?;
        write_new(folder.join("manifest.pub.pem"), key.public.pem().as_bytes())?;
        Ok(key)
    }

    /// Reads the domain's key.
    ///
    /// # Errors
    /// [`Broken::Unreachable`] or [`Broken::Key`].
    pub fn open(dir: &Path) -> Result<Self, Broken> {
        let file = dir.join("keys").join("manifest.key");
        let bytes = std::fs::read(&file).map_err(|source| Broken::Unreachable {
            file: file.clone(),
            source,
        })?;
        Self::from_pkcs8(&bytes).ok_or_else(|| {
            unusable(format!(
                "`{}` holds no P-256 or Ed25519 key",
                file.display()
            ))
        })
    }

    /// The bytes say which kind of key they hold.
    fn from_pkcs8(bytes: &[u8]) -> Option<Self> {
        let signing = &ECDSA_P256_SHA256_ASN1_SIGNING;
        if let Ok(pair) = EcdsaKeyPair::from_pkcs8(signing, bytes, &SystemRandom::new()) {
            let public = PublicKey {
                algorithm: Algorithm::P256,
                bytes: pair.public_key().as_ref().to_vec(),
            };
            let pair = Pair::P256(pair);
            return Some(Self { pair, public });
        }
        let pair = Ed25519KeyPair::from_pkcs8(bytes).ok()?;
        let public = PublicKey {
            algorithm: Algorithm::Ed25519,
            bytes: pair.public_key().as_ref().to_vec(),
        };
        let pair = Pair::Ed25519(pair);
        Some(Self { pair, public })
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs; a signature with P-256 is DER.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Broken> {
        match &self.pair {
            Pair::P256(pair) => pair
                .sign(&SystemRandom::new(), message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| unusable("the system gave no randomness to sign with")),
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

impl std::fmt::Debug for ManifestKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ManifestKey({})", self.public.key_id())
    }
}

// === impl PublicKey ===

impl PublicKey {
    /// The key in PEM, as openssl reads it.
    #[must_use]
    pub fn pem(&self) -> String {
        let text = STANDARD.encode(self.der());
        let mut lines = String::new();
        let mut rest = text.as_str();
        while let Some((line, after)) = rest.split_at_checked(64) {
            lines.push_str(line);
            lines.push('\n');
            rest = after;
        }
        if !rest.is_empty() {
            lines.push_str(rest);
            lines.push('\n');
        }
        format!("{PEM_BEGIN}\n{lines}{PEM_END}\n")
    }

    /// The key's name in envelopes: SHA-256 of its DER, in hexadecimal.
    #[must_use]
    pub fn key_id(&self) -> String {
        Digest::of(&self.der()).to_string()
    }

    fn der(&self) -> Vec<u8> {
        let mut der = match self.algorithm {
            Algorithm::P256 => P256_PREFIX.to_vec(),
            Algorithm::Ed25519 => ED25519_PREFIX.to_vec(),
        };
        der.extend_from_slice(&self.bytes);
        der
    }

    /// Whether the key signed a message.
    pub(crate) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let verified = match self.algorithm {
            Algorithm::P256 => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.bytes)
                .verify(message, signature),
            Algorithm::Ed25519 => {
                UnparsedPublicKey::new(&ED25519, &self.bytes).verify(message, signature)
            }
        };
        verified.is_ok()
    }
}

impl std::str::FromStr for PublicKey {
    type Err = Broken;

    fn from_str(pem: &str) -> Result<Self, Broken> {
        let unusable =
            || unusable("the key is no P-256 or Ed25519 public key in PEM (`BEGIN PUBLIC KEY`)");
        let body = pem
            .trim()
            .strip_prefix(PEM_BEGIN)
            .and_then(|rest| rest.strip_suffix(PEM_END))
            .ok_or_else(unusable)?;
        let body: String = body.split_whitespace().collect();
        let der = STANDARD.decode(body).map_err(|_| unusable())?;
        if let Some(key) = der.strip_prefix(&ED25519_PREFIX) {
            return (key.len() == ED25519_BYTES)
                .then(|| Self {
                    algorithm: Algorithm::Ed25519,
                    bytes: key.to_vec(),
                })
                .ok_or_else(unusable);
        }
        let point = der.strip_prefix(&P256_PREFIX).ok_or_else(unusable)?;
        if point.len() != POINT_BYTES || point.first() != Some(&4) {
            return Err(unusable());
        }
        Ok(Self {
            algorithm: Algorithm::P256,
            bytes: point.to_vec(),
        })
    }
}

fn write_new(file: PathBuf, bytes: &[u8]) -> Result<(), Broken> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&file)
        .and_then(|mut handle| handle.write_all(bytes).and_then(|()| handle.sync_all()))
        .map_err(|source| Broken::Unreachable { file, source })
}
