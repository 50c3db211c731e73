//! What a backup holds.
//!
//! Shape: `backups/<size>.list`, a line of JSON that anybody reads (how much of which log, the signed
//! checkpoint, the objects), then a line with the rest (which file is in which objects), sealed under the
//! domain's key for backups together with the first line. `<size>.part` is one that does not count yet.

use crate::{Shelf, Unbacked, shelf};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use ledger::{Checkpoint, NoteVerifier};
use std::collections::BTreeMap;
use terms::Digest;
use vault::BackupKey;

pub(crate) const LISTS: &str = "backups";
const HELD: &str = "list";
const PART: &str = "part";

/// What anybody reads of a backup.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    v: u32,
    /// The log's name.
    pub log: String,
    /// How many of its entries the backup holds: its number.
    pub size: u64,
    /// When it was taken.
    pub at: DateTime<Utc>,
    /// The log's signed head.
    pub checkpoint: String,
    /// The objects and their lengths.
    pub objects: BTreeMap<Digest, u64>,
}

/// What only the domain reads.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contents {
    /// The log's pieces, in order.
    pub ledger: Vec<Digest>,
    pub files: Vec<File>,
}

/// A file of the domain.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Where it lies in the domain's folder.
    pub path: String,
    /// How long it is.
    pub bytes: u64,
    /// Its digest.
    pub digest: Digest,
    /// How it stands on the shelf.
    pub form: Form,
}

/// How a file stands on the shelf.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// As it is, since it is ciphertext: the object has the file's digest.
    AsItIs,
    /// In sealed pieces, in order.
    Sealed(Vec<Digest>),
}

/// A backup on a shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What anybody reads of it.
    pub header: Header,
    /// The digest of its list.
    pub digest: Digest,
    pub(crate) name: String,
    sealed: String,
    line: String,
}

/// A backup whose list was opened.
#[derive(Debug, Clone)]
pub struct Opened {
    /// What anybody reads of it, found to be what the domain wrote.
    pub header: Header,
    /// The digest of its list.
    pub digest: Digest,
    pub(crate) contents: Contents,
}

// === impl Header ===

impl Header {
    pub(crate) fn new(checkpoint: (&Checkpoint, &str), at: DateTime<Utc>) -> Self {
        Self {
            v: 1,
            log: checkpoint.0.origin.clone(),
            size: checkpoint.0.head.size,
            at,
            checkpoint: checkpoint.1.to_owned(),
            objects: BTreeMap::new(),
        }
    }

    /// The signed head of the log, if this key signed it and it is of this size.
    #[must_use]
    pub fn signed(&self, verifier: &NoteVerifier) -> Option<Checkpoint> {
        let head = Checkpoint::open(&self.checkpoint, verifier).ok()?;
        (head.head.size == self.size && head.origin == self.log).then_some(head)
    }

    /// The list as a file.
    pub(crate) fn sealed(&self, contents: &Contents, key: &BackupKey) -> Result<String, Unbacked> {
        let broken = |_| Unbacked::ListBroken(held(self.size));
        let line = serde_json::to_string(self).map_err(broken)?;
        let text = serde_json::to_vec(contents).map_err(broken)?;
        let sealed = STANDARD.encode(key.seal(&context(&line), &text)?);
        Ok(format!("{line}\n{sealed}\n"))
    }
}

// === impl Listed ===

impl Listed {
    /// The backups on a shelf that count, oldest first.
    ///
    /// # Errors
    /// The shelf's, or [`Unbacked::ListBroken`].
    pub fn all(shelf: &dyn Shelf) -> Result<Vec<Self>, Unbacked> {
        Self::of_kind(shelf, HELD)
    }

    /// What was written and does not count yet: a crash came in between.
    ///
    /// # Errors
    /// As [`Listed::all`].
    pub fn parts(shelf: &dyn Shelf) -> Result<Vec<Self>, Unbacked> {
        Self::of_kind(shelf, PART)
    }

    /// The backup of this number, or the newest.
    ///
    /// # Errors
    /// [`Unbacked::Absent`], [`Unbacked::Empty`], or as [`Listed::all`].
    pub fn find(shelf: &dyn Shelf, number: Option<u64>) -> Result<Self, Unbacked> {
        match number {
            Some(size) => Self::read(shelf, held(size))?.ok_or(Unbacked::Absent(size)),
            None => {
                let mut newest = shelf.names(LISTS)?.into_iter();
                let newest = newest.rfind(|name| size_of(name, HELD).is_some());
                let listed = newest.map(|name| Self::read(shelf, name)).transpose()?;
                listed.flatten().ok_or(Unbacked::Empty)
            }
        }
    }

    fn of_kind(shelf: &dyn Shelf, kind: &str) -> Result<Vec<Self>, Unbacked> {
        let names = shelf.names(LISTS)?.into_iter();
        let names = names.filter(|name| size_of(name, kind).is_some());
        let mut all = Vec::new();
        for name in names {
            all.extend(Self::read(shelf, name)?);
        }
        Ok(all)
    }

    fn read(shelf: &dyn Shelf, name: String) -> Result<Option<Self>, Unbacked> {
        let Some(bytes) = shelf::read(shelf, &name)? else {
            return Ok(None);
        };
        let broken = || Unbacked::ListBroken(name.clone());
        let text = std::str::from_utf8(&bytes).map_err(|_| broken())?;
        let lines: Vec<&str> = text.lines().collect();
        let [line, sealed] = lines.as_slice() else {
            return Err(broken());
        };
        let header: Header = serde_json::from_str(line).map_err(|_| broken())?;
        let is_of_it = name == held(header.size) || name == part(header.size);
        if header.v != 1 || !is_of_it {
            return Err(broken());
        }
        Ok(Some(Self {
            header,
            digest: Digest::of(&bytes),
            sealed: (*sealed).to_owned(),
            line: (*line).to_owned(),
            name,
        }))
    }

    /// Opens the list with the domain's key: then all of it is what the domain wrote.
    ///
    /// # Errors
    /// [`Unbacked::ListBroken`].
    pub fn open(&self, key: &BackupKey) -> Result<Opened, Unbacked> {
        let broken = || Unbacked::ListBroken(self.name.clone());
        let sealed = STANDARD.decode(&self.sealed).map_err(|_| broken())?;
        let text = key.open(&context(&self.line), &sealed);
        let text = text.map_err(|_| broken())?;
        let contents = serde_json::from_slice(&text).map_err(|_| broken())?;
        Ok(Opened {
            header: self.header.clone(),
            digest: self.digest,
            contents,
        })
    }

    /// Makes a part count.
    ///
    /// # Errors
    /// The shelf's.
    pub fn hold(&self, shelf: &dyn Shelf) -> Result<(), Unbacked> {
        let text = format!("{}\n{}\n", self.line, self.sealed);
        shelf.put(&held(self.header.size), &mut text.as_bytes())?;
        shelf.remove(&part(self.header.size))
    }

    /// Takes the list off the shelf; its objects stay until they are swept.
    ///
    /// # Errors
    /// The shelf's.
    pub fn remove(&self, shelf: &dyn Shelf) -> Result<(), Unbacked> {
        shelf.remove(&self.name)
    }
}

// === impl Opened ===

impl Opened {
    /// The files, without the log.
    #[must_use]
    pub fn files(&self) -> &[File] {
        &self.contents.files
    }
}

fn held(size: u64) -> String {
    format!("{LISTS}/{size:020}.{HELD}")
}

pub(crate) fn part(size: u64) -> String {
    format!("{LISTS}/{size:020}.{PART}")
}

fn size_of(name: &str, kind: &str) -> Option<u64> {
    let number = name.strip_prefix(LISTS)?.strip_prefix('/')?;
    number.strip_suffix(kind)?.strip_suffix('.')?.parse().ok()
}

fn context(line: &str) -> String {
    format!("bonded backup list v1\n{line}")
}
