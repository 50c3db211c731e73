use chrono::{DateTime, Utc};
use lineage::Column;
use serde::{Deserialize, Serialize};
use terms::{
    Accuracy, DatasetName, Digest, DomainName, Grade, ItemName, LeftOut, LicenceId, Mask, Notice,
    Obligations, OperatorId, Origin, PersonId, ProductId, QueryId, ScenarioId, Stage,
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
    /// Who approved that ground, step by step.
    pub approvals: Vec<Approval>,
    /// What was decided.
    pub decision: Decision,
    /// The rules that judged it, and how.
    pub rules: Vec<Rule>,
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
    /// The approved product of which it is a release; none in a pilot without one. Source: AO-17.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<ProductId>,
}

/// A step by which a person brought a licence, a scenario or a product to stand, as it is on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Of what: `licence`, `scenario` or `product`, and its id.
    pub of: Ground,
    /// Which step.
    pub stage: Stage,
    /// By whom.
    pub by: PersonId,
    /// When.
    pub at: DateTime<Utc>,
    /// Its entry in the domain's log.
    pub index: u64,
}

/// What a step was about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ground {
    /// The licence.
    Licence(LicenceId),
    /// The scenario.
    Scenario(ScenarioId),
    /// The product.
    Product(ProductId),
}

/// A rule that judged the export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name; a refusal by it has a code that begins like this.
    pub rule: String,
    /// The clause it implements, where there is one.
    pub clause: Option<String>,
    /// How it judged.
    pub outcome: RuleOutcome,
}

/// How a rule judged. What a rule withheld is told by the notice alone: more would be an answer too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleOutcome {
    /// What it asks held.
    Held,
    /// It was applied to the result: what fell short, if anything, is not in it.
    Applied,
    /// Nothing in the export owes it.
    NotOwed,
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
    /// The caps on the result.
    pub obligations: Obligations,
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
    /// What a cell owes beside, where the dataset is about people.
    pub cells: Option<CellRules>,
    /// The items that were read.
    pub items: Vec<SourceItem>,
}

/// What a released cell owes beside its number of subjects. Source: SACRO output checking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellRules {
    /// The two largest contributors hold less than this of the total, in percent.
    pub share_percent: u8,
    /// What is left without them is at least this of the largest, in percent.
    pub rest_percent: u8,
    /// Whether contributions must not all be equal.
    pub spread: bool,
    /// The fewest degrees of freedom of deviations and variances.
    pub freedom: u32,
    /// How much of one subject's value all released sums together may explain, in percent.
    pub explained_percent: u8,
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// How exact it is, where cells carry noise.
    pub accuracy: Option<Accuracy>,
    /// Columns the result does not have because their items are absent.
    pub left_out: Vec<LeftOut>,
}

/// Where the release is on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The entry's place in the domain's log.
    pub index: u64,
    /// The entry itself, as it was hashed.
    pub leaf: String,
    /// What held the result against earlier ones: `audited`, or `none` where nothing in it owes that.
    pub register: String,
    /// The proof that the log holds the entry, as a C2SP tlog-proof.
    pub proof: String,
}
