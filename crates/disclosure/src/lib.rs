//! What was released already: holds every new cell against all earlier ones, so that releases taken
//! together name no small group, and debits what each licence and scenario may still ask.
//!
//! A cell is a set of rows of one snapshot, or of subjects where rows were grouped by subject. Whoever
//! has the sums of some cells has every linear combination of them. Where one of these combinations
//! would depend on rows of fewer than k subjects alone, a cell is withheld, or leaves with noise.
//!
//! Every set is encrypted at rest, and durable before the release it belongs to.
//!
//! Never: sees a value, a name or a statement; forgets a cell; is reset by a policy.
#![forbid(unsafe_code)]

mod field; // numbers modulo a prime: exact enough, and bounded
mod audit; // one pool: do its cells together isolate anyone?
mod noise; // what perturbed cells are perturbed by
mod store; // the cells, encrypted, and the budgets
mod copy; // the register as it is at one moment, for a backup
mod held; // the pools in memory
mod work; // how much one question may still be
mod turns; // whose question is judged
mod trial; // which rows may leave exactly
mod register; // all pools, one admission at a time
mod debit; // what statements and failures cost, whatever is judged meanwhile
mod admitted; // the stage: a runner's outcome, held against all earlier ones

pub use self::{
    admitted::{Admitted, Cause, Stopped},
    audit::{Audit, Conflict, Limits},
    copy::copy_register,
    register::{Admission, Denied, Judged, Pool, Register, Spending},
    store::Unstored,
};
