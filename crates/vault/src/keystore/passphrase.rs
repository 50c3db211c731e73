use super::{Keystore, RootId, root_file};
use crate::{Key, Unkept, private_file, sealing};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use terms::KeystoreKind;
use zeroize::Zeroizing;

/// Root keys in files, each sealed under a passphrase with a salt of its own.
///
/// Source: RFC 9106 (Argon2id), AES-256-GCM.
pub struct Passphrase {
    keys_dir: PathBuf,
    passphrase: Zeroizing<String>,
    cost: Cost,
    /// Keys that the passphrase gave, by salt: never more than [`KEKS_MAX`].
    keks: Mutex<VecDeque<([u8; SALT_BYTES], Key)>>,
}

/// What one guess at the passphrase costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

/// The file of a root key.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    v: u32,
    kdf: String,
    cost: Cost,
    /// Hexadecimal.
    salt: String,
    algorithm: String,
    /// Base64 of 12 bytes nonce, 32 bytes ciphertext, 16 bytes tag.
    sealed: String,
}

const EXTENSION: &str = "json";
const KDF: &str = "Argon2id";
const ALGORITHM: &str = "AES-256-GCM";
const SALT_BYTES: usize = 16;
/// One root key in use, and one that takes its place.
const KEKS_MAX: usize = 2;
/// The shortest passphrase that a keystore is made with, in characters.
const CHARACTERS_MIN: usize = 12;
/// The most memory that a file may ask for, in KiB.
const MEMORY_KIB_MAX: u32 = 2 << 20;
const PASSES_MAX: u32 = 100;

impl Default for Cost {
    /// 256 MiB, three passes: about a second.
    fn default() -> Self {
        Self {
            memory_kib: 256 << 10,
            passes: 3,
        }
    }
}

// === impl Passphrase ===

impl Passphrase {
    /// The keystore of the domain in this folder; whether the passphrase is right shows when a root key
    /// is used.
    #[must_use]
    pub fn new(dir: &Path, passphrase: Zeroizing<String>, cost: Cost) -> Self {
        Self {
            keys_dir: dir.join("keys"),
            passphrase,
            cost,
            keks: Mutex::default(),
        }
    }

    fn path(&self, root: &RootId) -> PathBuf {
        root_file::path(&self.keys_dir, root, EXTENSION)
    }

    /// The key that the passphrase gives with a salt.
    fn kek(&self, salt: [u8; SALT_BYTES], cost: Cost) -> Result<Key, Unkept> {
        let mut keks = self.keks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, kek)) = keks.iter().find(|(of, _)| *of == salt) {
            return Ok(kek.clone());
        }
        let is_bounded = cost.memory_kib <= MEMORY_KIB_MAX && cost.passes <= PASSES_MAX;
        let params = Params::new(cost.memory_kib, cost.passes, 1, Some(32));
        let params = params.ok().filter(|_| is_bounded);
        let params = params.ok_or_else(|| Unkept::Keystore {
            what: format!("passphrase cost {cost:?} is out of bounds"),
        })?;
        let mut bytes = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(self.passphrase.as_bytes(), &salt, bytes.as_mut())
            .map_err(|error| Unkept::Keystore {
                what: format!("the passphrase could not be hashed: {error}"),
            })?;
        let kek = Key::from_bytes(*bytes);
        keks.push_back((salt, kek.clone()));
        while keks.len() > KEKS_MAX {
            keks.pop_front();
        }
        Ok(kek)
    }

    /// What wraps under a root key.
    fn wrapping(&self, root: &RootId) -> Result<Key, Unkept> {
        let path = self.path(root);
        let text = private_file::read(&path)?;
        let text = text.ok_or_else(|| Unkept::NoSuchKey { root: root.clone() })?;
        let broken = || Unkept::RootBroken { path: path.clone() };
        let file: Sealed = serde_json::from_slice(&text).map_err(|_| broken())?;
        if file.v != 1 || file.kdf != KDF || file.algorithm != ALGORITHM {
            return Err(broken());
        }
        let mut salt = [0; SALT_BYTES];
        hex::decode_to_slice(&file.salt, &mut salt).map_err(|_| broken())?;
        let sealed = STANDARD.decode(&file.sealed).map_err(|_| broken())?;
        let kek = self.kek(salt, file.cost)?;
        // A changed file and a wrong passphrase look the same to everybody without the right one.
        let key = sealing::unwrap(&kek, &context(root), &sealed);
        let key = key.map_err(|_| Unkept::WrongSecret(KeystoreKind::Passphrase))?;
        Ok(key.derive("wrap", b"storage"))
    }
}

impl Keystore for Passphrase {
    fn kind(&self) -> KeystoreKind {
        KeystoreKind::Passphrase
    }

    fn make(&self, root: &RootId) -> Result<(), Unkept> {
        if self.passphrase.chars().count() < CHARACTERS_MIN {
            return Err(Unkept::SecretShort {
                characters_min: CHARACTERS_MIN,
            });
        }
        root_file::create_folder(&self.keys_dir)?;
        let salt = sealing::random::<SALT_BYTES>()?;
        let kek = self.kek(salt, self.cost)?;
        let file = Sealed {
            v: 1,
            kdf: KDF.to_owned(),
            cost: self.cost,
            salt: hex::encode(salt),
            algorithm: ALGORITHM.to_owned(),
            sealed: STANDARD.encode(sealing::wrap(&kek, &context(root), &Key::random()?)?),
        };
        let path = self.path(root);
        let text = serde_json::to_vec_pretty(&file);
        let text = text.map_err(|_| Unkept::RootBroken { path: path.clone() })?;
        private_file::write_new(&path, &text)
    }

    fn wrap(&self, root: &RootId, key: &Key) -> Result<Vec<u8>, Unkept> {
        sealing::wrap(&self.wrapping(root)?, root.as_str().as_bytes(), key)
    }

    fn unwrap(&self, root: &RootId, wrapped: &[u8]) -> Result<Key, Unkept> {
        sealing::unwrap(&self.wrapping(root)?, root.as_str().as_bytes(), wrapped)
    }

    fn destroy(&self, root: &RootId) -> Result<(), Unkept> {
        private_file::destroy(&self.path(root))
    }

    fn roots(&self, like: &RootId) -> Result<Vec<RootId>, Unkept> {
        root_file::roots(&self.keys_dir, like, EXTENSION)
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passphrase")
            .field("keys_dir", &self.keys_dir)
            .finish_non_exhaustive()
    }
}

fn context(root: &RootId) -> Vec<u8> {
    format!("bonded root v1\n{root}\n").into_bytes()
}
