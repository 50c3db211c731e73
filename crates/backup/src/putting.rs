//! A backup, put back into a folder: every byte is held against its digest on the way.

use crate::folder::{make_folder, sync};
use crate::list::{File, Form, Opened};
use crate::{Shelf, Step, Unbacked, Watch, shelf, taking};
use ledger::{Breach, Head, Ledger};
use ring::digest::{Context, SHA256};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Component, Path, PathBuf};
use terms::Digest;
use vault::BackupKey;

/// A backup on its way back.
#[derive(Debug)]
pub struct PutBack<'a> {
    /// Where it comes from.
    pub shelf: &'a dyn Shelf,
    /// What opens it.
    pub key: &'a BackupKey,
    /// What it is.
    pub opened: &'a Opened,
}

/// Why a log could not be put back: the ledger's cause, or the shelf's.
struct Cause(Unbacked);

impl From<Breach> for Cause {
    fn from(breach: Breach) -> Self {
        Self(breach.into())
    }
}

// === impl PutBack ===

impl PutBack<'_> {
    /// Puts the log back into a folder that has its public key, and compares it with the list's head.
    ///
    /// # Errors
    /// [`Unbacked`].
    pub fn ledger(&self, into: &Path, watch: Watch<'_>) -> Result<Head, Unbacked> {
        let pieces = self.opened.contents.ledger.iter().map(|piece| {
            let piece = self.opened.object(piece).map_err(Cause)?;
            let sealed = shelf::whole(self.shelf, piece).map_err(Cause)?;
            let plain = self.key.open(taking::CONTEXT, &sealed);
            let plain = plain.map_err(|why| Cause(why.into()))?;
            let bytes = u64::try_from(sealed.len()).unwrap_or(u64::MAX);
            let is_new = true;
            watch(Step::Object { bytes, is_new }).map_err(Cause)?;
            Ok::<_, Cause>(plain.to_vec())
        });
        let head = Ledger::put_back(into, pieces).map_err(|cause| cause.0)?;
        // Everything hashed again out of what now lies there, with the public key alone.
        let report = Ledger::verify(into, &mut |_, _| {})?;
        let header = &self.opened.header;
        let is_listed = report.checkpoint == header.checkpoint && report.entries == header.size;
        if is_listed && report.root == head.root {
            Ok(head)
        } else {
            let path = "ledger".to_owned();
            Err(Unbacked::NotAsListed { path })
        }
    }

    /// Puts one file back.
    ///
    /// # Errors
    /// [`Unbacked`].
    pub fn file(&self, file: &File, into: &Path, watch: Watch<'_>) -> Result<(), Unbacked> {
        let path = within(into, &file.path)?;
        let failed = |source| Unbacked::File {
            path: path.clone(),
            source,
        };
        let folder = path.parent().unwrap_or(into);
        make_folder(folder)?;
        let mut options = OpenOptions::new();
        let opened = options.write(true).create_new(true).mode(0o600).open(&path);
        let mut out = opened.map_err(failed)?;
        let mut hash = Context::new(&SHA256);
        let mut write = |bytes: &[u8]| {
            hash.update(bytes);
            out.write_all(bytes).map_err(failed)
        };
        match &file.form {
            Form::AsItIs => {
                let object = self.opened.object(&file.digest)?;
                shelf::read(self.shelf, object, &mut write)?;
            }
            Form::Sealed(pieces) => {
                for piece in pieces {
                    let sealed = shelf::whole(self.shelf, self.opened.object(piece)?)?;
                    write(&self.key.open(taking::CONTEXT, &sealed)?)?;
                }
            }
        }
        if Digest::finished(hash) != file.digest {
            let path = file.path.clone();
            return Err(Unbacked::NotAsListed { path });
        }
        out.sync_all().map_err(failed)?;
        sync(folder)?;
        let (bytes, is_new) = (file.bytes, true);
        watch(Step::Object { bytes, is_new })
    }
}

/// A path of the list, in the folder and never beside it.
fn within(folder: &Path, path: &str) -> Result<PathBuf, Unbacked> {
    let parts = Path::new(path).components();
    let is_within = parts
        .clone()
        .all(|part| matches!(part, Component::Normal(_)));
    // What keys there are comes from elsewhere.
    let first = parts.clone().next();
    if !is_within || first.is_none() || first == Some(Component::Normal("keys".as_ref())) {
        return Err(Unbacked::Path(path.to_owned()));
    }
    Ok(folder.join(path))
}
