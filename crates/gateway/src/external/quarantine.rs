use super::{Barred, lists, report};
use crate::{Domain, Unadministered, Unopened};
use std::path::Path;
use terms::{DatasetName, External, ExternalId, KeyName, Snapshot, Stage};
use vault::Unkept;

/// What the record says of something in quarantine.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// Nothing.
    NeverWas,
    /// Nobody decided yet.
    Waits,
    /// Two approved it.
    CameIn,
    /// Refused, taken back, or nobody decided in time.
    TurnedDown,
}

/// What a file in quarantine ends with.
const ENDINGS: [&str; 5] = ["parquet", "parquet.part", "lists", "report", "new"];

/// Takes away what never came on record: its key, its file, and what was noted of it.
///
/// # Errors
/// The key store's or the file system's.
pub(super) fn discard(domain: &Domain, id: &ExternalId) -> Result<(), Unadministered> {
    domain.store.release(id)?;
    forget(
        domain,
        id,
        &[lists::place(domain, id), report::place(domain, id)],
    )?;
    Ok(())
}

/// Makes what is approved the next state of its dataset, ahead of the entry that says so.
pub(super) async fn admitted(domain: &Domain, external: &External) -> Result<Snapshot, Barred> {
    let number = {
        let stands = domain.live.read();
        stands.state.next_snapshot(&external.dataset)
    };
    let (store, of) = (domain.store.clone(), external.clone());
    let admitted = tokio::task::spawn_blocking(move || {
        // What an approval left that was killed before it was on record.
        store.discard(&of.dataset.name, number)?;
        let into = (&of.dataset.name, number);
        store.admit(&of.id, into, &of.types)
    });
    let admitted = admitted.await.map_err(|_| Barred::Broken)?;
    let snapshot = admitted.map_err(|why| Barred::Unkept(format!("{}: {why}", why.code())))?;
    domain.record_keys::<Unadministered>().await?;
    Ok(snapshot)
}

/// Does what a step that is on record asks of the quarantine: what came in is released, what was turned
/// down, taken back or not decided on is destroyed, key first. The caller holds `loading`.
///
/// # Errors
/// The key store's, the file system's or the ledger's; it is taken up at the next start.
pub(super) async fn settle(domain: &Domain, id: &ExternalId) -> Result<(), Unadministered> {
    let stage = {
        let stands = domain.live.read();
        stands.state.external(id).map(|standing| standing.stage)
    };
    let (store, of, fate) = (domain.store.clone(), id.clone(), Fate::of(stage));
    let settled = tokio::task::spawn_blocking(move || match fate {
        Fate::Waits => Ok(()),
        Fate::NeverWas | Fate::CameIn => store.release(&of),
        Fate::TurnedDown => store.destroy_quarantined(&of),
    });
    settled.await.map_err(|_| Unadministered::Broken)??;
    let (lists, report) = (lists::place(domain, id), report::place(domain, id));
    match fate {
        // Who is in a list that came in is remembered.
        Fate::Waits | Fate::CameIn => {}
        // Why it was turned down stays readable.
        Fate::TurnedDown => forget(domain, id, &[lists])?,
        Fate::NeverWas => forget(domain, id, &[lists, report])?,
    }
    domain.record_keys::<Unadministered>().await
}

// === impl Fate ===

impl Fate {
    const fn of(stage: Option<Stage>) -> Self {
        match stage {
            None => Self::NeverWas,
            Some(Stage::Applied) => Self::Waits,
            Some(Stage::Granted) => Self::CameIn,
            Some(
                Stage::Reviewed
                | Stage::Noticed
                | Stage::Published
                | Stage::Suspended
                | Stage::Refused
                | Stage::Terminated
                | Stage::Expired
                | Stage::Closed
                | Stage::Recalled,
            ) => Self::TurnedDown,
        }
    }
}

/// Finishes what a crash cut off: what lies in quarantine without a record, what was decided and is still
/// there, and states of datasets that no entry knows.
///
/// # Errors
/// The key store's, the file system's or the ledger's.
pub(crate) async fn take_up(domain: &Domain) -> Result<(), Unopened> {
    let _loading = domain.loading.lock().await;
    for name in unknown_snapshots(domain) {
        if let KeyName::Snapshot { dataset, number } = name {
            domain.store.discard(&dataset, number)?;
        }
    }
    let mut ids = domain.store.quarantined();
    ids.extend(files(domain.store.quarantine_dir())?);
    ids.sort();
    ids.dedup();
    for id in ids {
        settle(domain, &id).await.map_err(unopened)?;
    }
    domain.record_keys::<Unopened>().await
}

/// Destroys what the clock's steps ended. What a gateway does not know may still be on record, so that
/// only a start takes that away.
///
/// # Errors
/// The key store's, the file system's or the ledger's.
pub(crate) async fn sweep(domain: &Domain) -> Result<(), Unadministered> {
    let _loading = domain.loading.lock().await;
    let ended = {
        let stands = domain.live.read();
        let mut ids = domain.store.quarantined();
        let stage = |id: &ExternalId| stands.state.external(id).map(|standing| standing.stage);
        ids.retain(|id| stage(id).is_some_and(|stage| stage != Stage::Applied));
        ids
    };
    for id in ended {
        settle(domain, &id).await?;
    }
    Ok(())
}

/// Keys of states of datasets that came after the last on record. A kept result is no such state: the
/// workspace has a record of its own.
fn unknown_snapshots(domain: &Domain) -> Vec<KeyName> {
    let stands = domain.live.read();
    let keys = domain
        .keyring
        .status()
        .keys
        .into_iter()
        .map(|(name, _)| name);
    let is_unknown = |name: &KeyName| match name {
        KeyName::Snapshot { dataset, .. } if dataset.schema() == DatasetName::WORKSPACE => false,
        KeyName::Snapshot { dataset, number } => {
            let last = stands.state.snapshot(dataset).map(|last| last.number);
            *number > last.unwrap_or(0)
        }
        KeyName::Storage(_)
        | KeyName::Tokens
        | KeyName::Cells
        | KeyName::Sealed
        | KeyName::Backup
        | KeyName::Quarantine(_) => false,
    };
    keys.filter(is_unknown).collect()
}

/// The ids of which there are files.
fn files(folder: &Path) -> Result<Vec<ExternalId>, Unkept> {
    let file = |source| Unkept::File {
        path: folder.to_owned(),
        source,
    };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(file(source)),
    };
    let mut ids = Vec::new();
    for entry in entries {
        let name = entry.map_err(file)?.file_name();
        let name = name.to_string_lossy();
        if let Some((id, ending)) = name.split_once('.')
            && ENDINGS.iter().any(|known| ending.ends_with(known))
        {
            ids.extend(id.parse::<ExternalId>());
        }
    }
    Ok(ids)
}

/// Removes what was noted of something, and what a crash left half-written of it.
fn forget(domain: &Domain, id: &ExternalId, noted: &[std::path::PathBuf]) -> Result<(), Unkept> {
    let part = domain
        .store
        .quarantine_dir()
        .join(format!("{id}.parquet.part"));
    let halves = noted.iter().map(|path| path.with_added_extension("new"));
    for path in noted.iter().cloned().chain(halves).chain([part]) {
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(Unkept::File { path, source }),
        }
    }
    Ok(())
}

fn unopened(why: Unadministered) -> Unopened {
    match why {
        Unadministered::Keys(why) => why.into(),
        Unadministered::Ledger(why) => why.into(),
        other => Unopened::Quarantine(other.to_string()),
    }
}
