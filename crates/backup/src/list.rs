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
/// The longest list: of some 400,000 objects.
const BYTES_MAX: u64 = 64 << 20;

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

/// What stands among the lists and does not count: somebody else's, or not what was written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Uncounted {
    /// Its name on the shelf.
    pub name: String,
    /// The code of what is wrong with it.
    pub code: &'static str,
}

/// Told of each list, one at a time: there may be more of them than memory takes.
pub(crate) type Each<'a> = &'a mut dyn FnMut(Result<Listed, Uncounted>) -> Result<(), Unbacked>;

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
        let list = format!("{line}\n{sealed}\n");
        if u64::try_from(list.len()).unwrap_or(u64::MAX) > BYTES_MAX {
            return Err(Unbacked::TooLong {
                name: held(self.size),
                bytes_max: BYTES_MAX,
            });
        }
        Ok(list)
    }
}

// === impl Listed ===

impl Listed {
    /// The backups on a shelf that read as such, oldest first. Whether the domain wrote them is known
    /// once they are opened.
    ///
    /// # Errors
    /// The shelf's.
    pub fn all(shelf: &dyn Shelf) -> Result<Vec<Self>, Unbacked> {
        let mut all = Vec::new();
        Self::each(shelf, &mut |listed| {
            all.extend(listed);
            Ok(())
        })?;
        Ok(all)
    }

    /// Each list on a shelf, oldest first, those too that do not read as one.
    ///
    /// # Errors
    /// The shelf's, or what is made of them.
    pub fn each(
        shelf: &dyn Shelf,
        told: &mut dyn FnMut(Result<Self, Uncounted>) -> Result<(), Unbacked>,
    ) -> Result<(), Unbacked> {
        Self::of_kind(shelf, HELD, told)
    }

    /// As [`Listed::each`], what was written and does not count yet: a crash came in between.
    ///
    /// # Errors
    /// As [`Listed::each`].
    pub fn each_part(
        shelf: &dyn Shelf,
        told: &mut dyn FnMut(Result<Self, Uncounted>) -> Result<(), Unbacked>,
    ) -> Result<(), Unbacked> {
        Self::of_kind(shelf, PART, told)
    }

    /// The backup of this number, or the newest that reads as one and, with the domain's key, opens.
    ///
    /// # Errors
    /// [`Unbacked::Absent`], [`Unbacked::Empty`], [`Unbacked::ListBroken`], or the shelf's.
    pub fn find(
        shelf: &dyn Shelf,
        number: Option<u64>,
        key: Option<&BackupKey>,
    ) -> Result<Self, Unbacked> {
        if let Some(size) = number {
            return Self::read(shelf, held(size))?.ok_or(Unbacked::Absent(size));
        }
        for name in shelf.names(LISTS)?.into_iter().rev() {
            if size_of(&name, HELD).is_none() {
                continue;
            }
            if let Some(Ok(listed)) = Self::readable(shelf, name)?
                && key.is_none_or(|key| listed.open(key).is_ok())
            {
                return Ok(listed);
            }
        }
        Err(Unbacked::Empty)
    }

    fn of_kind(shelf: &dyn Shelf, kind: &str, told: Each<'_>) -> Result<(), Unbacked> {
        for name in shelf.names(LISTS)? {
            if size_of(&name, kind).is_some()
                && let Some(listed) = Self::readable(shelf, name)?
            {
                told(listed)?;
            }
        }
        Ok(())
    }

    /// The list of this name, or why it does not read as one.
    fn readable(
        shelf: &dyn Shelf,
        name: String,
    ) -> Result<Option<Result<Self, Uncounted>>, Unbacked> {
        match Self::read(shelf, name.clone()) {
            Ok(listed) => Ok(listed.map(Ok)),
            Err(
                why @ (Unbacked::ListBroken(_)
                | Unbacked::TooLong { .. }
                | Unbacked::NotPlain { .. }),
            ) => {
                let code = why.code();
                Ok(Some(Err(Uncounted { name, code })))
            }
            Err(why) => Err(why),
        }
    }

    pub(crate) fn read(shelf: &dyn Shelf, name: String) -> Result<Option<Self>, Unbacked> {
        let Some(bytes) = shelf::file(shelf, (&name, BYTES_MAX))? else {
            return Ok(None);
        };
        let broken = || Unbacked::ListBroken(name.clone());
        let text = std::str::from_utf8(&bytes).map_err(|_| broken())?;
        let mut lines = text.lines();
        let (Some(line), Some(sealed), None) = (lines.next(), lines.next(), lines.next()) else {
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
            sealed: sealed.to_owned(),
            line: line.to_owned(),
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

    /// The name it has, or will have, when it counts.
    pub(crate) fn name_held(&self) -> String {
        held(self.header.size)
    }

    /// That the list does not open: it is nobody's, or another domain's.
    #[must_use]
    pub fn uncounted(&self) -> Uncounted {
        Uncounted {
            name: self.name.clone(),
            code: Unbacked::ListBroken(String::new()).code(),
        }
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

    /// An object of the backup and how long it is.
    ///
    /// # Errors
    /// [`Unbacked::ListBroken`] where the first line does not have it.
    pub(crate) fn object<'d>(&self, digest: &'d Digest) -> Result<(&'d Digest, u64), Unbacked> {
        let bytes = self.header.objects.get(digest);
        let broken = || Unbacked::ListBroken(held(self.header.size));
        Ok((digest, *bytes.ok_or_else(broken)?))
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
