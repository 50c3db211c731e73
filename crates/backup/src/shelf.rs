use crate::Unbacked;
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

/// Reads an object whole, and believes it only if its bytes are those of its name.
pub(crate) fn whole(shelf: &dyn Shelf, digest: &Digest) -> Result<Vec<u8>, Unbacked> {
    let bytes = read(shelf, &object(digest))?.ok_or(Unbacked::Missing(*digest))?;
    if Digest::of(&bytes) == *digest {
        Ok(bytes)
    } else {
        Err(Unbacked::Changed(*digest))
    }
}

/// Reads an object whole; none where there is none.
pub(crate) fn read(shelf: &dyn Shelf, name: &str) -> Result<Option<Vec<u8>>, Unbacked> {
    let Some(mut object) = shelf.get(name)? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    let read = object.read_to_end(&mut bytes);
    read.map_err(|source| Unbacked::Store {
        name: name.to_owned(),
        source: source.into(),
    })?;
    Ok(Some(bytes))
}
