use super::{
    Barred,
    findings::{Findings, bucket},
    lists::unkept,
};
use crate::{Domain, durable::replace};
use std::path::PathBuf;
use terms::{Digest, External, ExternalId, IdentifierDomain, ItemName};
use vault::Quarantined;

/// What the reviewers read: what the operator declares, and what the gate found. No value stands in it.
///
/// Whom the protected data knows is not in it: that is measured when safety is judged.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Report {
    /// Random, so that the digest on record tells nothing to somebody who guesses the rest.
    salt: Digest,
    external: ExternalId,
    declared: Declared,
    rows: u64,
    k: u32,
    lists: Vec<Listed>,
    pub findings: Findings,
}

/// What the operator declares, and the file it sent.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Declared {
    pub purpose: String,
    /// By which right it has the data, and from where.
    pub source: String,
    pub agreement: Digest,
    pub file: String,
    /// Of the bytes that were sent.
    pub sha256: Digest,
    pub bytes: u64,
}

/// A column of identifiers.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Listed {
    item: ItemName,
    domain: IdentifierDomain,
    /// Distinct identifiers, roughly.
    distinct: String,
}

/// What it is sealed for, with the id.
const CONTEXT: &str = "external-report";

// === impl Report ===

impl Report {
    pub(super) fn new(
        id: &ExternalId,
        (declared, quarantined, findings): (Declared, &Quarantined, Findings),
        k: u32,
    ) -> Result<Self, Barred> {
        let salt = vault::Key::random().map_err(|why| unkept(&why))?.check();
        let lists = quarantined.lists.iter().map(|list| Listed {
            item: list.item.clone(),
            domain: list.domain.clone(),
            distinct: bucket(u64::try_from(list.tokens.len()).unwrap_or(u64::MAX)).to_owned(),
        });
        Ok(Self {
            salt,
            external: id.clone(),
            declared,
            rows: quarantined.rows,
            k,
            lists: lists.collect(),
            findings,
        })
    }

    /// Keeps it sealed, and gives its digest.
    pub(super) fn keep(&self, domain: &Domain, id: &ExternalId) -> Result<Digest, Barred> {
        let bytes = serde_json::to_vec(self).map_err(|why| unkept(&why))?;
        let sealed = domain.keyring.seal(&context(id), &bytes);
        let sealed = sealed.map_err(|why| unkept(&why))?;
        replace(&place(domain, id), &sealed).map_err(|why| unkept(&why))?;
        Ok(Digest::of(&bytes))
    }

    /// The report that was put on record, and no other.
    pub(super) fn kept(domain: &Domain, external: &External) -> Result<Self, Barred> {
        let sealed = std::fs::read(place(domain, &external.id)).map_err(|why| unkept(&why))?;
        let bytes = domain.keyring.unseal(&context(&external.id), &sealed);
        let bytes = bytes.map_err(|why| unkept(&why))?;
        if Digest::of(&bytes) != external.report {
            return Err(unkept(&"it is not the report that is on record"));
        }
        serde_json::from_slice(&bytes).map_err(|why| unkept(&why))
    }

    /// As JSON.
    pub(super) fn told(&self) -> String {
        serde_json::json!(self).to_string()
    }
}

pub(super) fn place(domain: &Domain, id: &ExternalId) -> PathBuf {
    domain.store.quarantine_dir().join(format!("{id}.report"))
}

fn context(id: &ExternalId) -> String {
    format!("{CONTEXT}/{id}")
}
