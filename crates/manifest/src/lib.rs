//! What left: signed export manifests, and their verification without us.
//!
//! A package is a folder: the data, the signed manifest, where the data comes from, the plan that
//! ran, and the proof that the domain's log has this very manifest on record. Formats are DSSE,
//! in-toto Statement v1, OpenLineage, Data Package and C2SP tlog-proof; `verify.sh` inside needs
//! openssl and jq alone.
//!
//! Never: believes a key that lies in the package, reads a file the manifest does not name, opens
//! the data.
#![forbid(unsafe_code)]

mod broken; // why a package does not hold, by check
mod key; // the key that signs, and its public half
mod dsse; // the envelope
mod manifest; // what it says of the export
mod disclosure_report; // what a product would release
mod approvals; // who brought the ground of an export to stand
mod statement; // what is signed: an in-toto statement
mod data_package; // the data described for those who open it
mod package; // the files of a package, sealed and written
mod verify; // everything checked, offline
mod certificate; // what a domain certifies of itself, signed and on record

pub use self::{
    approvals::Approvals,
    broken::{Broken, Check},
    certificate::{
        Approved, Certificate, Certified, Certifies, Derived, DestroyedKey, Disposition, Method,
        Object, Registration, Reviewed, SealedCertificate, Taken, holds, verify_certificate,
        verify_registration,
    },
    disclosure_report::DisclosureReport,
    key::{Algorithm, ManifestKey, PublicKey},
    manifest::{
        Approval, CellRules, Content, Decision, Grant, Ground, Manifest, Operation, Record, Rule,
        RuleOutcome, Source, SourceItem,
    },
    package::{DATA_FILE, Handed, MANIFEST_FILE, Package, Parts, Sealed},
    verify::{Verified, verify_package},
};
