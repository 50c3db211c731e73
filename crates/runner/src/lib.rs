//! A confined plan → batches, in a process that holds the keys of exactly its columns.
//!
//! Nothing of the caller's is evaluated before masks and row policy have been: a guarded scan is a
//! stream that no filter, limit or statistic of the engine enters, and what is withheld is dropped
//! from a finished intermediate result before the rest of the plan is even translated.
//!
//! Never: parses SQL, opens a socket or a file, writes a file, lets an engine's message out.
#![forbid(unsafe_code)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the engine's enums grow; what we do not know is refused"
)]

mod front; // the front, as a job talks to it
mod failed; // why a job ended without a result
mod arrow_type; // plan types in the engine
mod mask; // masks as vectorised functions
mod sealed_file; // a file that came open with the job
mod order; // in what order rows come where something is hidden
mod scan; // sealed files → the masked view
mod shuffled; // the same in that order, in bounded memory
mod open_view; // the same where nothing is hidden
mod safe; // order statistics that name no single subject
mod total; // division that has an answer everywhere
mod or_null; // calls that have no value where they fail
mod shared; // extremes of the masked view that several share
mod witness; // who contributes to a cell, and how much
mod withhold; // cells that fall short are dropped and counted
mod verdict; // what becomes of the cells that were reported
mod translate; // the plan in the engine, node by node
mod run; // one job
pub mod child; // the process

pub use self::{failed::Failed, front::Front, run::run};
