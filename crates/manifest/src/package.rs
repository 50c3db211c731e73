//! The files of a package. The manifest is signed first, put on record, and then handed over with the
//! proof of that record: a manifest that was signed and hidden is on no log.

use crate::broken::Check;
use crate::data_package::{self, File};
use crate::statement::Statement;
use crate::{Broken, Manifest, ManifestKey, dsse};
use chrono::SubsecRound as _;
use ledger::{NoteVerifier, TlogProof};
use lineage::{Caption, Drawn, Export, Input};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use terms::Digest;

/// The data's name in a package.
pub const DATA_FILE: &str = "data/part-0.parquet";
/// The signed manifest's name in a package.
pub const MANIFEST_FILE: &str = "manifest.dsse.json";
pub(crate) const DATA_PACKAGE_FILE: &str = "datapackage.json";
pub(crate) const LINEAGE_FILE: &str = "lineage.openlineage.json";
pub(crate) const PICTURE_FILE: &str = "lineage.svg";
pub(crate) const PLAN_FILE: &str = "plan.txt";
pub(crate) const POLICY_FILE: &str = "policy.tlog-policy";
pub(crate) const PROOF_FILE: &str = "ledger.tlog-proof";
pub(crate) const ENTRY_FILE: &str = "ledger.entry.json";
pub(crate) const SCRIPT_FILE: &str = "verify.sh";
pub(crate) const README_FILE: &str = "VERIFY.md";

/// The files that the signature covers.
pub(crate) const SIGNED_FILES: [&str; 8] = [
    README_FILE,
    DATA_FILE,
    DATA_PACKAGE_FILE,
    LINEAGE_FILE,
    PICTURE_FILE,
    PLAN_FILE,
    POLICY_FILE,
    SCRIPT_FILE,
];
/// The files that verify by themselves.
pub(crate) const OTHER_FILES: [&str; 3] = [ENTRY_FILE, PROOF_FILE, MANIFEST_FILE];

const SCRIPT: &str = include_str!("verify.sh");
const README: &str = include_str!("VERIFY.md");

/// What a package is made of, beside the manifest.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// SHA-256 of the data file's bytes.
    pub data: Digest,
    /// How many bytes it has.
    pub data_bytes: u64,
    /// The plan that ran, printed.
    pub plan: &'a str,
    /// The key of the log.
    pub log: &'a NoteVerifier,
    /// The domain's trust policy; it names the log.
    pub policy: &'a str,
}

/// A signed manifest with its files, not yet on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    files: BTreeMap<&'static str, Vec<u8>>,
    digest: Digest,
}

/// The entry that puts the handing over on record.
#[derive(Debug, Clone, Copy)]
pub struct Handed<'a> {
    /// The entry, as it was hashed.
    pub leaf: &'a [u8],
    /// The proof that the log holds it.
    pub proof: &'a TlogProof,
}

/// A whole package: every file but the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    files: BTreeMap<&'static str, Vec<u8>>,
}

// === impl Manifest ===

impl Manifest {
    /// Signs the manifest over its parts.
    ///
    /// # Errors
    /// [`Broken::Fails`] with [`Check::Release`] or [`Check::Inclusion`] if it does not agree with
    /// the entry on record, [`Check::Log`] if the policy does not name the log: what a recipient would
    /// find false is not signed.
    pub fn seal(mut self, parts: &Parts<'_>, key: &ManifestKey) -> Result<Sealed, Broken> {
        // The log keeps microseconds; a clock gives more.
        self.operation.opened = self.operation.opened.trunc_subsecs(6);
        self.operation.released = self.operation.released.trunc_subsecs(6);
        crate::verify::compare_release(&self, parts.log)?;
        crate::verify::log_of(parts.policy, None, &self.operation.domain)
            .and_then(|trust| trust.named(parts.log))?;
        let drawn = self.drawn();
        let data = File {
            digest: parts.data,
            bytes: parts.data_bytes,
        };
        let mut files = BTreeMap::from([
            (
                DATA_PACKAGE_FILE,
                pretty(&data_package::document(&self, &data)),
            ),
            (LINEAGE_FILE, pretty(&self.lineage(&drawn))),
            (PICTURE_FILE, self.picture(&drawn).into_bytes()),
            (PLAN_FILE, parts.plan.as_bytes().to_vec()),
            (POLICY_FILE, parts.policy.as_bytes().to_vec()),
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
        Ok(Sealed {
            files,
            digest: Digest::of(&statement),
        })
    }

    fn drawn(&self) -> Drawn {
        let inputs = self.sources.iter().map(|source| Input {
            dataset: source.dataset.clone(),
            snapshot: source.snapshot,
            k: source.k,
        });
        Drawn {
            inputs: inputs.collect(),
            columns: self.content.columns.clone(),
            influences: self.content.influences.clone(),
        }
    }

    fn lineage(&self, drawn: &Drawn) -> serde_json::Value {
        let export = Export {
            query: &self.operation.query,
            scenario: self.grant.scenario.as_str(),
            released: self.operation.released,
            size: (self.content.rows, self.content.bytes),
        };
        lineage::document(&self.operation.domain, &export, drawn)
    }

    fn picture(&self, drawn: &Drawn) -> String {
        let (operation, grant) = (&self.operation, &self.grant);
        let subtitle = format!(
            "{} · {} · {} · {}",
            operation.domain,
            grant.licence,
            grant.scenario,
            operation.released.format("%Y-%m-%d %H:%M:%S UTC")
        );
        let caption = Caption {
            title: &format!("export/{}", operation.query),
            subtitle: &subtitle,
        };
        lineage::picture(drawn, caption)
    }
}

fn pretty(document: &serde_json::Value) -> Vec<u8> {
    format!("{document:#}\n").into_bytes()
}

// === impl Sealed ===

impl Sealed {
    /// The digest of the signed statement, for the ledger.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Adds the record of the handing over; the package is whole then.
    ///
    /// # Errors
    /// [`Broken::Fails`] with [`Check::Record`] if the entry is of another manifest.
    pub fn recorded(mut self, handed: Handed<'_>) -> Result<Package, Broken> {
        crate::verify::compare_entry(handed.leaf, self.digest, None)?;
        self.files.insert(ENTRY_FILE, handed.leaf.to_vec());
        let proof = handed.proof.to_string().into_bytes();
        self.files.insert(PROOF_FILE, proof);
        Ok(Package { files: self.files })
    }
}

// === impl Package ===

impl Package {
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
        if let Some(data) = Path::new(DATA_FILE).parent() {
            let data = folder.join(data);
            std::fs::create_dir(&data).map_err(|source| unreachable(&data, source))?;
        }
        for (name, bytes) in &self.files {
            let file = folder.join(name);
            std::fs::File::create_new(&file)
                .and_then(|mut handle| handle.write_all(bytes))
                .map_err(|source| unreachable(&file, source))?;
        }
        Ok(())
    }
}
