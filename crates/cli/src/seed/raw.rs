//! The files of a seed directory as written. Unknown keys are mistakes.

use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Domain {
    pub name: String,
    #[serde(default)]
    pub title: String,
    pub default_schema: String,
    #[serde(default)]
    pub defaults: Defaults,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Defaults {
    #[serde(default)]
    pub k_by_grade: BTreeMap<String, u32>,
    pub rows_max: Option<u64>,
    pub result_bytes_max: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct People {
    #[serde(default)]
    pub person: Vec<Person>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Person {
    pub id: String,
    pub name: String,
    pub role: String,
    pub organisation: String,
    #[serde(default)]
    pub vetted: bool,
    pub nda_until: Option<toml::Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Operators {
    #[serde(default)]
    pub operator: Vec<Operator>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Operator {
    pub id: String,
    #[serde(default)]
    pub title: String,
    pub security_officer: Option<String>,
    #[serde(default)]
    pub emergency_plan: bool,
    #[serde(default)]
    pub evidence: Vec<Evidence>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Evidence {
    pub kind: String,
    pub title: String,
    pub until: toml::Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Licences {
    #[serde(default)]
    pub licence: Vec<Licence>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Licence {
    pub id: String,
    pub operator: String,
    pub mode: String,
    #[serde(default)]
    pub sectors: Vec<String>,
    pub from: toml::Value,
    pub until: toml::Value,
    pub agreement: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScenarioFile {
    pub scenario: Scenario,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenarios {
    #[serde(default)]
    pub scenario: Vec<Scenario>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    pub id: String,
    pub licence: String,
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub purpose: String,
    #[serde(default)]
    pub members: Vec<String>,
    #[serde(default)]
    pub dataset: Vec<ScenarioDataset>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScenarioDataset {
    pub name: String,
    pub items: Vec<String>,
    #[serde(default)]
    pub aggregate: Vec<String>,
    pub rows: Option<String>,
    #[serde(default)]
    pub show_rows: bool,
}
