//! The tree built again from the entries, one after the other.

use crate::leaf::sealed_digest;
use crate::merkle::leaf_hash;
use crate::pruning::Pruning;
use crate::storage::Row;
use crate::tree::{Edge, TileId};
use std::collections::{BTreeMap, VecDeque};
use terms::Digest;

/// A tree under construction from what was read, and what was seen on the way.
#[derive(Debug, Default)]
pub(crate) struct Rehash {
    edge: Edge,
    queued: VecDeque<Queued>,
    pub(crate) pruning: Pruning,
    /// Sealed parts found to be those on record.
    pub(crate) sealed: u64,
    /// Sealed parts that were removed.
    pub(crate) sealed_removed: u64,
}

#[derive(Debug)]
enum Queued {
    Row(Row),
    Hash(Digest),
}

impl Rehash {
    /// Entries in the tree so far.
    pub(crate) const fn size(&self) -> u64 {
        self.edge.frontier().size()
    }

    /// The root of the entries so far.
    pub(crate) fn root(&self) -> Digest {
        self.edge.frontier().root()
    }

    pub(crate) fn take_full(&mut self) -> BTreeMap<TileId, Vec<u8>> {
        self.edge.take_full()
    }

    pub(crate) fn take_changed(&mut self) -> BTreeMap<TileId, Vec<u8>> {
        self.edge.take_changed()
    }

    /// Queues an entry that was read.
    pub(crate) fn queue(&mut self, row: Row) {
        self.queued.push_back(Queued::Row(row));
    }

    /// Queues the hash of an entry that was pruned.
    pub(crate) fn queue_hash(&mut self, hash: Digest) {
        self.queued.push_back(Queued::Hash(hash));
    }

    /// Takes the next queued entry into the tree and gives its leaf, unless it was pruned.
    pub(crate) fn step(&mut self) -> Result<Option<Vec<u8>>, String> {
        let missing = || format!("entry {} is missing", self.edge.frontier().size());
        match self.queued.pop_front().ok_or_else(missing)? {
            Queued::Row(row) => {
                self.judge_sealed(&row)?;
                self.take(&row.leaf)?;
                Ok(Some(row.leaf))
            }
            Queued::Hash(hash) => {
                self.take_hash(hash);
                Ok(None)
            }
        }
    }

    /// Takes an entry into the tree.
    pub(crate) fn take(&mut self, leaf: &[u8]) -> Result<(), String> {
        self.pruning.there(self.size(), leaf)?;
        self.edge.push(leaf_hash(leaf));
        Ok(())
    }

    /// Takes the hash of an entry into the tree that was pruned.
    pub(crate) fn take_hash(&mut self, hash: Digest) {
        self.pruning.missing(self.size());
        self.edge.push(hash);
    }

    /// Compares the sealed part, where it is still there, with the digest in the leaf.
    fn judge_sealed(&mut self, row: &Row) -> Result<(), String> {
        let index = row.index;
        let on_record = sealed_digest(&row.leaf)
            .ok_or_else(|| format!("entry {index} does not end as an entry ends"))?;
        match (on_record, &row.sealed) {
            (None, None) => {}
            (Some(_), None) => self.sealed_removed += 1,
            (Some(digest), Some(part)) if digest == Digest::of(part) => self.sealed += 1,
            (Some(_) | None, Some(_)) => {
                return Err(format!(
                    "the sealed part of entry {index} is not the one on record"
                ));
            }
        }
        Ok(())
    }
}
