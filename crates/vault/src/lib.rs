//! Who holds the keys: the key hierarchy, the sealed files, and the way data comes in.
//!
//! Root key, in a keystore → storage key → unit key (one per snapshot; those of tokens, noise and sealed
//! texts) → one key per column, one for the footer. What is handed out for a job is the path of one file
//! and the keys of exactly the columns asked for.
//!
//! Never: decides who may have a key, reads a stored value, writes an unencrypted byte of data or an
//! unwrapped key beside the root.
#![forbid(unsafe_code)]

mod check_unique; // no value twice, none null
mod data_file; // where a file is and what it is written in
mod arriving; // bytes on their way in, in memory alone
mod csv_columns; // which type each column of a CSV file has: the first pass
mod csv_intake; // CSV in: the second pass
mod csv_rows; // rows of a CSV file with their line numbers
mod extent; // how much of a snapshot some columns are
mod derive; // items computed of others of their row
mod intake; // batches in the order of the catalogue, from either format
mod key; // 32 secret bytes that never print
mod plain_file; // plain files, opened without waiting
mod private_file; // files for their owner alone, destroyed for good
mod sealing; // AES-256-GCM in memory
mod backup_key; // what seals backups, piece by piece
mod keystore; // where root keys are kept
mod ring; // every other key, wrapped, in one file
mod keyring; // the keys of a domain: open, seal, units
mod renew; // rotation and destruction, all or nothing
mod old_root; // domains from before the ring
mod parquet_page; // what a page says of itself
mod parquet_bounds; // how much of a Parquet file is decoded at once
mod parquet_intake; // Parquet in
mod look_over; // values that stand for a person, counted
mod plain_type; // what the stored type of a column becomes
mod sample; // what a file holds and some of its rows, for somebody who describes it
mod sealed_file; // Parquet out, encrypted, hashed as it is written
mod fill; // a data file, row by row, into a sealed one
mod store; // ingest, source, discard
mod token; // what stands for identifiers of data from outside
mod quarantine; // data from outside, sealed until somebody decides
mod keep; // results that are kept inside
mod subjects; // which row is whose, for the disclosure register
mod unit; // the key of one snapshot
mod unkept; // what can go wrong with keys
mod unreceivable; // why data could not come in, by file, line and column

pub use self::{
    arriving::{Arrived, Arriving, Overfull},
    backup_key::BackupKey,
    data_file::{DataFile, Format},
    extent::Extent,
    keep::Keeping,
    key::Key,
    keyring::{KeyStatus, Keyring},
    keystore::{Cost, Keystore, Passphrase, Pkcs11, RootId, Token, Unprotected},
    parquet_bounds::Large,
    plain_file::{open_plain, plain},
    quarantine::{GateKeys, KeyList, Quarantined},
    sample::{Sample, SampledColumn, Stored, sample, sample_of},
    store::{Erased, Progress, ROW_COLUMN, SUBJECT_COLUMN, SourceKeys, Store},
    unkept::Unkept,
    unreceivable::{Place, Unreceivable},
};
