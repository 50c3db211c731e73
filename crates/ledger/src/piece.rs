//! A log in pieces, for a backup: a piece that is full changes no more, but for what retention takes out.
//!
//! Shape: a line with its number, then records: a kind (one byte), a length (four, big-endian), the
//! bytes. Of each entry in order its leaf and, where there is one, its sealed part; of a pruned one its
//! hash; then the checkpoints of these sizes. Tiles are not in it: they are what the leaves make.

use crate::merkle::leaf_hash;
use crate::pruning::Pruning;
use crate::storage::{Row, Store};
use crate::{Breach, Checkpoint, Leaf, place::Place};
use terms::{Digest, Event};

/// Entries in a full piece.
pub const PIECE_ENTRIES: u64 = 1024;
/// Checkpoints read at a time.
const NOTES: u32 = 4096;
const HEADER: &str = "bonded ledger piece v1 ";
const LEAF: u8 = 1;
const PART: u8 = 2;
const HASH: u8 = 3;
const CHECKPOINT: u8 = 4;
const SIZE_BYTES: usize = 8;

/// A log held still, to be copied while another process writes it.
#[derive(Debug)]
pub struct Copying {
    store: Box<dyn Store>,
    head: Checkpoint,
    note: String,
}

/// What one piece holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The entries that are there.
    pub(crate) rows: Vec<Row>,
    /// The hash of every entry, there or pruned.
    pub(crate) hashes: Vec<Digest>,
    /// The checkpoints and their sizes.
    pub(crate) notes: Vec<(u64, String)>,
}

// === impl Copying ===

impl Copying {
    /// Holds a log still as it is now.
    ///
    /// # Errors
    /// What is missing or does not fit.
    pub fn begin(place: impl Into<Place>) -> Result<Self, Breach> {
        let place = place.into();
        let (verifier, store) = (place.verifier()?, place.read_store()?);
        store.hold_still()?;
        let (size, note) = store.newest_checkpoint()?;
        let head = Checkpoint::open(&note, &verifier)?;
        if head.head.size != size {
            return Err(store.damaged(format!("its newest checkpoint is not of size {size}")));
        }
        Ok(Self { store, head, note })
    }

    /// The head of what is copied, and the signed note itself.
    #[must_use]
    pub fn head(&self) -> (&Checkpoint, &str) {
        (&self.head, &self.note)
    }

    /// How many pieces there are.
    #[must_use]
    pub const fn pieces(&self) -> u64 {
        let full = self.head.head.size.div_ceil(PIECE_ENTRIES);
        // An empty log has its first checkpoint.
        if full == 0 { 1 } else { full }
    }

    /// A piece as bytes; what is in it is shown on the way.
    ///
    /// # Errors
    /// What does not fit.
    pub fn piece(&self, number: u64, seen: &mut dyn FnMut(&Event)) -> Result<Vec<u8>, Breach> {
        let size = self.head.head.size;
        let from = number.saturating_mul(PIECE_ENTRIES);
        let end = from.saturating_add(PIECE_ENTRIES).min(size);
        let store = &*self.store;
        let count = u32::try_from(end.saturating_sub(from)).unwrap_or(u32::MAX);
        let mut rows = store.rows(from, count)?.into_iter().peekable();
        let mut bytes = format!("{HEADER}{number}\n").into_bytes();
        for index in from..end {
            match rows.next_if(|row| row.index == index) {
                Some(row) => {
                    seen(&Leaf::decode(&row.leaf)?.event);
                    record(&mut bytes, LEAF, &[&row.leaf]);
                    if let Some(part) = &row.sealed {
                        record(&mut bytes, PART, &[part]);
                    }
                }
                None => {
                    let hash = Pruning::hash(store, index)?;
                    record(&mut bytes, HASH, &[hash.bytes()]);
                }
            }
        }
        // That of an empty log stands in the first piece, any other with the entries that it ends.
        let mut next = if from == 0 { 0 } else { from + 1 };
        while next <= end {
            let notes = store.checkpoints(next, NOTES)?;
            let last = notes.last().map(|(size, _)| *size);
            for (size, note) in notes.iter().filter(|(size, _)| *size <= end) {
                let parts = [&size.to_be_bytes()[..], note.as_bytes()];
                record(&mut bytes, CHECKPOINT, &parts);
            }
            match last {
                Some(last) => next = last + 1,
                None => break,
            }
        }
        Ok(bytes)
    }
}

// === impl Piece ===

impl Piece {
    /// Reads a piece; none if it is anything else.
    pub(crate) fn decode(number: u64, bytes: &[u8]) -> Option<Self> {
        let head = format!("{HEADER}{number}\n");
        let mut rest = bytes.strip_prefix(head.as_bytes())?;
        let mut piece = Self::default();
        let first = number.checked_mul(PIECE_ENTRIES)?;
        while let Some((kind, tail)) = rest.split_first() {
            let (length, tail) = tail.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let (body, tail) = tail.split_at_checked(length)?;
            piece.take(first, *kind, body)?;
            rest = tail;
        }
        Some(piece)
    }

    fn take(&mut self, first: u64, kind: u8, body: &[u8]) -> Option<()> {
        let index = first.checked_add(u64::try_from(self.hashes.len()).ok()?)?;
        if kind == LEAF {
            self.hashes.push(leaf_hash(body));
            self.rows.push(Row {
                index,
                leaf: body.to_vec(),
                sealed: None,
            });
        } else if kind == PART {
            let row = self.rows.last_mut()?;
            let is_of_it = row.index + 1 == index && row.sealed.is_none();
            row.sealed = Some(body.to_vec()).filter(|_| is_of_it);
            row.sealed.as_ref()?;
        } else if kind == HASH {
            let hash = Digest::from_bytes(body.try_into().ok()?);
            self.hashes.push(hash);
        } else if kind == CHECKPOINT {
            let (size, note) = body.split_first_chunk::<SIZE_BYTES>()?;
            let note = String::from_utf8(note.to_vec()).ok()?;
            self.notes.push((u64::from_be_bytes(*size), note));
        } else {
            return None;
        }
        Some(())
    }
}

fn record(bytes: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    bytes.push(kind);
    bytes.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    for part in parts {
        bytes.extend_from_slice(part);
    }
}
