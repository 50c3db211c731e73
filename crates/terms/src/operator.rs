use crate::{OperatorId, PersonId};
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
}
