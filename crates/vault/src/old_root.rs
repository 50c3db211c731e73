//! Domains made before there was a ring: one root key in a file, everything derived from it.
//!
//! Its keys are taken over as they are, so that tokens, noise and sealed texts stay what they were;
//! they are just not derived from what is rotated any more.

use crate::ring::Ring;
use crate::sealing::unwrap;
use crate::{Key, Unkept, private_file};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::path::{Path, PathBuf};
use terms::{DatasetName, Digest, KeyName};

/// The file of a wrapped unit key, as it was.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped {
    v: u32,
    algorithm: String,
    dataset: DatasetName,
    snapshot: u32,
    wrapped: String,
    check: Digest,
}

/// The old root key; none where there is none.
pub(crate) fn read(keys_dir: &Path) -> Result<Option<Key>, Unkept> {
    let path = path(keys_dir);
    let Some(bytes) = private_file::read(&path)? else {
        return Ok(None);
    };
    let key = <[u8; 32]>::try_from(bytes.as_slice()).map(Key::from_bytes);
    key.map(Some).map_err(|_| Unkept::RootBroken { path })
}

/// Puts the keys that were derived from the old root, or wrapped under it, into a new ring.
pub(crate) fn take_over(
    keys_dir: &Path,
    old: &Key,
    (ring, storage): (&mut Ring, &Key),
) -> Result<(), Unkept> {
    let mut keys = vec![
        (KeyName::Tokens, old.clone()),
        (KeyName::Cells, old.derive("cell", b"")),
        (KeyName::Sealed, old.clone()),
    ];
    let wrapping = old.derive("wrap", b"units");
    let units = units(keys_dir);
    for name in private_file::names(&units)? {
        let unit = unit(&units.join(name), &wrapping)?;
        keys.push(unit);
    }
    for (name, key) in &keys {
        ring.put(name, key, storage)?;
        ring.note_created(name, key);
    }
    Ok(())
}

/// Destroys the old root key and what it wrapped; nothing where nothing is left.
pub(crate) fn destroy(keys_dir: &Path) -> Result<(), Unkept> {
    let units = units(keys_dir);
    for name in private_file::names(&units)? {
        private_file::destroy(&units.join(name))?;
    }
    private_file::destroy(&path(keys_dir))
}

fn unit(path: &Path, wrapping: &Key) -> Result<(KeyName, Key), Unkept> {
    let broken = || Unkept::UnitBroken {
        path: path.to_owned(),
    };
    let text = private_file::read(path)?.ok_or_else(broken)?;
    let file: Wrapped = serde_json::from_slice(&text).map_err(|_| broken())?;
    let (dataset, number) = (&file.dataset, file.snapshot);
    let context = format!("bonded unit v1\n{dataset}\n{number}\n");
    let bytes = STANDARD.decode(&file.wrapped).map_err(|_| broken())?;
    let key = unwrap(wrapping, context.as_bytes(), &bytes).map_err(|_| broken())?;
    if file.v != 1 || file.algorithm != "AES-256-GCM" || key.check() != file.check {
        return Err(broken());
    }
    let name = KeyName::Snapshot {
        dataset: file.dataset,
        number,
    };
    Ok((name, key))
}

fn path(keys_dir: &Path) -> PathBuf {
    keys_dir.join("root.key")
}

fn units(keys_dir: &Path) -> PathBuf {
    keys_dir.join("units")
}
