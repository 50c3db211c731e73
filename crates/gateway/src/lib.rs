//! The gateway: Flight SQL and operations around the stages of a query.
//!
//! Never: links a query engine, tells a caller an engine's message, answers off the record.
#![forbid(unsafe_code)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "causes are told alike unless one is named"
)]

mod refused; // what a caller hears, and the one map from codes to statuses
mod config; // bonded.toml
mod witnesses; // who cosigns the log
mod durable; // files that are there whole or not at all
mod live; // what stands, live: one writer, many readers
mod keys_on_record; // which keys the log has on record, held against those that are opened
mod snapshot; // what stands, kept for the next start
mod unlock; // what opens the keystore
mod domain; // the folder: lock, ledger, register, keys
mod carry_out; // commands: policy, register, ledger, and only then it stands
mod administration; // what commands need done beside them
mod external; // the import gate: data that operators bring
mod row_items; // what row policies may read
mod row_risk; // how identifying rows would be, measured
mod drawn; // where each column comes from, for the record
mod line; // a connection, and its switch
mod leash; // what an operation hangs by, and how it is cut off
mod receipts; // what became of each operation, by who asked
mod operation; // the way of one query
mod export; // a released result as a signed package
mod flight; // Flight SQL
mod workspace; // results that scenarios keep inside
mod certificates; // what the domain certifies, signed and laid into a folder
mod backup; // the data, backed up
mod key_copy; // keys copied, numbered and on record
mod restore; // a domain put back
mod destruction; // snapshots destroyed, by who may, and certified
mod registration; // 产品登记证书
mod sealing; // 封存: data sealed, and looked at again
mod upkeep; // sealed texts, redaction, retention
mod operations; // explain, export, receipt, head
mod management; // the register's steps and what stands
mod tls; // who may connect
mod door; // where connections come in
mod listen; // connections
mod publish; // the log over HTTP
mod serve; // the process
mod telemetry; // spans and logs

#[cfg(test)]
mod stage; // a small served domain for the tests

pub use self::{
    administration::{Administration, Unadministered},
    backup::{BackedUp, BackupWatch},
    carry_out::{By, Carried, Order},
    certificates::Uncertified,
    config::{BackupConfig, Config, KeystoreConfig, Misconfigured},
    destruction::{Destroyed, Undestroyed},
    domain::{Domain, Founding, Unopened},
    line::Peer,
    live::{Live, Stands},
    operation::{Aim, Asking, Gateway, Granted, Prepared, Running},
    refused::{Kind, Refused},
    restore::{Restored, Restoring, Unrestored},
    row_items::{Bar, BarredItem},
    serve::{Listeners, ServeError, serve},
    unlock::{Locked, Prompt, Secrets, keystore},
    workspace::WorkspaceConfig,
};
