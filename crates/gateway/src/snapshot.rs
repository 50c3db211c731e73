//! What stands, kept beside the log, so that a start folds only what came since.
//!
//! The log stays the one truth. A snapshot is sealed under the domain's keys and names the root of the
//! tree it was folded from; where it is missing, foreign, of another version or of another history, the
//! whole log is folded. What a gateway starts with goes on record by its digest, and `ledger audit` folds
//! everything again.

use crate::{durable::replace, keys_on_record::KeysOnRecord, live::Stands};
use ledger::{Breach, Ledger, Promises, Stored, Unfinished};
use register::{Destructions, Redactions};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use terms::{Digest, Event};
use vault::Keyring;

/// The file in a domain's folder.
const FILE: &str = "stands.sealed";
/// What it is sealed for.
const CONTEXT: &str = "stands";
/// Raised when what is folded, or how, changes: an older snapshot is then folded again.
const FORMAT: u32 = 8;
/// Entries that are folded again at a start rather than kept.
const ENTRIES_MIN: u64 = 10_000;

/// All that a gateway folds from the log before it serves.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Folded {
    /// What decides and tells.
    pub stands: Stands,
    /// What is asked to be destroyed.
    pub redactions: Redactions,
    /// And which data.
    pub destructions: Destructions,
    /// Which keys are on record.
    pub keys: KeysOnRecord,
    /// How long is kept.
    pub promises: Promises,
    /// What was begun and is not on record as ended.
    pub unfinished: Unfinished,
    /// Parts that the disclosure register held when the last result left.
    #[serde(default)]
    pub register_parts: u64,
}

/// A snapshot as it is sealed.
#[derive(serde::Serialize, serde::Deserialize)]
struct Snapshot<F> {
    format: u32,
    product: String,
    /// How many entries were folded.
    size: u64,
    /// The root of the tree of these entries.
    root: Digest,
    folded: F,
}

/// What came of a start.
#[derive(Debug)]
pub(crate) struct TakenUp {
    pub folded: Folded,
    /// Entries that were folded now.
    pub entries: u64,
}

/// Why a snapshot could not be kept. Nothing is lost: the next start takes longer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unkept {
    #[error(transparent)]
    Ledger(#[from] Breach),
    #[error("the snapshot cannot be sealed: {0}")]
    Seal(#[from] vault::Unkept),
    #[error("the snapshot cannot be encoded")]
    Encode(#[from] serde_json::Error),
    #[error("`{path}`: {source}")]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
}

// === impl Folded ===

impl Folded {
    fn apply(&mut self, stored: &Stored) {
        self.stands.apply(stored);
        self.redactions.apply(stored.index, &stored.event);
        self.destructions.apply(stored.index, &stored.event);
        self.keys.apply(stored);
        self.promises.apply(&stored.event, stored.at);
        self.unfinished.apply(&stored.event);
        if let Event::OperationReleased {
            used: Some(used), ..
        } = &stored.event
        {
            self.register_parts = self.register_parts.max(used.register_parts);
        }
    }

    fn fold(&mut self, ledger: &Ledger, from: u64) -> Result<u64, Breach> {
        let mut entries = 0;
        for stored in ledger.events(from)? {
            self.apply(&stored?);
            entries += 1;
        }
        Ok(entries)
    }
}

/// Folds the log, from the snapshot on where one of this history is kept.
///
/// # Errors
/// [`Breach`], where the log cannot be read or does not lead to its signed root.
pub(crate) fn take_up(dir: &Path, ledger: &Ledger, keyring: &Keyring) -> Result<TakenUp, Breach> {
    let (mut folded, size) = begun(dir, ledger, keyring);
    let entries = folded.fold(ledger, size)?;
    Ok(TakenUp { folded, entries })
}

/// What the snapshot holds of the log, and of how many entries.
fn begun(dir: &Path, ledger: &Ledger, keyring: &Keyring) -> (Folded, u64) {
    match kept(dir, ledger, keyring) {
        Some(snapshot) => (snapshot.folded, snapshot.size),
        None => (Folded::default(), 0),
    }
}

/// Keeps a snapshot of the log as it is now, unless the one that is kept is nearly as new.
///
/// # Errors
/// [`Unkept`]; the snapshot before stays.
fn keep(
    dir: &Path,
    (ledger, keyring): (&Ledger, &Keyring),
    entries_min: u64,
) -> Result<(), Unkept> {
    let (mut folded, before) = begun(dir, ledger, keyring);
    let size = ledger.head()?.0.head.size;
    if size.saturating_sub(before) < entries_min {
        return Ok(());
    }
    let size = before + folded.fold(ledger, before)?;
    let snapshot = Snapshot {
        format: FORMAT,
        product: env!("CARGO_PKG_VERSION").to_owned(),
        size,
        root: ledger.root(size)?,
        folded,
    };
    let sealed = keyring.seal(CONTEXT, &serde_json::to_vec(&snapshot)?)?;
    let path = dir.join(FILE);
    replace(&path, &sealed).map_err(|source| Unkept::File { path, source })
}

/// The snapshot, if it is one of ours, of this product and of this history.
fn kept(dir: &Path, ledger: &Ledger, keyring: &Keyring) -> Option<Snapshot<Folded>> {
    let sealed = std::fs::read(dir.join(FILE)).ok()?;
    let plain = keyring.unseal(CONTEXT, &sealed);
    let read = plain
        .ok()
        .and_then(|plain| serde_json::from_slice(&plain).ok());
    let snapshot: Option<Snapshot<Folded>> = read.filter(|snapshot: &Snapshot<Folded>| {
        snapshot.format == FORMAT
            && snapshot.product == env!("CARGO_PKG_VERSION")
            && ledger
                .root(snapshot.size)
                .is_ok_and(|root| root == snapshot.root)
            && snapshot.folded.keys.is_of(ledger, keyring)
    });
    if snapshot.is_none() {
        tracing::warn!("the snapshot is not of this product or history; the whole log is folded");
    }
    snapshot
}

/// Keeps a snapshot without holding anything up.
pub(crate) async fn keep_aside(domain: &Arc<crate::Domain>) {
    let domain = Arc::clone(domain);
    let kept = tokio::task::spawn_blocking(move || {
        let whence = (&domain.ledger, &domain.keyring);
        keep(&domain.dir, whence, ENTRIES_MIN).map_err(|error| error.to_string())
    });
    match kept.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(%error, "what stands could not be kept for the next start")
        }
        Err(error) => tracing::error!(%error, "what stands could not be kept for the next start"),
    }
}

#[cfg(test)]
mod tests;
