//! Do it elsewhere: hands statements to planner children and decided plans to runner children.
//!
//! Children are started ahead, serve exactly one job each, and are killed at its deadline; killing is
//! the only cancel. What comes back is read to its end under one byte budget, and every way a child can
//! end is one clean [`Failure`]. A plan runs only with the proof that its decision is durable.
//!
//! Never: parses SQL, links an engine, opens a data file, believes a size, a schema or a code that a
//! child says.
#![forbid(unsafe_code)]

mod arrow_schema; // the columns a runner must send
mod batch; // a frame's bytes → a record batch, or not
mod child; // one process: started, given its job, killed
mod child_code; // the codes a child may give, and what the caller hears of them
mod complaint; // what a child wrote on its standard error: counted, not kept
mod config; // how many children, how large, how long
mod crew; // the children of one kind: who may have one, for how long
mod draft; // statement → draft plan
mod failure; // how a job can fail
mod nursery; // children started ahead
mod pipe; // messages from a child's standard output
mod pool;
mod results; // a runner's frames, read to their end into a queue
mod run; // decided plan → outcome // all of it

pub use self::{
    config::{ChildConfig, PoolConfig},
    draft::Statement,
    failure::{Death, Failure, Worker},
    pool::Pool,
    results::Piece,
    run::{Keys, Outcome, Stopped},
};
