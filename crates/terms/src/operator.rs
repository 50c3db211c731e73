use crate::{Digest, OperatorId, PersonId};
use chrono::NaiveDate;

/// A licensed company (运营单位). Source: AO-7, AO-25..27.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Operator {
    /// Who.
    pub id: OperatorId,
    /// What people call it.
    pub title: String,
    /// The named data security officer.
    pub security_officer: Option<PersonId>,
    /// Whether an emergency plan (应急预案) is filed; without one nothing is operated.
    pub emergency_plan: bool,
    /// The last day by which the plan is drilled (again), inclusive; none where a pilot set no day.
    /// Source: AO-26.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill_until: Option<NaiveDate>,
    /// Whether the last annual assessment was failed. Source: AO-29.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub assessment_failed: bool,
    /// Assessments on file.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
}

/// A document that shows a duty was met. Source: AO-7, AO-29.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Evidence {
    /// What it proves, as the operator names it: `mlps`, `crypto`, `annual-assessment`.
    pub kind: String,
    /// The document's title.
    pub title: String,
    /// The last day it holds, inclusive.
    pub until: NaiveDate,
    /// SHA-256 of the document, which stays with who filed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}
