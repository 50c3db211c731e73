//! Keys made anew, so that the old ones can be destroyed. All or nothing, wherever it breaks off.
//!
//! The order: a new root key in its keystore; the new ring beside the old; the switch, one rename; the
//! old ring destroyed; the old root key destroyed. Before the switch the old ring holds and what is new
//! is swept at the next start; after it, what is old is.

use crate::keystore::{self, Keystore};
use crate::ring::{self, Ring, Step, Storage, Stored, Watch};
use crate::{Key, Keyring, RootId, Unkept, keyring::State, old_root};
use std::sync::Arc;
use terms::{Event, KeyName, Rotation};

/// What is to be made anew.
struct Renewal<'a> {
    rotation: Rotation,
    keystore: Option<Arc<dyn Keystore>>,
    without: &'a [KeyName],
    /// The new root key, where it is not to be one of the old one's owner. The old one stays then.
    apart: Option<RootId>,
}

impl Keyring {
    /// Destroys what a crash left of keys that hold no more. A ring of an older form is made anew, under a
    /// new storage key: no other of that form opens then.
    ///
    /// # Errors
    /// The keystore's or file system's.
    pub fn settle(&self) -> Result<(), Unkept> {
        let is_of_older_form = {
            let state = self.read();
            let root = &state.ring.root;
            for other in state.keystore.roots(root)? {
                if other != *root {
                    state.keystore.destroy(&other)?;
                }
            }
            keystore::sweep(self.keys_dir(), root)?;
            ring::sweep(self.keys_dir(), state.generation)?;
            old_root::destroy(self.keys_dir())?;
            state.ring.is_of_older_form()
        };
        if is_of_older_form {
            self.rotate_storage()?;
        }
        Ok(())
    }

    /// Makes a new root key that wraps the same storage key, and destroys the old one.
    ///
    /// # Errors
    /// [`Unkept`]; [`Keyring::status`] tells whether the new ones hold already.
    pub fn rotate_root(&self) -> Result<(), Unkept> {
        let renewal = Renewal::of(Rotation::Root);
        self.renew(renewal, &mut |_| Ok(()))
    }

    /// Makes a new storage key under a new root key, wraps every key anew, and destroys the old ones.
    ///
    /// # Errors
    /// As [`Keyring::rotate_root`].
    pub fn rotate_storage(&self) -> Result<(), Unkept> {
        let renewal = Renewal::of(Rotation::Storage);
        self.renew(renewal, &mut |_| Ok(()))
    }

    /// Moves the root to another keystore, or under another passphrase, and destroys the old one. The
    /// storage key is new too: whoever could read it before can't any more.
    ///
    /// # Errors
    /// As [`Keyring::rotate_root`].
    pub fn move_to(&self, keystore: Box<dyn Keystore>) -> Result<(), Unkept> {
        let renewal = Renewal {
            keystore: Some(Arc::from(keystore)),
            ..Renewal::of(Rotation::Keystore)
        };
        self.renew(renewal, &mut |_| Ok(()))
    }

    /// Destroys keys for good: a new storage key wraps all others, and the one that wrapped these is
    /// destroyed with its root key.
    ///
    /// # Errors
    /// As [`Keyring::rotate_root`].
    pub fn destroy(&self, keys: &[KeyName]) -> Result<(), Unkept> {
        let renewal = Renewal {
            without: keys,
            ..Renewal::of(Rotation::Storage)
        };
        self.renew(renewal, &mut |_| Ok(()))
    }

    /// Parts the keys of a domain that was put back from those they were copied of: a new root key, of
    /// nobody else, wraps the storage key. The former root key stays in its keystore, since the other domain
    /// may still hang on it; from here on neither destroys what is the other's.
    ///
    /// # Errors
    /// As [`Keyring::rotate_root`].
    pub fn part(&self) -> Result<(), Unkept> {
        let root = RootId::random()?;
        // Of a ring of an older form another could hold in its place, so it has a new storage key too.
        let rotation = if self.read().ring.is_of_older_form() {
            Rotation::Storage
        } else {
            Rotation::Root
        };
        let renewal = Renewal {
            apart: Some(root.clone()),
            ..Renewal::of(rotation)
        };
        let renewed = self.renew(renewal, &mut |_| Ok(()));
        let state = self.read();
        if renewed.is_err() && state.ring.root != root {
            // Nobody's name is like this one's, so nobody would sweep it.
            drop(state.keystore.destroy(&root));
        }
        renewed
    }

    fn renew(&self, renewal: Renewal<'_>, watch: Watch<'_>) -> Result<(), Unkept> {
        let mut state = self.write();
        let (old_keystore, old_root) = (Arc::clone(&state.keystore), state.ring.root.clone());
        let keystore = renewal
            .keystore
            .unwrap_or_else(|| Arc::clone(&old_keystore));
        let is_apart = renewal.apart.is_some();
        let root = match renewal.apart {
            Some(root) => root,
            None => old_root.another()?,
        };
        keystore.make(&root)?;
        watch(Step::RootMade)?;
        let (version, storage) = match renewal.rotation {
            Rotation::Root => (state.ring.storage.version, state.storage.clone()),
            Rotation::Storage | Rotation::Keystore => {
                (state.ring.storage.version + 1, Key::random()?)
            }
        };
        let wrapped = keystore.wrap(&root, &storage)?;
        // What cannot be opened again must not become what holds.
        if keystore.unwrap(&root, &wrapped)? != storage {
            return Err(Unkept::SealBroken);
        }
        let mut ring = state.ring.clone();
        ring.keystore = keystore.kind();
        ring.root = root;
        for name in renewal.without {
            ring.take(name);
        }
        ring.storage = Storage::new(version, &wrapped, &storage);
        if version != state.ring.storage.version {
            wrap_anew(&mut ring, &state, &storage)?;
        }
        note(&mut ring, renewal.rotation, &state.ring.storage);
        let generation = state.generation + 1;
        let written = ring.write((self.keys_dir(), generation), &storage, watch);
        let holds = Stored::newest(self.keys_dir())?.map(|holds| holds.generation);
        if holds == Some(generation) {
            *state = State {
                keystore,
                generation,
                ring,
                storage,
            };
        }
        // Where the switch may not be durable nothing old is destroyed: the next start does it.
        written?;
        ring::sweep(self.keys_dir(), generation)?;
        watch(Step::OldRingDestroyed)?;
        if !is_apart {
            old_keystore.destroy(&old_root)?;
        }
        keystore::sweep(self.keys_dir(), &state.ring.root)?;
        watch(Step::OldRootDestroyed)
    }
}

// === impl Renewal ===

impl Renewal<'_> {
    const fn of(rotation: Rotation) -> Self {
        Self {
            rotation,
            keystore: None,
            without: &[],
            apart: None,
        }
    }
}

/// Wraps every key of a ring under another storage key.
fn wrap_anew(ring: &mut Ring, before: &State, storage: &Key) -> Result<(), Unkept> {
    let names: Vec<KeyName> = ring.keys.keys().cloned().collect();
    for name in names {
        let key = before.ring.get(&name, &before.storage)?;
        let key = key.ok_or_else(|| Unkept::UnitForeign { key: name.clone() })?;
        ring.put(&name, &key, storage)?;
    }
    Ok(())
}

/// Notes for the ledger what was made anew, and what is gone for it.
fn note(ring: &mut Ring, rotation: Rotation, before: &Storage) {
    let Storage { version, check, .. } = &ring.storage;
    let (version, check) = (*version, *check);
    ring.unrecorded.push(Event::KeysRotated {
        rotation,
        keystore: ring.keystore,
        storage: version,
        check,
        keys: u64::try_from(ring.keys.len()).unwrap_or(u64::MAX),
    });
    if version != before.version {
        ring.unrecorded.push(Event::KeyDestroyed {
            key: KeyName::Storage(before.version),
            check: before.check,
        });
    }
}

#[cfg(test)]
mod tests;
