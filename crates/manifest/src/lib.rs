//! What left: signed export manifests, and their verification without us.
//!
//! A package is a folder: the data, the signed manifest, where the data comes from, the plan that
//! ran, and the proof that the release is on the domain's log. Formats are DSSE, in-toto Statement
//! v1, OpenLineage and C2SP tlog-proof; `verify.sh` inside needs openssl and jq alone.
//!
//! Never: believes a key that lies in the package, reads a file the manifest does not name, opens
//! the data.
#![forbid(unsafe_code)]

mod broken; // why a package does not hold, by check
mod dsse; // the envelope
mod key; // the P-256 key that signs, and its public half
mod lineage; // where each column comes from, as OpenLineage
mod manifest; // what it says of the export
mod package; // the files of a package, sealed and written
mod policy; // the logs that a verifier trusts
mod statement; // what is signed: an in-toto statement
mod verify; // everything checked, offline

pub use self::{
    broken::{Broken, Check},
    key::{ManifestKey, PublicKey},
    manifest::{Column, Content, Decision, Grant, Manifest, Operation, Record, Source, SourceItem},
    package::{DATA_FILE, MANIFEST_FILE, Package, Parts},
    verify::{Verified, verify_package},
};
