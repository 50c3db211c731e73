use crate::{Bucket, Folder, S3, Shelf, Unbacked};
use std::path::Path;

/// The shelf at an address: a folder, or `s3://bucket/prefix`.
///
/// # Errors
/// [`Unbacked::NoShelf`].
pub fn shelf_at(address: &Path, s3: &S3) -> Result<Box<dyn Shelf>, Unbacked> {
    match address.to_str() {
        Some(text) if text.starts_with("s3://") => Ok(Box::new(Bucket::open(text, s3)?)),
        Some(_) | None => Ok(Box::new(Folder::new(address))),
    }
}
