//! What exactly: turns a draft plan into the one plan that may run, or into a refusal that says why.
//!
//! Two sentences everything here follows from. Every statement sees the masked view; only an approved
//! aggregate over a bare item sees the raw value, and it then owes the threshold. What runs is the
//! plan that was granted, not the SQL that was sent.
//!
//! The draft is untrusted: whatever arrives is confined. Ordinals, types and items in it are checked
//! against the permit; nothing it says about masks, rows or thresholds is heard.
//!
//! Never: reads data, knows an engine, trusts a planner, answers what it has no rule for.
#![forbid(unsafe_code)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "masks not named keep their own shown type"
)]

mod receipts; // the caller's own receipts, as a table of constants
mod catalogue; // what a caller's planner may see
mod unconfinable; // the refusal, with clause and smallest change
mod label; // what is known of a column: class, sources, the bare item it is
mod relation; // a confined node and all it carries along
mod scope; // the scans of one statement and what they owe
mod expression; // expressions: remapped, labelled, refused
mod rewrite; // node by node
mod root; // the result: what is left out, what is owed, what egress checks
mod lineage; // where each output column comes from
mod prune; // columns nobody reads
mod total; // an answer for every row, in place of errors
mod confined; // the stage's value, and its one maker
mod keep; // results that are kept inside, with their labels
mod row_policy; // what row policies may read, and as what
mod shown_rows; // the plan that the risk of showing rows is measured by

pub use self::{
    catalogue::{Table, catalogue},
    confined::{Confined, OutputColumn, confine},
    keep::{Kept, confine_kept},
    receipts::{ReceiptRow, receipts_read, with_receipts},
    rewrite::Reported,
    row_policy::{Overread, as_catalogued, enforced},
    shown_rows::ShownRows,
    unconfinable::{Cause, Unconfinable},
};
