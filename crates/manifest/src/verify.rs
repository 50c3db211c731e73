//! Everything checked, offline: with the package, the domain's public key, and nothing of ours.

use crate::broken::Check;
use crate::package::{
    CHECKPOINT_FILE, LOG_KEY_FILE, MANIFEST_FILE, OTHER_FILES, PROOF_FILE, SIGNED_FILES,
};
use crate::statement::Statement;
use crate::{Broken, Manifest, PublicKey, dsse, policy};
use ledger::{Breach, Checkpoint, Leaf, NoteVerifier, TlogProof};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use terms::{Digest, Event};

/// The longest file read whole; the data is hashed in pieces.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// A package that holds.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Verified {
    /// What was checked, in order.
    pub checks: Vec<Check>,
    /// What the manifest says.
    pub manifest: Manifest,
    /// The name of the key that signed it.
    pub key: String,
    /// The name of the log that has it on record.
    pub log: String,
    /// The log's size at the checkpoint.
    pub log_size: u64,
}

/// Verifies a package with the domain's public key, and a policy that names the logs to trust.
///
/// Without a policy the log's key is the one the manifest was signed with.
///
/// # Errors
/// [`Broken::Fails`] names the first check that does not hold.
pub fn verify_package(
    folder: &Path,
    key_pem: &str,
    policy: Option<&str>,
) -> Result<Verified, Broken> {
    let key: PublicKey = key_pem.parse()?;
    let trusted = policy.map(policy::trusted_logs).transpose()?;
    compare_names(folder)?;
    let payload = dsse::open(&read(folder, MANIFEST_FILE)?, &key)?;
    let statement: Statement = serde_json::from_slice(&payload)
        .map_err(|error| Broken::fails(Check::Signature, format!("the statement: {error}")))?;
    if !statement.is_ours() {
        return Err(Broken::fails(
            Check::Signature,
            "the statement is of another kind",
        ));
    }
    compare_digests(folder, &statement)?;
    let proof: TlogProof = text(folder, PROOF_FILE, Check::Inclusion)?
        .parse()
        .map_err(|breach: Breach| Broken::fails(Check::Inclusion, breach.to_string()))?;
    if text(folder, CHECKPOINT_FILE, Check::Checkpoint)? != proof.checkpoint {
        let what = "the checkpoint is not the one of the proof";
        return Err(Broken::fails(Check::Checkpoint, what));
    }
    let log: NoteVerifier = text(folder, LOG_KEY_FILE, Check::Log)?
        .parse()
        .map_err(|breach: Breach| Broken::fails(Check::Log, breach.to_string()))?;
    if trusted.is_some_and(|trusted| !trusted.contains(&log)) {
        return Err(Broken::fails(
            Check::Log,
            "the policy does not name the package's log",
        ));
    }
    let checkpoint = compare_with_record(&statement.predicate, &proof, &log)?;
    Ok(Verified {
        checks: Check::ALL.to_vec(),
        manifest: statement.predicate,
        key: key.key_id(),
        log: checkpoint.origin,
        log_size: checkpoint.head.size,
    })
}

/// Checks that the release a manifest tells of is the one the log has on record.
pub(crate) fn compare_with_record(
    manifest: &Manifest,
    proof: &TlogProof,
    log: &NoteVerifier,
) -> Result<Checkpoint, Broken> {
    if log.name() != format!("bonded/{}", manifest.operation.domain) {
        return Err(Broken::fails(Check::Log, "the log is another domain's"));
    }
    Checkpoint::open(&proof.checkpoint, log)
        .map_err(|breach| Broken::fails(Check::Checkpoint, breach.to_string()))?;
    if proof.index != manifest.ledger.index {
        return Err(Broken::fails(
            Check::Inclusion,
            "the proof is of another entry",
        ));
    }
    let leaf = manifest.ledger.leaf.as_bytes();
    let checkpoint = proof
        .verify(leaf, log)
        .map_err(|breach| Broken::fails(Check::Inclusion, breach.to_string()))?;
    let leaf =
        Leaf::decode(leaf).map_err(|breach| Broken::fails(Check::Release, breach.to_string()))?;
    let content = &manifest.content;
    let told = Event::OperationReleased {
        query: manifest.operation.query.clone(),
        rows: content.rows,
        bytes: content.bytes,
        result: content.result,
        notice: content.notice,
        register: manifest.ledger.register.clone(),
    };
    if leaf.event != told {
        let what = "the entry on record is not the release that the manifest tells of";
        return Err(Broken::fails(Check::Release, what));
    }
    if leaf.at != manifest.operation.released {
        return Err(Broken::fails(
            Check::Release,
            "the entry on record has another time",
        ));
    }
    Ok(checkpoint)
}

/// The folder holds regular files with the names of a package, all of them and no others.
fn compare_names(folder: &Path) -> Result<(), Broken> {
    let unreachable = |source| Broken::Unreachable {
        file: folder.to_owned(),
        source,
    };
    let expected: BTreeSet<&str> = SIGNED_FILES.into_iter().chain(OTHER_FILES).collect();
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).map_err(unreachable)? {
        let entry = entry.map_err(unreachable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let regular = entry.file_type().map_err(unreachable)?.is_file();
        if !regular || !expected.contains(name.as_str()) {
            return Err(Broken::fails(
                Check::Files,
                format!("`{name}` is no file of a package"),
            ));
        }
        found.insert(name);
    }
    match expected.iter().find(|name| !found.contains(**name)) {
        Some(missing) => Err(Broken::fails(
            Check::Files,
            format!("`{missing}` is missing"),
        )),
        None => Ok(()),
    }
}

/// The statement names the files the signature must cover, and each is what it was.
fn compare_digests(folder: &Path, statement: &Statement) -> Result<(), Broken> {
    let files = statement.files();
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    if names != SIGNED_FILES {
        let what = "the manifest names other files than those of a package";
        return Err(Broken::fails(Check::Digests, what));
    }
    for (name, digest) in files {
        if digest_of(&folder.join(name))? != digest {
            let what = format!("`{name}` is not the file that was signed");
            return Err(Broken::fails(Check::Digests, what));
        }
    }
    Ok(())
}

fn digest_of(file: &Path) -> Result<Digest, Broken> {
    let unreachable = |source| Broken::Unreachable {
        file: file.to_owned(),
        source,
    };
    let mut handle = File::open(file).map_err(unreachable)?;
    let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
    let mut piece = vec![0; 1 << 16];
    loop {
        let length = handle.read(&mut piece).map_err(unreachable)?;
        match piece.get(..length) {
            None | Some([]) => return Ok(Digest::finished(hash)),
            Some(bytes) => hash.update(bytes),
        }
    }
}

fn read(folder: &Path, name: &str) -> Result<Vec<u8>, Broken> {
    let file: PathBuf = folder.join(name);
    let mut bytes = Vec::new();
    File::open(&file)
        .and_then(|handle| handle.take(FILE_BYTES_MAX).read_to_end(&mut bytes))
        .map_err(|source| Broken::Unreachable { file, source })?;
    Ok(bytes)
}

fn text(folder: &Path, name: &str, check: Check) -> Result<String, Broken> {
    String::from_utf8(read(folder, name)?)
        .map_err(|_| Broken::fails(check, format!("`{name}` is no UTF-8 text")))
}

#[cfg(test)]
mod tests;
