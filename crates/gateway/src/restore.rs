//! A domain put back out of a backup of its data and a copy of its keys: whole and looked through, or not
//! there.
//!
//! What came after the backup is lost, and what was signed of it is still out there. So a log that is
//! known to have been longer is put back only where somebody accepts that, and the restored log says so.

use crate::{
    Config, Domain, KeystoreConfig, Secrets, Unopened,
    backup::{SealedFiles, take_note},
    keys_on_record::Whose,
    operation::now,
    sealing,
    unlock::unlocked,
};
use backup::{Listed, Opened, PutBack, Shelf, Unbacked, Uncounted, Watch};
use ledger::{Head, NoteVerifier};
use std::{
    collections::BTreeMap,
    fs::{DirBuilder, File},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};
use terms::{DatasetName, Digest, Event, KeyName, SealedUnit, today};
use vault::Keyring;

/// What is put back, and where.
#[derive(Debug)]
pub struct Restoring<'a> {
    /// Where the backup stands.
    pub from: &'a dyn Shelf,
    /// Which one; the newest where none is said.
    pub number: Option<u64>,
    /// The folder with a copy of the keys, as `bonded key copy` makes it.
    pub keys: &'a Path,
    /// The new domain's folder, which must not be there.
    pub into: &'a Path,
    /// What opens the keystore.
    pub keystore: &'a KeystoreConfig,
    /// And where its secret comes from.
    pub secrets: &'a Secrets,
    /// Whether a log that is known to have been longer is put back all the same.
    pub danger_accept_rollback: bool,
}

/// A domain that was put back.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Restored {
    /// How many entries the backup held.
    pub size: u64,
    /// The root of their tree.
    pub root: Digest,
    /// The digest of the backup's list.
    pub backup: Digest,
    /// How long the log is known to have been, where that is longer.
    pub rolled_back_from: Option<u64>,
    /// Snapshots on record that no key opens: destroyed, or newer than the keys.
    pub unopened: Vec<KeyName>,
    /// The restored log's first entry of its own.
    pub index: u64,
    /// The datasets that are sealed until two release them: what left of them after the backup is not known.
    pub sealed: Vec<DatasetName>,
}

/// Why a domain was not put back. Nothing has its name then.
#[derive(Debug, thiserror::Error)]
pub enum Unrestored {
    /// There is something already.
    #[error("restore.not-empty: `{0}` is there already; choose a new folder / 目标文件夹已存在")]
    NotEmpty(PathBuf),
    /// The folder holds no copy of a domain's keys.
    #[error(
        "restore.no-keys: `{0}` holds no copy of a domain's keys (`bonded key copy`) / 缺少密钥副本"
    )]
    NoKeys(PathBuf),
    /// The log is known to have been longer.
    #[error(
        "restore.rolled-back: the log is known to have had {known} entries, and backup {size} holds \
         {size}: put back a newer one, or accept that what came after is lost with \
         --danger-accept-rollback / 账本曾有 {known} 条，该备份仅含 {size} 条：请恢复更新的备份，或以 \
         --danger-accept-rollback 接受丢失"
    )]
    RolledBack {
        /// How many entries the backup holds.
        size: u64,
        /// How many it had.
        known: u64,
    },
    /// The backup is of another log than the keys, or its head was not signed by them.
    #[error(
        "restore.other-log: backup {0} was not signed by the key of this log / 备份与密钥不属于同一账本"
    )]
    OtherLog(u64),
    /// A snapshot that its key opens is not the one on record.
    #[error(
        "restore.snapshot: `{0}` is not in the backup as it is on record / 数据快照与账本记录不符"
    )]
    Snapshot(KeyName),
    /// A file cannot be read or written.
    #[error("restore.file: `{}`: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Protected data cannot be sealed.
    #[error("restore.unsealed: the protected data could not be sealed / 受保护数据无法封存")]
    Unsealed,
    /// The backup.
    #[error("{}: {}", .0.code(), .0)]
    Backup(#[from] Unbacked),
    /// The domain that was put back does not open.
    #[error(transparent)]
    Unopened(#[from] Unopened),
}

/// Says that a folder is one that a restore may begin anew.
const MARK: &str = ".restoring";

impl From<ledger::Breach> for Unrestored {
    fn from(breach: ledger::Breach) -> Self {
        Self::Unopened(breach.into())
    }
}

impl From<vault::Unkept> for Unrestored {
    fn from(unkept: vault::Unkept) -> Self {
        Self::Unopened(unkept.into())
    }
}

// === impl Restoring ===

impl Restoring<'_> {
    /// Puts the domain back, and puts on its record that it was. For a thread that may wait.
    ///
    /// # Errors
    /// [`Unrestored`].
    pub fn restore(&self, watch: Watch<'_>) -> Result<Restored, Unrestored> {
        if self.into.exists() {
            return Err(Unrestored::NotEmpty(self.into.to_owned()));
        }
        let part = self.into.with_added_extension("part");
        begun(&part)?;
        self.copy_keys(&part)?;
        let verifier = verifier(&part)?;
        let keyring = unlocked(&part, self.keystore, self.secrets);
        let keyring = keyring.map_err(Unopened::from)?;
        let key = keyring.backup_key()?;
        let listed = match Listed::find(self.from, self.number, Some(&key)) {
            // None opens: what is wrong is told of the newest.
            Err(Unbacked::Empty) => Listed::find(self.from, None, None)?,
            found => found?,
        };
        let known = self.judged(&listed, &verifier)?;
        let opened = listed.open(&key)?;
        let head = self.put_back(&opened, (&part, &keyring), watch)?;
        ledger_here(&part)?;
        let restored = self.looked_through(&part, keyring, (&opened, head, known))?;
        let mark = part.join(MARK);
        std::fs::remove_file(&mark).map_err(file(&mark))?;
        std::fs::rename(&part, self.into).map_err(file(self.into))?;
        let above = self.into.parent().filter(|above| *above != Path::new(""));
        sync(above.unwrap_or(Path::new(".")))?;
        Ok(restored)
    }

    /// How long the log is known to have been, where that is longer than the backup.
    fn judged(&self, listed: &Listed, verifier: &NoteVerifier) -> Result<Option<u64>, Unrestored> {
        let size = listed.header.size;
        if listed.header.signed(verifier).is_none() {
            return Err(Unrestored::OtherLog(size));
        }
        // What the log's own key signed, however it came onto the shelf, was the log.
        let mut known = 0;
        let mut seen = |other: Result<Listed, Uncounted>| {
            match other {
                Ok(other) => {
                    let signed = other.header.signed(verifier);
                    known = known.max(signed.map_or(0, |signed| signed.head.size));
                }
                Err(other) => {
                    tracing::warn!(name = other.name, code = other.code, "a list is skipped");
                }
            }
            Ok(())
        };
        Listed::each(self.from, &mut seen)?;
        Listed::each_part(self.from, &mut seen)?;
        let known = Some(known).filter(|known| *known > size);
        match known {
            Some(known) if !self.danger_accept_rollback => {
                Err(Unrestored::RolledBack { size, known })
            }
            known => Ok(known),
        }
    }

    fn copy_keys(&self, part: &Path) -> Result<(), Unrestored> {
        let keys = self.keys.join("keys");
        if !keys.join("ledger.vkey").is_file() {
            return Err(Unrestored::NoKeys(self.keys.to_owned()));
        }
        copy_folder(&keys, &part.join("keys"))?;
        let ca = self.keys.join("ca");
        private_folder(&part.join("ca"))?;
        for key in crate::key_copy::OF_CA {
            if ca.join(key).is_file() {
                copy_file(&ca.join(key), &part.join("ca").join(key))?;
            }
        }
        Ok(())
    }

    fn put_back(
        &self,
        opened: &Opened,
        (part, keyring): (&Path, &Keyring),
        watch: Watch<'_>,
    ) -> Result<Head, Unrestored> {
        let key = keyring.backup_key()?;
        let back = PutBack {
            shelf: self.from,
            key: &key,
            opened,
        };
        let head = back.ledger(part, watch)?;
        for file in opened.files() {
            back.file(file, part, watch)?;
        }
        Ok(head)
    }

    /// Opens what was put back as a gateway would, compares every snapshot with the record, and records.
    fn looked_through(
        &self,
        part: &Path,
        keyring: Keyring,
        (opened, head, known): (&Opened, Head, Option<u64>),
    ) -> Result<Restored, Unrestored> {
        let domain = Domain::opened(part, Whose::Copied, |_| Ok(keyring))?;
        let unopened = unopened(&domain, opened)?;
        // From here on nothing that is done to these keys is done to those they were copied of.
        domain.keyring.part()?;
        let event = Event::DomainRestored {
            size: head.size,
            root: head.root,
            backup: opened.digest,
            rolled_back_from: known,
            unopened: u64::try_from(unopened.len()).unwrap_or(u64::MAX),
        };
        let of_keys = domain.keyring.unrecorded();
        for event in &of_keys {
            domain.ledger.append(event, None, now()).wait()?;
        }
        domain.keyring.recorded(of_keys.len())?;
        let recorded = domain.ledger.append(&event, None, now()).wait()?;
        let sealed = sealed(&domain)?;
        Ok(Restored {
            sealed,
            size: head.size,
            root: head.root,
            backup: opened.digest,
            rolled_back_from: known,
            unopened,
            index: recorded.index,
        })
    }
}

/// Seals every protected dataset. Nobody knows what left of it after the backup was taken, so that nothing can
/// be held against that: somebody has to say that nothing did, or load the data anew.
fn sealed(domain: &Domain) -> Result<Vec<DatasetName>, Unrestored> {
    let at = now();
    let state = domain.live.read().state.clone();
    let mut sealed = Vec::new();
    for dataset in state.datasets().filter(|dataset| dataset.is_protected()) {
        let name = &dataset.name;
        let unit = SealedUnit::Dataset(name.clone());
        let snapshots = sealing::snapshots_of(state.seen_by(&unit), &domain.store, &unit)?;
        if snapshots.is_empty() {
            continue;
        }
        let listing = sealing::listing(&domain.store, snapshots)?;
        let events = state.sealed_at_restore(name, (today(at), listing));
        let events = events.map_err(|_| Unrestored::Unsealed)?;
        for event in &events {
            domain.ledger.append(event, None, at).wait()?;
        }
        sealed.push(name.clone());
    }
    Ok(sealed)
}

/// The snapshots on record without a key. One with a key has to be there as it is on record.
fn unopened(domain: &Domain, opened: &Opened) -> Result<Vec<KeyName>, Unrestored> {
    let mut loaded = SealedFiles::new();
    for stored in domain.ledger.events(0)? {
        take_note(&stored?.event, &mut loaded);
    }
    let keys = domain.keyring.status().keys;
    let there: BTreeMap<&str, Digest> = opened
        .files()
        .iter()
        .map(|file| (file.path.as_str(), file.digest))
        .collect();
    let mut unopened = Vec::new();
    for ((dataset, number), digest) in loaded {
        let path = format!("data/{dataset}/{number}.parquet");
        let name = KeyName::Snapshot { dataset, number };
        if !keys.iter().any(|(known, _)| *known == name) {
            unopened.push(name);
        } else if there.get(path.as_str()) != Some(&digest) {
            return Err(Unrestored::Snapshot(name));
        }
    }
    Ok(unopened)
}

/// A folder for what is put back, empty.
fn begun(part: &Path) -> Result<(), Unrestored> {
    if part.join(MARK).is_file() {
        // What an interrupted restore left.
        std::fs::remove_dir_all(part).map_err(file(part))?;
    } else if part.exists() {
        return Err(Unrestored::NotEmpty(part.to_owned()));
    }
    private_folder(part)?;
    let mark = part.join(MARK);
    File::create(&mark).map(drop).map_err(file(&mark))
}

fn verifier(part: &Path) -> Result<NoteVerifier, Unrestored> {
    let path = part.join("keys").join("ledger.vkey");
    let text = std::fs::read_to_string(&path).map_err(file(&path))?;
    Ok(text.trim_end().parse()?)
}

/// A ledger that a PostgreSQL server kept stands in the folder from here on: what the server has, if
/// anything, is another history.
fn ledger_here(part: &Path) -> Result<(), Unrestored> {
    let stated = Config::without_postgres(part);
    stated.map_err(file(&part.join(crate::config::FILE)))
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), Unrestored> {
    private_folder(to)?;
    for entry in std::fs::read_dir(from).map_err(file(from))? {
        let entry = entry.map_err(file(from))?;
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(file(&path))?;
        if kind.is_dir() {
            copy_folder(&path, &to)?;
        } else if kind.is_file() {
            copy_file(&path, &to)?;
        }
    }
    sync(to)
}

fn copy_file(from: &Path, to: &Path) -> Result<(), Unrestored> {
    crate::key_copy::copy_private(from, to).map_err(file(to))
}

fn private_folder(path: &Path) -> Result<(), Unrestored> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(file(path))
}

fn sync(folder: &Path) -> Result<(), Unrestored> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(file(folder))
}

fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Unrestored {
    let path = path.to_owned();
    |source| Unrestored::File { path, source }
}
