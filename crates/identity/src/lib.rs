//! Who asks: a client certificate → an enrolled, vetted person under a non-disclosure agreement.
//!
//! Never: opens a socket, reads a clock, trusts a name in a certificate; the register knows who owns it.
#![forbid(unsafe_code)]

mod unproved; // why a caller is nobody
mod prove; // certificate + register → caller
mod authority; // the domain's own certificate authority

pub use self::{
    authority::{Authority, Certified, Issued, Unissued},
    prove::{Caller, prove},
    unproved::Unproved,
};
pub use terms::end_of_day;
