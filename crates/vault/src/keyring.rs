use crate::keystore::{Keystore, Unprotected};
use crate::ring::{self, Ring, Storage, Stored};
use crate::sealing::{decrypt, encrypt};
use crate::unit::Unit;
use crate::{BackupKey, Key, RootId, Unkept, old_root, private_file};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use terms::{DatasetName, Digest, Event, KeyName, KeystoreKind, ScenarioId};

/// The keys of a domain, opened; a clone is another handle on the same ring.
#[derive(Debug, Clone)]
pub struct Keyring {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    keys_dir: PathBuf,
    /// These never change: tokens, noise and sealed texts outlive every rotation.
    tokens: Key,
    cells: Key,
    sealed: Key,
    state: RwLock<State>,
}

/// What a rotation changes. Besides, no unwrapped key is kept: each is opened when it is asked for.
#[derive(Debug)]
pub(crate) struct State {
    pub keystore: Arc<dyn Keystore>,
    pub generation: u64,
    pub ring: Ring,
    pub storage: Key,
}

/// What may be told of a domain's keys: no secret.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct KeyStatus {
    /// Where the root key is kept.
    pub keystore: KeystoreKind,
    /// Which it is.
    pub root: RootId,
    /// The version of the storage key.
    pub storage: u32,
    /// Which storage key it is, without saying it.
    pub check: Digest,
    /// The keys it wraps, and which each is.
    pub keys: Vec<(KeyName, Digest)>,
    /// What became of keys and is not on the ledger yet.
    pub unrecorded: usize,
}

/// AES-256-GCM under a key used for this message alone. The only format so far.
const SEAL_VERSION: u8 = 1;
const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 12;

// === impl Keyring ===

impl Keyring {
    /// Makes the keys of a new domain, in files that only file permissions protect.
    ///
    /// # Errors
    /// As [`Keyring::create_in`].
    pub fn create(dir: &Path) -> Result<Self, Unkept> {
        Self::create_in(dir, Box::new(Unprotected::new(dir)))
    }

    /// Makes the keys of a new domain: a root key in a keystore, beneath it a storage key, beneath that
    /// the keys of tokens, noise and sealed texts.
    ///
    /// # Errors
    /// [`Unkept::KeysExist`] where there are some, or the keystore's or file system's.
    pub fn create_in(dir: &Path, keystore: Box<dyn Keystore>) -> Result<Self, Unkept> {
        let keys_dir = dir.join("keys");
        private_file::create_dir(&keys_dir)?;
        if Stored::newest(&keys_dir)?.is_some() || old_root::read(&keys_dir)?.is_some() {
            return Err(Unkept::KeysExist { path: keys_dir });
        }
        Self::made(keys_dir, keystore, None)
    }

    /// Opens the keys of a domain that are kept in unprotected files.
    ///
    /// # Errors
    /// As [`Keyring::open_in`].
    pub fn open(dir: &Path) -> Result<Self, Unkept> {
        Self::open_in(dir, Box::new(Unprotected::new(dir)))
    }

    /// Opens the keys of a domain, and destroys what a crash left of keys that hold no more.
    ///
    /// # Errors
    /// [`Unkept::KeysAbsent`], [`Unkept::OtherKeystore`], [`Unkept::NoSuchKey`],
    /// [`Unkept::WrongSecret`], [`Unkept::RingBroken`], or the keystore's or file system's.
    pub fn open_in(dir: &Path, keystore: Box<dyn Keystore>) -> Result<Self, Unkept> {
        let ring = Self::open_unswept(dir, keystore)?;
        ring.settle()?;
        Ok(ring)
    }

    /// As [`Keyring::open_in`], and destroys nothing: whether these are the keys that should be there may
    /// still be judged, and a copy must not destroy what it was copied of.
    ///
    /// # Errors
    /// As [`Keyring::open_in`].
    pub fn open_unswept(dir: &Path, keystore: Box<dyn Keystore>) -> Result<Self, Unkept> {
        let keys_dir = dir.join("keys");
        let Some(stored) = Stored::newest(&keys_dir)? else {
            let old = old_root::read(&keys_dir)?;
            let old = old.ok_or_else(|| Unkept::KeysAbsent {
                path: keys_dir.clone(),
            })?;
            let ring = Self::made(keys_dir.clone(), keystore, Some(&old))?;
            old_root::destroy(&keys_dir)?;
            return Ok(ring);
        };
        let (kept, opened) = (stored.ring.keystore, keystore.kind());
        if kept != opened {
            return Err(Unkept::OtherKeystore { kept, opened });
        }
        let storage = keystore.unwrap(&stored.ring.root, &stored.wrapped()?)?;
        let (generation, ring) = stored.opened(&storage)?;
        Self::of(
            keys_dir,
            State {
                keystore: Arc::from(keystore),
                generation,
                ring,
                storage,
            },
        )
    }

    /// Where the root key of a domain is kept, without opening anything.
    ///
    /// # Errors
    /// [`Unkept::KeysAbsent`], [`Unkept::RingBroken`], or the file system's.
    pub fn kept_in(dir: &Path) -> Result<KeystoreKind, Unkept> {
        let keys_dir = dir.join("keys");
        if let Some(stored) = Stored::newest(&keys_dir)? {
            return Ok(stored.ring.keystore);
        }
        match old_root::read(&keys_dir)? {
            Some(_) => Ok(KeystoreKind::Unprotected),
            None => Err(Unkept::KeysAbsent { path: keys_dir }),
        }
    }

    /// What the files say of a domain's keys, without opening them, and so without proof.
    ///
    /// # Errors
    /// [`Unkept::KeysAbsent`], [`Unkept::RingBroken`], or the file system's.
    pub fn look(dir: &Path) -> Result<KeyStatus, Unkept> {
        let path = dir.join("keys");
        let stored = Stored::newest(&path)?;
        let stored = stored.ok_or(Unkept::KeysAbsent { path })?;
        Ok(KeyStatus::of(&stored.ring))
    }

    fn made(
        keys_dir: PathBuf,
        keystore: Box<dyn Keystore>,
        old: Option<&Key>,
    ) -> Result<Self, Unkept> {
        let root = RootId::random()?;
        keystore.make(&root)?;
        let storage = Key::random()?;
        let wrapped = Storage::new(1, &keystore.wrap(&root, &storage)?, &storage);
        let mut ring = Ring::new(keystore.kind(), root, wrapped);
        ring.note_created(&KeyName::Storage(1), &storage);
        match old {
            Some(old) => old_root::take_over(&keys_dir, old, (&mut ring, &storage))?,
            None => {
                for name in [
                    KeyName::Tokens,
                    KeyName::Cells,
                    KeyName::Sealed,
                    KeyName::Backup,
                ] {
                    ring.draw(&name, &storage)?;
                }
            }
        }
        ring.write((&keys_dir, 1), &storage, &mut |_| Ok(()))?;
        Self::of(
            keys_dir,
            State {
                keystore: Arc::from(keystore),
                generation: 1,
                ring,
                storage,
            },
        )
    }

    fn of(keys_dir: PathBuf, state: State) -> Result<Self, Unkept> {
        let fixed = |key: KeyName| {
            let found = state.ring.get(&key, &state.storage)?;
            found.ok_or(Unkept::UnitForeign { key })
        };
        let (tokens, cells) = (fixed(KeyName::Tokens)?, fixed(KeyName::Cells)?);
        let sealed = fixed(KeyName::Sealed)?;
        Ok(Self {
            inner: Arc::new(Inner {
                keys_dir,
                tokens,
                cells,
                sealed,
                state: RwLock::new(state),
            }),
        })
    }

    /// What may be told of the keys.
    #[must_use]
    pub fn status(&self) -> KeyStatus {
        KeyStatus::of(&self.read().ring)
    }

    /// The root keys of this domain that its keystore has.
    ///
    /// # Errors
    /// The keystore's.
    pub fn roots(&self) -> Result<Vec<RootId>, Unkept> {
        let state = self.read();
        state.keystore.roots(&state.ring.root)
    }

    /// What became of keys and is not on the ledger yet, oldest first.
    #[must_use]
    pub fn unrecorded(&self) -> Vec<Event> {
        self.read().ring.unrecorded.clone()
    }

    /// Forgets the oldest of what was not on the ledger, since it is now.
    ///
    /// # Errors
    /// The file system's.
    pub fn recorded(&self, events: usize) -> Result<(), Unkept> {
        if events == 0 {
            return Ok(());
        }
        self.change(|ring, _| {
            ring.unrecorded.drain(..events.min(ring.unrecorded.len()));
            Ok(())
        })
    }

    /// The key that makes the tokens of one scenario: another scenario's tokens never match.
    #[must_use]
    pub fn token_key(&self, scenario: &ScenarioId) -> Key {
        let tokens = &self.inner.tokens;
        tokens.derive("token", scenario.as_str().as_bytes())
    }

    /// The key beneath which a scenario's orders of rows hang; [`crate::SourceKeys::order_key`] is that of
    /// one file.
    #[must_use]
    pub fn order_key(&self, scenario: &ScenarioId) -> Key {
        let tokens = &self.inner.tokens;
        tokens.derive("order", scenario.as_str().as_bytes())
    }

    /// What the noise of perturbed cells is drawn with: one key for the domain.
    #[must_use]
    pub fn cell_key(&self) -> Key {
        self.inner.cells.clone()
    }

    /// Encrypts bytes that stand beside the log or in a file; they open only under the same context.
    ///
    /// Shape: version, 16 bytes salt, 12 bytes nonce, ciphertext, 16 bytes tag.
    ///
    /// # Errors
    /// [`Unkept::NoRandom`].
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>, Unkept> {
        let head = crate::sealing::random::<{ SALT_BYTES + NONCE_BYTES }>()?;
        let (salt, nonce) = head.split_at(SALT_BYTES);
        let key = self.inner.sealed.derive("seal", salt);
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
        let key = self.inner.sealed.derive("seal", salt);
        decrypt(&key, nonce, context.as_bytes(), body).map(|plain| plain.to_vec())
    }

    /// What seals backups of the data; made where a domain from before has none.
    ///
    /// # Errors
    /// The ring's, or the file system's.
    pub fn backup_key(&self) -> Result<BackupKey, Unkept> {
        let kept = {
            let state = self.read();
            state.ring.get(&KeyName::Backup, &state.storage)?
        };
        let key = match kept {
            Some(key) => key,
            None => self.change(|ring, storage| ring.draw(&KeyName::Backup, storage))?,
        };
        Ok(BackupKey::new(key))
    }

    /// The key by which lists from outside are held against each other: one for the domain, another
    /// than any scenario's.
    #[must_use]
    pub fn list_key(&self) -> Key {
        self.inner.tokens.derive("gate", b"lists")
    }

    /// Makes and wraps the key of a new snapshot; whatever key had its name is gone.
    pub(crate) fn new_unit(&self, dataset: &DatasetName, number: u32) -> Result<Unit, Unkept> {
        self.new_named(&snapshot(dataset, number))
    }

    /// Makes and wraps a key of this name; whatever key had it is gone.
    pub(crate) fn new_named(&self, name: &KeyName) -> Result<Unit, Unkept> {
        self.change(|ring, storage| {
            ring.take(name);
            ring.draw(name, storage).map(Unit::new)
        })
    }

    /// Unwraps the key of this name.
    pub(crate) fn named(&self, name: &KeyName) -> Result<Unit, Unkept> {
        let state = self.read();
        let key = state.ring.get(name, &state.storage)?.map(Unit::new);
        key.ok_or_else(|| Unkept::KeyAbsent { key: name.clone() })
    }

    /// Removes the wrapped key of this name; one that is not there is no error.
    pub(crate) fn remove_named(&self, name: &KeyName) -> Result<(), Unkept> {
        if !self.read().ring.keys.contains_key(name) {
            return Ok(());
        }
        self.change(|ring, _| {
            ring.take(name);
            Ok(())
        })
    }

    /// Unwraps the key of a snapshot.
    pub(crate) fn unit(&self, dataset: &DatasetName, number: u32) -> Result<Unit, Unkept> {
        let state = self.read();
        let key = state.ring.get(&snapshot(dataset, number), &state.storage)?;
        key.map(Unit::new).ok_or_else(|| Unkept::UnitAbsent {
            dataset: dataset.clone(),
            number,
        })
    }

    /// Removes the wrapped key of a snapshot that never came to be.
    pub(crate) fn remove_unit(&self, dataset: &DatasetName, number: u32) -> Result<(), Unkept> {
        self.remove_named(&snapshot(dataset, number))
    }

    /// Changes the ring beneath its storage key: durable, or as it was.
    fn change<T>(
        &self,
        edit: impl FnOnce(&mut Ring, &Key) -> Result<T, Unkept>,
    ) -> Result<T, Unkept> {
        let mut state = self.write();
        let mut ring = state.ring.clone();
        let made = edit(&mut ring, &state.storage)?;
        let generation = state.generation + 1;
        let place = (self.keys_dir(), generation);
        ring.write(place, &state.storage, &mut |_| Ok(()))?;
        state.ring = ring;
        state.generation = generation;
        ring::sweep(self.keys_dir(), generation)?;
        Ok(made)
    }

    pub(crate) fn keys_dir(&self) -> &Path {
        &self.inner.keys_dir
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        let state = &self.inner.state;
        state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, State> {
        let state = &self.inner.state;
        state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl KeyStatus ===

impl KeyStatus {
    fn of(ring: &Ring) -> Self {
        let keys = ring.keys.iter();
        Self {
            keystore: ring.keystore,
            root: ring.root.clone(),
            storage: ring.storage.version,
            check: ring.storage.check,
            keys: keys.map(|(name, key)| (name.clone(), key.check)).collect(),
            unrecorded: ring.unrecorded.len(),
        }
    }
}

fn snapshot(dataset: &DatasetName, number: u32) -> KeyName {
    KeyName::Snapshot {
        dataset: dataset.clone(),
        number,
    }
}

#[cfg(test)]
mod tests;
