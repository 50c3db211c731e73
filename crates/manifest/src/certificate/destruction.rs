//! What a destruction leaves behind: a statement of what was destroyed, signed, with its proof of record.

use super::{Certified, Certifies};
use crate::{Broken, broken::Check};
use chrono::{DateTime, Utc};
use ledger::NoteVerifier;
use std::path::Path;
use terms::{DatasetName, DestructionBasis, Digest, DomainName, Event, KeyName, KeystoreKind};
use terms::{PersonId, QueryId, ScenarioId};

/// What a certificate says of a destruction: the predicate of its statement.
///
/// Source: NIST SP 800-88r2, "Certificate of Sanitization"; AO-19.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// In which domain.
    pub domain: DomainName,
    /// Whether the domain was made from a seed.
    pub pilot: bool,
    /// The snapshot's dataset.
    pub dataset: DatasetName,
    /// Which snapshot.
    pub snapshot: u32,
    /// Why.
    pub basis: DestructionBasis,
    /// Who asked and who approved, in order.
    pub steps: Vec<Taken>,
    /// How.
    pub method: Method,
    /// The key that is gone.
    pub key: DestroyedKey,
    /// What was stored under it, and became of it.
    pub objects: Vec<Object>,
    /// What was derived from it and is not destroyed with it.
    pub derived: Vec<Derived>,
    /// Copies of the key that there could be.
    pub copies: Vec<Disposition>,
    /// What was tried afterwards, and what came of it.
    pub validation: Vec<Disposition>,
    /// What a certificate cannot say.
    pub not_covered: Vec<String>,
    /// The version of the product.
    pub product: String,
    /// When it was done.
    pub at: DateTime<Utc>,
}

/// A step that somebody took.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    /// `requested` or `approved`.
    pub step: String,
    /// By whom.
    pub by: PersonId,
    /// When.
    pub at: DateTime<Utc>,
    /// Its entry in the domain's log.
    pub index: u64,
}

/// How it was destroyed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Method {
    /// `cryptographic-erase`.
    pub name: String,
    /// `purge` where the key that wrapped it was destroyed in a token, else `clear`.
    pub degree: String,
    /// What it was encrypted with, from the first byte written.
    pub algorithm: String,
    /// The key's length.
    pub strength_bits: u32,
}

/// The key that is gone, and what went with it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DestroyedKey {
    /// Its name.
    pub name: KeyName,
    /// Which it was: the value that was committed to when it was made.
    pub check: Digest,
    /// The entry that says it came to be, unless that was before keys were on record.
    pub created: Option<u64>,
    /// The entry that says it is gone.
    pub destroyed: u64,
    /// The storage key that had wrapped it, which is gone too.
    pub wrapped_by: KeyName,
    /// Which that was.
    pub wrapped_by_check: Digest,
    /// The entry that says the others were wrapped anew.
    pub rotated: u64,
    /// How many these were.
    pub keys_wrapped_anew: u64,
    /// Where the root key was kept.
    pub keystore: KeystoreKind,
    /// Whether the root key could leave it.
    pub root_exportable: bool,
}

/// Something that was stored under the key.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// Its name in the domain's folder.
    pub name: String,
    /// Its digest as ciphertext.
    pub sha256: Digest,
    /// Its length, where it was still there.
    pub bytes: Option<u64>,
    /// What became of it.
    pub disposition: String,
}

/// Something that was derived from the data.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Derived {
    /// A package that left the domain: out of its reach.
    Export {
        /// By which operation.
        query: QueryId,
        /// The digest of its manifest.
        manifest: Digest,
        /// Its entry in the log.
        index: u64,
    },
    /// Results that were released, and are not kept by the domain.
    Results {
        /// How many.
        results: u64,
        /// How many rows these had.
        rows: u64,
    },
    /// A result that a scenario kept inside, destroyed: with the snapshot, or before.
    Kept {
        /// What the domain called it.
        dataset: DatasetName,
        /// Whose it was.
        scenario: ScenarioId,
        /// Its entry in the log.
        kept: u64,
        /// The entry by which it ended.
        dropped: u64,
        /// The digest of its file.
        sha256: Digest,
    },
    /// Which rows stood together in released cells, by number: no value, no name. Kept.
    DisclosureRegister {
        /// How many parts.
        parts: u64,
        /// Their digest, one after the other, as ciphertext.
        sha256: Digest,
    },
}

/// Something, and what became or came of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disposition {
    /// What.
    pub of: String,
    /// What became of it.
    pub is: String,
}

impl Certifies for Certificate {
    const TYPE: &'static str = "https://bonded.dev/destruction-certificate/v1";
    const FILE: &'static str = "certificate.dsse.json";

    fn domain(&self) -> &DomainName {
        &self.domain
    }

    fn objects(&self) -> Vec<(String, Digest)> {
        let objects = self.objects.iter();
        objects
            .map(|object| (object.name.clone(), object.sha256))
            .collect()
    }

    fn on_record(event: &Event) -> Option<Digest> {
        if let Event::DestructionCertified { certificate, .. } = event {
            Some(*certificate)
        } else {
            None
        }
    }

    fn holds(&self, _: &Event, index: u64, _: &NoteVerifier) -> Result<(), Broken> {
        if self.key.destroyed < index {
            return Ok(());
        }
        let what = "it was certified before it was done";
        Err(Broken::fails(Check::Record, what))
    }
}

/// Verifies a certificate of destruction with the domain's public key, and a policy that names the log and
/// the witnesses to trust; without one, the policy that it was signed over.
///
/// # Errors
/// [`Broken::Fails`] names the first check that does not hold.
pub fn verify_certificate(
    folder: &Path,
    key_pem: &str,
    policy: Option<&str>,
) -> Result<Certified<Certificate>, Broken> {
    super::verify(folder, key_pem, policy)
}
