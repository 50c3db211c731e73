use crate::{DatasetName, Grade, ItemName};

/// How an item has a part in a column of a result.
///
/// Source: OpenLineage, column lineage facet 1-2-0.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// It is the column, as its view shows it.
    Identity,
    /// The column is computed from it.
    Transformation,
    /// The column is an aggregate of it.
    Aggregation,
    /// It decides which of several values the column has.
    Conditional,
    /// It decides which rows meet.
    Join,
    /// It decides which rows form a group.
    GroupBy,
    /// It decides which rows are there.
    Filter,
    /// It decides the order, and so what a limit keeps.
    Sort,
    /// It decides which rows a window function looks at.
    Window,
}

/// An item with a part in a column, or in which rows there are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Of which dataset.
    pub dataset: DatasetName,
    /// Which item.
    pub item: ItemName,
    /// Its grade.
    pub grade: Grade,
    /// `plain`, the mask's word, `raw-aggregate`, or `row-policy`.
    pub way: String,
    /// Which part it has.
    pub flow: Flow,
}

impl Flow {
    /// The words of the column lineage facet: type, then subtype.
    #[must_use]
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Identity => ("DIRECT", "IDENTITY"),
            Self::Transformation => ("DIRECT", "TRANSFORMATION"),
            Self::Aggregation => ("DIRECT", "AGGREGATION"),
            Self::Conditional => ("INDIRECT", "CONDITIONAL"),
            Self::Join => ("INDIRECT", "JOIN"),
            Self::GroupBy => ("INDIRECT", "GROUP_BY"),
            Self::Filter => ("INDIRECT", "FILTER"),
            Self::Sort => ("INDIRECT", "SORT"),
            Self::Window => ("INDIRECT", "WINDOW"),
        }
    }

    /// Whether values of the item, however changed, stand in the column.
    #[must_use]
    pub const fn is_direct(self) -> bool {
        matches!(
            self,
            Self::Identity | Self::Transformation | Self::Aggregation
        )
    }

    /// What it becomes under a further step.
    #[must_use]
    pub fn then(self, step: Self) -> Self {
        if self.is_direct() {
            self.max(step)
        } else {
            self
        }
    }
}

impl Origin {
    /// Whether what has a part is a masked value.
    #[must_use]
    pub fn is_masked(&self) -> bool {
        !["plain", "raw-aggregate", "row-policy"].contains(&self.way.as_str())
    }
}
