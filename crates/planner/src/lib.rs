//! SQL → a draft plan, in a process that has no data and no keys.
//!
//! DataFusion's SQL front end resolves a statement over the caller's masked catalogue; what it makes is
//! translated into the plan language, and what the language cannot say is refused by name.
//!
//! Never: opens a file or socket, evaluates an expression, is trusted by the front.
#![forbid(unsafe_code)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the engine's and parser's enums grow; what we do not know is refused"
)]

mod unplannable; // why a statement has no plan
mod limits; // the most a statement may be
mod characters; // what reads differently from what it says
mod guard; // what no parser is given
mod dialect; // how long the parser may try
mod expansion; // what a statement is, written out
mod session; // the front end, locked down
mod translate; // the resolved plan in our language
mod statement; // one statement, start to end
pub mod child; // the process
#[cfg(test)]
mod lockdown; // what the engine brings, judged

pub use self::{guard::guarded, limits::Limits, statement::plan, unplannable::Unplannable};
