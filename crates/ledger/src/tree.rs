//! The tree as it is stored: tiles of 256 hashes, and what an append changes of them.

use crate::merkle::{Frontier, Node, node_hash};
use crate::proof::Hashes;
use crate::{Breach, Head};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use terms::Digest;

/// The levels of the tree that one tile spans. Source: C2SP tlog-tiles.
const TILE_LEVELS: u32 = 8;
/// Hashes in a full tile.
pub(crate) const TILE_WIDTH: u64 = 1 << TILE_LEVELS;
/// Bytes in a hash.
pub(crate) const HASH_BYTES: usize = 32;

/// A tile's place: the `number`-th of its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TileId {
    /// Counted in eights of tree levels: level 0 holds leaf hashes.
    pub level: u32,
    /// Counted from the left, from 0.
    pub number: u64,
}

/// Where stored tiles are read.
pub(crate) trait Tiles {
    /// The hashes of a tile, one after the other; shorter than full at the right edge.
    fn tile(&self, id: TileId) -> Result<Vec<u8>, Breach>;
    /// What a missing or malformed hash is told as.
    fn damaged(&self, what: String) -> Breach;
}

/// Gives the hash of any full subtree out of tiles, each of which is read once: a proof asks for some
/// twenty hashes that stand in a handful of tiles.
pub(crate) struct TiledHashes<'a> {
    tiles: &'a dyn Tiles,
    read: RefCell<BTreeMap<TileId, Vec<u8>>>,
}

/// The right edge of the stored tree, kept in memory while the log is open for writing.
#[derive(Debug, Default)]
pub(crate) struct Edge {
    frontier: Frontier,
    /// The tile that each level is filling.
    partial: BTreeMap<u32, Partial>,
    /// Tiles filled since they were last taken.
    full: BTreeMap<TileId, Vec<u8>>,
}

#[derive(Debug, Default)]
struct Partial {
    number: u64,
    hashes: Vec<u8>,
    changed: bool,
}

// === impl TiledHashes ===

impl<'a> TiledHashes<'a> {
    /// The hashes as they stand now: what is read once is not looked at again.
    pub(crate) fn of(tiles: &'a dyn Tiles) -> Self {
        Self {
            tiles,
            read: RefCell::default(),
        }
    }
}

impl Hashes for TiledHashes<'_> {
    fn hash(&self, node: Node) -> Result<Digest, Breach> {
        let level = node.level / TILE_LEVELS;
        let height = node.level % TILE_LEVELS;
        let first = node.index << height;
        let id = TileId {
            level,
            number: first / TILE_WIDTH,
        };
        let mut read = self.read.borrow_mut();
        let tile = match read.entry(id) {
            Entry::Occupied(tile) => tile.into_mut(),
            Entry::Vacant(place) => place.insert(self.tiles.tile(id)?),
        };
        let skipped = usize::try_from(first % TILE_WIDTH).unwrap_or(usize::MAX);
        let mut hashes: Vec<Digest> = tile
            .chunks_exact(HASH_BYTES)
            .skip(skipped)
            .take(1 << height)
            .filter_map(|bytes| Some(Digest::from_bytes(bytes.try_into().ok()?)))
            .collect();
        let missing = || {
            let (level, index) = (node.level, node.index);
            self.tiles.damaged(format!(
                "the hash of node {index} of level {level} is missing"
            ))
        };
        if hashes.len() != 1 << height {
            return Err(missing());
        }
        while hashes.len() > 1 {
            hashes = hashes
                .chunks_exact(2)
                .filter_map(|pair| Some(node_hash(pair.first()?, pair.last()?)))
                .collect();
        }
        hashes.pop().ok_or_else(missing)
    }
}

// === impl Edge ===

impl Edge {
    /// Takes up the edge of a stored tree.
    pub(crate) fn load(tiles: &dyn Tiles, size: u64) -> Result<Self, Breach> {
        let stored = TiledHashes::of(tiles);
        let hashes = Frontier::nodes(size).map(|node| stored.hash(node));
        let frontier = Frontier::stored(size, hashes.collect::<Result<_, _>>()?);
        let mut edge = Self {
            frontier,
            ..Self::default()
        };
        for level in 0.. {
            let hashes = size.checked_shr(TILE_LEVELS * level).unwrap_or(0);
            if hashes == 0 {
                break;
            }
            let width = usize::try_from(hashes % TILE_WIDTH).unwrap_or(0);
            if width > 0 {
                let id = TileId {
                    level,
                    number: hashes / TILE_WIDTH,
                };
                let tile = tiles.tile(id)?;
                if tile.len() != width * HASH_BYTES {
                    let what = format!("tile {} of level {level} has the wrong width", id.number);
                    return Err(tiles.damaged(what));
                }
                let partial = Partial {
                    number: id.number,
                    hashes: tile,
                    changed: false,
                };
                edge.partial.insert(level, partial);
            }
        }
        Ok(edge)
    }

    /// Appends a leaf's hash.
    pub(crate) fn push(&mut self, leaf: Digest) {
        let Self {
            frontier,
            partial,
            full,
        } = self;
        frontier.push(leaf, |node, hash| {
            if node.level % TILE_LEVELS != 0 {
                return;
            }
            let level = node.level / TILE_LEVELS;
            let tile = partial.entry(level).or_default();
            let number = node.index / TILE_WIDTH;
            tile.number = number;
            tile.hashes.extend_from_slice(hash.bytes());
            tile.changed = true;
            if (node.index + 1) % TILE_WIDTH == 0 {
                full.insert(TileId { level, number }, std::mem::take(&mut tile.hashes));
                *tile = Partial {
                    number: number + 1,
                    ..Partial::default()
                };
            }
        });
    }

    /// The head of the tree as it stands.
    pub(crate) fn head(&self) -> Head {
        Head {
            size: self.frontier.size(),
            root: self.frontier.root(),
        }
    }

    /// The tree without its tiles.
    pub(crate) const fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// The tiles that were filled since this was last asked.
    pub(crate) fn take_full(&mut self) -> BTreeMap<TileId, Vec<u8>> {
        std::mem::take(&mut self.full)
    }

    /// The tiles that differ from what is stored, which the caller stores now.
    pub(crate) fn take_changed(&mut self) -> BTreeMap<TileId, Vec<u8>> {
        let mut changed = std::mem::take(&mut self.full);
        for (level, tile) in self.partial.iter_mut().filter(|(_, tile)| tile.changed) {
            changed.insert(
                TileId {
                    level: *level,
                    number: tile.number,
                },
                tile.hashes.clone(),
            );
            tile.changed = false;
        }
        changed
    }
}
