//! Root keys as files in `keys/roots`.

use super::RootId;
use crate::{Unkept, private_file};
use std::path::{Path, PathBuf};

/// Where a root key's file is.
pub(crate) fn path(keys_dir: &Path, root: &RootId, extension: &str) -> PathBuf {
    keys_dir.join("roots").join(format!("{root}.{extension}"))
}

/// The folder of root keys, made where it is not there.
pub(crate) fn create_folder(keys_dir: &Path) -> Result<(), Unkept> {
    private_file::create_dir(&keys_dir.join("roots"))
}

/// The root keys of the same owner that have a file of this kind.
pub(crate) fn roots(
    keys_dir: &Path,
    like: &RootId,
    extension: &str,
) -> Result<Vec<RootId>, Unkept> {
    let names = private_file::names(&keys_dir.join("roots"))?;
    let roots = names.iter().filter_map(|name| {
        let (root, kind) = name.split_once('.')?;
        let root: RootId = root.parse().ok().filter(|_| kind == extension)?;
        (root.owner() == like.owner()).then_some(root)
    });
    Ok(roots.collect())
}

/// Destroys every file of a root key but the one that is in use: what a crash or a move left.
pub(crate) fn sweep(keys_dir: &Path, in_use: &RootId) -> Result<(), Unkept> {
    let folder = keys_dir.join("roots");
    for name in private_file::names(&folder)? {
        let root = name.split_once('.').map(|(root, _)| root);
        if root != Some(in_use.as_str()) {
            private_file::destroy(&folder.join(name))?;
        }
    }
    Ok(())
}
