//! What a witness signed last, durably: one folder for each log.
//!
//! Shape: `logs/<SHA-256 of the origin>/{log.vkey, checkpoint, evidence/}`. The checkpoint is the log's
//! signed note with this witness's own line, so the record proves itself when it is read back.

use crate::unwitnessed::malformed;
use crate::{Cosigner, Unwitnessed};
use ledger::{Checkpoint, Head, NoteVerifier};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use terms::Digest;

const KEY_FILE: &str = "log.vkey";
const CHECKPOINT_FILE: &str = "checkpoint";
const EVIDENCE_FOLDER: &str = "evidence";
/// The most refused requests kept of one log.
const EVIDENCE_MAX: usize = 64;

/// The record of one log.
#[derive(Debug)]
pub(crate) struct Record {
    folder: PathBuf,
    pub(crate) log: NoteVerifier,
    /// The last checkpoint cosigned; size 0 if none.
    pub(crate) last: Head,
}

fn unreachable(file: &Path) -> impl FnOnce(std::io::Error) -> Unwitnessed {
    let file = file.to_owned();
    move |source| Unwitnessed::Unreachable { file, source }
}

/// The folder of a log, by its origin.
pub(crate) fn folder_name(origin: &str) -> String {
    Digest::of(origin.as_bytes()).to_string()
}

/// Nothing cosigned yet.
fn empty() -> Head {
    Head {
        size: 0,
        root: Digest::of(b""),
    }
}

impl Record {
    /// Begins to watch a log; a log that is watched already keeps its record and its key.
    pub(crate) fn create(logs: &Path, log: NoteVerifier) -> Result<Self, Unwitnessed> {
        let folder = logs.join(folder_name(log.name()));
        if folder.join(KEY_FILE).exists() {
            return Err(malformed(format!(
                "the log `{}` is watched already",
                log.name()
            )));
        }
        std::fs::create_dir_all(folder.join(EVIDENCE_FOLDER)).map_err(unreachable(&folder))?;
        write_through(&folder, KEY_FILE, &format!("{log}\n"))?;
        sync_folder(logs)?;
        Ok(Self {
            folder,
            log,
            last: empty(),
        })
    }

    /// Reads the record of a log; the witness's own line must stand under it.
    pub(crate) fn open(folder: PathBuf, own: &Cosigner) -> Result<Self, Unwitnessed> {
        let damaged = |file: &Path, what: String| Unwitnessed::Damaged {
            file: file.to_owned(),
            what,
        };
        let key_file = folder.join(KEY_FILE);
        let text = std::fs::read_to_string(&key_file).map_err(unreachable(&key_file))?;
        let log: NoteVerifier = text
            .parse()
            .map_err(|why| damaged(&key_file, format!("{why}")))?;
        let file = folder.join(CHECKPOINT_FILE);
        let note = match std::fs::read_to_string(&file) {
            Ok(note) => note,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self {
                    folder,
                    log,
                    last: empty(),
                });
            }
            Err(source) => return Err(unreachable(&file)(source)),
        };
        let opened = Checkpoint::open(&note, &log);
        let checkpoint = opened.map_err(|why| damaged(&file, format!("{why}")))?;
        let cosigned = own.cosigned(&note);
        if cosigned
            .map_err(|why| damaged(&file, why.to_string()))?
            .is_none()
        {
            return Err(damaged(&file, "it was cosigned by another key".to_owned()));
        }
        Ok(Self {
            folder,
            log,
            last: checkpoint.head,
        })
    }

    /// Moves the record up, through to the disk. Only after this may the cosignature leave.
    pub(crate) fn keep(&mut self, head: Head, note: &str) -> Result<(), Unwitnessed> {
        write_through(&self.folder, CHECKPOINT_FILE, note)?;
        self.last = head;
        Ok(())
    }

    /// The last cosigned checkpoint, as a note.
    pub(crate) fn newest(&self) -> Result<Option<String>, Unwitnessed> {
        let file = self.folder.join(CHECKPOINT_FILE);
        match std::fs::read_to_string(&file) {
            Ok(note) => Ok(Some(note)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(unreachable(&file)(source)),
        }
    }

    /// Keeps a refused request that the log's own key signed: it may prove that the log forked.
    pub(crate) fn keep_evidence(&self, request: &str) -> Result<(), Unwitnessed> {
        let folder = self.folder.join(EVIDENCE_FOLDER);
        let kept = std::fs::read_dir(&folder).map_err(unreachable(&folder))?;
        if kept.count() < EVIDENCE_MAX {
            let name = format!("{}.txt", Digest::of(request.as_bytes()));
            write_through(&folder, &name, request)?;
        }
        Ok(())
    }

    /// How many refused requests are kept.
    pub(crate) fn evidence(&self) -> usize {
        std::fs::read_dir(self.folder.join(EVIDENCE_FOLDER)).map_or(0, Iterator::count)
    }
}

/// Writes a file whole or not at all: beside it, synced, then moved over it, and the folder synced.
pub(crate) fn write_through(folder: &Path, name: &str, text: &str) -> Result<(), Unwitnessed> {
    let beside = folder.join(format!(".{name}.new"));
    let file = folder.join(name);
    let mut handle = File::create(&beside).map_err(unreachable(&beside))?;
    handle
        .write_all(text.as_bytes())
        .and_then(|()| handle.sync_all())
        .map_err(unreachable(&beside))?;
    std::fs::rename(&beside, &file).map_err(unreachable(&file))?;
    sync_folder(folder)
}

fn sync_folder(folder: &Path) -> Result<(), Unwitnessed> {
    File::open(folder)
        .and_then(|handle| handle.sync_all())
        .map_err(unreachable(folder))
}
