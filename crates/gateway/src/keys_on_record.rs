//! Which keys the log has on record, held against those that a domain is opened with: a ring that somebody
//! laid in, or an older one that was put back, is none of this log's.

use crate::Unopened;
use ledger::{Breach, Ledger, Stored};
use std::collections::BTreeMap;
use terms::{Digest, Event, KeyName};
use vault::{KeyStatus, Keyring};

/// What the log says last of the keys that hold everything else.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct KeysOnRecord {
    /// Those that no rotation changes.
    fixed: BTreeMap<KeyName, OnRecord>,
    /// The storage key, and its version.
    storage: Option<(u32, OnRecord)>,
}

/// An entry and the key it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct OnRecord {
    index: u64,
    check: Digest,
}

/// Whose keys a domain is opened with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Its own: as the log has them on record.
    Own,
    /// A copy of its own, which may be older than a rotation on record.
    Copied,
}

/// What an entry says of one of these keys.
enum Said {
    Fixed(KeyName, Digest),
    Storage(u32, Digest),
}

// === impl KeysOnRecord ===

impl KeysOnRecord {
    pub(crate) fn apply(&mut self, stored: &Stored) {
        let index = stored.index;
        match said(&stored.event) {
            Some(Said::Fixed(key, check)) => {
                self.fixed.insert(key, OnRecord { index, check });
            }
            Some(Said::Storage(version, check)) => {
                self.storage = Some((version, OnRecord { index, check }));
            }
            None => {}
        }
    }

    /// Whether this names every such key of a ring, each by an entry that the log has. Who made the ring
    /// could have sealed this, so it is not believed for being sealed.
    pub(crate) fn is_of(&self, ledger: &Ledger, keyring: &Keyring) -> bool {
        let keys = keyring.status().keys;
        let mut fixed = keys.iter().filter(|(key, _)| is_fixed(key));
        let is_whole = self.storage.is_some() && fixed.all(|(key, _)| self.fixed.contains_key(key));
        let storage = self.storage.iter().map(|(_, entry)| entry);
        let mut entries = self.fixed.values().chain(storage);
        is_whole && entries.all(|entry| self.is_entry(ledger, *entry).unwrap_or(false))
    }

    fn is_entry(&self, ledger: &Ledger, entry: OnRecord) -> Result<bool, Breach> {
        // Hashed, and found to lead to the signed root.
        ledger.prove(entry.index)?;
        let Some(stored) = ledger.events(entry.index)?.next().transpose()? else {
            return Ok(false);
        };
        let mut says = Self::default();
        says.apply(&stored);
        let mut fixed = says.fixed.iter();
        let is_so = fixed.all(|(key, entry)| self.fixed.get(key) == Some(entry))
            && (says.storage.is_none() || says.storage == self.storage);
        Ok(is_so && says != Self::default())
    }

    /// Judges the keys that a domain is opened with by what is on record of them. What is not, nobody holds
    /// against them.
    ///
    /// # Errors
    /// [`Unopened::OtherKeys`].
    pub(crate) fn judge(&self, keyring: &Keyring, whose: Whose) -> Result<(), Unopened> {
        let status = keyring.status();
        for (key, on_record) in &self.fixed {
            let found = status.keys.iter().find(|(name, _)| name == key);
            if found.is_none_or(|(_, check)| *check != on_record.check) {
                return Err(Unopened::OtherKeys {
                    key: key.clone(),
                    index: on_record.index,
                });
            }
        }
        match self.storage {
            Some((version, on_record)) if whose == Whose::Own => {
                let is_on_record = (status.storage, status.check) == (version, on_record.check);
                let after = (version, on_record.check);
                if is_on_record || is_newer(&status, after, &keyring.unrecorded()) {
                    return Ok(());
                }
                Err(Unopened::OtherKeys {
                    key: KeyName::Storage(status.storage),
                    index: on_record.index,
                })
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Whether a storage key took the place of the one on record, and that waits to be put there.
fn is_newer(status: &KeyStatus, (version, check): (u32, Digest), unrecorded: &[Event]) -> bool {
    let is_gone = |event: &Event| {
        matches!(event, Event::KeyDestroyed { key: KeyName::Storage(gone), check: of }
            if (*gone, *of) == (version, check))
    };
    let is_this = |event: &Event| {
        matches!(said(event), Some(Said::Storage(made, check))
            if (made, check) == (status.storage, status.check))
    };
    unrecorded.iter().any(is_gone) && unrecorded.iter().any(is_this)
}

fn said(event: &Event) -> Option<Said> {
    if let Event::KeyCreated { key, check } = event {
        return match key {
            KeyName::Storage(version) => Some(Said::Storage(*version, *check)),
            key => is_fixed(key).then(|| Said::Fixed(key.clone(), *check)),
        };
    }
    if let Event::KeysRotated { storage, check, .. } = event {
        return Some(Said::Storage(*storage, *check));
    }
    None
}

const fn is_fixed(key: &KeyName) -> bool {
    match key {
        KeyName::Tokens | KeyName::Cells | KeyName::Sealed | KeyName::Backup => true,
        KeyName::Storage(_) | KeyName::Snapshot { .. } | KeyName::Quarantine(_) => false,
    }
}

#[cfg(test)]
mod tests;
