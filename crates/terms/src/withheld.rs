use crate::{DatasetName, ItemName};

/// An output column that a result does not have, because its item is suppressed or absent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct LeftOut {
    /// Of which dataset.
    pub dataset: DatasetName,
    /// Which item.
    pub item: ItemName,
}

/// What a response tells of cells it left out. The notice is an answer too.
///
/// Source: design, "Thresholds".
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Notice {
    /// Nothing in the statement owes a threshold.
    NotApplicable,
    /// Small or dominated groups, if any, are withheld.
    Standing,
    /// Groups were withheld, and together they hold at least k subjects.
    GroupsWithheld,
}
