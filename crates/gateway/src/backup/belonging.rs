//! Which files belong to a backup of the data, by name. What is not named here is in none: not `keys`, not
//! the authority's or anybody's key, not what waits in `inbox`, which is readable.

use crate::Config;
use backup::Unbacked;
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// The disclosure register.
pub(super) const REGISTER: &str = "disclosure.db";
/// A copy of it that holds still, while it is read.
pub(super) const REGISTER_COPY: &str = "disclosure.db.copy";

/// Files of the domain's folder.
const FILES: [&str; 5] = [
    "bonded.toml",
    "fees.toml",
    "stands.sealed",
    "ca/ca.pem",
    "ca/server.pem",
];
/// Folders whose files belong, all of them. In quarantine all is sealed: what waits there, and the lists that
/// every later one of its operator is held against.
const FOLDERS: [&str; 5] = [
    "policies",
    "certificates",
    "reports",
    "ledger/cosigned",
    "quarantine",
];
/// What belongs of each person's folder.
const OF_PEOPLE: [&str; 3] = ["cert.pem", "ca.pem", "profile.toml"];
/// How a private key begins in a file that people read, whatever its kind.
const PRIVATE: &[u8] = b"PRIVATE KEY-----";

/// The files that are there, beside log, snapshots and register.
pub(super) fn files(dir: &Path, config: &Config) -> Result<Vec<String>, Unbacked> {
    let mut files: Vec<String> = FILES.map(str::to_owned).into();
    for folder in FOLDERS {
        gather(dir, folder, &mut files)?;
    }
    for person in names(&dir.join("people"))? {
        files.extend(OF_PEOPLE.map(|file| format!("people/{person}/{file}")));
    }
    let named = [&config.witness.policy, &config.witness.authorities];
    for file in named.into_iter().flatten() {
        files.extend(within(dir, file));
    }
    files.sort();
    files.dedup();
    files.retain(|file| dir.join(file).is_file());
    for file in &files {
        let path = dir.join(file);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            // What waits in quarantine may be decided on meanwhile.
            Err(source) if source.kind() == ErrorKind::NotFound => continue,
            Err(source) => return Err(failed(&path)(source)),
        };
        // Somebody laid a key where none belongs.
        if bytes.windows(PRIVATE.len()).any(|part| part == PRIVATE) {
            return Err(Unbacked::Path(file.clone()));
        }
    }
    Ok(files)
}

/// A file that the configuration names, where it lies in the domain's folder and not among keys.
fn within(dir: &Path, file: &Path) -> Option<String> {
    let file = dir.join(file);
    let file = file.strip_prefix(dir).ok()?.to_str()?;
    let parts: Vec<&str> = file.split('/').collect();
    let is_ours = !parts.contains(&"..") && parts.first() != Some(&"keys");
    is_ours.then(|| file.to_owned())
}

fn gather(dir: &Path, folder: &str, files: &mut Vec<String>) -> Result<(), Unbacked> {
    for name in names(&dir.join(folder))? {
        let path = format!("{folder}/{name}");
        let found = dir.join(&path);
        let kind = found.symlink_metadata().map_err(failed(&found))?;
        if kind.is_dir() {
            gather(dir, &path, files)?;
        } else if kind.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// What is in a folder; nothing where there is none. What is written at this moment has no name yet.
fn names(folder: &Path) -> Result<Vec<String>, Unbacked> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(source) if source.kind() == ErrorKind::NotFound => return Ok(vec![]),
        Err(source) => return Err(failed(folder)(source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed(folder))?;
        names.extend(entry.file_name().into_string());
    }
    names.retain(|name| !name.ends_with(".part") && !name.ends_with(".new"));
    Ok(names)
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> Unbacked {
    let path: PathBuf = path.to_owned();
    |source| Unbacked::File { path, source }
}
