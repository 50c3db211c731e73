//! What is in it: a draft of a catalogue entry, guessed from a data file, for a person to confirm.
//!
//! A guess rests on the name of a column and on values taken from all over the file, says what it rests
//! on, and where the two disagree goes with the more sensitive. What neither tells stays unknown.
//!
//! Never: confirms anything, writes a value into a draft or a message, lowers a grade on a guess.
#![forbid(unsafe_code)]

mod name; // what the name of a column says
mod value; // what one value looks like
mod tally; // what the values of a column look like together
mod basis; // what a guess rests on, as people read it
mod guess; // one column: name and values, weighed
mod entry; // all columns: the subject, grades, masks
mod draft; // the entry as a file that waits for a person

pub use self::{
    basis::Basis,
    draft::{Elements, draft},
    entry::{Described, Entry, Undescribable, describe},
};

#[cfg(test)]
mod tests; // how good guesses are, on tables whose truth is known
