use crate::store::{FILE, Unstored};
use rusqlite::{Connection, OpenFlags};
use std::{fs::File, io::ErrorKind, os::unix::fs::OpenOptionsExt as _, path::Path};

/// Writes the disclosure register of a domain as it is at one moment into another file, made anew for its
/// owner alone, while the register goes on.
///
/// # Errors
/// [`Unstored::Database`].
pub fn copy_register(dir: &Path, to: &Path) -> Result<(), Unstored> {
    let failed = |source| Unstored::Database {
        file: to.to_owned(),
        source,
    };
    let file = |source: std::io::Error| {
        failed(rusqlite::Error::ToSqlConversionFailure(source.into()))
    };
    // What a crash left of an earlier copy.
    match std::fs::remove_file(to) {
        Err(source) if source.kind() != ErrorKind::NotFound => return Err(file(source)),
        Ok(()) | Err(_) => {}
    }
    let mut options = File::options();
    let made = options.write(true).create_new(true).mode(0o600).open(to);
    drop(made.map_err(file)?);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(dir.join(FILE), flags).map_err(failed)?;
    let copied = database.execute("VACUUM INTO ?1", [to.to_string_lossy()]);
    copied.map(drop).map_err(failed)
}
