//! The head of the log in a file of its own, so that an old copy of the database is noticed.
//!
//! Shape: two slots of 128 bytes, written in turn after each commit, each with a check of itself. A
//! write that a crash cuts spoils one slot and leaves the other. The file is synced when the log is
//! opened and closed, not with each commit: after a power failure it may be older than the database,
//! which is allowed; newer it can never be.

use crate::{Breach, Head};
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use terms::Digest;

const SLOT_BYTES: usize = 128;

/// The open anchor.
#[derive(Debug)]
pub(crate) struct Anchor {
    file: PathBuf,
    handle: File,
    second: bool,
}

fn slot(head: &Head) -> String {
    let text = format!(
        "bonded-anchor 1 {} {}",
        head.size,
        hex::encode(head.root.bytes())
    );
    let check: String = Digest::of(text.as_bytes())
        .to_string()
        .chars()
        .take(16)
        .collect();
    let line = format!("{text} {check}");
    format!("{line:<width$}\n", width = SLOT_BYTES - 1)
}

fn parse(bytes: &[u8]) -> Option<Head> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut words = text.split_whitespace().skip(2);
    let size = words.next()?.parse().ok()?;
    let head = Head {
        size,
        root: words.next()?.parse().ok()?,
    };
    (slot(&head) == text).then_some(head)
}

impl Anchor {
    /// Makes the anchor of a new log.
    pub(crate) fn create(file: &Path, head: &Head) -> Result<Self, Breach> {
        let both = slot(head).repeat(2);
        let handle = crate::place::write_new(file, both.as_bytes())?;
        Ok(Self {
            file: file.to_owned(),
            handle,
            second: false,
        })
    }

    /// Reads the newest head that the file holds.
    pub(crate) fn read(file: &Path) -> Result<Head, Breach> {
        let bytes = crate::place::read(file)?;
        let newest = bytes
            .chunks(SLOT_BYTES)
            .filter_map(parse)
            .max_by_key(|head| head.size);
        newest.ok_or_else(|| Breach::Damaged {
            file: file.to_owned(),
            what: "neither half holds a head of the log".to_owned(),
        })
    }

    /// Opens the anchor for writing, if nobody else has.
    pub(crate) fn open(file: &Path) -> Result<Self, Breach> {
        let bytes = crate::place::read(file)?;
        let mut heads = bytes.chunks(SLOT_BYTES).map(parse);
        let (first, second) = (heads.next().flatten(), heads.next().flatten());
        // The next write goes to the older or unreadable slot.
        let second = first.map(|head| head.size) > second.map(|head| head.size);
        let handle = OpenOptions::new()
            .write(true)
            .open(file)
            .map_err(|source| Breach::Unreachable {
                file: file.to_owned(),
                source,
            })?;
        // INVARIANT (one writer): whoever writes the log from this folder holds its anchor.
        match handle.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let file = file.to_owned();
                return Err(Breach::Held { file });
            }
            Err(TryLockError::Error(source)) => {
                let file = file.to_owned();
                return Err(Breach::Unreachable { file, source });
            }
        }
        Ok(Self {
            file: file.to_owned(),
            handle,
            second,
        })
    }

    /// Moves the anchor up to a committed head.
    pub(crate) fn set(&mut self, head: &Head) -> Result<(), Breach> {
        let offset = if self.second { 128 } else { 0 };
        self.second = !self.second;
        self.handle
            .write_all_at(slot(head).as_bytes(), offset)
            .map_err(|source| Breach::Unreachable {
                file: self.file.clone(),
                source,
            })
    }

    /// Makes the anchor last.
    pub(crate) fn sync(&self) -> Result<(), Breach> {
        self.handle
            .sync_data()
            .map_err(|source| Breach::Unreachable {
                file: self.file.clone(),
                source,
            })
    }
}
