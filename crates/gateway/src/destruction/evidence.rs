use super::{DestroyedKey, Disposition, Taken, Undestroyed};
use crate::Domain;
use chrono::{DateTime, Utc};
use ledger::Stored;
use manifest::Derived;
use register::DestructionRequest;
use std::collections::{BTreeMap, BTreeSet};
use terms::{DatasetName, Digest, Event, KeyName, KeystoreKind, QueryId, ScenarioId};

/// What the log says of a destruction.
pub(super) struct Evidence {
    pub steps: Vec<Taken>,
    pub key: DestroyedKey,
    pub derived: Vec<Derived>,
    /// Copies of the keys that are on record: the entry and time of each, and what opens it.
    pub copies: Vec<(u64, DateTime<Utc>, KeystoreKind)>,
    /// The digest of the stored file, as it was put on record when the data came in.
    pub loaded: Digest,
}

/// What is found on the way through the log.
#[derive(Default)]
struct Found {
    steps: Vec<Taken>,
    created: Option<u64>,
    destroyed: Option<(u64, Digest)>,
    /// The rotation that wrapped the others anew: its entry, where the root is kept, how many keys.
    rotated: Option<(u64, KeystoreKind, u64)>,
    wrapped_by: Option<(KeyName, Digest)>,
    copies: Vec<(u64, DateTime<Utc>, KeystoreKind)>,
    loaded: Option<Digest>,
    /// The dataset's snapshot at this place of the log.
    current: Option<u32>,
    reading: BTreeSet<QueryId>,
    exports: BTreeMap<QueryId, (Digest, u64)>,
    /// The kept results that it went into: their entry, scenario and file, and the entry they ended by.
    kept: BTreeMap<DatasetName, (u64, ScenarioId, Digest, Option<u64>)>,
    results: (u64, u64),
}

/// Reads the log for all that a certificate says.
pub(super) fn gathered(
    domain: &Domain,
    (request, of): (u64, &DestructionRequest),
    name: &KeyName,
) -> Result<Evidence, Undestroyed> {
    let mut found = Found::default();
    for stored in domain.ledger.events(0)? {
        let stored = stored?;
        found.step(&stored, request);
        found.key(&stored, name);
        found.use_of(&stored, (&of.dataset, of.snapshot));
    }
    let absent = Undestroyed::Unrecorded;
    let (destroyed, check) = found.destroyed.ok_or(absent("that the key is gone"))?;
    let (rotated, keystore, keys) = found.rotated.ok_or(absent("the rotation"))?;
    let (wrapped_by, wrapped_by_check) = found.wrapped_by.ok_or(absent("the storage key"))?;
    let mut derived: Vec<Derived> = found
        .exports
        .into_iter()
        .map(|(query, (manifest, index))| Derived::Export {
            query,
            manifest,
            index,
        })
        .collect();
    for (dataset, (kept, scenario, sha256, dropped)) in found.kept {
        derived.push(Derived::Kept {
            dataset,
            scenario,
            kept,
            dropped: dropped.ok_or(absent("that a kept result ended"))?,
            sha256,
        });
    }
    let (results, rows) = found.results;
    if results > 0 {
        derived.push(Derived::Results { results, rows });
    }
    let (parts, sha256) = domain.disclosure.held_of(&of.dataset, of.snapshot)?;
    if parts > 0 {
        derived.push(Derived::DisclosureRegister { parts, sha256 });
    }
    Ok(Evidence {
        steps: found.steps,
        key: DestroyedKey {
            name: name.clone(),
            check,
            created: found.created,
            destroyed,
            wrapped_by,
            wrapped_by_check,
            rotated,
            keys_wrapped_anew: keys,
            keystore,
            root_exportable: keystore != KeystoreKind::Pkcs11,
        },
        derived,
        copies: found.copies,
        loaded: found.loaded.ok_or(absent("that the data came in"))?,
    })
}

/// That the log says how the data came in.
pub(super) fn came_in(domain: &Domain, of: &DestructionRequest) -> Result<(), Undestroyed> {
    let mut found = Found::default();
    for stored in domain.ledger.events(0)? {
        found.use_of(&stored?, (&of.dataset, of.snapshot));
        if found.loaded.is_some() {
            return Ok(());
        }
    }
    Err(Undestroyed::Unrecorded("that the data came in"))
}

// === impl Found ===

impl Found {
    fn step(&mut self, stored: &Stored, request: u64) {
        let (step, by) = match &stored.event {
            Event::DestructionRequested { by, .. } if stored.index == request => ("requested", by),
            Event::DestructionApproved { by, request: of } if *of == request => ("approved", by),
            _ => return,
        };
        self.steps.push(Taken {
            step: step.to_owned(),
            by: by.clone(),
            at: stored.at,
            index: stored.index,
        });
    }

    /// The destruction of a key is put on record as it was done: the key, the rotation, the storage key.
    fn key(&mut self, stored: &Stored, name: &KeyName) {
        match &stored.event {
            Event::KeyCreated { key, .. } if key == name => self.created = Some(stored.index),
            Event::KeyDestroyed { key, check } if key == name => {
                self.destroyed = Some((stored.index, *check));
                (self.rotated, self.wrapped_by) = (None, None);
            }
            Event::KeysRotated { keystore, keys, .. }
                if self.destroyed.is_some() && self.rotated.is_none() =>
            {
                self.rotated = Some((stored.index, *keystore, *keys));
            }
            Event::KeyDestroyed { key, check }
                if self.rotated.is_some() && self.wrapped_by.is_none() =>
            {
                self.wrapped_by = Some((key.clone(), *check));
            }
            // One from before the key came to be holds none of it; one from after it went neither.
            Event::KeysCopied { keystore, .. }
                if self.created.is_some() && self.destroyed.is_none() =>
            {
                self.copies.push((stored.index, stored.at, *keystore));
            }
            _ => {}
        }
    }

    fn use_of(&mut self, stored: &Stored, (dataset, number): (&DatasetName, u32)) {
        match &stored.event {
            Event::DatasetLoaded { snapshot, .. }
            | Event::ExternalStep {
                snapshot: Some(snapshot),
                ..
            } if snapshot.dataset == *dataset => {
                self.current = Some(snapshot.number);
                if snapshot.number == number {
                    self.loaded = Some(snapshot.digest);
                }
            }
            Event::DerivedKept { derived, .. } if derived.is_of(dataset, number) => {
                let kept = (stored.index, derived.scenario.clone(), derived.digest, None);
                self.kept.insert(derived.stored_as(), kept);
            }
            Event::DerivedDropped { dataset, .. } => {
                let kept = self.kept.get_mut(dataset);
                kept.into_iter()
                    .for_each(|(.., dropped)| *dropped = Some(stored.index));
            }
            Event::OperationDecided {
                query, references, ..
            } if references.iter().any(|of| {
                let is_read = of.dataset == *dataset && self.current == Some(number);
                is_read || self.kept.contains_key(&of.dataset)
            }) =>
            {
                self.reading.insert(query.clone());
            }
            Event::OperationReleased { query, rows, .. } if self.reading.contains(query) => {
                self.results.0 += 1;
                self.results.1 = self.results.1.saturating_add(*rows);
            }
            Event::Exported {
                query, manifest, ..
            } if self.reading.contains(query) => {
                self.exports
                    .insert(query.clone(), (*manifest, stored.index));
            }
            _ => {}
        }
    }
}

/// What is tried once the key is gone. Source: NIST SP 800-88r2, verification and validation.
pub(super) fn validated(
    domain: &Domain,
    of: &DestructionRequest,
    name: &KeyName,
) -> Vec<Disposition> {
    let asked = domain.store.source(&of.dataset, of.snapshot, &[]);
    let asked = asked.map_or_else(|why| why.code(), |_| "opened");
    let status = domain.keyring.status();
    let named = status.keys.iter().any(|(known, _)| known == name);
    let roots = domain.keyring.roots();
    let roots = match roots {
        Ok(roots) if roots.as_slice() == [status.root.clone()] => "the one in use alone".to_owned(),
        Ok(roots) => format!("{} of this domain", roots.len()),
        Err(why) => why.code().to_owned(),
    };
    let tried = |of: &str, is: &str| Disposition {
        of: of.to_owned(),
        is: is.to_owned(),
    };
    vec![
        tried("the key asked for, as for a query", asked),
        tried(
            "the key's name among the wrapped keys",
            if named { "found" } else { "not found" },
        ),
        tried("the root keys that the keystore has", &roots),
    ]
}
