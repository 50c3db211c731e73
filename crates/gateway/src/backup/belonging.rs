//! Which files belong to a backup of the data, by name. What is not named here is in none: not `keys`, not
//! the authority's or anybody's key, not what waits in `inbox`, which is readable. No link is followed, so
//! that no other name leads there either.

use crate::Config;
use backup::{Unbacked, open_plain};
use std::{
    fs::FileType,
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
};
use vault::RootId;

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
/// The folders of people.
const PEOPLE: &str = "people";
/// How a private key begins in a file that people read, whatever its kind.
const PRIVATE: &[u8] = b"PRIVATE KEY-----";

/// The files that are there, beside log, snapshots and register.
pub(super) fn files(dir: &Path, config: &Config) -> Result<Vec<String>, Unbacked> {
    let mut files: Vec<String> = FILES.map(str::to_owned).into();
    for folder in FOLDERS {
        gather(dir, folder, &mut files)?;
    }
    for person in names(dir, PEOPLE)? {
        files.extend(OF_PEOPLE.map(|file| format!("{PEOPLE}/{person}/{file}")));
    }
    let named = [&config.witness.policy, &config.witness.authorities];
    for file in named.into_iter().flatten() {
        files.extend(within(dir, file));
    }
    files.sort();
    files.dedup();
    let mut there = Vec::with_capacity(files.len());
    for path in files {
        if kind(dir, &path)?.is_none_or(|kind| !kind.is_file()) {
            continue;
        }
        // What waits in quarantine may be decided on meanwhile.
        let Some(mut file) = open_plain(dir, &path)? else {
            continue;
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)
            .map_err(failed(&dir.join(&path)))?;
        // Somebody laid a key where none belongs.
        if is_named_as_key(&path) || bytes.windows(PRIVATE.len()).any(|part| part == PRIVATE) {
            return Err(Unbacked::Path(path));
        }
        there.push(path);
    }
    Ok(there)
}

/// Whether a file has a name that keys have: those in `keys`, and whatever ends as one does.
fn is_named_as_key(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let stem = name.strip_suffix(".json");
    let is_ring = stem.is_some_and(|stem| stem.starts_with("ring."));
    let is_root = stem.is_some_and(|stem| stem.parse::<RootId>().is_ok());
    is_ring || is_root || name.ends_with(".key") || name.ends_with("key.pem")
}

/// A file that the configuration names, where it lies in the domain's folder and not among keys.
fn within(dir: &Path, file: &Path) -> Option<String> {
    let file = dir.join(file);
    let file = file.strip_prefix(dir).ok()?.to_str()?;
    let parts: Vec<&str> = file.split('/').collect();
    let is_ours = !parts.contains(&"..") && parts.first() != Some(&"keys");
    is_ours.then(|| file.to_owned())
}

/// What a path of the domain's folder is; none where there is nothing. A link on the way is refused.
fn kind(dir: &Path, path: &str) -> Result<Option<FileType>, Unbacked> {
    let (mut on_the_way, mut kind) = (dir.to_owned(), None);
    for part in path.split('/') {
        on_the_way.push(part);
        match on_the_way.symlink_metadata() {
            Ok(found) if found.is_symlink() => {
                return Err(Unbacked::NotPlain { path: on_the_way });
            }
            Ok(found) => kind = Some(found.file_type()),
            Err(source) if source.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(failed(&on_the_way)(source)),
        }
    }
    Ok(kind)
}

fn gather(dir: &Path, folder: &str, files: &mut Vec<String>) -> Result<(), Unbacked> {
    for name in names(dir, folder)? {
        let path = format!("{folder}/{name}");
        match kind(dir, &path)? {
            Some(kind) if kind.is_dir() => gather(dir, &path, files)?,
            Some(kind) if kind.is_file() => files.push(path),
            // Nothing of a backup, and nothing to wait for.
            Some(_) => {
                let path = dir.join(path);
                return Err(Unbacked::NotPlain { path });
            }
            None => {}
        }
    }
    Ok(())
}

/// What is in a folder; nothing where there is none. What is written at this moment has no name yet.
fn names(dir: &Path, folder: &str) -> Result<Vec<String>, Unbacked> {
    match kind(dir, folder)? {
        None => return Ok(vec![]),
        Some(kind) if kind.is_dir() => {}
        Some(_) => {
            let path = dir.join(folder);
            return Err(Unbacked::NotPlain { path });
        }
    }
    let folder = dir.join(folder);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(failed(&folder))? {
        let entry = entry.map_err(failed(&folder))?;
        names.extend(entry.file_name().into_string());
    }
    names.retain(|name| !name.ends_with(".part") && !name.ends_with(".new"));
    Ok(names)
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> Unbacked {
    let path: PathBuf = path.to_owned();
    |source| Unbacked::File { path, source }
}
