//! A log put back out of its pieces, into SQLite in a new folder.

use crate::anchor::Anchor;
use crate::piece::{PIECE_ENTRIES, Piece};
use crate::place::Place;
use crate::sqlite::Sqlite;
use crate::storage::Store as _;
use crate::tree::{Edge, Tiles as _};
use crate::{Breach, Checkpoint, Head, Ledger};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

impl Ledger {
    /// Puts a log back out of all its pieces, in order, into a folder that has the log's public key and
    /// no log. It stands if it leads to a root that the key signed, and whoever knows how long it was compares
    /// the head: without its last pieces it may be the log of before. [`Ledger::verify`] looks at the rest.
    ///
    /// # Errors
    /// What the pieces' source fails with; [`Breach::Exists`] where there is a log;
    /// [`Breach::Damaged`] where the pieces make none, or one that the key did not sign.
    pub fn put_back<E: From<Breach>>(
        dir: &Path,
        pieces: impl Iterator<Item = Result<Vec<u8>, E>>,
    ) -> Result<Head, E> {
        let place = Place::from(dir);
        let verifier = place.verifier()?;
        let folder = dir.join("ledger");
        let made = std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder);
        made.map_err(|source| Breach::Unreachable {
            file: folder,
            source,
        })?;
        let mut store = Sqlite::create(&place.database())?;
        let mut edge = Edge::default();
        for (number, bytes) in (0..).zip(pieces) {
            let bytes = bytes?;
            fill(&mut store, &mut edge, (number, &bytes))?;
        }
        let tiles = edge.take_changed();
        store.fill(&[], &tiles, &[])?;
        let head = edge.head();
        let (size, note) = store.newest_checkpoint()?;
        let signed = Checkpoint::open(&note, &verifier)?;
        if size != head.size || signed.head != head {
            let what = "its pieces do not lead to the root that its key signed".to_owned();
            return Err(store.damaged(what).into());
        }
        drop(Anchor::create(&place.anchor(), &head)?);
        store.settle();
        Ok(head)
    }
}

fn fill(store: &mut Sqlite, edge: &mut Edge, (number, bytes): (u64, &[u8])) -> Result<(), Breach> {
    let from = edge.head().size;
    let piece = Piece::decode(number, bytes).filter(|_| from == number * PIECE_ENTRIES);
    let piece =
        piece.ok_or_else(|| store.damaged(format!("piece {number} is no piece of a log")))?;
    for hash in piece.hashes {
        edge.push(hash);
    }
    store.fill(&piece.rows, &edge.take_full(), &piece.notes)
}
