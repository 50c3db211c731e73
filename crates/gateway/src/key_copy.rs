//! A copy of the keys, for a safe of its own: numbered and on record before it is made, and never among
//! backups of the data.

use crate::{Domain, Unopened, operation::now};
use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};
use terms::Event;
use zeroize::Zeroizing;

/// Keys that lie beside certificates.
pub(crate) const OF_CA: [&str; 2] = ["ca-key.pem", "server-key.pem"];

impl Domain {
    /// Copies the keys into a new folder `keys-<number>` beneath one; gives the copy's number and folder.
    ///
    /// # Errors
    /// [`Unopened`]; [`Unopened::CopyWithin`]. Where copying fails the number is on record, and nothing of
    /// the copy is left.
    pub async fn copy_keys(&self, to: &Path) -> Result<(u64, PathBuf), Unopened> {
        if is_within(to, &self.dir).map_err(file(to))? {
            return Err(Unopened::CopyWithin(to.to_owned()));
        }
        // A copy without the key for backups would open none of them.
        self.keyring.backup_key()?;
        self.record_keys::<Unopened>().await?;
        let status = self.keyring.status();
        let event = Event::KeysCopied {
            keystore: status.keystore,
            storage: status.storage,
            check: status.check,
            keys: u64::try_from(status.keys.len()).unwrap_or(u64::MAX),
        };
        swept(to).map_err(file(to))?;
        let number = self.ledger.append(&event, None, now()).await?.index;
        let whole = to.join(format!("keys-{number}"));
        let part = whole.with_added_extension("part");
        let made = copied(&self.dir, &part).and_then(|()| std::fs::rename(&part, &whole));
        if let Err(source) = made {
            // Some of the keys may be in it.
            drop(std::fs::remove_dir_all(&part));
            return Err(Unopened::File { path: part, source });
        }
        sync(to).map_err(file(to))?;
        Ok((number, whole))
    }
}

/// Whether a place is in a folder, wherever links on the way lead; it may not be there yet.
fn is_within(place: &Path, folder: &Path) -> std::io::Result<bool> {
    let folder = folder.canonicalize()?;
    let place = std::path::absolute(place)?;
    for above in place.ancestors() {
        match above.canonicalize() {
            Ok(above) => return Ok(above.starts_with(&folder)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// Does away with copies that were killed half-way: some of the keys are in them.
fn swept(to: &Path) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(to) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("keys-"));
        let number = number.and_then(|name| name.strip_suffix(".part"));
        if number.is_some_and(|number| number.parse::<u64>().is_ok()) && entry.file_type()?.is_dir()
        {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

fn copied(dir: &Path, part: &Path) -> std::io::Result<()> {
    copy_folder(&dir.join("keys"), &part.join("keys"))?;
    folder(&part.join("ca"))?;
    for key in OF_CA {
        let from = dir.join("ca").join(key);
        if from.is_file() {
            copy_private(&from, &part.join("ca").join(key))?;
        }
    }
    sync(&part.join("ca"))?;
    sync(part)
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    folder(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (kind, to) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy_folder(&entry.path(), &to)?;
        } else if kind.is_file() {
            copy_private(&entry.path(), &to)?;
        }
    }
    sync(to)
}

/// Copies a file for its owner alone, durable before it returns; no copy of it stays in memory.
pub(crate) fn copy_private(from: &Path, to: &Path) -> std::io::Result<()> {
    let mut file = File::open(from)?;
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    let mut bytes = Zeroizing::new(Vec::with_capacity(length + 1));
    file.read_to_end(&mut bytes)?;
    let mut options = OpenOptions::new();
    let made = options.write(true).create_new(true).mode(0o600).open(to);
    let mut copy = made?;
    copy.write_all(&bytes)?;
    copy.sync_all()
}

fn folder(path: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn sync(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Unopened {
    let path = path.to_owned();
    |source| Unopened::File { path, source }
}
