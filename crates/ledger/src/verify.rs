//! Reads the whole log again and believes nothing but the log's public key.

use crate::anchor::Anchor;
use crate::merkle::{Frontier, leaf_hash};
use crate::place::Place;
use crate::reader::checked_leaf;
use crate::storage::Store;
use crate::tree::{Edge, TileId};
use crate::{Breach, Checkpoint, Head, Ledger, NoteVerifier, Reader};
use std::collections::BTreeMap;
use terms::Digest;

/// Entries read at a time.
const FETCH: u32 = 1024;

/// What a verified log holds.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// The log's name.
    pub origin: String,
    /// Entries, all hashed again.
    pub entries: u64,
    /// The root they lead to, which the log signed.
    pub root: Digest,
    /// Signed checkpoints, each found to be a head of this very log.
    pub checkpoints: u64,
    /// Sealed parts found to be those on record.
    pub sealed: u64,
    /// Sealed parts that were removed.
    pub sealed_removed: u64,
    /// The size at which the anchor outside the database agrees; none where no anchor was brought.
    pub anchored: Option<u64>,
    /// The newest signed checkpoint.
    pub checkpoint: String,
}

/// Called with the entries done and the entries in all.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

impl Ledger {
    /// Verifies a domain's log offline, with no more than `ledger/ledger.db` and `keys/ledger.vkey`.
    ///
    /// # Errors
    /// The first [`Breach`] found.
    pub fn verify(place: impl Into<Place>, progress: Progress<'_>) -> Result<Report, Breach> {
        let place = place.into();
        let verifier = place.verifier()?;
        let store = place.read_store()?;
        // The anchor follows the database, so it is read before the database is held still.
        let anchored = match Anchor::read(&place.anchor()) {
            Ok(head) => Some(head),
            Err(Breach::Unreachable { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                None
            }
            Err(breach) => return Err(breach),
        };
        store.hold_still()?;
        Verification {
            store: &*store,
            verifier: &verifier,
            anchored,
        }
        .run(&place, progress)
    }

    /// Opens a domain's log for reading, beside a gateway that writes it or alone.
    ///
    /// # Errors
    /// What is missing or does not fit.
    pub fn open_read_only(place: impl Into<Place>) -> Result<Reader, Breach> {
        Reader::open(place)
    }
}

struct Verification<'a> {
    store: &'a dyn Store,
    verifier: &'a NoteVerifier,
    anchored: Option<Head>,
}

impl Verification<'_> {
    fn run(&self, place: &Place, progress: Progress<'_>) -> Result<Report, Breach> {
        let store = self.store;
        let checkpoints = self.checkpoints()?;
        let (newest, note) = checkpoints
            .last()
            .ok_or_else(|| store.damaged("it has no checkpoint".to_owned()))?;
        let total = newest.head.size;
        if store.next_index()? != total {
            return Err(store.damaged(format!("its entries do not end at the checkpoint, {total}")));
        }
        let mut heads = checkpoints
            .iter()
            .map(|(checkpoint, _)| checkpoint.head)
            .peekable();
        let mut walk = Walk::default();
        let mut tiles = 0;
        loop {
            let size = walk.edge.frontier().size();
            if let Some(head) = heads.next_if(|head| head.size == size)
                && head.root != walk.edge.frontier().root()
            {
                let what = format!("its entries do not lead to the root signed at size {size}");
                return Err(store.damaged(what));
            }
            self.compare_anchor(place, walk.edge.frontier())?;
            if size == total {
                break;
            }
            if walk.rows.as_slice().is_empty() {
                progress(size, total);
                tiles += self.compare_tiles(walk.edge.take_full())?;
                walk.rows = store.rows(size, FETCH)?.into_iter();
            }
            walk.step().map_err(|what| store.damaged(what))?;
        }
        tiles += self.compare_tiles(walk.edge.take_changed())?;
        self.compare_counts(tiles, walk.sealed)?;
        if let Some(head) = self.anchored.filter(|head| head.size > total) {
            let what = format!("it holds {total} entries, the anchor {}", head.size);
            return Err(Breach::RolledBack {
                file: place.database(),
                what,
            });
        }
        progress(total, total);
        Ok(Report {
            origin: newest.origin.clone(),
            entries: total,
            root: newest.head.root,
            checkpoints: u64::try_from(checkpoints.len()).unwrap_or(u64::MAX),
            sealed: walk.sealed,
            sealed_removed: walk.sealed_removed,
            anchored: self.anchored.map(|head| head.size),
            checkpoint: note.clone(),
        })
    }

    /// All checkpoints, signatures checked, smallest first.
    fn checkpoints(&self) -> Result<Vec<(Checkpoint, String)>, Breach> {
        let open = |(size, note): (u64, String)| match Checkpoint::open(&note, self.verifier) {
            Ok(checkpoint) if checkpoint.head.size == size => Ok((checkpoint, note)),
            Ok(_) => Err(self
                .store
                .damaged(format!("the checkpoint at {size} is of another size"))),
            Err(breach) => Err(self
                .store
                .damaged(format!("the checkpoint at {size}: {breach}"))),
        };
        self.store.checkpoints()?.into_iter().map(open).collect()
    }

    fn compare_anchor(&self, place: &Place, frontier: &Frontier) -> Result<(), Breach> {
        match self.anchored {
            Some(head) if head.size == frontier.size() && head.root != frontier.root() => {
                let what = format!(
                    "its first {} entries are not those of the anchor",
                    head.size
                );
                Err(Breach::RolledBack {
                    file: place.database(),
                    what,
                })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Tiles and sealed parts that belong to no entry would have gone unread.
    fn compare_counts(&self, tiles: u64, sealed: u64) -> Result<(), Breach> {
        if self.store.counts()? == (tiles, sealed) {
            Ok(())
        } else {
            Err(self
                .store
                .damaged("it has tiles or sealed parts of no entry".to_owned()))
        }
    }

    /// Proofs are made from the tiles, so they are compared too.
    fn compare_tiles(&self, tiles: BTreeMap<TileId, Vec<u8>>) -> Result<u64, Breach> {
        let mut count = 0;
        for (id, hashes) in tiles {
            if self.store.tile(id)? != hashes {
                let what = format!("tile {} of level {} is not the tree's", id.number, id.level);
                return Err(self.store.damaged(what));
            }
            count += 1;
        }
        Ok(count)
    }
}

#[derive(Default)]
struct Walk {
    edge: Edge,
    rows: std::vec::IntoIter<crate::storage::Row>,
    sealed: u64,
    sealed_removed: u64,
}

impl Walk {
    fn step(&mut self) -> Result<(), String> {
        let index = self.edge.frontier().size();
        let row = self.rows.next().filter(|row| row.index == index);
        let row = row.ok_or_else(|| format!("entry {index} is missing"))?;
        let leaf = checked_leaf(&row)?;
        match (leaf.sealed, row.sealed) {
            (Some(_), Some(_)) => self.sealed += 1,
            (Some(_), None) => self.sealed_removed += 1,
            (None, _) => {}
        }
        self.edge.push(leaf_hash(&row.leaf));
        Ok(())
    }
}
