//! The walls of a child process, and the zygote that forks such children.
//!
//! A zygote is a warm process without a job, in namespaces of its own and without a privilege; each child
//! it forks does one job and ends. A child may use so much memory, so much processor time, so many files,
//! and no more; it can make the calls of a list, reach nothing outside, and holds no descriptor but its
//! three pipes and the files that came with its job.
//!
//! Never: forks beside a thread, lets a wall that failed pass as one that stands.
#![deny(unsafe_code)] // exceptions in `channel`, `descriptors`, `fork`, `schedule` and `unsafe_calls`

mod ring; // one wall, by name, and what it needs
mod rings; // which stand
mod unjailed; // the wall that does not
mod descriptors; // what a process holds open besides its pipes
mod leash; // a process that ends with its parent
mod limits; // how much a child may use
mod unsafe_calls; // calls to the kernel without a safe form
mod control_group; // how much all children of a kind may use together
mod namespaces; // what a zygote can reach
mod landlock_domain; // what a child can reach even so
mod seccomp; // the calls a child may make
mod channel; // a socket that carries descriptors
mod message; // orders to a zygote, and its reports
mod fork; // a copy of this process
mod outside; // the walls around a zygote
mod inside; // the walls around each child, and its job's ways in and out
mod zygote; // what children are forked from
#[cfg(feature = "fixtures")]
mod fixtures; // what tests run where the product runs an engine
mod schedule; // who comes first, for the one thread that others wait for, and who last

pub use self::{
    channel::send,
    inside::{Input, Inside, Output},
    limits::Limits,
    message::{Ending, Orders, Report},
    ring::{NoSuchRing, Ring},
    rings::{Rings, Standing},
    schedule::{schedule_first, schedule_last},
    unjailed::Unjailed,
    unsafe_calls::{keep_freed_memory, usage, widen},
    zygote::zygote,
};
#[cfg(feature = "fixtures")]
pub use self::{fixtures::program, zygote::zygote_for_test};
