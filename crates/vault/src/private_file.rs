//! Files that their owner alone may read: durable when written, overwritten when destroyed.

use crate::{Unkept, open_plain};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use zeroize::Zeroizing;

/// Makes a folder that its owner alone may enter.
pub(crate) fn create_dir(path: &Path) -> Result<(), Unkept> {
    let mut builder = DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(path);
    made.map_err(|source| unkept(path, source))
}

/// Writes a file that must not exist yet, durable before it returns.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Unkept> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|source| unkept(path, source))?;
    sync_folder(path)
}

/// Gives a file its other name, in place of what had it, durable before it returns.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), Unkept> {
    std::fs::rename(from, to).map_err(|source| unkept(to, source))?;
    sync_folder(to)
}

/// Reads a file into memory that is overwritten when dropped; none where there is no file.
pub(crate) fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, Unkept> {
    let mut bytes = Zeroizing::new(Vec::new());
    match open_plain(path).and_then(|mut file| file.read_to_end(&mut bytes)) {
        Ok(_) => Ok(Some(bytes)),
        Err(source) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(unkept(path, source)),
    }
}

/// Overwrites a file where it lies, then removes it; one that is not there is no error. A disk may keep
/// a copy of an overwritten block: this is *Clear*, not *Purge*. Source: NIST SP 800-88r2.
pub(crate) fn destroy(path: &Path) -> Result<(), Unkept> {
    let destroyed = || {
        let mut file = OpenOptions::new().write(true).open(path)?;
        let mut left = file.metadata()?.len();
        let zeroes = [0; 4096];
        while left > 0 {
            let now = left.min(4096);
            let part = zeroes.get(..usize::try_from(now).unwrap_or(0));
            file.write_all(part.unwrap_or(&zeroes))?;
            left -= now;
        }
        file.sync_all()?;
        std::fs::remove_file(path)
    };
    match destroyed() {
        Ok(()) => sync_folder(path),
        Err(source) if source.kind() == ErrorKind::NotFound => Ok(()),
        Err(source) => Err(unkept(path, source)),
    }
}

/// The names in a folder; none where there is no folder.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>, Unkept> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(source) if source.kind() == ErrorKind::NotFound => return Ok(vec![]),
        Err(source) => return Err(unkept(folder, source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| unkept(folder, source))?;
        names.extend(entry.file_name().into_string());
    }
    Ok(names)
}

fn sync_folder(path: &Path) -> Result<(), Unkept> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| unkept(folder, source))
}

fn unkept(path: &Path, source: std::io::Error) -> Unkept {
    Unkept::File {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_written_is_for_its_owner_and_written_once() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("keys");
        create_dir(&folder).unwrap();
        let path = folder.join("a");
        write_new(&path, b"secret").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));
        assert!(write_new(&path, b"other").is_err());
        assert_eq!(read(&path).unwrap().unwrap().as_slice(), b"secret");
    }

    #[test]
    fn what_is_destroyed_is_overwritten_before_it_goes() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("a"), dir.path().join("b"));
        write_new(&path, &[7; 5000]).unwrap();
        // The other name shows what became of the bytes.
        std::fs::hard_link(&path, &other).unwrap();
        destroy(&path).unwrap();
        destroy(&path).unwrap();
        assert!(read(&path).unwrap().is_none());
        assert_eq!(std::fs::read(&other).unwrap(), [0; 5000]);
        assert_eq!(names(dir.path()).unwrap(), ["b"]);
    }
}
