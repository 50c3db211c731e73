//! What crosses a process: jobs for the children and their answers, and the operator's own service.
//!
//! Words are parsed here into the types of `terms`; what does not parse is [`Garbled`]. Plans and
//! batches cross as opaque bytes and are decoded, with bounds, where they are used.
//!
//! Never: starts a process, opens a file, waits for anything but the stream it was given.
#![forbid(unsafe_code)]

pub mod frame; // one message on a pipe: its length, then its bytes
mod garbled; // the one error: bytes that are no message
pub mod job;
mod proto; // generated from proto/
mod secret; // key bytes that do not print themselves // jobs and answers as plain values

pub use self::{garbled::Garbled, secret::Secret};
