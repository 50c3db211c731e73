use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use terms::{
    DatasetName, Digest, DomainName, Grade, ItemName, LeftOut, LicenceId, Mask, Notice, OperatorId,
    Origin, PersonId, QueryId, ScenarioId, Type,
};

/// What a manifest says of an export: the predicate of its statement.
///
/// It holds nothing that the one who exported may not know: no row policy, no count of groups
/// withheld.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Which operation, where and when.
    pub operation: Operation,
    /// By whom and on what ground.
    pub grant: Grant,
    /// What was decided.
    pub decision: Decision,
    /// What was read.
    pub sources: Vec<Source>,
    /// What left.
    pub content: Content,
    /// Where it is on record.
    pub ledger: Record,
}

/// Which operation, where and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// Which.
    pub query: QueryId,
    /// In which domain.
    pub domain: DomainName,
    /// Whether the domain was made from a seed.
    pub pilot: bool,
    /// When it was asked for.
    pub opened: DateTime<Utc>,
    /// When the result was released; the time of the entry on record.
    pub released: DateTime<Utc>,
}

/// By whom and on what ground.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The person who asked.
    pub person: PersonId,
    /// For which operator.
    pub operator: OperatorId,
    /// Under which licence.
    pub licence: LicenceId,
    /// For which scenario.
    pub scenario: ScenarioId,
    /// The scenario's stated purpose.
    pub purpose: String,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The digest of the plan that ran.
    pub plan: Digest,
    /// The digest of the policies that decided.
    pub policies: Digest,
    /// How many events the register had folded.
    pub register_version: u64,
}

/// A dataset that was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Which.
    pub dataset: DatasetName,
    /// Which state of it.
    pub snapshot: u32,
    /// The smallest cell in distinct subjects, where the dataset is about people.
    pub k: Option<u32>,
    /// The items that were read.
    pub items: Vec<SourceItem>,
}

/// An item that was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceItem {
    /// Which.
    pub item: ItemName,
    /// Its grade.
    pub grade: Grade,
    /// In which way, as the ledger says it: `masked`, `raw-aggregate`, `row-policy`, `subject`.
    pub way: String,
    /// The mask it was shown under.
    pub mask: Mask,
}

/// What left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Rows.
    pub rows: u64,
    /// Bytes, counted as Arrow buffers.
    pub bytes: u64,
    /// SHA-256 over the logical values.
    pub result: Digest,
    /// The columns, in order.
    pub columns: Vec<Column>,
    /// The items that decided which rows there are, how they met, were grouped and ordered.
    pub influences: Vec<Origin>,
    /// What is told of withheld groups.
    pub notice: Notice,
    /// Columns the result does not have because their items are absent.
    pub left_out: Vec<LeftOut>,
}

/// A column of the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name; two may share one.
    pub name: String,
    /// Its type.
    pub data_type: Type,
    /// The items its values derive from, or are chosen by.
    pub sources: Vec<Origin>,
}

/// Where the release is on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The entry's place in the domain's log.
    pub index: u64,
    /// The entry itself, as it was hashed.
    pub leaf: String,
    /// What checked the result against earlier ones; `none` until the disclosure register stands.
    pub register: String,
}
