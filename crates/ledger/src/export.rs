//! The log as the files that outside verifiers read. Source: C2SP tlog-tiles.

use crate::{Breach, Reader, Resource};
use std::path::{Path, PathBuf};

impl Reader {
    /// Writes the log as it stands into a folder, for verifiers that are not ours.
    ///
    /// # Errors
    /// What can't be read or written.
    pub fn export(&self, folder: &Path) -> Result<(), Breach> {
        let (checkpoint, note) = self.head()?;
        for resource in Resource::all(checkpoint.head.size) {
            let file = folder.join(resource.to_string());
            // The head as it was when the copy began; the log may have grown since.
            if resource == Resource::Checkpoint {
                write(file, note.as_bytes())?;
            } else if let Some(bytes) = self.publish(resource)? {
                write(file, &bytes)?;
            } else if let Some(kept) = resource.instead()
                && let Some(bytes) = self.publish(kept)?
            {
                write(folder.join(kept.to_string()), &bytes)?;
            }
        }
        Ok(())
    }
}

fn write(file: PathBuf, bytes: &[u8]) -> Result<(), Breach> {
    let folder = file.parent().map_or(Ok(()), std::fs::create_dir_all);
    folder
        .and_then(|()| std::fs::write(&file, bytes))
        .map_err(|source| Breach::Unreachable { file, source })
}
