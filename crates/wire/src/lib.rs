//! What crosses a process: jobs for the children and their answers, and the operator's own service.
//!
//! Words are parsed here into the types of `terms`; what does not parse is [`Garbled`]. Plans and
//! batches cross as opaque bytes and are decoded, with bounds, where they are used.
//!
//! Never: starts a process, opens a file, waits for anything but the stream it was given.
#![forbid(unsafe_code)]

mod garbled; // the one error: bytes that are no message
mod secret; // key bytes that do not print themselves
pub mod job; // jobs and answers as plain values
mod row_set; // sets of row or subject numbers
pub mod frame; // one message on a pipe: its length, then its bytes
mod proto; // generated from proto/
mod job_proto; // jobs and answers to and from their generated form

pub use self::{
    garbled::Garbled,
    proto::{SERVICES, management, operations},
    row_set::{read_row_set, write_bitmap, write_row_set},
    secret::Secret,
};
