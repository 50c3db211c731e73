use crate::Unbacked;

/// A moment at which a crash has to leave all or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// An object is on the shelf, or was there already.
    Object {
        /// Its bytes.
        bytes: u64,
        /// Whether no backup before had it.
        is_new: bool,
    },
    /// Every object is there; the list is not.
    Copied,
    /// The list is there and does not count yet.
    ListWritten,
    /// It is on record.
    Recorded,
    /// It counts.
    Held,
    /// Lists that are too many are removed.
    OldRemoved,
    /// So is what no list names.
    Swept,
}

/// Told of each step: for progress; in tests it fails or dies there.
pub type Watch<'a> = &'a mut (dyn FnMut(Step) -> Result<(), Unbacked> + Send);
