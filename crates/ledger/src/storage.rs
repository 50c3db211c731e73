//! What the log needs of the database it stands in. [`Sqlite`](crate::sqlite::Sqlite) is the default,
//! [`Postgres`](crate::postgres::Postgres) the option; one suite of tests holds both to this.

use crate::Breach;
use crate::tree::{TileId, Tiles};
use std::collections::BTreeMap;
use std::fmt::Debug;

/// An entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) index: u64,
    pub(crate) leaf: Vec<u8>,
    pub(crate) sealed: Option<Vec<u8>>,
}

/// What one commit adds.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) rows: Vec<Row>,
    pub(crate) tiles: BTreeMap<TileId, Vec<u8>>,
    pub(crate) size: u64,
    pub(crate) note: String,
}

/// A log's database.
///
/// INVARIANT (one writer): of all that opened it for writing, only the last can still write.
pub(crate) trait Store: Tiles + Removal + Send + Debug {
    /// Writes a batch durably, whole or not at all, directly behind what stands there.
    ///
    /// Errors: [`Breach::Full`] promises that nothing of the batch is there. After
    /// [`Breach::Severed`] it may be; [`resume`](Self::resume) and the head tell.
    fn write(&mut self, batch: &Batch) -> Result<(), Breach>;

    /// Makes ready to write again after a write that failed. What stands there has to be read anew.
    ///
    /// Errors: [`Breach::Deposed`] if another wrote or may write since.
    fn resume(&mut self) -> Result<(), Breach>;

    /// The newest signed checkpoint and the size it stands under.
    fn newest_checkpoint(&self) -> Result<(u64, String), Breach>;

    /// The checkpoints from a size on, smallest first, at most so many.
    fn checkpoints(&self, from: u64, count_max: u32) -> Result<Vec<(u64, String)>, Breach>;

    /// Entries from an index on, at most so many.
    fn rows(&self, from: u64, count_max: u32) -> Result<Vec<Row>, Breach>;

    /// One past the highest index in the log.
    fn next_index(&self) -> Result<u64, Breach>;

    /// How many rows stand in the tables of tiles and of sealed parts.
    fn counts(&self) -> Result<(u64, u64), Breach>;

    /// Holds what the connection sees still, until it is closed.
    fn hold_still(&self) -> Result<(), Breach>;

    /// Leaves the log as it should lie while nobody writes it.
    fn settle(&self);
}

/// The bytes that a sealed part's class and day stand in.
pub(crate) const PREFIX: i32 = 3;

/// What retention and redaction take out of the database: sealed parts and pruned entries, never a
/// hash, a tile or a checkpoint.
pub(crate) trait Removal {
    /// How many sealed parts begin with which bytes, by class and day.
    fn parts_by_prefix(&self) -> Result<BTreeMap<Vec<u8>, u64>, Breach>;

    /// Removes the sealed part of one entry.
    fn remove_part(&mut self, index: u64) -> Result<(), Breach>;

    /// Removes the sealed parts that begin with these bytes.
    fn remove_parts(&mut self, prefix: &[u8]) -> Result<(), Breach>;

    /// Removes the entries of these runs (first, and one past the last) with their sealed parts, all
    /// or none.
    fn remove_entries(&mut self, runs: &[(u64, u64)]) -> Result<(), Breach>;
}

/// Databases' integers are signed; a log of more than 2^63 entries does not exist.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A negative number in the file becomes one that fits nothing, so that the checks that follow fail.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
