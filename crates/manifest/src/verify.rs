//! Everything checked, offline: with the package, the domain's public key, and nothing of ours.

use crate::broken::Check;
use crate::package::{
    ENTRY_FILE, MANIFEST_FILE, OTHER_FILES, POLICY_FILE, PROOF_FILE, SIGNED_FILES,
};
use crate::statement::{Predicate, Statement};
use crate::{Broken, Manifest, PublicKey, dsse};
use ledger::{Breach, Leaf, NoteVerifier, TlogProof};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use terms::{Digest, DomainName, Event, QueryId};
use witness::{Policy, Unwitnessed, Witnessed};

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
    /// The witnesses of the policy that cosigned the checkpoint.
    pub witnesses: Vec<String>,
}

/// Whom a verification believes: the log's key, and how many witnesses beside it.
#[derive(Debug)]
pub(crate) struct Trust {
    log: NoteVerifier,
    policy: Policy,
}

/// Verifies a package with the domain's public key, and a policy that names the log and the witnesses
/// to trust.
///
/// Without a policy it is the one the manifest was signed over.
///
/// # Errors
/// [`Broken::Fails`] names the first check that does not hold.
pub fn verify_package(
    folder: &Path,
    key_pem: &str,
    policy: Option<&str>,
) -> Result<Verified, Broken> {
    let key: PublicKey = key_pem.parse()?;
    let given = policy.map(str::parse).transpose().map_err(Broken::Policy)?;
    compare_names(folder)?;
    let (payload, statement) = signed::<Manifest>(&read(folder, MANIFEST_FILE)?, &key)?;
    compare_digests(folder, &statement)?;
    let manifest = &statement.predicate;
    let domain = &manifest.operation.domain;
    let trust = log_of(&text(folder, POLICY_FILE, Check::Log)?, given, domain)?;
    let OnRecord {
        index,
        entry,
        witnessed,
    } = trust.on_record(folder)?;
    let query = Some(&manifest.operation.query);
    compare_entry(&entry, Digest::of(&payload), query)?;
    if index <= manifest.ledger.index {
        let what = "the handing over stands before the release";
        return Err(Broken::fails(Check::Record, what));
    }
    compare_release(manifest, &trust.log)?;
    Ok(Verified {
        checks: Check::ALL.to_vec(),
        key: key.key_id(),
        log: witnessed.checkpoint.origin,
        log_size: witnessed.checkpoint.head.size,
        witnesses: witnessed.by.into_iter().map(|(name, _)| name).collect(),
        manifest: statement.predicate,
    })
}

/// An entry that the log holds, and the checkpoint that says so.
#[derive(Debug)]
pub(crate) struct OnRecord {
    pub(crate) index: u64,
    pub(crate) entry: Vec<u8>,
    pub(crate) witnessed: Witnessed,
}

/// A signed statement of this kind, and the bytes that were signed.
pub(crate) fn signed<P: Predicate + serde::de::DeserializeOwned>(
    envelope: &[u8],
    key: &PublicKey,
) -> Result<(Vec<u8>, Statement<P>), Broken> {
    let payload = dsse::open(envelope, key)?;
    let statement: Statement<P> = serde_json::from_slice(&payload)
        .map_err(|error| Broken::fails(Check::Signature, format!("the statement: {error}")))?;
    if statement.is_ours() {
        Ok((payload, statement))
    } else {
        let what = "the statement is of another kind";
        Err(Broken::fails(Check::Signature, what))
    }
}

/// The domain's log as the package's policy names it, and the policy that judges it: the one given, or
/// the package's own.
pub(crate) fn log_of(
    packaged: &str,
    given: Option<Policy>,
    domain: &DomainName,
) -> Result<Trust, Broken> {
    let refused = |what: &str| Broken::fails(Check::Log, what);
    let packaged: Policy = packaged
        .parse()
        .map_err(|why: Unwitnessed| refused(&why.to_string()))?;
    let origin = format!("bonded/{domain}");
    let mut logs = packaged.logs().iter().filter(|log| log.name() == origin);
    let (Some(log), None) = (logs.next(), logs.next()) else {
        return Err(refused(
            "the package's policy does not name the domain's log once",
        ));
    };
    let (log, policy) = (log.clone(), given.unwrap_or(packaged));
    if !policy.trusts(&log) {
        return Err(refused("the policy does not name the package's log"));
    }
    Ok(Trust { log, policy })
}

// === impl Trust ===

impl Trust {
    /// The entry in a folder, as its proof and its checkpoint hold it.
    pub(crate) fn on_record(&self, folder: &Path) -> Result<OnRecord, Broken> {
        let proof: TlogProof = text(folder, PROOF_FILE, Check::Inclusion)?
            .parse()
            .map_err(|breach: Breach| Broken::fails(Check::Inclusion, breach.to_string()))?;
        let witnessed = self.accept(&proof.checkpoint)?;
        let entry = read(folder, ENTRY_FILE)?;
        proof
            .verify(&entry, &self.log)
            .map_err(|breach| Broken::fails(Check::Inclusion, breach.to_string()))?;
        Ok(OnRecord {
            index: proof.index,
            entry,
            witnessed,
        })
    }

    /// The log's key.
    pub(crate) const fn log(&self) -> &NoteVerifier {
        &self.log
    }

    /// Whether this is the log that is named.
    pub(crate) fn named(&self, log: &NoteVerifier) -> Result<(), Broken> {
        if &self.log == log {
            Ok(())
        } else {
            Err(Broken::fails(Check::Log, "the policy names another log"))
        }
    }

    /// Judges a checkpoint by the policy.
    pub(crate) fn accept(&self, checkpoint: &str) -> Result<Witnessed, Broken> {
        let refused = |check, why: &dyn std::fmt::Display| Broken::fails(check, why.to_string());
        match self.policy.accept(checkpoint, &self.log) {
            Ok(witnessed) => Ok(witnessed),
            Err(why @ Unwitnessed::Ledger(_)) => Err(refused(Check::Checkpoint, &why)),
            Err(why) => Err(refused(Check::Witnesses, &why)),
        }
    }
}

/// Checks that an entry puts the handing over of this manifest on record.
pub(crate) fn compare_entry(
    leaf: &[u8],
    manifest: Digest,
    query: Option<&QueryId>,
) -> Result<(), Broken> {
    let refused = |what: String| Broken::fails(Check::Record, what);
    let leaf = Leaf::decode(leaf).map_err(|breach| refused(breach.to_string()))?;
    if let Event::Exported {
        query: of,
        manifest: recorded,
        ..
    } = &leaf.event
        && *recorded == manifest
        && query.is_none_or(|query| query == of)
    {
        return Ok(());
    }
    Err(refused(
        "the entry on record is not the handing over of this manifest".to_owned(),
    ))
}

/// Checks that the release a manifest tells of is the one the log has on record.
pub(crate) fn compare_release(manifest: &Manifest, log: &NoteVerifier) -> Result<(), Broken> {
    let record = &manifest.ledger;
    let proof: TlogProof = record
        .proof
        .parse()
        .map_err(|breach: Breach| Broken::fails(Check::Inclusion, breach.to_string()))?;
    if proof.index != record.index {
        return Err(Broken::fails(
            Check::Inclusion,
            "the proof is of another entry",
        ));
    }
    let leaf = record.leaf.as_bytes();
    proof
        .verify(leaf, log)
        .map_err(|breach| Broken::fails(Check::Inclusion, breach.to_string()))?;
    let leaf =
        Leaf::decode(leaf).map_err(|breach| Broken::fails(Check::Release, breach.to_string()))?;
    let content = &manifest.content;
    // What the operation used is no part of what the manifest tells.
    let used = if let Event::OperationReleased { used, .. } = &leaf.event {
        *used
    } else {
        None
    };
    let told = Event::OperationReleased {
        query: manifest.operation.query.clone(),
        rows: content.rows,
        bytes: content.bytes,
        result: content.result,
        notice: content.notice,
        register: record.register.clone(),
        used,
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
    Ok(())
}

/// The folder holds regular files with the names of a package, all of them and no others.
fn compare_names(folder: &Path) -> Result<(), Broken> {
    let expected: BTreeSet<&str> = SIGNED_FILES.into_iter().chain(OTHER_FILES).collect();
    let mut found = BTreeSet::new();
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        let unreachable = |source| Broken::Unreachable {
            file: folder.clone(),
            source,
        };
        for entry in std::fs::read_dir(&folder).map_err(unreachable)? {
            let entry = entry.map_err(unreachable)?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type().map_err(unreachable)?;
            let inner = format!("{name}/");
            if kind.is_dir() && expected.iter().any(|file| file.starts_with(&inner)) {
                folders.push((entry.path(), inner));
            } else if kind.is_file() && expected.contains(name.as_str()) {
                found.insert(name);
            } else {
                let what = format!("`{name}` is no file of a package");
                return Err(Broken::fails(Check::Files, what));
            }
        }
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

pub(crate) fn read(folder: &Path, name: &str) -> Result<Vec<u8>, Broken> {
    let file: PathBuf = folder.join(name);
    let mut bytes = Vec::new();
    File::open(&file)
        .and_then(|handle| handle.take(FILE_BYTES_MAX).read_to_end(&mut bytes))
        .map_err(|source| Broken::Unreachable { file, source })?;
    Ok(bytes)
}

pub(crate) fn text(folder: &Path, name: &str, check: Check) -> Result<String, Broken> {
    String::from_utf8(read(folder, name)?)
        .map_err(|_| Broken::fails(check, format!("`{name}` is no UTF-8 text")))
}

#[cfg(test)]
mod tests;
