//! The plan language: what runs is a plan in this language, not the SQL that was sent.
//!
//! About a dozen relational nodes, typed expressions, a closed list of functions; canonical bytes, a
//! digest, a pretty print. Columns are ordinals, types are derived here and nowhere else, casts are
//! explicit. What the language cannot say cannot run.
//!
//! A plan is a *draft* (what a planner made of SQL; its scans show what the catalogue shows) or
//! *confined* (what `confine` made of a draft; its scans say how each item is viewed, and withhold
//! nodes and witnesses stand in it). Decoding says which of the two is accepted.
//!
//! Never: knows an engine, a grade, a person; trusts a type or a size it was told.
#![forbid(unsafe_code)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "pairs of types: what is not listed is ill-typed"
)]

mod literal; // typed values
mod function; // the reviewed scalar functions
mod aggregate; // the reviewed aggregate and window functions
mod expr; // typed expressions over ordinals
mod node; // relational nodes
mod scans; // the scans of a tree
mod query; // a whole plan: a root and its output names
mod bounds; // the largest plan that is looked at
mod growth; // how large a value may become
mod typing; // types and nullability, derived
mod encode; // canonical bytes and the digest
mod decode; // bytes back, with bounds
mod print; // the form people read
mod bind; // parameters → literals

pub use self::{
    aggregate::{AggregateCall, AggregateFunction, Frame, FrameBound, WindowCall, WindowFunction},
    bind::Unbindable,
    bounds::Bounds,
    decode::{Accept, Undecodable},
    expr::Expr,
    function::Function,
    literal::Literal,
    node::{
        Cell, JoinKind, MaskBits, Node, Noised, Report, RowPolicy, Scan, ScanColumn, SortKey,
        Statistic, View, WITNESS_COUNTS, WITNESS_FIELDS,
    },
    query::{Check, Dominance, Plan},
    typing::{Field, IllTyped},
};
