//! Flight SQL: statements, prepared statements and the caller's own catalogue.

mod handles; // tickets and prepared statements, each somebody's own
mod stream; // batches and the receipt as Flight messages
mod literal; // parameters as clients send them
mod metadata; // the catalogue as clients ask for it
mod materialise; // a result kept inside, as an action
mod service; // the calls of Flight SQL
mod front; // the calls of Flight

pub(crate) use self::{
    front::Front,
    service::{Edge, asking, one_scenario},
    stream::until_cut,
};
