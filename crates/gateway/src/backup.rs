//! The domain's data, backed up: the log first, then what it says is there, then what stands beside it.
//! It counts once it is on record, and is one list or none.

mod belonging; // which files a backup has, and which never

use crate::{Asking, Domain, Gateway, Kind, Refused, operation::now, upkeep::Standing};
use backup::{Listed, Owner, Shelf, Step, Taken, Taking, Unbacked, Uncounted, judge, tidy};
use ledger::Copying;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};
use terms::{DatasetName, Digest, Event, KeyName, PersonId};
use tokio::sync::{Mutex, OwnedMutexGuard};
use vault::BackupKey;

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedUp {
    /// Its number: how many entries of the log it holds.
    pub number: u64,
    /// The digest of its list.
    pub backup: Digest,
    /// How many objects it has.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The bytes that no backup before had.
    pub bytes_new: u64,
    /// The entry that has it on record.
    pub index: u64,
    /// Older ones that were removed.
    pub removed: u64,
    /// What stands among the lists and is not the domain's: it was left as it is.
    pub uncounted: Vec<Uncounted>,
}

/// Told of each step; it goes from thread to thread with the work.
pub type BackupWatch = Box<dyn FnMut(Step) -> Result<(), Unbacked> + Send>;

impl From<&Unbacked> for Refused {
    fn from(why: &Unbacked) -> Self {
        tracing::error!(code = why.code(), %why, "no backup was made");
        Self::new(why.code(), why.told(), Kind::Internal)
    }
}

// === impl Gateway ===

impl Gateway {
    /// Takes a backup of the domain's data to where `bonded.toml` says, and puts it on record.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn back_up(self: &Arc<Self>, asking: &Asking) -> Result<BackedUp, Refused> {
        let by = self.may(asking, "backUp", None)?;
        let gateway = Arc::clone(self);
        // A caller who goes away leaves a backup that is whole and on record, or none.
        let made = tokio::spawn(async move {
            let watch: BackupWatch = Box::new(|_| Ok(()));
            let backup = Backup {
                by: Some(by.id),
                standing: Some(Arc::clone(&gateway.upkeep.standing)),
                to: None,
            };
            backup.make(&gateway.domain, watch).await
        });
        let made = made.await;
        let made = made.map_err(|_| Refused::internal("gateway.broken"))?;
        made.map_err(|why| Refused::from(&why))
    }
}

impl Domain {
    /// Takes a backup of a domain that is not served.
    ///
    /// # Errors
    /// [`Unbacked`].
    pub async fn back_up(
        self: &Arc<Self>,
        to: Option<&Path>,
        watch: BackupWatch,
    ) -> Result<BackedUp, Unbacked> {
        let backup = Backup {
            by: None,
            standing: None,
            to,
        };
        backup.make(self, watch).await
    }

    /// The shelf for this domain's backups.
    fn shelf(&self, to: Option<&Path>) -> Result<Arc<dyn Shelf>, Unbacked> {
        self.config.backup.shelf(&self.dir, to).map(Arc::from)
    }
}

/// A backup that is wanted.
struct Backup<'a> {
    by: Option<PersonId>,
    /// What waits while the log is copied, where the domain is served.
    standing: Option<Arc<Mutex<Standing>>>,
    to: Option<&'a Path>,
}

// === impl Backup ===

impl Backup<'_> {
    async fn make(self, domain: &Arc<Domain>, watch: BackupWatch) -> Result<BackedUp, Unbacked> {
        let _one = domain.backing_up.lock().await;
        let key = domain.keyring.backup_key()?;
        domain.record_keys::<Unbacked>().await?;
        let (of, to, opens) = (Arc::clone(domain), self.to.map(Path::to_owned), key.clone());
        let found = blocking(move || {
            let shelf = of.shelf(to.as_deref())?;
            let uncounted = taken_up(&of, (&*shelf, &opens))?;
            Ok((shelf, uncounted))
        });
        let (shelf, uncounted) = found.await?;
        for list in &uncounted {
            let Uncounted { name, code } = list;
            tracing::warn!(name, code, "a list among the backups is not the domain's");
        }
        // What is taken out of the log waits until the log is copied, and not for the place to be read.
        let quiet = match self.standing {
            Some(standing) => Some(standing.lock_owned().await),
            None => None,
        };
        let (of, on, seals) = (Arc::clone(domain), Arc::clone(&shelf), key.clone());
        let mut watch = watch;
        let taking = blocking(move || {
            let taken = taken(&of, (&*on, &seals), quiet, &mut watch)?;
            Ok((taken, watch))
        });
        let (taken, mut watch) = taking.await?;
        let event = on_record(&taken, self.by);
        let index = domain.ledger.append(&event, None, now()).await?.index;
        watch(Step::Recorded)?;
        let header = &taken.listed.header;
        let made = BackedUp {
            number: header.size,
            backup: taken.listed.digest,
            objects: u64::try_from(header.objects.len()).unwrap_or(u64::MAX),
            bytes: taken.bytes,
            bytes_new: taken.bytes_new,
            index,
            removed: 0,
            uncounted,
        };
        let kept_max = domain.config.backup.kept_max;
        let removed = blocking(move || {
            taken.listed.hold(&*shelf)?;
            watch(Step::Held)?;
            let kept = (kept_max, Some(&taken.listed));
            tidy((&*shelf, &key), kept, &mut watch)
        });
        let removed = removed.await?;
        Ok(BackedUp { removed, ..made })
    }
}

/// Work that reads and writes files, beside the threads that answer.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Unbacked> + Send + 'static,
) -> Result<T, Unbacked> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|broken| Unbacked::Store {
        name: "the backup".to_owned(),
        source: broken.into(),
    })?
}

fn on_record(taken: &Taken, by: Option<PersonId>) -> Event {
    let header = &taken.listed.header;
    Event::BackupMade {
        by,
        size: header.size,
        root: taken.root,
        backup: taken.listed.digest,
        objects: u64::try_from(header.objects.len()).unwrap_or(u64::MAX),
        bytes: taken.bytes,
        bytes_new: taken.bytes_new,
    }
}

/// Judges the shelf and takes up what was written and does not count: it does where the log has it on
/// record, else it goes. What stands there and is not the domain's is left and told.
fn taken_up(
    domain: &Domain,
    (shelf, key): (&dyn Shelf, &BackupKey),
) -> Result<Vec<Uncounted>, Unbacked> {
    let owner = Owner {
        key,
        verifier: domain.ledger.reader().verifier(),
        root: &|size| domain.ledger.root(size).ok(),
    };
    let uncounted = judge(shelf, &owner)?;
    Listed::each_part(shelf, &mut |part| {
        // Whoever has no key can neither make one count nor have one removed.
        let Some(part) = part.ok().filter(|part| part.open(key).is_ok()) else {
            return Ok(());
        };
        let mut is_on_record = false;
        if part.header.size <= domain.ledger.size() {
            for stored in domain.ledger.events(part.header.size)? {
                let event = stored?.event;
                is_on_record |=
                    matches!(event, Event::BackupMade { backup, .. } if backup == part.digest);
            }
        }
        if is_on_record {
            part.hold(shelf)
        } else {
            part.remove(shelf)
        }
    })?;
    Ok(uncounted)
}

/// The digests of sealed files, by the dataset and the number of their key.
pub(crate) type SealedFiles = BTreeMap<(DatasetName, u32), Digest>;

/// Takes note of a sealed file that an event says there is from here on, or is no longer.
pub(crate) fn take_note(event: &Event, files: &mut SealedFiles) {
    if let Event::DatasetLoaded { snapshot, .. }
    | Event::ExternalStep {
        snapshot: Some(snapshot),
        ..
    } = event
    {
        files.insert((snapshot.dataset.clone(), snapshot.number), snapshot.digest);
    } else if let Event::DerivedKept { derived, .. } = event {
        files.insert((derived.stored_as(), derived.number), derived.digest);
    } else if let Event::DerivedDropped { dataset, .. } = event {
        files.retain(|(of, _), _| of != dataset);
    }
}

/// Copies everything and writes the list.
fn taken(
    domain: &Domain,
    (shelf, key): (&dyn Shelf, &BackupKey),
    quiet: Option<OwnedMutexGuard<Standing>>,
    watch: &mut BackupWatch,
) -> Result<Taken, Unbacked> {
    let copying = Copying::begin(domain.config.ledger.clone())?;
    let mut loaded = SealedFiles::new();
    let mut seen = |event: &Event| take_note(event, &mut loaded);
    let mut taking = Taking::begin((shelf, key), &copying, now(), &mut seen, watch)?;
    // The log is copied: it may go on, and things may be taken out of it again.
    drop(copying);
    drop(quiet);
    for ((dataset, number), digest) in loaded {
        let (within, file) = (format!("data/{dataset}"), format!("{number}.parquet"));
        let path = format!("{within}/{file}");
        let from = domain.dir.join(within);
        let name = KeyName::Snapshot { dataset, number };
        let is_kept = || {
            domain
                .keyring
                .status()
                .keys
                .iter()
                .any(|(of, _)| *of == name)
        };
        // What is destroyed has no key; it may be destroyed while we look.
        if is_kept() && !taking.store((&path, digest), (&from, &file), watch)? && is_kept() {
            return Err(Unbacked::NotOnRecord { path });
        }
    }
    for path in belonging::files(&domain.dir, &domain.config)? {
        taking.seal(&path, (&domain.dir, &path), watch)?;
    }
    // After the log: the register may know of more releases than the log, never of fewer.
    let copy = RegisterCopy::of(&domain.dir)?;
    let from = (domain.dir.as_path(), belonging::REGISTER_COPY);
    taking.seal(belonging::REGISTER, from, watch)?;
    drop(copy);
    taking.listed(watch)
}

/// A copy of the disclosure register, while it is read.
struct RegisterCopy(PathBuf);

// === impl RegisterCopy ===

impl RegisterCopy {
    fn of(dir: &Path) -> Result<Self, Unbacked> {
        let copy = Self(dir.join(belonging::REGISTER_COPY));
        let copied = disclosure::copy_register(dir, &copy.0);
        copied.map_err(|source| Unbacked::Store {
            name: belonging::REGISTER.to_owned(),
            source: source.into(),
        })?;
        Ok(copy)
    }
}

impl Drop for RegisterCopy {
    fn drop(&mut self) {
        // What cannot be removed is replaced by the next copy.
        drop(std::fs::remove_file(&self.0));
    }
}

#[cfg(test)]
mod tests;
