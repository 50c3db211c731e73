//! The judgement: cosign what continues the record, refuse everything else.

use crate::note::Note;
use crate::record::{Record, folder_name};
use crate::unwitnessed::malformed;
use crate::{Cosigner, CosigningKey, Refusal, Request, Unwitnessed};
use ledger::{Checkpoint, Clock, NoteVerifier, is_consistent};
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const NAME_FILE: &str = "witness.vkey";
const SECRET_FILE: &str = "witness.key";
const LOGS_FOLDER: &str = "logs";

/// A witness on its own machine, with its record; one process may hold its folder.
#[derive(Debug)]
pub struct Witness {
    dir: PathBuf,
    key: CosigningKey,
    logs: Mutex<BTreeMap<String, Record>>,
    clock: Arc<dyn Clock>,
    _lock: File,
}

/// A log that a witness watches.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Watched {
    /// The log's origin.
    pub log: String,
    /// The last size cosigned.
    pub size: u64,
    /// Its root.
    pub root: terms::Digest,
    /// Refused requests under the log's own signature that are kept.
    pub evidence: usize,
}

fn unreachable(file: &Path) -> impl FnOnce(std::io::Error) -> Unwitnessed {
    let file = file.to_owned();
    move |source| Unwitnessed::Unreachable { file, source }
}

// === impl Witness ===

impl Witness {
    /// Makes a witness with a new key in a folder that has none.
    ///
    /// # Errors
    /// [`Unwitnessed::Unreachable`] if there is one already or the folder can't be written;
    /// [`Unwitnessed::Malformed`] if the name is none.
    pub fn create(dir: &Path, name: &str, clock: Arc<dyn Clock>) -> Result<Self, Unwitnessed> {
        let unusable = || {
            malformed(
                "a witness's name has no blanks and no `+`; write it like example.org/witness",
            )
        };
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| unusable())?;
        let key = CosigningKey::new(name, pkcs8.as_ref()).ok_or_else(unusable)?;
        let logs = dir.join(LOGS_FOLDER);
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&logs)
            .map_err(unreachable(&logs))?;
        write_new(&dir.join(SECRET_FILE), pkcs8.as_ref())?;
        write_new(
            &dir.join(NAME_FILE),
            format!("{}\n", key.cosigner()).as_bytes(),
        )?;
        Self::open(dir, clock)
    }

    /// Opens a witness with its record.
    ///
    /// # Errors
    /// [`Unwitnessed::InUse`], [`Unwitnessed::Damaged`] or [`Unwitnessed::Unreachable`].
    pub fn open(dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, Unwitnessed> {
        let lock = locked(dir)?;
        let (named, secret) = (dir.join(NAME_FILE), dir.join(SECRET_FILE));
        let text = std::fs::read_to_string(&named).map_err(unreachable(&named))?;
        let cosigner: Cosigner = text.trim_end_matches('\n').parse()?;
        let pkcs8 = std::fs::read(&secret).map_err(unreachable(&secret))?;
        let key = CosigningKey::new(cosigner.name(), &pkcs8)
            .filter(|key| key.cosigner() == &cosigner)
            .ok_or_else(|| Unwitnessed::Damaged {
                file: secret.clone(),
                what: "it is not the key of the name beside it".to_owned(),
            })?;
        let folder = dir.join(LOGS_FOLDER);
        let mut logs = BTreeMap::new();
        for entry in std::fs::read_dir(&folder).map_err(unreachable(&folder))? {
            let entry = entry.map_err(unreachable(&folder))?;
            let record = Record::open(entry.path(), key.cosigner())?;
            logs.insert(record.log.name().to_owned(), record);
        }
        Ok(Self {
            dir: dir.to_owned(),
            key,
            logs: Mutex::new(logs),
            clock,
            _lock: lock,
        })
    }

    /// The key that policies name.
    #[must_use]
    pub const fn cosigner(&self) -> &Cosigner {
        self.key.cosigner()
    }

    /// Begins to watch a log.
    ///
    /// # Errors
    /// [`Unwitnessed::Malformed`] if its origin is watched already, under this key or another.
    pub fn watch(&self, log: NoteVerifier) -> Result<(), Unwitnessed> {
        let record = Record::create(&self.dir.join(LOGS_FOLDER), log)?;
        self.logs().insert(record.log.name().to_owned(), record);
        Ok(())
    }

    /// The logs it watches.
    #[must_use]
    pub fn watched(&self) -> Vec<Watched> {
        let logs = self.logs();
        let told = logs.values().map(|record| Watched {
            log: record.log.name().to_owned(),
            size: record.last.size,
            root: record.last.root,
            evidence: record.evidence(),
        });
        told.collect()
    }

    /// Cosigns a checkpoint that continues the last one, and gives the note line.
    ///
    /// The record is on the disk before this returns. INVARIANT (one history per log): under one lock
    /// the old size is compared, the proof checked and the record moved.
    ///
    /// # Errors
    /// [`Refusal`] with the status it is told with.
    pub fn add_checkpoint(&self, body: &str) -> Result<String, Refusal> {
        let request: Request = body
            .parse()
            .map_err(|why: Unwitnessed| Refusal::Malformed(why.to_string()))?;
        let note: Note = request
            .checkpoint
            .parse()
            .map_err(|why: Unwitnessed| Refusal::Malformed(why.to_string()))?;
        let origin = note.text.lines().next().unwrap_or_default();
        let mut logs = self.logs();
        let record = logs
            .get_mut(origin)
            .ok_or_else(|| Refusal::UnknownLog(origin.chars().take(80).collect()))?;
        let checkpoint =
            Checkpoint::open(&request.checkpoint, &record.log).map_err(|_| Refusal::Unsigned)?;
        let (last, new) = (record.last, checkpoint.head);
        if request.old > new.size {
            let what = "the old size is past the checkpoint's";
            return Err(Refusal::Malformed(what.to_owned()));
        }
        if request.old != last.size {
            return Err(Refusal::OtherSize { size: last.size });
        }
        if new.size == last.size && new.root != last.root {
            evident(record, body);
            return Err(Refusal::Forked { size: last.size });
        }
        if !is_consistent(last, new, &request.path) {
            evident(record, body);
            return Err(Refusal::Inconsistent { size: last.size });
        }
        let line = self.key.sign(&note.text, self.clock.now());
        let own = note
            .lines
            .iter()
            .filter(|line| line.name == record.log.name())
            .map(|line| format!("{}\n", line.text));
        let kept = format!("{}\n{}{line}", note.text, own.collect::<String>());
        record.keep(new, &kept).map_err(|error| {
            tracing::error!(%error, "the record of `{origin}` could not be kept");
            Refusal::NotKept
        })?;
        Ok(line)
    }

    /// The last cosigned checkpoint of a log, by the SHA-256 of its origin in hexadecimal.
    ///
    /// # Errors
    /// [`Unwitnessed::Unreachable`].
    pub fn checkpoint(&self, origin_digest: &str) -> Result<Option<String>, Unwitnessed> {
        let logs = self.logs();
        let mut records = logs.values();
        match records.find(|record| folder_name(record.log.name()) == origin_digest) {
            Some(record) => record.newest(),
            None => Ok(None),
        }
    }

    fn logs(&self) -> MutexGuard<'_, BTreeMap<String, Record>> {
        // A record is moved in one assignment after its file: no state is half-made.
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps what the log's own key signed and its history contradicts.
fn evident(record: &Record, body: &str) {
    if let Err(error) = record.keep_evidence(body) {
        tracing::error!(%error, "evidence against `{}` could not be kept", record.log.name());
    }
}

fn locked(dir: &Path) -> Result<File, Unwitnessed> {
    let path = dir.join("lock");
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(unreachable(&path))?;
    match rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Unwitnessed::InUse {
            folder: dir.to_owned(),
        }),
        Err(error) => Err(unreachable(&path)(error.into())),
    }
}

fn write_new(file: &Path, bytes: &[u8]) -> Result<(), Unwitnessed> {
    File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut handle| handle.write_all(bytes).and_then(|()| handle.sync_all()))
        .map_err(unreachable(file))
}

#[cfg(test)]
mod tests;
