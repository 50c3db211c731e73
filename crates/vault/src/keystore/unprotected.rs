use super::{Keystore, RootId, root_file};
use crate::{Key, Unkept, private_file, sealing};
use std::path::{Path, PathBuf};
use terms::KeystoreKind;

/// Root keys in files that only file permissions protect: for pilots, which have to start unattended.
#[derive(Debug, Clone)]
pub struct Unprotected {
    keys_dir: PathBuf,
}

const EXTENSION: &str = "key";

// === impl Unprotected ===

impl Unprotected {
    /// The keystore of the domain in this folder.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        Self {
            keys_dir: dir.join("keys"),
        }
    }

    fn path(&self, root: &RootId) -> PathBuf {
        root_file::path(&self.keys_dir, root, EXTENSION)
    }

    /// What wraps under a root key.
    fn wrapping(&self, root: &RootId) -> Result<Key, Unkept> {
        let path = self.path(root);
        let bytes = private_file::read(&path)?;
        let bytes = bytes.ok_or_else(|| Unkept::NoSuchKey { root: root.clone() })?;
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map(Key::from_bytes);
        let key = key.map_err(|_| Unkept::RootBroken { path })?;
        Ok(key.derive("wrap", b"storage"))
    }
}

impl Keystore for Unprotected {
    fn kind(&self) -> KeystoreKind {
        KeystoreKind::Unprotected
    }

    fn make(&self, root: &RootId) -> Result<(), Unkept> {
        root_file::create_folder(&self.keys_dir)?;
        private_file::write_new(&self.path(root), Key::random()?.bytes())
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
