//! Do it elsewhere: hands statements to planner children and decided plans to runner children.
//!
//! Children are forked ahead, serve exactly one job each, and are killed at its deadline; killing is
//! the only cancel. What comes back is read to its end under one byte budget, and every way a child can
//! end is one clean [`Failure`]. A plan runs only with the proof that its decision is durable.
//!
//! Never: parses SQL, links an engine, reads of a data file, believes a size, a schema or a code that a
//! child says.
#![forbid(unsafe_code)]

mod failure; // how a job can fail
mod child_code; // the codes a child may give, and what the caller hears of them
mod config; // how many children, how large, how long
mod child; // one process: given its job, killed
mod zygote; // what children are forked from
mod complaint; // what a child wrote on its standard error: counted, not kept
mod pipe; // messages from a child's standard output
mod nursery; // children forked ahead
mod places; // who may be at work, shared fairly between licences
mod crew; // the children of one kind: who may have one, for how long
mod arrow_schema; // the columns a runner must send
mod batch; // a frame's bytes → a record batch, or not
mod budget; // the bytes of results that wait, shared fairly between licences
mod queue; // what a runner said and nobody took yet, for a time
mod results; // a runner's frames, read to their end into a queue
mod draft; // statement → draft plan
mod run; // decided plan → outcome
mod rows; // the rows a scenario would show → whoever measures their risk
mod pool; // all of it

pub use self::{
    config::{ChildConfig, PoolConfig},
    draft::{Planned, Statement},
    failure::{Death, Failure, Worker},
    pool::Pool,
    results::{Piece, Question},
    rows::Rows,
    run::{Keys, Outcome, Stopped},
};
pub use jail::{NoSuchRing, Ring, Rings, Standing};
pub use wire::job::{Cells, Done, Fate, Noise, Verdict};
