use crate::list::{Form, Listed};
use crate::{Shelf, Unbacked, shelf, taking};
use ring::digest::{Context, SHA256};
use std::collections::BTreeSet;
use terms::Digest;
use vault::BackupKey;

/// What was found of a backup.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Verified {
    /// Its number: how many entries of the log it holds.
    pub size: u64,
    /// Objects read, each found to be what its name says.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files found to be what the list says; none without the keys.
    pub files: Option<u64>,
}

/// Reads every object of a backup again. With the domain's key the list is opened too, and every piece.
///
/// # Errors
/// [`Unbacked::Missing`], [`Unbacked::Changed`], [`Unbacked::ListBroken`],
/// [`Unbacked::NotAsListed`], or the shelf's.
pub fn verify(
    shelf: &dyn Shelf,
    listed: &Listed,
    key: Option<&BackupKey>,
    progress: &mut dyn FnMut(u64),
) -> Result<Verified, Unbacked> {
    let mut bytes = 0;
    for (digest, length) in &listed.header.objects {
        shelf::read(shelf, (digest, *length), &mut |_| Ok(()))?;
        bytes += length;
        progress(bytes);
    }
    let objects = u64::try_from(listed.header.objects.len()).unwrap_or(u64::MAX);
    let files = key.map(|key| opened(shelf, listed, key)).transpose()?;
    Ok(Verified {
        size: listed.header.size,
        objects,
        bytes,
        files,
    })
}

/// Opens the list and every sealed piece it names; how many files there are.
fn opened(shelf: &dyn Shelf, listed: &Listed, key: &BackupKey) -> Result<u64, Unbacked> {
    let opened = listed.open(key)?;
    let mut named: BTreeSet<Digest> = opened.contents.ledger.iter().copied().collect();
    for piece in &opened.contents.ledger {
        key.open(
            taking::CONTEXT,
            &shelf::whole(shelf, opened.object(piece)?)?,
        )?;
    }
    for file in opened.files() {
        match &file.form {
            Form::AsItIs => {
                named.insert(file.digest);
            }
            Form::Sealed(pieces) => {
                let mut hash = Context::new(&SHA256);
                for piece in pieces {
                    let sealed = shelf::whole(shelf, opened.object(piece)?)?;
                    hash.update(&key.open(taking::CONTEXT, &sealed)?);
                }
                if Digest::finished(hash) != file.digest {
                    let path = file.path.clone();
                    return Err(Unbacked::NotAsListed { path });
                }
                named.extend(pieces);
            }
        }
    }
    // The two lines of a list say the same.
    if !named.iter().eq(listed.header.objects.keys()) {
        return Err(Unbacked::ListBroken(listed.name.clone()));
    }
    Ok(u64::try_from(opened.files().len()).unwrap_or(u64::MAX))
}
