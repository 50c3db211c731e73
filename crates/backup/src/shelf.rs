use crate::Unbacked;
use ring::digest::{Context, SHA256};
use std::fmt::Debug;
use std::io::Read;
use terms::Digest;

/// Where backups stand: objects by name, each whole or not there.
pub trait Shelf: Debug + Send + Sync {
    /// Puts an object under a name, in place of what had it: durable when this returns. Where reading
    /// fails nothing has the name that had not before.
    ///
    /// # Errors
    /// [`Unbacked::File`] or [`Unbacked::Store`].
    fn put(&self, name: &str, from: &mut dyn Read) -> Result<(), Unbacked>;

    /// Opens an object; none where there is none.
    ///
    /// # Errors
    /// As [`Shelf::put`].
    fn get(&self, name: &str) -> Result<Option<Box<dyn Read + '_>>, Unbacked>;

    /// How long an object is; none where there is none.
    ///
    /// # Errors
    /// As [`Shelf::put`].
    fn bytes(&self, name: &str) -> Result<Option<u64>, Unbacked>;

    /// The names beneath one, as `backups` or `objects`, in order.
    ///
    /// # Errors
    /// As [`Shelf::put`].
    fn names(&self, beneath: &str) -> Result<Vec<String>, Unbacked>;

    /// Removes an object; one that is not there is no error.
    ///
    /// # Errors
    /// As [`Shelf::put`].
    fn remove(&self, name: &str) -> Result<(), Unbacked>;

    /// Removes what puts that broke off left, where the shelf has any. Only whoever puts may call it.
    ///
    /// # Errors
    /// As [`Shelf::put`].
    fn sweep(&self) -> Result<(), Unbacked> {
        Ok(())
    }
}

/// The name of an object with these bytes: spread over 256 folders.
pub(crate) fn object(digest: &Digest) -> String {
    let text = digest.to_string();
    let folder: String = text.chars().take(2).collect();
    format!("objects/{folder}/{text}")
}

/// The digest that an object's name says; none where it is another's name.
pub(crate) fn named(name: &str) -> Option<Digest> {
    let digest = name.rsplit('/').next()?.parse().ok()?;
    (object(&digest) == name).then_some(digest)
}

/// Reads an object piece by piece. Where this returns without an error, what was taken is as long as is
/// listed, and its bytes are those of its name; no more is read than that.
pub(crate) fn read(
    shelf: &dyn Shelf,
    (digest, bytes): (&Digest, u64),
    take: &mut dyn FnMut(&[u8]) -> Result<(), Unbacked>,
) -> Result<(), Unbacked> {
    let name = object(digest);
    let object = shelf.get(&name)?.ok_or(Unbacked::Missing(*digest))?;
    // One byte more shows that there is more.
    let mut object = object.take(bytes.saturating_add(1));
    let mut hash = Context::new(&SHA256);
    let (mut piece, mut length) = (vec![0; 1 << 16], 0);
    loop {
        let read = object
            .read(&mut piece)
            .map_err(|error| unread(&name, error))?;
        let piece = piece.get(..read).unwrap_or_default();
        if piece.is_empty() {
            break;
        }
        length += u64::try_from(read).unwrap_or(u64::MAX);
        if length > bytes {
            return Err(Unbacked::Changed(*digest));
        }
        hash.update(piece);
        take(piece)?;
    }
    if length == bytes && Digest::finished(hash) == *digest {
        Ok(())
    } else {
        Err(Unbacked::Changed(*digest))
    }
}

/// Reads an object into memory, as [`read`] does.
pub(crate) fn whole(
    shelf: &dyn Shelf,
    (digest, bytes): (&Digest, u64),
) -> Result<Vec<u8>, Unbacked> {
    let mut all = Vec::new();
    let mut take = |piece: &[u8]| {
        all.extend_from_slice(piece);
        Ok(())
    };
    read(shelf, (digest, bytes), &mut take)?;
    Ok(all)
}

/// Reads a file of the shelf whole; none where there is none.
///
/// # Errors
/// [`Unbacked::TooLong`] where it is longer than what is said.
pub(crate) fn file(
    shelf: &dyn Shelf,
    (name, bytes_max): (&str, u64),
) -> Result<Option<Vec<u8>>, Unbacked> {
    let Some(file) = shelf.get(name)? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    let read = file
        .take(bytes_max.saturating_add(1))
        .read_to_end(&mut bytes);
    let read = read.map_err(|error| unread(name, error))?;
    if u64::try_from(read).unwrap_or(u64::MAX) > bytes_max {
        return Err(Unbacked::TooLong {
            name: name.to_owned(),
            bytes_max,
        });
    }
    Ok(Some(bytes))
}

fn unread(name: &str, source: std::io::Error) -> Unbacked {
    Unbacked::Store {
        name: name.to_owned(),
        source: source.into(),
    }
}
