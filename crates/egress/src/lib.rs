//! What may leave: turns a runner's answer into a release, or withholds it.
//!
//! The schema is pinned before anything runs. Every column is rebuilt from its logical values, so that
//! nothing under a null, outside an offset or beside the data goes along. Every row's witness is
//! verified by code of its own, independent of the runner's, and then stripped. Rows and bytes are
//! capped, and all that leaves is hashed.
//!
//! Never: masks, computes or reorders; passes on a buffer that a runner filled; truncates silently.
#![forbid(unsafe_code)]

mod withheld; // why nothing (more) leaves
mod pinned; // the one schema of a result
mod witness; // the thresholds, verified once more
mod rebuild; // new columns from logical values
mod sensitive; // where values are looked over for what must not leave
mod fingerprint; // the digest of the logical values
mod gate; // all of these, batch by batch
mod notice; // what is told of withheld groups
mod clearing; // a runner's outcome → a release
#[cfg(test)]
mod stage; // for tests: permits by the real engine, and a script for a runner

pub use self::{
    clearing::{Clearing, Release, clear, keep},
    pinned::schema,
    withheld::Withheld,
};
