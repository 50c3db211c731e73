//! The `bonded` binary: every command, and what people read of it.
//!
//! Never: decides anything; the gateway decides, this asks and tells.
#![forbid(unsafe_code)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "arrow's and toml's enums grow; what we do not know is shown as text"
)]

mod args; // the commands as typed
mod failure; // bad ends and exit codes
mod profile; // where a person's gateway is
mod client; // Flight SQL and operations over mutual TLS
mod table; // results for people and machines
mod misread; // what is wrong with a file, all of it at once
mod catalogue; // catalogue entries in files, one or many
mod seed; // a seed directory, read and played
mod key; // the keys of a domain
mod backup; // the data kept elsewhere, and put back
mod init; // a domain is made
mod query; // a statement, its result, its receipt
mod explain; // the decision without touching data
mod export; // a package, and its verification
mod witness; // cosigning, and what was cosigned
mod lineage; // from what to what
mod policy; // policies that are not in force yet, rehearsed
mod manage; // the register, step by step
mod report; // statements and annual reports
mod ledger; // the log, read and kept up
mod demo; // the whole story on generated data

pub use self::{args::run, failure::Failure};
