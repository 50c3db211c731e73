//! A seed directory: who is who and what has been approved, for pilots, demos and tests.

mod raw; // the files as written
mod read; // raw → terms, all mistakes at once
mod play; // the procedure, each step as the right person

pub(crate) use self::{
    play::{ADMIN, ENDPOINT, Keeping, emptied, play, write_all},
    read::{Seed, SeedDataset, read, scenario},
};
