//! What a domain certifies of itself: a statement that is signed, with the proof that its log has it on
//! record, in a folder that verifies without us.

mod destruction; // what a destruction leaves behind
mod registration; // 产品登记证书

pub use self::{
    destruction::{
        Certificate, Derived, DestroyedKey, Disposition, Method, Object, Taken, verify_certificate,
    },
    registration::{Approved, Registration, Reviewed, verify_registration},
};

use crate::broken::Check;
use crate::package::{ENTRY_FILE, POLICY_FILE, PROOF_FILE};
use crate::statement::{Predicate, Statement};
use crate::verify::{OnRecord, log_of, read, signed, text};
use crate::{Broken, ManifestKey, PublicKey, dsse};
use ledger::{Leaf, NoteVerifier, TlogProof};
use std::{
    collections::{BTreeMap, BTreeSet},
    marker::PhantomData,
    path::Path,
};
use terms::{Digest, DomainName, Event};

/// What can be certified.
pub trait Certifies: serde::Serialize + serde::de::DeserializeOwned {
    /// The type of the statement.
    const TYPE: &'static str;
    /// The signed certificate's name in its folder: one for each type, so that a folder says what it holds.
    const FILE: &'static str;

    /// In which domain.
    fn domain(&self) -> &DomainName;

    /// What is signed over beside the policy, by name and digest.
    fn objects(&self) -> Vec<(String, Digest)>;

    /// The certificate that an event puts on record, where it puts one of this type.
    fn on_record(event: &Event) -> Option<Digest>;

    /// Whether the log holds what is certified.
    ///
    /// # Errors
    /// [`Broken::Fails`].
    fn holds(&self, event: &Event, index: u64, log: &NoteVerifier) -> Result<(), Broken>;
}

impl<C: Certifies> Predicate for C {
    const TYPE: &'static str = <C as Certifies>::TYPE;
}

/// A signed certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedCertificate<C> {
    bytes: Vec<u8>,
    of: PhantomData<C>,
}

/// A certificate that holds.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Certified<C> {
    /// What was checked, in order.
    pub checks: Vec<Check>,
    /// What the certificate says.
    pub certificate: C,
    /// The name of the key that signed it.
    pub key: String,
    /// The name of the log that has it on record.
    pub log: String,
    /// The log's size at the checkpoint.
    pub log_size: u64,
    /// The witnesses of the policy that cosigned the checkpoint.
    pub witnesses: Vec<String>,
}

/// Whether a folder holds a certificate of this type.
#[must_use]
pub fn holds<C: Certifies>(folder: &Path) -> bool {
    folder.join(C::FILE).is_file()
}

// === impl SealedCertificate ===

impl<C: Certifies> SealedCertificate<C> {
    /// Signs a certificate over what it names, and the policy that names the domain's log.
    ///
    /// # Errors
    /// [`Broken::Fails`] with [`Check::Signature`].
    pub fn seal(certificate: C, policy: &str, key: &ManifestKey) -> Result<Self, Broken> {
        let objects = certificate.objects();
        let mut files: BTreeMap<&str, Digest> = objects
            .iter()
            .map(|(name, digest)| (name.as_str(), *digest))
            .collect();
        files.insert(POLICY_FILE, Digest::of(policy.as_bytes()));
        let statement = serde_json::to_vec(&Statement::new(&files, certificate))
            .map_err(|error| Broken::fails(Check::Signature, error.to_string()))?;
        Ok(Self::from_bytes(dsse::seal(&statement, key)?))
    }

    /// A certificate that was signed before.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        let of = PhantomData;
        Self { bytes, of }
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

    /// What lies beside the certificate in its folder: the policy, the entry and its proof. The certificate
    /// itself is on record as it lies there, and is not written again: half of it would be another one.
    ///
    /// # Errors
    /// [`Broken::Fails`] with [`Check::Record`] if the entry is of another certificate.
    pub fn recorded(
        &self,
        policy: &str,
        (leaf, proof): (&[u8], &TlogProof),
    ) -> Result<[(&'static str, Vec<u8>); 3], Broken> {
        compare_entry::<C>(leaf, self.digest())?;
        Ok([
            (POLICY_FILE, policy.as_bytes().to_vec()),
            (ENTRY_FILE, leaf.to_vec()),
            (PROOF_FILE, proof.to_string().into_bytes()),
        ])
    }
}

/// Verifies a certificate with the domain's public key, and a policy that names the log and the witnesses
/// to trust; without one, the policy that it was signed over.
fn verify<C: Certifies>(
    folder: &Path,
    key_pem: &str,
    policy: Option<&str>,
) -> Result<Certified<C>, Broken> {
    let key: PublicKey = key_pem.parse()?;
    let given = policy.map(str::parse).transpose().map_err(Broken::Policy)?;
    compare_names(folder, C::FILE)?;
    let bytes = read(folder, C::FILE)?;
    let (_, statement) = signed::<C>(&bytes, &key)?;
    let packaged = text(folder, POLICY_FILE, Check::Log)?;
    compare_subjects(&statement, &packaged)?;
    let trust = log_of(&packaged, given, statement.predicate.domain())?;
    let OnRecord {
        index,
        entry,
        witnessed,
    } = trust.on_record(folder)?;
    let event = compare_entry::<C>(&entry, Digest::of(&bytes))?;
    statement.predicate.holds(&event, index, trust.log())?;
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
fn compare_subjects<C: Certifies>(statement: &Statement<C>, policy: &str) -> Result<(), Broken> {
    let mut named = statement.predicate.objects();
    named.push((POLICY_FILE.to_owned(), Digest::of(policy.as_bytes())));
    let named: BTreeSet<(&str, Digest)> = named.iter().map(|(n, d)| (n.as_str(), *d)).collect();
    let signed: BTreeSet<(&str, Digest)> = statement.files().into_iter().collect();
    if named == signed {
        return Ok(());
    }
    let what = "the certificate was signed over other objects, or another policy";
    Err(Broken::fails(Check::Digests, what))
}

/// The event of an entry that puts this certificate on record.
fn compare_entry<C: Certifies>(leaf: &[u8], digest: Digest) -> Result<Event, Broken> {
    let refused = |what: String| Broken::fails(Check::Record, what);
    let leaf = Leaf::decode(leaf).map_err(|breach| refused(breach.to_string()))?;
    if C::on_record(&leaf.event) == Some(digest) {
        return Ok(leaf.event);
    }
    let what = "the entry on record is not of this certificate";
    Err(refused(what.to_owned()))
}

fn compare_names(folder: &Path, certificate: &str) -> Result<(), Broken> {
    let expected = [certificate, POLICY_FILE, ENTRY_FILE, PROOF_FILE];
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
