//! The walls of a child process: it enters them itself, first thing, before it reads its job.
//!
//! A child may use so much memory, so much processor time, so many files, and no more; it gains no
//! privileges, can't be looked into, dies with its parent, and holds no descriptor but its three pipes.
//!
//! Never: starts a process or a thread, lets a wall that failed pass as one that stands.
#![deny(unsafe_code)] // two exceptions, in `descriptors` and `schedule`

mod unjailed; // the wall that does not stand
mod rings; // the walls that do
mod descriptors; // what a child holds open besides its pipes
mod limits; // how much it may use
mod schedule; // who comes first, for the one thread that others wait for

pub use self::{
    limits::Limits,
    rings::{Ring, Rings, enter},
    schedule::schedule_first,
    unjailed::Unjailed,
};
