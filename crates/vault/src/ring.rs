//! Every key of a domain, wrapped, in one file that is replaced as a whole.
//!
//! Shape: `keys/ring.<generation>.json`; a line of JSON, then a line with its HMAC-SHA256 under the
//! storage key. The highest generation holds; the text says it too, so that no ring holds under another's
//! number. A file gets its name only when all of it is durable. So every change, a rotation of 10,000 keys
//! too, is there or is not.

use crate::{Key, RootId, Unkept, private_file, sealing};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use terms::{Digest, Event, KeyName, KeystoreKind};

/// What the file says.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ring {
    v: u32,
    /// Its number; the first form did not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    generation: Option<u64>,
    /// Where the root key is kept.
    pub keystore: KeystoreKind,
    /// Which it is.
    pub root: RootId,
    /// The storage key, wrapped under the root key.
    pub storage: Storage,
    /// The other keys, wrapped under the storage key.
    pub keys: BTreeMap<KeyName, Wrapped>,
    /// What became of keys and is not on the ledger yet.
    pub unrecorded: Vec<Event>,
}

/// The wrapped storage key.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Storage {
    /// From 1; each rotation makes the next.
    pub version: u32,
    /// Base64, in the form of the keystore.
    pub wrapped: String,
    /// Which key it is, without saying it.
    pub check: Digest,
}

/// A wrapped key.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wrapped {
    algorithm: String,
    /// Base64 of 12 bytes nonce, 32 bytes ciphertext, 16 bytes tag.
    wrapped: String,
    /// Which key it is, without saying it.
    pub check: Digest,
}

/// A ring as it was read; believed once [`Stored::opened`] found its HMAC right.
#[derive(Debug)]
pub(crate) struct Stored {
    pub generation: u64,
    pub ring: Ring,
    path: PathBuf,
    text: String,
    tag: Vec<u8>,
}

/// A moment at which a crash has to leave all or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The new root key is in its keystore.
    RootMade,
    /// The new ring is durable, and does not hold yet.
    Written,
    /// It holds.
    Switched,
    /// The ring before is destroyed.
    OldRingDestroyed,
    /// The root key before is destroyed.
    OldRootDestroyed,
}

/// Told of each step; in tests it fails or dies there.
pub(crate) type Watch<'a> = &'a mut dyn FnMut(Step) -> Result<(), Unkept>;

const ALGORITHM: &str = "AES-256-GCM";
/// The form that is written.
const VERSION: u32 = 2;
const PART: &str = "part";

// === impl Ring ===

impl Ring {
    /// A ring without keys but the storage key.
    pub(crate) const fn new(keystore: KeystoreKind, root: RootId, storage: Storage) -> Self {
        Self {
            v: VERSION,
            generation: None,
            keystore,
            root,
            storage,
            keys: BTreeMap::new(),
            unrecorded: Vec::new(),
        }
    }

    /// Whether it was read in a form that is not written any more: under the same storage key another
    /// ring of that form could hold in its place.
    pub(crate) const fn is_of_older_form(&self) -> bool {
        self.v < VERSION
    }

    /// Wraps a key and keeps it under its name.
    pub(crate) fn put(&mut self, name: &KeyName, key: &Key, storage: &Key) -> Result<(), Unkept> {
        let context = context(self.storage.version, name);
        let wrapped = Wrapped {
            algorithm: ALGORITHM.to_owned(),
            wrapped: STANDARD.encode(sealing::wrap(storage, &context, key)?),
            check: key.check(),
        };
        self.keys.insert(name.clone(), wrapped);
        Ok(())
    }

    /// Unwraps a key, and checks that it is the one that was made; none where there is none.
    pub(crate) fn get(&self, name: &KeyName, storage: &Key) -> Result<Option<Key>, Unkept> {
        let Some(wrapped) = self.keys.get(name) else {
            return Ok(None);
        };
        let foreign = || Unkept::UnitForeign { key: name.clone() };
        if wrapped.algorithm != ALGORITHM {
            return Err(foreign());
        }
        let bytes = STANDARD.decode(&wrapped.wrapped).map_err(|_| foreign())?;
        let context = context(self.storage.version, name);
        let key = sealing::unwrap(storage, &context, &bytes).map_err(|_| foreign())?;
        if key.check() == wrapped.check {
            Ok(Some(key))
        } else {
            Err(foreign())
        }
    }

    /// Draws a key, keeps it, and notes that it came to be.
    pub(crate) fn draw(&mut self, name: &KeyName, storage: &Key) -> Result<Key, Unkept> {
        let key = Key::random()?;
        self.put(name, &key, storage)?;
        self.note_created(name, &key);
        Ok(key)
    }

    /// Notes for the ledger that a key came to be.
    pub(crate) fn note_created(&mut self, name: &KeyName, key: &Key) {
        self.unrecorded.push(Event::KeyCreated {
            key: name.clone(),
            check: key.check(),
        });
    }

    /// Takes a key out, and notes that it is gone; whether there was one.
    pub(crate) fn take(&mut self, name: &KeyName) -> bool {
        let Some(wrapped) = self.keys.remove(name) else {
            return false;
        };
        let is_this = |event: &Event| matches!(event, Event::KeyCreated { key, check } if key == name && *check == wrapped.check);
        if self.unrecorded.iter().any(is_this) {
            // It never was, as far as the ledger knows.
            self.unrecorded.retain(|event| !is_this(event));
        } else {
            self.unrecorded.push(Event::KeyDestroyed {
                key: name.clone(),
                check: wrapped.check,
            });
        }
        true
    }

    /// Makes this ring hold as the given generation, durable before it returns.
    pub(crate) fn write(
        &mut self,
        (keys_dir, generation): (&Path, u64),
        storage: &Key,
        watch: Watch<'_>,
    ) -> Result<(), Unkept> {
        let path = path(keys_dir, generation);
        let part = path.with_extension(PART);
        self.v = VERSION;
        self.generation = Some(generation);
        let text = serde_json::to_string(self);
        let text = text.map_err(|_| Unkept::RingBroken { path: path.clone() })?;
        let tag = hex::encode(hmac::sign(&mac_key(storage), text.as_bytes()));
        // What a crash left of an earlier attempt.
        private_file::destroy(&part)?;
        private_file::write_new(&part, format!("{text}\n{tag}\n").as_bytes())?;
        watch(Step::Written)?;
        private_file::rename(&part, &path)?;
        watch(Step::Switched)
    }
}

// === impl Storage ===

impl Storage {
    /// A storage key as its keystore wrapped it.
    pub(crate) fn new(version: u32, wrapped: &[u8], key: &Key) -> Self {
        Self {
            version,
            wrapped: STANDARD.encode(wrapped),
            check: key.check(),
        }
    }
}

// === impl Stored ===

impl Stored {
    /// The ring that holds; none where there is none.
    pub(crate) fn newest(keys_dir: &Path) -> Result<Option<Self>, Unkept> {
        let names = private_file::names(keys_dir)?;
        let Some(generation) = names.iter().filter_map(|name| generation(name)).max() else {
            return Ok(None);
        };
        let path = path(keys_dir, generation);
        let broken = || Unkept::RingBroken { path: path.clone() };
        let bytes = private_file::read(&path)?.ok_or_else(broken)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| broken())?;
        let lines: Vec<&str> = text.lines().collect();
        let [text, tag] = lines.as_slice() else {
            return Err(broken());
        };
        let ring: Ring = serde_json::from_str(text).map_err(|_| broken())?;
        let is_itself = match ring.v {
            1 => ring.generation.is_none(),
            VERSION => ring.generation == Some(generation),
            _ => false,
        };
        if !is_itself {
            return Err(broken());
        }
        let tag = hex::decode(tag).map_err(|_| broken())?;
        let text = (*text).to_owned();
        Ok(Some(Self {
            generation,
            ring,
            path,
            text,
            tag,
        }))
    }

    /// The storage key as its keystore wrapped it.
    pub(crate) fn wrapped(&self) -> Result<Vec<u8>, Unkept> {
        let wrapped = STANDARD.decode(&self.ring.storage.wrapped);
        wrapped.map_err(|_| self.broken())
    }

    /// The ring, if nothing of it was changed since it was written under this storage key.
    pub(crate) fn opened(self, storage: &Key) -> Result<(u64, Ring), Unkept> {
        let verified = hmac::verify(&mac_key(storage), self.text.as_bytes(), &self.tag);
        if verified.is_err() || storage.check() != self.ring.storage.check {
            return Err(self.broken());
        }
        Ok((self.generation, self.ring))
    }

    fn broken(&self) -> Unkept {
        Unkept::RingBroken {
            path: self.path.clone(),
        }
    }
}

/// Destroys every ring but the one that holds: what it replaced, and what a crash left.
pub(crate) fn sweep(keys_dir: &Path, holds: u64) -> Result<(), Unkept> {
    let rings = private_file::names(keys_dir)?.into_iter();
    for name in rings.filter(|name| name.starts_with("ring.")) {
        if generation(&name) != Some(holds) {
            private_file::destroy(&keys_dir.join(name))?;
        }
    }
    Ok(())
}

fn path(keys_dir: &Path, generation: u64) -> PathBuf {
    keys_dir.join(format!("ring.{generation}.json"))
}

fn generation(name: &str) -> Option<u64> {
    let number = name.strip_prefix("ring.")?.strip_suffix(".json")?;
    number.parse().ok()
}

fn mac_key(storage: &Key) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, storage.derive("ring", b"").bytes())
}

fn context(version: u32, name: &KeyName) -> Vec<u8> {
    format!("bonded key v1\n{version}\n{name}\n").into_bytes()
}
