//! 封存: data is sealed with the list of what is stored, looked at again, and held against that list. While
//! a seal stands nothing of it is operated on, comes in, is destroyed, or is forgotten by the log.

use crate::{Asking, By, Carried, Gateway, Order, Unadministered};
use chrono::NaiveDate;
use ledger::{leaf_hash, node_hash};
use register::{Command, Listing, Seal};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};
use terms::{DatasetName, Digest, Event, SealBasis, SealedFile, SealedUnit};
use vault::{Store, Unkept};

/// A stored file beside its line in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    AsSealed,
    Changed,
    Missing,
}

// === impl Gateway ===

impl Gateway {
    /// Seals a unit, with the list of its stored files: all of it stands or none.
    ///
    /// # Errors
    /// [`Unadministered`].
    pub(crate) async fn seal(
        self: &Arc<Self>,
        asking: &Asking,
        (unit, basis, until): (SealedUnit, SealBasis, NaiveDate),
    ) -> Result<Carried, Unadministered> {
        let (gateway, asking) = (Arc::clone(self), asking.clone());
        // Whoever goes away leaves nothing half sealed, and nothing comes in or goes in between.
        let sealed = tokio::spawn(async move {
            let _loading = gateway.domain.loading.lock().await;
            let standing = gateway.upkeep.standing.lock().await;
            let _settling = gateway.domain.workspace.settling.lock().await;
            let under_way = standing.destructions.approved();
            let under_way = under_way.filter_map(|request| standing.destructions.request(request));
            let under_way: Vec<_> = under_way
                .map(|of| (of.dataset.clone(), of.snapshot))
                .collect();
            let listing = gateway.listed(&unit).await?;
            listing.judge(&unit, &under_way)?;
            let command = Command::SealData {
                unit,
                basis,
                until,
                listing,
            };
            gateway.ordered(&asking, command).await
        });
        sealed.await.unwrap_or(Err(Unadministered::Broken))
    }

    /// Looks at every file of a sealed unit again; what was found is on record before it is told.
    ///
    /// # Errors
    /// [`Unadministered`].
    pub(crate) async fn check_seal(
        self: &Arc<Self>,
        asking: &Asking,
        unit: SealedUnit,
    ) -> Result<Value, Unadministered> {
        let seal = self.domain.live.read().state.seal_of(&unit)?.clone();
        let sealed = self.list_of(&seal)?;
        let mut wanted: BTreeSet<(DatasetName, u32)> = seal.snapshots.clone();
        let seen = self.domain.live.read().state.seen_by(&unit);
        wanted.extend(snapshots_of(seen, &self.domain.store, &unit)?);
        let found = self.hashed(wanted.into_iter().collect()).await?;
        let known = |file: &SealedFile| {
            let same =
                |one: &&SealedFile| (&one.dataset, one.snapshot) == (&file.dataset, file.snapshot);
            match found.iter().find(same) {
                None => Found::Missing,
                Some(now) if now == file => Found::AsSealed,
                Some(_) => Found::Changed,
            }
        };
        let files: Vec<(&SealedFile, Found)> =
            sealed.iter().map(|file| (file, known(file))).collect();
        let added = found.iter().filter(|now| {
            !seal
                .snapshots
                .contains(&(now.dataset.clone(), now.snapshot))
        });
        let added: Vec<&SealedFile> = added.collect();
        let holds = added.is_empty() && files.iter().all(|(_, found)| *found == Found::AsSealed);
        let now = Listing::of(found.clone(), root);
        let command = Command::CheckSeal {
            unit: unit.clone(),
            found: now.list,
            holds,
        };
        let carried = self.ordered(asking, command).await?;
        let files: Vec<Value> = files
            .iter()
            .map(|(file, found)| json!({"file": file, "is": found.word()}))
            .collect();
        Ok(
            json!({"unit": unit, "seal": seal, "files": files, "added": added, "found": now.list,
            "holds": holds, "entry": carried.index}),
        )
    }

    async fn ordered(&self, asking: &Asking, command: Command) -> Result<Carried, Unadministered> {
        let order = Order {
            by: By::Caller(Box::new(asking.clone())),
            command,
            sealed: None,
        };
        self.domain.carry_out(order).await
    }

    /// What is stored of a unit, file by file.
    async fn listed(&self, unit: &SealedUnit) -> Result<Listing, Unadministered> {
        let (domain, unit) = (Arc::clone(&self.domain), unit.clone());
        let listed = tokio::task::spawn_blocking(move || {
            let seen = domain.live.read().state.seen_by(&unit);
            listing(&domain.store, snapshots_of(seen, &domain.store, &unit)?)
        });
        Ok(listed.await.map_err(|_| Unadministered::Broken)??)
    }

    /// The digests of stored files; of those alone that are there.
    async fn hashed(&self, of: Vec<(DatasetName, u32)>) -> Result<Vec<SealedFile>, Unadministered> {
        let store = self.domain.store.clone();
        let hashed = tokio::task::spawn_blocking(move || hashed(&store, of));
        Ok(hashed.await.map_err(|_| Unadministered::Broken)??)
    }

    /// The list of a seal as the log has it. The same files sealed twice are listed twice: once is told.
    fn list_of(&self, seal: &Seal) -> Result<Vec<SealedFile>, Unadministered> {
        let mut all = Vec::new();
        for stored in self.domain.ledger.events(0)? {
            if let Event::SealListed { list, files } = stored?.event
                && list == seal.list
            {
                all.extend(files);
            }
        }
        all.sort_by_key(SealedFile::line);
        all.dedup();
        Ok(all)
    }
}

/// The snapshots of a unit: those that its register sees of it, results that are kept of it among them, and
/// of a dataset all that is stored.
pub(crate) fn snapshots_of(
    mut snapshots: Vec<(DatasetName, u32)>,
    store: &Store,
    unit: &SealedUnit,
) -> Result<Vec<(DatasetName, u32)>, Unkept> {
    if let SealedUnit::Dataset(name) = unit {
        let numbers = store.stored(name)?.into_iter();
        snapshots.extend(numbers.map(|number| (name.clone(), number)));
    }
    Ok(snapshots)
}

/// The list of these snapshots as they are stored now, with those that have no file any more.
pub(crate) fn listing(store: &Store, of: Vec<(DatasetName, u32)>) -> Result<Listing, Unkept> {
    let files = hashed(store, of.clone())?;
    let is_there = |(dataset, number): &(DatasetName, u32)| {
        let mut files = files.iter();
        files.any(|file| file.dataset == *dataset && file.snapshot == *number)
    };
    let absent = of.into_iter().filter(|of| !is_there(of)).collect();
    Ok(Listing {
        absent,
        ..Listing::of(files, root)
    })
}

fn hashed(store: &Store, of: Vec<(DatasetName, u32)>) -> Result<Vec<SealedFile>, Unkept> {
    let mut files = Vec::new();
    for (dataset, snapshot) in of {
        if let Some((sha256, bytes)) = store.digest(&dataset, snapshot)? {
            files.push(SealedFile {
                dataset,
                snapshot,
                sha256,
                bytes,
            });
        }
    }
    Ok(files)
}

/// The root of the tree of these lines. Source: RFC 6962, 2.1.
fn root(lines: &[String]) -> Digest {
    match lines {
        [] => Digest::of(b""),
        [line] => leaf_hash(line.as_bytes()),
        lines => {
            // The largest power of two below their number.
            let half = lines.len().next_power_of_two() / 2;
            let (left, right) = lines.split_at(half);
            node_hash(&root(left), &root(right))
        }
    }
}

impl Found {
    const fn word(self) -> &'static str {
        match self {
            Self::AsSealed => "as-sealed",
            Self::Changed => "changed",
            Self::Missing => "missing",
        }
    }
}

#[cfg(test)]
mod tests;
