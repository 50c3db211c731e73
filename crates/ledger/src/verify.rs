//! Reads the whole log again and believes nothing but the log's public key.

use crate::anchor::Anchor;
use crate::place::Place;
use crate::pruning::Pruning;
use crate::rehash::Rehash;
use crate::storage::Store;
use crate::tree::TileId;
use crate::{Breach, Checkpoint, Head, Ledger, NoteVerifier, Reader};
use std::collections::{BTreeMap, VecDeque};
use terms::Digest;

/// Entries read at a time.
const FETCH: u32 = 1024;
/// Checkpoints read at a time.
const NOTES: u32 = 4096;

/// What a verified log holds.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// The log's name.
    pub origin: String,
    /// Entries, all hashed again but those pruned.
    pub entries: u64,
    /// The root they lead to, which the log signed.
    pub root: Digest,
    /// Signed checkpoints, each found to be a head of this very log.
    pub checkpoints: u64,
    /// Sealed parts found to be those on record; none where they are not published.
    pub sealed: Option<u64>,
    /// Sealed parts that were removed, as retention and redaction do; none where that can't be seen.
    pub sealed_removed: Option<u64>,
    /// Entries of which the hash alone is left, by a pruning that the log has on record.
    pub pruned: u64,
    /// The size at which the anchor outside the database agrees; none where no anchor was brought.
    pub anchored: Option<u64>,
    /// The newest signed checkpoint.
    pub checkpoint: String,
}

/// Called with the entries done and the entries in all.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// Who looks on while a log is read again.
pub trait Onlooker {
    /// So many entries of so many are done.
    fn progress(&mut self, done: u64, of: u64);

    /// An entry's leaf, in order. Nothing is known of it yet: that the entries lead to the signed
    /// root is known when all of them have been read.
    ///
    /// # Errors
    /// A [`Breach`] ends the reading.
    fn entry(&mut self, index: u64, leaf: &[u8]) -> Result<(), Breach>;
}

impl<F: FnMut(u64, u64) + ?Sized> Onlooker for F {
    fn progress(&mut self, done: u64, of: u64) {
        self(done, of);
    }

    fn entry(&mut self, _index: u64, _leaf: &[u8]) -> Result<(), Breach> {
        Ok(())
    }
}

impl Ledger {
    /// Verifies a domain's log offline, with no more than `ledger/ledger.db` and `keys/ledger.vkey`.
    ///
    /// # Errors
    /// The first [`Breach`] found.
    pub fn verify(place: impl Into<Place>, mut progress: Progress<'_>) -> Result<Report, Breach> {
        Self::audit(place, &mut progress)
    }

    /// Verifies a domain's log offline and shows each entry on the way.
    ///
    /// # Errors
    /// The first [`Breach`] found.
    pub fn audit(place: impl Into<Place>, onlooker: &mut dyn Onlooker) -> Result<Report, Breach> {
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
        let verification = Verification {
            store: &*store,
            verifier: &verifier,
            anchored,
            place,
        };
        verification.run(onlooker)
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
    place: Place,
}

/// The checkpoints, smallest first, signatures checked a batch at a time.
struct Heads<'a> {
    store: &'a dyn Store,
    verifier: &'a NoteVerifier,
    read: VecDeque<Checkpoint>,
    next: Option<u64>,
    count: u64,
}

// === impl Verification ===

impl Verification<'_> {
    fn run(&self, onlooker: &mut dyn Onlooker) -> Result<Report, Breach> {
        let store = self.store;
        let (total, note) = store.newest_checkpoint()?;
        let newest = opened(store, self.verifier, &(total, note.clone()))?;
        if store.next_index()? != total {
            return Err(store.damaged(format!("its entries do not end at the checkpoint, {total}")));
        }
        let mut heads = Heads::new(store, self.verifier);
        let mut walk = Rehash::default();
        let mut tiles = 0;
        loop {
            let size = walk.size();
            self.compare_head(&mut heads, &walk)?;
            self.compare_anchor(&walk)?;
            if size == total {
                break;
            }
            if size.is_multiple_of(u64::from(FETCH)) {
                onlooker.progress(size, total);
                tiles += self.compare_tiles(walk.take_full())?;
                self.read(size, total, &mut walk)?;
            }
            let damaged = |what| store.damaged(what);
            if let Some(leaf) = walk.step().map_err(damaged)? {
                onlooker.entry(size, &leaf)?;
            }
        }
        tiles += self.compare_tiles(walk.take_changed())?;
        self.compare_counts(tiles, walk.sealed)?;
        let pruned = walk
            .pruning
            .concluded()
            .map_err(|what| store.damaged(what))?;
        if let Some(head) = self.anchored.filter(|head| head.size > total) {
            let what = format!("it holds {total} entries, the anchor {}", head.size);
            let file = self.place.database();
            return Err(Breach::RolledBack { file, what });
        }
        onlooker.progress(total, total);
        Ok(Report {
            origin: newest.origin,
            entries: total,
            root: newest.head.root,
            checkpoints: heads.count,
            sealed: Some(walk.sealed),
            sealed_removed: Some(walk.sealed_removed),
            pruned,
            anchored: self.anchored.map(|head| head.size),
            checkpoint: note,
        })
    }

    /// Reads the next entries; where one was pruned, its hash.
    fn read(&self, from: u64, total: u64, walk: &mut Rehash) -> Result<(), Breach> {
        let end = from.saturating_add(u64::from(FETCH)).min(total);
        let mut rows = self.store.rows(from, FETCH)?.into_iter().peekable();
        for index in from..end {
            match rows.next_if(|row| row.index == index) {
                Some(row) => walk.queue(row),
                None => walk.queue_hash(Pruning::hash(self.store, index)?),
            }
        }
        Ok(())
    }

    fn compare_head(&self, heads: &mut Heads<'_>, walk: &Rehash) -> Result<(), Breach> {
        let size = walk.size();
        match heads.at(size)? {
            Some(head) if head.root != walk.root() => {
                let what = format!("its entries do not lead to the root signed at size {size}");
                Err(self.store.damaged(what))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn compare_anchor(&self, walk: &Rehash) -> Result<(), Breach> {
        match self.anchored {
            Some(head) if head.size == walk.size() && head.root != walk.root() => {
                let size = head.size;
                let what = format!("its first {size} entries are not those of the anchor");
                let file = self.place.database();
                Err(Breach::RolledBack { file, what })
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

// === impl Heads ===

impl<'a> Heads<'a> {
    const fn new(store: &'a dyn Store, verifier: &'a NoteVerifier) -> Self {
        Self {
            store,
            verifier,
            read: VecDeque::new(),
            next: Some(0),
            count: 0,
        }
    }

    /// The head that was signed at this size, if one was. Sizes are asked for in order.
    fn at(&mut self, size: u64) -> Result<Option<Head>, Breach> {
        if self.read.is_empty()
            && let Some(from) = self.next
        {
            self.fill(from)?;
        }
        match self.read.front() {
            Some(checkpoint) if checkpoint.head.size == size => {
                Ok(self.read.pop_front().map(|checkpoint| checkpoint.head))
            }
            Some(_) | None => Ok(None),
        }
    }

    /// Signatures take most of the time, so all cores check them.
    fn fill(&mut self, from: u64) -> Result<(), Breach> {
        let notes = self.store.checkpoints(from, NOTES)?;
        self.next = notes.last().map(|(size, _)| size.saturating_add(1));
        self.count += u64::try_from(notes.len()).unwrap_or(u64::MAX);
        let (store, verifier) = (self.store, self.verifier);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let share = notes.len().div_ceil(cores).max(1);
        let checked = std::thread::scope(|scope| {
            let started: Vec<_> = notes
                .chunks(share)
                .map(|notes| {
                    scope.spawn(move || {
                        let check = |note| checkpoint(verifier, note);
                        notes.iter().map(check).collect::<Result<Vec<_>, _>>()
                    })
                })
                .collect();
            let stopped = |_| "a thread that checked checkpoints stopped".to_owned();
            let ended = started.into_iter().map(|thread| thread.join());
            ended
                .map(|thread| thread.map_err(stopped).and_then(|checked| checked))
                .collect::<Result<Vec<_>, String>>()
        });
        let checked = checked.map_err(|what| store.damaged(what))?;
        self.read.extend(checked.into_iter().flatten());
        Ok(())
    }
}

fn opened(
    store: &dyn Store,
    verifier: &NoteVerifier,
    note: &(u64, String),
) -> Result<Checkpoint, Breach> {
    checkpoint(verifier, note).map_err(|what| store.damaged(what))
}

fn checkpoint(verifier: &NoteVerifier, (size, note): &(u64, String)) -> Result<Checkpoint, String> {
    match Checkpoint::open(note, verifier) {
        Ok(checkpoint) if checkpoint.head.size == *size => Ok(checkpoint),
        Ok(_) => Err(format!("the checkpoint at {size} is of another size")),
        Err(breach) => Err(format!("the checkpoint at {size}: {breach}")),
    }
}
