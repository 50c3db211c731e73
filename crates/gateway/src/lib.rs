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
mod domain; // the folder: lock, ledger, register, keys
mod administration; // commands, each as the right person
mod row_risk; // how identifying rows would be, measured
mod drawn; // where each column comes from, for the record
mod operation; // the way of one query
mod export; // a released result as a signed package
mod flight; // Flight SQL
mod upkeep; // sealed texts, redaction, retention
mod operations; // explain, export, receipt, head
mod tls; // who may connect
mod door; // where connections come in
mod listen; // connections
mod publish; // the log over HTTP
mod serve; // the process
mod telemetry; // spans and logs

pub use self::{
    administration::{Administration, Unadministered},
    config::{Config, Misconfigured},
    domain::{Domain, Founding, Unopened},
    operation::{Asking, Gateway, Granted, Prepared, Running},
    refused::{Kind, Refused},
    serve::{Listeners, ServeError, serve},
};
