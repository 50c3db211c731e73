//! What is kept elsewhere: a domain's data in sealed objects on a shelf, and put back from there.
//!
//! An object is named by the SHA-256 of its bytes, so what is there already is not copied again. A
//! backup is a list of objects; it counts from one rename on.
//!
//! Never: holds a key that it was not handed, copies a file it was not named, follows a link, believes an
//! object whose bytes are not those of its name, counts a list that the domain did not write.
#![forbid(unsafe_code)]

mod unbacked; // why a backup could not be made or used
mod shelf; // where backups stand: small trait, whole objects
mod plain; // plain files and folders, reached without following a link
mod folder; // a shelf in a folder
mod bucket; // a shelf in an S3-compatible store
mod place; // which of the two an address is
mod list; // what a backup holds
mod step; // the moments at which a crash has to leave all or nothing
mod judging; // whether a shelf is one that backups of a log may go to
mod taking; // a backup, taken
mod tidying; // older ones and what nothing names, removed
mod verifying; // every object read again
mod putting; // a backup, put back

pub use self::{
    bucket::{Bucket, S3},
    folder::Folder,
    judging::{Owner, judge},
    list::{File, Form, Header, Listed, Opened, Uncounted},
    place::shelf_at,
    plain::open_plain,
    putting::PutBack,
    shelf::Shelf,
    step::{Step, Watch},
    taking::{Taken, Taking},
    tidying::tidy,
    unbacked::Unbacked,
    verifying::{Verified, verify},
};
