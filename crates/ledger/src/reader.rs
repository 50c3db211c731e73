use crate::leaf::Leaf;
use crate::merkle::{Frontier, Node, leaf_hash};
use crate::place::Place;
use crate::proof::{self, Hashes as _};
use crate::pruning::Pruning;
use crate::sealed::SealingKey;
use crate::storage::{Row, Store};
use crate::tree::TiledHashes;
use crate::{Breach, Checkpoint, NoteVerifier, TlogProof};
use chrono::{DateTime, Utc};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use terms::{Digest, Event};

/// Entries fetched at a time.
const FETCH: u32 = 512;

/// Reads a log, while another process writes it or alone. It changes nothing.
#[derive(Debug)]
pub struct Reader {
    file: PathBuf,
    store: Mutex<Box<dyn Store>>,
    verifier: NoteVerifier,
    sealing: Option<SealingKey>,
}

/// One entry as it stands in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Its place, from 0.
    pub index: u64,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    pub event: Event,
    /// The sealed part, opened; none where there is none, it was removed, or the key is not here.
    pub sealed: Option<Vec<u8>>,
}

/// The entries from an index on, in order.
///
/// Every leaf is hashed on the way; the last item is an error if they do not lead to the signed root.
#[derive(Debug)]
pub struct Events {
    reader: Arc<Reader>,
    frontier: Frontier,
    head: Checkpoint,
    fetched: VecDeque<Row>,
    pruning: Pruning,
    ended: bool,
}

enum Step {
    Entry(Box<Stored>),
    Pruned,
    End,
}

// === impl Reader ===

impl Reader {
    /// Opens the log of a domain for reading. The sealed parts stay sealed, whether their key is here or
    /// not: who opens one goes through the gateway, which puts the reading on record.
    ///
    /// # Errors
    /// What is missing or does not fit.
    pub fn open(place: impl Into<Place>) -> Result<Self, Breach> {
        let place = place.into();
        let reader = Self::new(&place, None)?;
        reader.head()?;
        Ok(reader)
    }

    pub(crate) fn new(place: &Place, sealing: Option<SealingKey>) -> Result<Self, Breach> {
        let file = place.database();
        let store = Mutex::new(place.read_store()?);
        Ok(Self {
            file,
            store,
            verifier: place.verifier()?,
            sealing,
        })
    }

    /// The newest checkpoint, its signature checked, and the signed note itself.
    ///
    /// # Errors
    /// What does not fit.
    pub fn head(&self) -> Result<(Checkpoint, String), Breach> {
        let (size, note) = self.store().newest_checkpoint()?;
        let checkpoint = Checkpoint::open(&note, &self.verifier)
            .map_err(|breach| self.damaged(format!("its newest checkpoint: {breach}")))?;
        if checkpoint.head.size != size {
            return Err(self.damaged(format!("its newest checkpoint is not of size {size}")));
        }
        Ok((checkpoint, note))
    }

    /// The key that the log's checkpoints verify with.
    #[must_use]
    pub const fn verifier(&self) -> &NoteVerifier {
        &self.verifier
    }

    /// The bytes of an entry's leaf.
    ///
    /// # Errors
    /// [`Breach::Absent`] if there is no such entry.
    pub fn leaf(&self, index: u64) -> Result<Vec<u8>, Breach> {
        let row = self
            .store()
            .rows(index, 1)?
            .pop()
            .filter(|row| row.index == index);
        row.map(|row| row.leaf).ok_or(Breach::Absent { index })
    }

    /// The proof that the log holds an entry, against its newest checkpoint.
    ///
    /// # Errors
    /// [`Breach::Absent`] if there is no such entry; [`Breach::Damaged`] if the proof would not hold.
    pub fn prove(&self, index: u64) -> Result<TlogProof, Breach> {
        let (checkpoint, note) = self.head()?;
        if index >= checkpoint.head.size {
            return Err(Breach::Absent { index });
        }
        let (hash, path) = {
            let store = self.store();
            let hashes = TiledHashes::of(&**store);
            let path = proof::prove_inclusion(&hashes, index, checkpoint.head.size)?;
            (hashes.hash(Node { level: 0, index })?, path)
        };
        let proof = TlogProof {
            index,
            path,
            checkpoint: note,
        };
        // Nothing is handed out that its holder would find false.
        let wrong = |what| self.damaged(format!("entry {index} {what}"));
        let holds = proof.verify_hash(hash, &self.verifier);
        holds.map_err(|breach| wrong(format!("does not lead to the root: {breach}")))?;
        match self.leaf(index) {
            Ok(leaf) if leaf_hash(&leaf) != hash => {
                return Err(wrong("is not the one hashed".to_owned()));
            }
            // Of a pruned entry the hash is left, and its proof holds as ever.
            Ok(_) | Err(Breach::Absent { .. }) => {}
            Err(breach) => return Err(breach),
        }
        Ok(proof)
    }

    /// The proof that the log holds an entry, against an earlier checkpoint of it, as a cosigned one.
    ///
    /// # Errors
    /// [`Breach::Absent`] if the entry is not beneath it; [`Breach::Unproved`] if the note is none of
    /// this log's; [`Breach::Damaged`] if the proof would not hold.
    pub fn prove_under(&self, index: u64, note: &str) -> Result<TlogProof, Breach> {
        let size = Checkpoint::open(note, &self.verifier)?.head.size;
        if index >= size || size > self.head()?.0.head.size {
            return Err(Breach::Absent { index });
        }
        let leaf = self.leaf(index)?;
        let path = {
            let store = self.store();
            proof::prove_inclusion(&TiledHashes::of(&**store), index, size)?
        };
        let proof = TlogProof {
            index,
            path,
            checkpoint: note.to_owned(),
        };
        proof.verify(&leaf, &self.verifier).map_err(|breach| {
            self.damaged(format!("entry {index} does not lead to the root: {breach}"))
        })?;
        Ok(proof)
    }

    /// The proof that the log at one size begins with the log at a smaller size.
    ///
    /// # Errors
    /// [`Breach::Absent`] if the log is not that long.
    pub fn prove_consistency(&self, old: u64, new: u64) -> Result<Vec<Digest>, Breach> {
        let (checkpoint, _) = self.head()?;
        if new > checkpoint.head.size {
            return Err(Breach::Absent { index: new });
        }
        let store = self.store();
        proof::prove_consistency(&TiledHashes::of(&**store), old, new)
    }

    /// The root of the tree of the first entries.
    ///
    /// # Errors
    /// [`Breach::Absent`] where there are fewer.
    pub fn root(&self, size: u64) -> Result<Digest, Breach> {
        let (head, _) = self.head()?;
        if size > head.head.size {
            return Err(Breach::Absent { index: size });
        }
        Ok(self.frontier(size)?.root())
    }

    fn frontier(&self, size: u64) -> Result<Frontier, Breach> {
        let store = self.store();
        let stored = TiledHashes::of(&**store);
        let hashes = Frontier::nodes(size).map(|node| stored.hash(node));
        Ok(Frontier::stored(size, hashes.collect::<Result<_, _>>()?))
    }

    /// The entries from an index on, up to the log's end as it is now.
    ///
    /// # Errors
    /// What does not fit; [`Breach::Absent`] past the end.
    pub fn events(self: &Arc<Self>, from: u64) -> Result<Events, Breach> {
        let (head, _) = self.head()?;
        if from > head.head.size {
            return Err(Breach::Absent { index: from });
        }
        let frontier = self.frontier(from)?;
        let reader = Arc::clone(self);
        Ok(Events {
            reader,
            frontier,
            head,
            fetched: VecDeque::new(),
            pruning: Pruning::from(from),
            ended: false,
        })
    }

    /// The sealed part of an entry, opened; none where there is none or it was destroyed.
    ///
    /// # Errors
    /// [`Breach::Absent`] if there is no such entry; [`Breach::Key`] if the key is not here.
    pub fn sealed(&self, index: u64) -> Result<Option<Vec<u8>>, Breach> {
        let row = self.store().rows(index, 1)?.pop();
        let row = row.filter(|row| row.index == index);
        self.entry(&row.ok_or(Breach::Absent { index })?)
            .map(|stored| stored.sealed)
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Box<dyn Store>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn damaged(&self, what: String) -> Breach {
        Breach::Damaged {
            file: self.file.clone(),
            what,
        }
    }

    /// Reads an entry, and its sealed part where it and its key are there.
    fn entry(&self, row: &Row) -> Result<Stored, Breach> {
        let index = row.index;
        let leaf = checked_leaf(row).map_err(|what| self.damaged(what))?;
        let sealed = match (&row.sealed, &self.sealing) {
            (Some(part), Some(key)) => Some(
                key.open(part)
                    .map_err(|breach| self.damaged(format!("entry {index}: {breach}")))?,
            ),
            (None, _) | (_, None) => None,
        };
        Ok(Stored {
            index,
            at: leaf.at,
            event: leaf.event,
            sealed,
        })
    }
}

/// Reads a row's leaf and compares the digest of its sealed part, if that is still there.
pub(crate) fn checked_leaf(row: &Row) -> Result<Leaf, String> {
    let index = row.index;
    let leaf = Leaf::decode(&row.leaf).map_err(|breach| format!("entry {index}: {breach}"))?;
    match &row.sealed {
        Some(part) if leaf.sealed != Some(Digest::of(part)) => Err(format!(
            "the sealed part of entry {index} is not the one on record"
        )),
        Some(_) | None => Ok(leaf),
    }
}

// === impl Events ===

impl Events {
    /// The checkpoint that the entries lead to.
    #[must_use]
    pub const fn head(&self) -> &Checkpoint {
        &self.head
    }

    fn step(&mut self) -> Result<Step, Breach> {
        let index = self.frontier.size();
        if index == self.head.head.size {
            let concluded = self.pruning.concluded();
            concluded.map_err(|what| self.reader.damaged(what))?;
            return if self.frontier.root() == self.head.head.root {
                Ok(Step::End)
            } else {
                Err(self
                    .reader
                    .damaged("its entries do not lead to the signed root".to_owned()))
            };
        }
        if self.fetched.is_empty() {
            self.fetched = self.reader.store().rows(index, FETCH)?.into();
        }
        let row = match self.fetched.front() {
            Some(row) if row.index == index => self.fetched.pop_front(),
            Some(_) | None => None,
        };
        let Some(row) = row else {
            let hash = Pruning::hash(&**self.reader.store(), index)?;
            self.pruning.missing(index);
            self.frontier.push(hash, |_, _| {});
            return Ok(Step::Pruned);
        };
        let there = self.pruning.there(index, &row.leaf);
        there.map_err(|what| self.reader.damaged(what))?;
        self.frontier.push(leaf_hash(&row.leaf), |_, _| {});
        self.reader.entry(&row).map(Box::new).map(Step::Entry)
    }
}

impl Iterator for Events {
    type Item = Result<Stored, Breach>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        loop {
            match self.step() {
                Ok(Step::Entry(stored)) => return Some(Ok(*stored)),
                Ok(Step::Pruned) => {}
                Ok(Step::End) => {
                    self.ended = true;
                    return None;
                }
                Err(breach) => {
                    self.ended = true;
                    return Some(Err(breach));
                }
            }
        }
    }
}
