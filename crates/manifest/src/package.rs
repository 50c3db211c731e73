use crate::broken::Check;
use crate::statement::Statement;
use crate::{Broken, Manifest, ManifestKey, dsse, lineage};
use chrono::SubsecRound as _;
use ledger::{NoteVerifier, TlogProof};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use terms::Digest;

/// The data's name in a package.
pub const DATA_FILE: &str = "data.parquet";
/// The signed manifest's name in a package.
pub const MANIFEST_FILE: &str = "manifest.dsse.json";
pub(crate) const LINEAGE_FILE: &str = "lineage.json";
pub(crate) const PLAN_FILE: &str = "plan.txt";
pub(crate) const PROOF_FILE: &str = "proof.tlog-proof";
pub(crate) const CHECKPOINT_FILE: &str = "checkpoint";
pub(crate) const LOG_KEY_FILE: &str = "ledger.vkey";
pub(crate) const KEY_FILE: &str = "manifest.pub.pem";
pub(crate) const SCRIPT_FILE: &str = "verify.sh";
pub(crate) const README_FILE: &str = "README.txt";

/// The files that the signature covers.
pub(crate) const SIGNED_FILES: [&str; 7] = [
    README_FILE,
    DATA_FILE,
    LOG_KEY_FILE,
    LINEAGE_FILE,
    KEY_FILE,
    PLAN_FILE,
    SCRIPT_FILE,
];
/// The files that verify by themselves.
pub(crate) const OTHER_FILES: [&str; 3] = [CHECKPOINT_FILE, MANIFEST_FILE, PROOF_FILE];

const SCRIPT: &str = include_str!("verify.sh");
const README: &str = include_str!("README.txt");

/// What a package is made of, beside the manifest.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// SHA-256 of the data file's bytes.
    pub data: Digest,
    /// The plan that ran, printed.
    pub plan: &'a str,
    /// The proof that the release is on record.
    pub proof: &'a TlogProof,
    /// The key of the log.
    pub log: &'a NoteVerifier,
}

/// A sealed package: every file but the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    files: BTreeMap<&'static str, Vec<u8>>,
    digest: Digest,
}

impl Manifest {
    /// Signs the manifest over its parts.
    ///
    /// # Errors
    /// [`Broken::Fails`] with [`Check::Release`] or [`Check::Inclusion`] if it does not agree with
    /// the entry on record: what a recipient would find false is not signed.
    pub fn seal(mut self, parts: &Parts<'_>, key: &ManifestKey) -> Result<Package, Broken> {
        // The log keeps microseconds; a clock gives more.
        self.operation.released = self.operation.released.trunc_subsecs(6);
        crate::verify::compare_with_record(&self, parts.proof, parts.log)?;
        let mut lineage = lineage::document(&self).to_string().into_bytes();
        lineage.push(b'\n');
        let mut files = BTreeMap::from([
            (LINEAGE_FILE, lineage),
            (PLAN_FILE, parts.plan.as_bytes().to_vec()),
            (LOG_KEY_FILE, format!("{}\n", parts.log).into_bytes()),
            (KEY_FILE, key.public().pem().into_bytes()),
            (SCRIPT_FILE, SCRIPT.as_bytes().to_vec()),
            (README_FILE, README.as_bytes().to_vec()),
        ]);
        let mut digests: BTreeMap<&str, Digest> = files
            .iter()
            .map(|(name, bytes)| (*name, Digest::of(bytes)))
            .collect();
        digests.insert(DATA_FILE, parts.data);
        let statement = serde_json::to_vec(&Statement::new(&digests, self))
            .map_err(|error| Broken::fails(Check::Signature, error.to_string()))?;
        files.insert(MANIFEST_FILE, dsse::seal(&statement, key)?);
        files.insert(PROOF_FILE, parts.proof.to_string().into_bytes());
        files.insert(CHECKPOINT_FILE, parts.proof.checkpoint.clone().into_bytes());
        Ok(Package {
            files,
            digest: Digest::of(&statement),
        })
    }
}

impl Package {
    /// The digest of the signed statement, for the ledger.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Every file but the data, by name.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        self.files
            .iter()
            .map(|(name, bytes)| (*name, bytes.as_slice()))
    }

    /// Writes the package into a folder that must not exist yet. The data is written by the caller.
    ///
    /// # Errors
    /// [`Broken::Unreachable`].
    pub fn write(&self, folder: &Path) -> Result<(), Broken> {
        let unreachable = |file: &Path, source| Broken::Unreachable {
            file: file.to_owned(),
            source,
        };
        std::fs::create_dir(folder).map_err(|source| unreachable(folder, source))?;
        for (name, bytes) in &self.files {
            let file = folder.join(name);
            std::fs::File::create_new(&file)
                .and_then(|mut handle| handle.write_all(bytes))
                .map_err(|source| unreachable(&file, source))?;
        }
        Ok(())
    }
}
