//! What a destruction leaves behind: a statement of what was destroyed, signed, with its proof of record.

use crate::broken::Check;
use crate::package::{ENTRY_FILE, POLICY_FILE, PROOF_FILE};
use crate::statement::{Predicate, Statement};
use crate::verify::{OnRecord, log_of, read, signed, text};
use crate::{Broken, ManifestKey, PublicKey, dsse};
use chrono::{DateTime, Utc};
use ledger::{Leaf, TlogProof};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use terms::{DatasetName, DestructionBasis, Digest, DomainName, Event, KeyName, KeystoreKind};
use terms::{PersonId, QueryId, ScenarioId};

/// The signed certificate's name in its folder.
pub const CERTIFICATE_FILE: &str = "certificate.dsse.json";

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

/// A signed certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedCertificate {
    bytes: Vec<u8>,
}

/// A certificate that holds.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Certified {
    /// What was checked, in order.
    pub checks: Vec<Check>,
    /// What the certificate says.
    pub certificate: Certificate,
    /// The name of the key that signed it.
    pub key: String,
    /// The name of the log that has it on record.
    pub log: String,
    /// The log's size at the checkpoint.
    pub log_size: u64,
    /// The witnesses of the policy that cosigned the checkpoint.
    pub witnesses: Vec<String>,
}

impl Predicate for Certificate {
    const TYPE: &'static str = "https://bonded.dev/destruction-certificate/v1";
}

// === impl Certificate ===

impl Certificate {
    /// Signs the certificate over what it names, and the policy that names the domain's log.
    ///
    /// # Errors
    /// [`Broken::Fails`] with [`Check::Signature`].
    pub fn seal(self, policy: &str, key: &ManifestKey) -> Result<SealedCertificate, Broken> {
        let objects: Vec<(String, Digest)> = self.subjects();
        let mut files: BTreeMap<&str, Digest> = objects
            .iter()
            .map(|(name, digest)| (name.as_str(), *digest))
            .collect();
        files.insert(POLICY_FILE, Digest::of(policy.as_bytes()));
        let statement = serde_json::to_vec(&Statement::new(&files, self))
            .map_err(|error| Broken::fails(Check::Signature, error.to_string()))?;
        let bytes = dsse::seal(&statement, key)?;
        Ok(SealedCertificate { bytes })
    }

    fn subjects(&self) -> Vec<(String, Digest)> {
        let objects = self.objects.iter();
        objects
            .map(|object| (object.name.clone(), object.sha256))
            .collect()
    }
}

// === impl SealedCertificate ===

impl SealedCertificate {
    /// A certificate that was signed before.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// The file's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The digest of the file, for the ledger.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// Every file of the certificate's folder: itself, the policy, the entry and its proof.
    ///
    /// # Errors
    /// [`Broken::Fails`] with [`Check::Record`] if the entry is of another certificate.
    pub fn recorded(
        &self,
        policy: &str,
        (leaf, proof): (&[u8], &TlogProof),
    ) -> Result<[(&'static str, Vec<u8>); 4], Broken> {
        compare_entry(leaf, self.digest())?;
        Ok([
            (CERTIFICATE_FILE, self.bytes.clone()),
            (POLICY_FILE, policy.as_bytes().to_vec()),
            (ENTRY_FILE, leaf.to_vec()),
            (PROOF_FILE, proof.to_string().into_bytes()),
        ])
    }
}

/// Whether a folder holds a certificate of destruction.
#[must_use]
pub fn is_certificate(folder: &Path) -> bool {
    folder.join(CERTIFICATE_FILE).is_file()
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
) -> Result<Certified, Broken> {
    let key: PublicKey = key_pem.parse()?;
    let given = policy.map(str::parse).transpose().map_err(Broken::Policy)?;
    compare_names(folder)?;
    let bytes = read(folder, CERTIFICATE_FILE)?;
    let (_, statement) = signed::<Certificate>(&bytes, &key)?;
    let packaged = text(folder, POLICY_FILE, Check::Log)?;
    compare_subjects(&statement, &packaged)?;
    let trust = log_of(&packaged, given, &statement.predicate.domain)?;
    let OnRecord {
        index,
        entry,
        witnessed,
    } = trust.on_record(folder)?;
    compare_entry(&entry, Digest::of(&bytes))?;
    if statement.predicate.key.destroyed >= index {
        let what = "it was certified before it was done";
        return Err(Broken::fails(Check::Record, what));
    }
    let checks = Check::ALL
        .into_iter()
        .filter(|check| *check != Check::Release);
    Ok(Certified {
        checks: checks.collect(),
        key: key.key_id(),
        log: witnessed.checkpoint.origin,
        log_size: witnessed.checkpoint.head.size,
        witnesses: witnessed.by.into_iter().map(|(name, _)| name).collect(),
        certificate: statement.predicate,
    })
}

/// What is signed over is what the certificate names, and the policy beside it.
fn compare_subjects(statement: &Statement<Certificate>, policy: &str) -> Result<(), Broken> {
    let mut named = statement.predicate.subjects();
    named.push((POLICY_FILE.to_owned(), Digest::of(policy.as_bytes())));
    let named: BTreeSet<(&str, Digest)> = named.iter().map(|(n, d)| (n.as_str(), *d)).collect();
    let signed: BTreeSet<(&str, Digest)> = statement.files().into_iter().collect();
    if named == signed {
        return Ok(());
    }
    let what = "the certificate was signed over other objects, or another policy";
    Err(Broken::fails(Check::Digests, what))
}

/// Checks that an entry puts this certificate on record.
fn compare_entry(leaf: &[u8], digest: Digest) -> Result<(), Broken> {
    let refused = |what: String| Broken::fails(Check::Record, what);
    let leaf = Leaf::decode(leaf).map_err(|breach| refused(breach.to_string()))?;
    if let Event::DestructionCertified { certificate, .. } = leaf.event
        && certificate == digest
    {
        return Ok(());
    }
    let what = "the entry on record is not of this certificate";
    Err(refused(what.to_owned()))
}

fn compare_names(folder: &Path) -> Result<(), Broken> {
    let expected = [CERTIFICATE_FILE, POLICY_FILE, ENTRY_FILE, PROOF_FILE];
    let unreachable = |source| Broken::Unreachable {
        file: folder.to_owned(),
        source,
    };
    let mut found = 0;
    for entry in std::fs::read_dir(folder).map_err(unreachable)? {
        let entry = entry.map_err(unreachable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_file = entry.file_type().map_err(unreachable)?.is_file();
        if !is_file || !expected.contains(&name.as_str()) {
            let what = format!("`{name}` is no file of a certificate");
            return Err(Broken::fails(Check::Files, what));
        }
        found += 1;
    }
    if found == expected.len() {
        Ok(())
    } else {
        Err(Broken::fails(Check::Files, "a file is missing"))
    }
}
