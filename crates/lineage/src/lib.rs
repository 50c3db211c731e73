//! From what to what: the lineage of every operation, folded from the ledger.
//!
//! The decision of an operation carries its lineage beside the leaf, in one commit, so there is no
//! second record that could lag, be lost or say something else. OpenLineage events, the questions
//! "from what" and "into what", and the picture are all read from it.
//!
//! Never: writes, keeps a copy of its own, leaves a source out because its part cannot be told.
#![forbid(unsafe_code)]

mod drawn; // what a decision says of its result's columns
mod run; // one operation, folded from its events
mod openlineage; // runs as OpenLineage events
mod trace; // products and sources, both ways
mod picture; // an operation's lineage as SVG

pub use self::{
    drawn::{Column, Drawn, Input},
    openlineage::{Emitter, Export, document},
    picture::{Caption, picture},
    run::{Decision, End, Garbled, How, Moved, Run, Runs},
    trace::{Product, Sought, products},
};
