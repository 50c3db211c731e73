//! What a published log consists of: its paths, and the bytes under them. Source: C2SP tlog-tiles.

use crate::bundle::{self, Places};
use crate::tree::{HASH_BYTES, TILE_WIDTH, TileId};
use crate::{Breach, Reader};

/// The highest level a tile's path may name. Source: C2SP tlog-tiles, "Merkle Tree".
const LEVEL_MAX: u32 = 63;

/// One file of a published log; [`Display`](std::fmt::Display) gives its path.
///
/// Units: a width counts hashes or entries, 1 to 256; 256 is a full tile, whose path has no suffix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// The newest signed head: the one file that changes.
    Checkpoint,
    /// Hashes of the tree.
    Tile {
        /// Which tile.
        id: TileId,
        /// How many hashes.
        width: u64,
    },
    /// A bundle of entries.
    Entries {
        /// Counted from the left, from 0.
        number: u64,
        /// How many entries.
        width: u64,
    },
    /// What is kept of a full bundle of entries that was pruned. Not of C2SP's.
    Kept {
        /// The bundle's number.
        number: u64,
    },
}

// === impl Resource ===

impl Resource {
    /// Whether the bytes under this path never change.
    #[must_use]
    pub const fn is_immutable(&self) -> bool {
        match self {
            Self::Checkpoint => false,
            Self::Tile { .. } | Self::Entries { .. } | Self::Kept { .. } => true,
        }
    }

    /// What is published instead of this once it was pruned.
    #[must_use]
    pub const fn instead(&self) -> Option<Self> {
        match self {
            Self::Entries { number, width } if *width == TILE_WIDTH => {
                Some(Self::Kept { number: *number })
            }
            Self::Checkpoint | Self::Tile { .. } | Self::Entries { .. } | Self::Kept { .. } => None,
        }
    }

    /// All that a log of so many entries publishes before any is pruned, the checkpoint last, so that
    /// who copies in this order never has a head without its tree.
    pub fn all(size: u64) -> impl Iterator<Item = Self> {
        let tiles = (0..8).flat_map(move |level| {
            widths(size >> (8 * level)).map(move |(number, width)| Self::Tile {
                id: TileId { level, number },
                width,
            })
        });
        let entries = widths(size).map(|(number, width)| Self::Entries { number, width });
        tiles.chain(entries).chain([Self::Checkpoint])
    }
}

/// The tiles that so many hashes fill: number and width of each.
pub(crate) fn widths(hashes: u64) -> impl Iterator<Item = (u64, u64)> {
    (0..hashes.div_ceil(TILE_WIDTH))
        .map(move |number| (number, (hashes - number * TILE_WIDTH).min(TILE_WIDTH)))
}

impl std::fmt::Display for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, number, width) = match self {
            Self::Checkpoint => return f.write_str("checkpoint"),
            Self::Tile { id, width } => (id.level.to_string(), id.number, *width),
            Self::Entries { number, width } => ("entries".to_owned(), *number, *width),
            Self::Kept { number } => return write!(f, "kept/{}", number_path(*number)),
        };
        write!(f, "tile/{kind}/{}", number_path(number))?;
        if width == TILE_WIDTH {
            Ok(())
        } else {
            write!(f, ".p/{width}")
        }
    }
}

/// A path is read only in the one spelling that [`Display`](std::fmt::Display) writes.
impl std::str::FromStr for Resource {
    type Err = Breach;

    fn from_str(path: &str) -> Result<Self, Breach> {
        let resource = parse(path).filter(|resource| resource.to_string() == path);
        resource.ok_or_else(|| Breach::Unproved {
            what: "the path names nothing of a log".to_owned(),
        })
    }
}

fn parse(path: &str) -> Option<Resource> {
    if path == "checkpoint" {
        return Some(Resource::Checkpoint);
    }
    if let Some(number) = path.strip_prefix("kept/") {
        let number = parse_number(number)?;
        return Some(Resource::Kept { number });
    }
    let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
    let (number, width) = match rest.split_once(".p/") {
        None => (rest, TILE_WIDTH),
        Some((number, width)) => (number, width.parse().ok()?),
    };
    if width == 0 || width > TILE_WIDTH {
        return None;
    }
    let number = parse_number(number)?;
    match kind {
        "entries" => Some(Resource::Entries { number, width }),
        level => {
            let level = level.parse().ok().filter(|level| *level <= LEVEL_MAX)?;
            let id = TileId { level, number };
            Some(Resource::Tile { id, width })
        }
    }
}

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

fn parse_number(path: &str) -> Option<u64> {
    path.split('/').try_fold(0_u64, |number, group| {
        let digits = group.strip_prefix('x').unwrap_or(group);
        let group: u64 = digits.parse().ok()?;
        number.checked_mul(1000)?.checked_add(group)
    })
}

// === impl Reader ===

impl Reader {
    /// The bytes of a file of the published log, or none where the log does not publish it: it has
    /// not come that far, or the entries were pruned.
    ///
    /// # Errors
    /// What does not fit.
    pub fn publish(&self, resource: Resource) -> Result<Option<Vec<u8>>, Breach> {
        match resource {
            Resource::Checkpoint => self.head().map(|(_, note)| Some(note.into_bytes())),
            Resource::Tile { id, width } => {
                if self.reached(id.level, id.number, width)? {
                    self.tile(id, width).map(Some)
                } else {
                    Ok(None)
                }
            }
            Resource::Entries { number, width } => {
                if self.reached(0, number, width)? {
                    self.bundle(number, width)
                } else {
                    Ok(None)
                }
            }
            Resource::Kept { number } => {
                if self.reached(0, number, TILE_WIDTH)? {
                    self.kept(number)
                } else {
                    Ok(None)
                }
            }
        }
    }

    /// Whether the signed tree has so many hashes in this tile.
    fn reached(&self, level: u32, number: u64, width: u64) -> Result<bool, Breach> {
        let (checkpoint, _) = self.head()?;
        let hashes = checkpoint.head.size.checked_shr(8 * level).unwrap_or(0);
        let end = number
            .checked_mul(TILE_WIDTH)
            .and_then(|first| first.checked_add(width));
        Ok(end.is_some_and(|end| end <= hashes))
    }

    /// The bytes of a tile at a width that the log has reached.
    pub(crate) fn tile(&self, id: TileId, width: u64) -> Result<Vec<u8>, Breach> {
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

    /// The bytes of a bundle; none where an entry of it was pruned.
    fn bundle(&self, number: u64, width: u64) -> Result<Option<Vec<u8>>, Breach> {
        let there = self.there(number, width)?;
        if there.len() < usize::try_from(width).unwrap_or(usize::MAX) {
            return Ok(None);
        }
        bundle::encode(there.values().map(Vec::as_slice)).map(Some)
    }

    /// The bytes of what is kept of a pruned bundle; none where nothing is, or it was not pruned.
    fn kept(&self, number: u64) -> Result<Option<Vec<u8>>, Breach> {
        let there = self.there(number, TILE_WIDTH)?;
        if there.is_empty() || there.len() == usize::try_from(TILE_WIDTH).unwrap_or(usize::MAX) {
            return Ok(None);
        }
        bundle::encode_kept(&there).map(Some)
    }

    /// The entries of a bundle that stand in the database.
    fn there(&self, number: u64, width: u64) -> Result<Places, Breach> {
        let first = number * TILE_WIDTH;
        let count = u32::try_from(width).unwrap_or(u32::MAX);
        let rows = self.store().rows(first, count)?.into_iter();
        let within = rows.filter(|row| row.index < first + width);
        Ok(within.map(|row| (row.index - first, row.leaf)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tile(level: u32, number: u64, width: u64) -> Resource {
        let id = TileId { level, number };
        Resource::Tile { id, width }
    }

    #[test]
    fn paths_are_those_of_the_specification() {
        for (resource, path) in [
            (Resource::Checkpoint, "checkpoint"),
            (tile(0, 0, 256), "tile/0/000"),
            (tile(1, 1_234_067, 256), "tile/1/x001/x234/067"),
            (tile(0, 273, 112), "tile/0/273.p/112"),
            (tile(63, 5, 1), "tile/63/005.p/1"),
            (
                Resource::Entries {
                    number: 1000,
                    width: 9,
                },
                "tile/entries/x001/000.p/9",
            ),
            (Resource::Kept { number: 1000 }, "kept/x001/000"),
        ] {
            assert_eq!(resource.to_string(), path);
            assert_eq!(path.parse::<Resource>().unwrap(), resource);
        }
    }

    #[test]
    fn a_path_in_another_spelling_is_refused() {
        for path in [
            "",
            "/checkpoint",
            "tile/0/0",
            "tile/00/000",
            "tile/64/000",
            "tile/-1/000",
            "tile/+0/000",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/257",
            "tile/0/000.p/01",
            "tile/0/000.p/",
            "tile/0/x000/001",
            "tile/0/001/000",
            "tile/0/x001/0000",
            "tile/0/x001/../000",
            "tile/8/0/000",
            "tile/data/000",
            "kept/0",
            "kept/000.p/9",
            "kept/x000/001",
            "tile/entries/../../keys",
            "tile/0/x99999999999999999999/000",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
        ] {
            assert!(path.parse::<Resource>().is_err(), "{path}");
        }
    }

    #[test]
    fn a_tree_of_70000_has_the_tiles_that_the_specification_counts() {
        let tiles = |level: u32| {
            let of_level = move |resource: &Resource| matches!(resource, Resource::Tile { id, .. } if id.level == level);
            let all: Vec<_> = Resource::all(70_000).filter(of_level).collect();
            (all.len(), *all.last().unwrap())
        };
        assert_eq!(tiles(0), (274, tile(0, 273, 112)));
        assert_eq!(tiles(1), (2, tile(1, 1, 17)));
        assert_eq!(tiles(2), (1, tile(2, 0, 1)));
        assert_eq!(Resource::all(0).collect::<Vec<_>>(), [Resource::Checkpoint]);
        let full = Resource::all(256).filter(|r| matches!(r, Resource::Tile { .. }));
        assert_eq!(full.collect::<Vec<_>>(), [tile(0, 0, 256), tile(1, 0, 1)]);
    }
}
