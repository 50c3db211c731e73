//! Catalogue entries in files: one as in a seed, or a list of many as CSV, JSON or TOML, both ways.

mod raw; // an entry as written
mod entry; // raw → terms, all mistakes at once
mod words; // the headings and words of a list in CSV
mod csv_list; // a list as CSV
mod list; // a list of any form, read and checked whole
mod write; // the catalogue as a list

pub(crate) use self::{
    entry::{At, UNCONFIRMED, dataset, entry, is_unconfirmed, qualified},
    list::{ENDINGS, Form, bare, list},
    raw::DatasetFile,
    write::write,
};

#[cfg(test)]
mod tests; // what is refused, and what comes back as it was written
