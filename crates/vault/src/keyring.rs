use crate::unit::Unit;
use crate::{Key, Unkept};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use terms::{DatasetName, ScenarioId};

/// The root key and what is derived from it; a clone is another handle on the same ring.
#[derive(Debug, Clone)]
pub struct Keyring {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    keys_dir: PathBuf,
    root: Key,
}

/// AES-256-GCM under a key used for this message alone. The only format so far.
const SEAL_VERSION: u8 = 1;
const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 12;

// === impl Keyring ===

impl Keyring {
    /// Makes a root key for a new domain, readable by its owner alone.
    ///
    /// # Errors
    /// [`Unkept::RootExists`] where there is one, or the file system's.
    pub fn create(dir: &Path) -> Result<Self, Unkept> {
        let keys_dir = dir.join("keys");
        let root = Key::random().map_err(|_| Unkept::NoRandom)?;
        let path = keys_dir.join("root.key");
        create_private_dir(&keys_dir)?;
        create_private_dir(&keys_dir.join("units"))?;
        if path.exists() {
            return Err(Unkept::RootExists { path });
        }
        write_private(&path, root.bytes())?;
        Ok(Self {
            inner: Arc::new(Inner { keys_dir, root }),
        })
    }

    /// Opens the ring of a domain.
    ///
    /// # Errors
    /// [`Unkept::File`] or [`Unkept::RootBroken`].
    pub fn open(dir: &Path) -> Result<Self, Unkept> {
        let keys_dir = dir.join("keys");
        let path = keys_dir.join("root.key");
        let bytes = std::fs::read(&path)
            .map_err(|source| Unkept::File {
                path: path.clone(),
                source,
            })
            .map(zeroize::Zeroizing::new)?;
        let root = <[u8; 32]>::try_from(bytes.as_slice())
            .map(Key::from_bytes)
            .map_err(|_| Unkept::RootBroken { path })?;
        Ok(Self {
            inner: Arc::new(Inner { keys_dir, root }),
        })
    }

    /// The key that makes the tokens of one scenario: another scenario's tokens never match.
    #[must_use]
    pub fn token_key(&self, scenario: &ScenarioId) -> Key {
        self.inner
            .root
            .derive("token", scenario.as_str().as_bytes())
    }

    /// What the noise of perturbed cells is drawn with: one key for the domain.
    #[must_use]
    pub fn cell_key(&self) -> Key {
        self.inner.root.derive("cell", &[])
    }

    /// Encrypts bytes that stand beside the log or in a file; they open only under the same context.
    ///
    /// Shape: version, 16 bytes salt, 12 bytes nonce, ciphertext, 16 bytes tag.
    ///
    /// # Errors
    /// [`Unkept::NoRandom`].
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>, Unkept> {
        let mut head = [0; SALT_BYTES + NONCE_BYTES];
        ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut head)
            .map_err(|_| Unkept::NoRandom)?;
        let (salt, nonce) = head.split_at(SALT_BYTES);
        let key = self.inner.root.derive("seal", salt);
        let mut body = plain.to_vec();
        encrypt(&key, nonce, context.as_bytes(), &mut body)?;
        let mut sealed = vec![SEAL_VERSION];
        sealed.extend_from_slice(&head);
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// Opens what [`Keyring::seal`] sealed under the same context.
    ///
    /// # Errors
    /// [`Unkept::SealBroken`].
    pub fn unseal(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, Unkept> {
        let (version, rest) = sealed.split_first().ok_or(Unkept::SealBroken)?;
        if *version != SEAL_VERSION {
            return Err(Unkept::SealBroken);
        }
        let (salt, rest) = rest
            .split_at_checked(SALT_BYTES)
            .ok_or(Unkept::SealBroken)?;
        let (nonce, body) = rest
            .split_at_checked(NONCE_BYTES)
            .ok_or(Unkept::SealBroken)?;
        let key = self.inner.root.derive("seal", salt);
        decrypt(&key, nonce, context.as_bytes(), body)
    }

    /// Makes and wraps the key of a new snapshot; whatever key had its name is gone.
    pub(crate) fn new_unit(&self, dataset: &DatasetName, number: u32) -> Result<Unit, Unkept> {
        Unit::create(&self.inner.keys_dir, &self.wrapping(), dataset, number)
    }

    /// Unwraps the key of a snapshot.
    pub(crate) fn unit(&self, dataset: &DatasetName, number: u32) -> Result<Unit, Unkept> {
        Unit::open(&self.inner.keys_dir, &self.wrapping(), dataset, number)
    }

    /// Removes the wrapped key of a snapshot that never came to be.
    pub(crate) fn remove_unit(&self, dataset: &DatasetName, number: u32) -> Result<(), Unkept> {
        Unit::remove(&self.inner.keys_dir, dataset, number)
    }

    fn wrapping(&self) -> Key {
        self.inner.root.derive("wrap", b"units")
    }
}

/// Encrypts in place and appends the tag.
pub(crate) fn encrypt(
    key: &Key,
    nonce: &[u8],
    context: &[u8],
    body: &mut Vec<u8>,
) -> Result<(), Unkept> {
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unkept::SealBroken)?;
    let key = UnboundKey::new(&AES_256_GCM, key.bytes()).map_err(|_| Unkept::SealBroken)?;
    LessSafeKey::new(key)
        .seal_in_place_append_tag(nonce, Aad::from(context), body)
        .map_err(|_| Unkept::SealBroken)
}

/// Checks the tag and gives back the plain bytes.
pub(crate) fn decrypt(
    key: &Key,
    nonce: &[u8],
    context: &[u8],
    body: &[u8],
) -> Result<Vec<u8>, Unkept> {
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unkept::SealBroken)?;
    let key = UnboundKey::new(&AES_256_GCM, key.bytes()).map_err(|_| Unkept::SealBroken)?;
    let mut body = body.to_vec();
    let plain = LessSafeKey::new(key)
        .open_in_place(nonce, Aad::from(context), &mut body)
        .map_err(|_| Unkept::SealBroken)?
        .len();
    body.truncate(plain);
    Ok(body)
}

/// Writes a file that must not exist yet, for its owner alone, durable before it returns.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Unkept> {
    let unkept = |source| Unkept::File {
        path: path.to_owned(),
        source,
    };
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(unkept)?;
    file.write_all(bytes).map_err(unkept)?;
    file.sync_all().map_err(unkept)?;
    let parent = path.parent().unwrap_or(Path::new("."));
    std::fs::File::open(parent)
        .and_then(|dir| dir.sync_all())
        .map_err(unkept)
}

fn create_private_dir(path: &Path) -> Result<(), Unkept> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| Unkept::File {
            path: path.to_owned(),
            source,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn ring() -> (tempfile::TempDir, Keyring) {
        let dir = tempfile::tempdir().unwrap();
        let ring = Keyring::create(dir.path()).unwrap();
        (dir, ring)
    }

    #[test]
    fn the_root_key_is_for_its_owner_alone() {
        let (dir, _) = ring();
        let meta = std::fs::metadata(dir.path().join("keys/root.key")).unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, 0o600);
        assert_eq!(meta.len(), 32);
    }

    #[test]
    fn a_second_root_key_is_refused() {
        let (dir, _) = ring();
        let cause = Keyring::create(dir.path()).unwrap_err();
        assert_eq!(cause.code(), "vault.root-exists");
    }

    #[test]
    fn a_cut_root_key_is_refused() {
        let (dir, _) = ring();
        std::fs::write(dir.path().join("keys/root.key"), b"short").unwrap();
        assert_eq!(
            Keyring::open(dir.path()).unwrap_err().code(),
            "vault.root-broken"
        );
    }

    #[test]
    fn a_ring_opened_again_is_the_same_ring() {
        let (dir, first) = ring();
        let again = Keyring::open(dir.path()).unwrap();
        let sealed = first.seal("ledger", b"select 1").unwrap();
        assert_eq!(again.unseal("ledger", &sealed).unwrap(), b"select 1");
        let scenario = "care".parse().unwrap();
        assert_eq!(first.token_key(&scenario), again.token_key(&scenario));
        assert_ne!(
            first.token_key(&scenario),
            first.token_key(&"roads".parse().unwrap())
        );
    }

    #[test]
    fn sealed_bytes_open_only_whole_and_in_their_context() {
        let (_dir, ring) = ring();
        let sealed = ring.seal("ledger", b"text").unwrap();
        assert_ne!(sealed, ring.seal("ledger", b"text").unwrap());
        assert!(ring.unseal("people", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(ring.unseal("ledger", &changed).is_err(), "byte {at}");
            assert!(ring.unseal("ledger", &sealed[..at]).is_err(), "cut at {at}");
        }
    }
}
