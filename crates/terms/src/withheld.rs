use crate::{DatasetName, ItemName};

/// An output column that a result does not have, because its item is suppressed or absent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct LeftOut {
    /// Of which dataset.
    pub dataset: DatasetName,
    /// Which item.
    pub item: ItemName,
}

/// How exact a result is some of whose cells carry noise.
///
/// Source: design, "Disclosure register": the cell-key method of official statistics.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Accuracy {
    /// How many cells carry noise.
    pub cells: u64,
    /// The most that was added to a count, or taken from it.
    pub count_max: u8,
    /// The standard deviation of a count's noise.
    pub count_deviation: f64,
    /// That of a sum's, in largest contributions of one subject.
    pub sum_deviation: f64,
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
    /// Groups were withheld, and together they hold at least k subjects. On record of earlier versions:
    /// nothing says so any more, since that was an answer.
    GroupsWithheld,
}
