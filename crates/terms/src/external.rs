use crate::{Aspect, Dataset, Digest, ExternalId, ScenarioId, Type};
use chrono::NaiveDate;

/// Data that an operator wants to bring in (社会数据), and how it lies in quarantine. It is bound to one
/// scenario. Source: AO-16(3).
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct External {
    /// Which.
    pub id: ExternalId,
    /// For which scenario: its identifiers are stored as that scenario's tokens.
    pub scenario: ScenarioId,
    /// The catalogue entry it has, or will have.
    pub dataset: Dataset,
    /// The digest of the agreement by which the operator has the data.
    pub agreement: Digest,
    /// Rows.
    pub rows: u64,
    /// SHA-256 of the file in quarantine, as ciphertext.
    pub digest: Digest,
    /// The types of its items as they are stored.
    pub types: Vec<Option<Type>>,
    /// The digest of the gate's report, which holds the declarations and what was found. The report is
    /// salted, so that nobody who knows the data finds out what was found.
    pub report: Digest,
    /// The last day in quarantine, inclusive.
    pub until: NaiveDate,
}

/// In which respect data is judged at the gate, each by an authority of its own. Source: AO-16(3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scrutiny {
    /// 合法性: where it is from, and what for. The data authority's.
    Lawfulness,
    /// 安全性: what the scan found. The security authority's.
    Security,
}

// === impl Scrutiny ===

impl Scrutiny {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Lawfulness, Self::Security];

    /// The aspect under which it goes on record.
    #[must_use]
    pub const fn aspect(self) -> Aspect {
        match self {
            Self::Lawfulness => Aspect::Compliance,
            Self::Security => Aspect::Security,
        }
    }
}
