//! What happened: an append-only Merkle log of every change of state and every operation.
//!
//! An entry is acknowledged when it is durable, in the tree, and covered by a signed checkpoint, all
//! by one commit. Formats are those of C2SP (signed note, checkpoint, tlog-tiles, tlog-proof), so
//! that a regulator verifies the log with tools that are not ours.
//!
//! Never: acknowledges what a crash could lose, repairs a damaged log in place, writes SQL text or a
//! real name into a leaf, signs two checkpoints of one size.
#![forbid(unsafe_code)]

mod breach; // why the log is not to be trusted, or can't be written
mod clock; // where an abandoned entry takes its time from
mod sealed; // the encrypted part beside an entry
mod entry; // opened → decided → closed: the life of one operation, as types
mod ledger; // create, open, append, read, prove
mod pending; // an append under way: a future, or wait for it

pub use self::{
    breach::Breach,
    clock::{Clock, SystemClock},
    entry::{Decided, Decision, Entry, Granted, Opened, Opening, Receipt, ReleaseFacts},
    ledger::{Ledger, Stored},
    pending::{Appended, Pending},
};
