//! A catalogue entry as written. Unknown keys are mistakes.

use serde::{Deserialize, Serialize};

/// `[dataset]`, and an `[[item]]` for each column.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DatasetFile {
    pub dataset: Dataset,
    #[serde(default)]
    pub item: Vec<Item>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dataset {
    pub name: String,
    pub title: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub content: String,
    pub provider: String,
    pub source: String,
    pub sector: String,
    pub update: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub data: String,
    #[serde(default, skip_serializing_if = "is_false")]
    pub external: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub prohibited: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
    /// The subject is a guess that nobody has confirmed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unconfirmed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Risk {
    pub level: String,
    #[serde(default)]
    pub by: String,
    pub until: toml::Value,
    #[serde(default)]
    pub mitigations: Vec<String>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Item {
    pub name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    pub kind: String,
    /// A person writes it; a draft leaves it out where nothing tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grade: Option<i64>,
    /// What harm a leak would do; a production domain asks for it. Source: CG-6.3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impact: Option<terms::Impact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub band: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub derived: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub unique: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharing: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opening: Option<String>,
    /// Kind, grade and mask are guesses that nobody has confirmed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unconfirmed: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks by reference whether to leave a field out"
)]
const fn is_false(truth: &bool) -> bool {
    !*truth
}
