use crate::Manifest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use terms::{DatasetName, RowRisk, Sighted};

/// 披露报告: what a statement releases and how, as it was decided and found by running it inside the
/// domain; for those who review the product that releases it. Source: AO-16(2), AO-17.
///
/// It holds no value of the data but those that the statement itself names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisclosureReport {
    /// What is asked.
    pub statement: String,
    /// The plan that ran, in words.
    pub printed: String,
    /// What was decided, by which rules, from which sources, and what came out.
    pub found: Manifest,
    /// What in a text of the result looked like a number of a person. Source: CG-B 汇聚 L2-8.
    pub sensitive: Vec<Sighted>,
    /// How identifying the rows are that the scenario is shown of what it reads. Source: RA-3.
    pub row_risks: BTreeMap<DatasetName, RowRisk>,
}
