//! Who saw it too: cosignatures that a log grew and never changed, asked for, given and judged.
//!
//! A log that is alone with its reader can show two readers two histories. A witness signs only what
//! continues all it signed before, so a history with a quorum of witnesses under it is the only one.
//! Formats are those of C2SP (tlog-witness, tlog-cosignature, tlog-policy).
//!
//! Never: cosigns what does not continue its record, answers before its record is durable, stops a
//! domain because a witness is away.
#![forbid(unsafe_code)]

mod unwitnessed; // why there is no cosignature, or none that counts
mod note; // a signed note, taken apart
mod cosignature; // a witness's key, and its signature with the time
mod request; // what is asked of a witness
mod policy; // which logs and witnesses a verifier trusts, and how many it wants
mod record; // what a witness signed last, durably
mod witness; // the judgement: cosign, or refuse
mod serve; // a witness over HTTP
mod authorities; // which servers are believed to be who they say
mod submit; // a witness asked over HTTP
mod cosigned; // the cosignatures a domain holds
mod publish; // the newest checkpoint, to every witness

pub use self::{
    authorities::believing,
    cosignature::{Cosignature, Cosigner, CosigningKey},
    cosigned::{Cosigned, CosignedCheckpoint},
    policy::{Member, Policy, Witnessed},
    publish::{Outcome, Publisher},
    request::Request,
    serve::serve,
    submit::{Answer, Submitter},
    unwitnessed::{Refusal, Unwitnessed},
    witness::{Watched, Witness},
};
