//! May they: turns a proved caller into a permit, or into a refusal that says why.
//!
//! Cedar decides; defaults deny; a policy that errs denies; forbid wins. A permit is computed once per
//! caller, scenario, action and version, so that a statement costs no decision per item.
//!
//! Never: opens a socket, reads a clock, sees a row.
#![forbid(unsafe_code)]

mod refusal; // why not, with clause and smallest change
mod disclosure; // what a cell owes beside its threshold, by grade
mod masks; // kind × grade → mask, and the most a mask may reveal
mod owed; // annotations on policies: what binds whoever uses what they permit
mod bundle; // the policies, loaded once, by digest, indexed by action
mod decide; // one request → a decision with its reasons
mod item; // a class of items → how they may be used
mod kept; // a result that a scenario keeps, in its permit
mod permit; // what a caller may use in a scenario, and how
mod asking; // caller + scenario → permit
mod engine; // the bundle and the permits computed by it
mod rehearsal; // what is on record, decided again by other policies

pub use self::{
    bundle::Unusable,
    decide::Decision,
    disclosure::{Allowance, Budget, Disclosure, Perturbation, Release},
    engine::Engine,
    kept::{PermittedKept, view},
    masks::{MaskTable, TooLoose},
    owed::Owed,
    permit::{AbsentItem, Permit, PermittedDataset, PermittedItem, PermittedProduct},
    refusal::Refusal,
    rehearsal::{Change, Flip, Rehearsal, Rehearsed},
};
