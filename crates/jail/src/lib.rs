//! The walls of a child process, and the zygote that forks such children.
//!
//! A zygote is a warm process without a job; each child it forks does one job and ends. A child may use
//! so much memory, so much processor time, so many files, and no more; it gains no privileges, can't be
//! looked into, dies with its zygote, and holds no descriptor but its three pipes.
//!
//! Never: forks beside a thread, lets a wall that failed pass as one that stands.
#![deny(unsafe_code)] // exceptions in `channel`, `fork`, `descriptors` and `schedule`

mod unjailed; // the wall that does not stand
mod rings; // the walls that do
mod descriptors; // what a process holds open besides its pipes
mod limits; // how much a child may use
mod channel; // a socket that carries descriptors
mod message; // orders to a zygote, and its reports
mod fork; // a copy of this process
mod zygote; // what children are forked from
mod schedule; // who comes first, for the one thread that others wait for

pub use self::{
    limits::Limits,
    message::{Ending, Orders, Report},
    rings::{Ring, Rings},
    schedule::schedule_first,
    unjailed::Unjailed,
    zygote::zygote,
};
