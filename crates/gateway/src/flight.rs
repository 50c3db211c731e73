//! Flight SQL: statements, prepared statements and the caller's own catalogue.

mod handles; // tickets and prepared statements, each somebody's own
mod stream; // batches and the receipt as Flight messages
mod metadata; // the catalogue as clients ask for it
mod service; // the calls

pub(crate) use self::service::{Edge, asking};
