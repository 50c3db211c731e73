//! What happened: an append-only Merkle log of every change of state and every operation.
//!
//! An entry is acknowledged when it is durable, in the tree, and covered by a signed checkpoint, all
//! by one commit. Formats are those of C2SP (signed note, checkpoint, tlog-tiles, tlog-proof), so
//! that a regulator verifies the log with tools that are not ours.
//!
//! Never: acknowledges what a crash could lose, repairs a damaged log in place, writes SQL text or a
//! real name into a leaf, signs two checkpoints of one size.
#![forbid(unsafe_code)]

mod anchor; // the head outside the database, against rolling back
mod breach; // why the log is not to be trusted, or can't be written
mod bundle; // entries as they are published
mod checkpoint; // the signed head of the tree
mod clock; // where an abandoned entry takes its time from
mod entry; // opened → decided → closed: the life of one operation, as types
mod export; // the log as files for outside verifiers
mod key_tree; // a key that can forget
mod leaf; // an event as canonical bytes
mod ledger; // create, open, append
mod merkle; // leaf and node hashes, the right edge of the tree
mod note; // Ed25519 signed notes
mod note_key; // their public keys as text
mod pending; // an append under way: a future, or wait for it
mod place; // which file is where; the keys
mod postgres; // the other: a server that several gateways reach
mod proof; // inclusion and consistency: made and verified
mod promise; // how long each entry stays readable
mod piece; // the log in pieces, for a backup
mod put_back; // and put back out of them
mod pruning; // what a pruned log lacks, and by whose leave
mod reader; // entries and proofs, beside a writer or alone
mod published; // a log read from where it is published
mod rehash; // the tree built again from the entries
mod resource; // the published log: paths and bytes
mod sealed; // the encrypted part beside an entry
mod growth; // how long the log is, for those who wait for more
mod sequencer; // the one writer, with group commit
mod server; // where such a server is, and one session with it
mod sqlite; // one database: a file
mod storage; // what the log needs of a database
mod take_up; // a log where it was left, compared with what signs and anchors it
mod tlog_proof; // a proof as a file
mod tree; // the tree in tiles, as stored
mod upkeep; // retention and redaction, always on record first
mod verify; // everything hashed again, offline

pub use self::{
    breach::Breach,
    checkpoint::Checkpoint,
    clock::{Clock, SystemClock},
    entry::{CutOff, Decided, Decision, Entry, Granted, Opened, Opening, Receipt, ReleaseFacts},
    leaf::Leaf,
    ledger::{Ledger, Unfinished},
    merkle::{leaf_hash, node_hash},
    note::NoteVerifier,
    note_key::{NoteKey, SignatureType, is_key_name},
    pending::{Appended, Pending},
    piece::{Copying, PIECE_ENTRIES},
    place::Place,
    promise::Promises,
    proof::{Head, is_consistent, root_of_inclusion},
    published::{Fetch, Published, RESOURCE_BYTES_MAX},
    reader::{Events, Reader, Stored},
    resource::Resource,
    sealed::statement_digest,
    tlog_proof::TlogProof,
    tree::TileId,
    upkeep::Pruned,
    verify::{Onlooker, Progress, Report},
};
