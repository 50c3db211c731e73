//! What stands: people, operators, catalogue, licences and scenarios, folded from the ledger's events.
//!
//! A command is judged against what stands and becomes events; events are folded into what stands.
//! The state can always be rebuilt from the log.
//!
//! Never: writes the log itself, decides who may ask (policy does), reads a clock.
#![forbid(unsafe_code)]

mod state; // the fold
mod reason; // why an authority decides against somebody
mod command; // what can be asked for
pub mod life; // which steps there are from which stage
mod redaction; // requests to destroy sealed texts
mod destruction; // requests to destroy snapshots
mod seal; // 封存: what is sealed
mod unlawful; // why a command may not be
mod judge; // the rules, by family
mod audit; // the record held against its own rules

#[cfg(test)]
mod stage; // a small domain for the tests

pub use self::{
    audit::{Audit, Audited, Finding},
    command::{Command, Listing, Room},
    destruction::{DestructionRequest, Destructions},
    judge::judge_entry,
    reason::Reason,
    redaction::{Approval, Redactions},
    seal::{Seal, SealRelease, Seals},
    state::{
        ExternalStanding, LicenceStanding, Overdue, Owed, ProductStanding, ScenarioStanding, State,
    },
    unlawful::Unlawful,
};
