//! The log as the files that outside verifiers read. Source: C2SP tlog-tiles.

use crate::tree::{HASH_BYTES, TILE_WIDTH, TileId};
use crate::{Breach, Reader};
use std::path::{Path, PathBuf};

/// A tile or bundle's number as its path: groups of three digits, all but the last marked with `x`.
fn number_path(number: u64) -> String {
    let mut path = format!("{:03}", number % 1000);
    let mut rest = number / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

fn partial_suffix(width: u64) -> String {
    if width == TILE_WIDTH {
        String::new()
    } else {
        format!(".p/{width}")
    }
}

/// The path of a tile of so many hashes: `tile/0/x001/234.p/5`.
#[must_use]
pub fn tile_path(id: TileId, width: u64) -> String {
    format!(
        "tile/{}/{}{}",
        id.level,
        number_path(id.number),
        partial_suffix(width)
    )
}

/// The path of a bundle of so many entries: `tile/entries/000.p/5`.
#[must_use]
pub fn entries_path(number: u64, width: u64) -> String {
    format!(
        "tile/entries/{}{}",
        number_path(number),
        partial_suffix(width)
    )
}

impl Reader {
    /// The bytes of a tile at a width that the log has reached.
    ///
    /// # Errors
    /// [`Breach::Damaged`] if the log has no such tile.
    pub fn tile(&self, id: TileId, width: u64) -> Result<Vec<u8>, Breach> {
        let mut hashes = self.store().tile(id)?;
        let bytes = usize::try_from(width)
            .unwrap_or(usize::MAX)
            .saturating_mul(HASH_BYTES);
        if hashes.len() < bytes {
            return Err(self.damaged(format!("a tile of level {} is too narrow", id.level)));
        }
        hashes.truncate(bytes);
        Ok(hashes)
    }

    /// The bytes of a bundle: each entry after its length in two bytes, big-endian.
    ///
    /// # Errors
    /// [`Breach::Absent`] if the log has not reached the bundle's end.
    pub fn entries(&self, number: u64, width: u64) -> Result<Vec<u8>, Breach> {
        let first = number * TILE_WIDTH;
        let rows = self
            .store()
            .rows(first, u32::try_from(width).unwrap_or(u32::MAX))?;
        let mut bundle = Vec::new();
        for index in first..first + width {
            let place = usize::try_from(index - first).unwrap_or(usize::MAX);
            let row = rows.get(place).filter(|row| row.index == index);
            let leaf = &row.ok_or(Breach::Absent { index })?.leaf;
            let length =
                u16::try_from(leaf.len()).map_err(|_| Breach::TooLong { bytes: leaf.len() })?;
            bundle.extend_from_slice(&length.to_be_bytes());
            bundle.extend_from_slice(leaf);
        }
        Ok(bundle)
    }

    /// Writes the log as it stands into a folder, for verifiers that are not ours.
    ///
    /// # Errors
    /// What can't be read or written.
    pub fn export(&self, folder: &Path) -> Result<(), Breach> {
        let (checkpoint, note) = self.head()?;
        let size = checkpoint.head.size;
        for level in 0..8 {
            let hashes = size >> (8 * level);
            for (number, width) in numbered(hashes) {
                let id = TileId { level, number };
                write(folder.join(tile_path(id, width)), &self.tile(id, width)?)?;
            }
        }
        for (number, width) in numbered(size) {
            write(
                folder.join(entries_path(number, width)),
                &self.entries(number, width)?,
            )?;
        }
        write(folder.join("checkpoint"), note.as_bytes())
    }
}

/// The tiles that so many hashes fill: number and width of each.
fn numbered(hashes: u64) -> impl Iterator<Item = (u64, u64)> {
    (0..hashes.div_ceil(TILE_WIDTH))
        .map(move |number| (number, (hashes - number * TILE_WIDTH).min(TILE_WIDTH)))
}

fn write(file: PathBuf, bytes: &[u8]) -> Result<(), Breach> {
    let folder = file.parent().map_or(Ok(()), std::fs::create_dir_all);
    folder
        .and_then(|()| std::fs::write(&file, bytes))
        .map_err(|source| Breach::Unreachable { file, source })
}
