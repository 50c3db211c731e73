//! A backup, taken: the log first, so that what it says is there is copied after it.

use crate::list::{Contents, File, Form, Header, Listed, part};
use crate::plain::open_plain;
use crate::{Shelf, Step, Unbacked, Watch, shelf};
use chrono::{DateTime, Utc};
use ledger::Copying;
use ring::digest::{Context, SHA256};
use std::io::Read;
use std::path::Path;
use terms::{Digest, Event};
use vault::BackupKey;

/// A sealed piece of a file, at most.
const PIECE_BYTES: u64 = 4 << 20;
pub(crate) const CONTEXT: &str = "bonded backup piece v1";

/// A backup that is being taken: objects are on the shelf, and nothing names them yet.
pub struct Taking<'a> {
    shelf: &'a dyn Shelf,
    key: &'a BackupKey,
    header: Header,
    root: Digest,
    contents: Contents,
    bytes_new: u64,
}

/// A backup whose list is written. It counts once it is held.
#[derive(Debug)]
pub struct Taken {
    /// Its list.
    pub listed: Listed,
    /// The root of the log's tree.
    pub root: Digest,
    /// The bytes of all its objects.
    pub bytes: u64,
    /// The bytes that no backup before had.
    pub bytes_new: u64,
}

/// Reads through to another, and hashes.
struct Hashing<'r> {
    from: &'r mut dyn Read,
    hash: Context,
}

// === impl Taking ===

impl<'a> Taking<'a> {
    /// Copies the log to a shelf that was judged ([`crate::judge`]); what happened is shown on the way.
    ///
    /// # Errors
    /// [`Unbacked`].
    pub fn begin(
        (shelf, key): (&'a dyn Shelf, &'a BackupKey),
        copying: &Copying,
        at: DateTime<Utc>,
        seen: &mut dyn FnMut(&Event),
        watch: Watch<'_>,
    ) -> Result<Self, Unbacked> {
        let header = Header::new(copying.head(), at);
        let mut taking = Self {
            shelf,
            key,
            header,
            root: copying.head().0.head.root,
            contents: Contents::default(),
            bytes_new: 0,
        };
        for number in 0..copying.pieces() {
            let piece = copying.piece(number, seen)?;
            let object = taking.put_sealed(&piece, watch)?;
            taking.contents.ledger.push(object);
        }
        Ok(taking)
    }

    /// How many entries of the log are copied.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.header.size
    }

    /// Copies a file that is ciphertext as it is; whether it was there.
    ///
    /// # Errors
    /// [`Unbacked::NotOnRecord`] where it is not the file of this digest; [`Unbacked::NotPlain`].
    pub fn store(
        &mut self,
        (path, on_record): (&str, Digest),
        (folder, name): (&Path, &str),
        watch: Watch<'_>,
    ) -> Result<bool, Unbacked> {
        let Some(mut file) = open_plain(folder, name)? else {
            return Ok(false);
        };
        let unreadable = |source| Unbacked::File {
            path: folder.join(name),
            source,
        };
        let changed = || Unbacked::NotOnRecord {
            path: path.to_owned(),
        };
        let mut hashing = Hashing::new(&mut file);
        let bytes = std::io::copy(&mut hashing, &mut std::io::sink()).map_err(unreadable)?;
        if hashing.finished() != on_record {
            return Err(changed());
        }
        let object = shelf::object(&on_record);
        let is_new = self.shelf.bytes(&object)? != Some(bytes);
        if is_new {
            let mut again = open_plain(folder, name)?.ok_or_else(changed)?;
            let mut hashing = Hashing::new(&mut again);
            self.shelf.put(&object, &mut hashing)?;
            if hashing.finished() != on_record {
                self.shelf.remove(&object)?;
                return Err(changed());
            }
        }
        self.note(on_record, (bytes, is_new), watch)?;
        self.contents.files.push(File {
            path: path.to_owned(),
            bytes,
            digest: on_record,
            form: Form::AsItIs,
        });
        Ok(true)
    }

    /// Seals what lies in the domain's folder as a file of this path, piece by piece; whether it was
    /// there.
    ///
    /// # Errors
    /// [`Unbacked`]; [`Unbacked::NotPlain`] where a link is on the way.
    pub fn seal(
        &mut self,
        path: &str,
        (dir, from): (&Path, &str),
        watch: Watch<'_>,
    ) -> Result<bool, Unbacked> {
        let Some(mut file) = open_plain(dir, from)? else {
            return Ok(false);
        };
        let mut hashing = Hashing::new(&mut file);
        let (mut pieces, mut bytes) = (Vec::new(), 0);
        loop {
            let mut piece = Vec::new();
            let read = (&mut hashing).take(PIECE_BYTES).read_to_end(&mut piece);
            let read = read.map_err(|source| Unbacked::File {
                path: dir.join(from),
                source,
            })?;
            if read == 0 {
                break;
            }
            bytes += u64::try_from(read).unwrap_or(u64::MAX);
            pieces.push(self.put_sealed(&piece, watch)?);
        }
        self.contents.files.push(File {
            path: path.to_owned(),
            bytes,
            digest: hashing.finished(),
            form: Form::Sealed(pieces),
        });
        Ok(true)
    }

    /// Writes the list. It does not count before it is held.
    ///
    /// # Errors
    /// [`Unbacked`].
    pub fn listed(self, watch: Watch<'_>) -> Result<Taken, Unbacked> {
        watch(Step::Copied)?;
        let text = self.header.sealed(&self.contents, self.key)?;
        let name = part(self.header.size);
        self.shelf.put(&name, &mut text.as_bytes())?;
        watch(Step::ListWritten)?;
        // What was put is read again: that it is there is not taken on trust.
        let listed = Listed::read(self.shelf, name.clone())?;
        let listed = listed.filter(|listed| listed.digest == Digest::of(text.as_bytes()));
        Ok(Taken {
            listed: listed.ok_or(Unbacked::ListBroken(name))?,
            root: self.root,
            bytes: self.header.objects.values().sum(),
            bytes_new: self.bytes_new,
        })
    }

    fn put_sealed(&mut self, plain: &[u8], watch: Watch<'_>) -> Result<Digest, Unbacked> {
        let sealed = self.key.seal(CONTEXT, plain)?;
        let digest = Digest::of(&sealed);
        let name = shelf::object(&digest);
        let bytes = u64::try_from(sealed.len()).unwrap_or(u64::MAX);
        let is_new = self.shelf.bytes(&name)? != Some(bytes);
        if is_new {
            self.shelf.put(&name, &mut sealed.as_slice())?;
        }
        self.note(digest, (bytes, is_new), watch)?;
        Ok(digest)
    }

    fn note(
        &mut self,
        object: Digest,
        (bytes, is_new): (u64, bool),
        watch: Watch<'_>,
    ) -> Result<(), Unbacked> {
        self.header.objects.insert(object, bytes);
        if is_new {
            self.bytes_new += bytes;
        }
        watch(Step::Object { bytes, is_new })
    }
}

impl std::fmt::Debug for Taking<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("Taking");
        debug
            .field("size", &self.header.size)
            .finish_non_exhaustive()
    }
}

// === impl Hashing ===

impl<'r> Hashing<'r> {
    fn new(from: &'r mut dyn Read) -> Self {
        let hash = Context::new(&SHA256);
        Self { from, hash }
    }

    fn finished(self) -> Digest {
        Digest::finished(self.hash)
    }
}

impl Read for Hashing<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.from.read(into)?;
        self.hash.update(into.get(..read).unwrap_or_default());
        Ok(read)
    }
}
