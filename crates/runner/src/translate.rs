//! The plan in the engine, node by node. Every node's schema is compared with the plan's own before
//! anything below it is read; what is withheld and what a subquery yields is finished first.

pub(crate) mod expression; // expressions and scalar functions
mod aggregate; // aggregates and windows
mod relation; // nodes

pub(crate) use self::{
    expression::named,
    relation::{Translation, is_witness},
};
