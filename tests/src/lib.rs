//! Claims about the whole, run against the workspace and the real binary.
//!
//! Never: mocks what can run.
#![forbid(unsafe_code)]

#[cfg(test)]
mod clauses; // docs/clauses.md says what tests say
#[cfg(test)]
mod crate_table; // ARCHITECTURE.md says what cargo says
#[cfg(test)]
mod front; // no engine in the front
