use crate::{DatasetName, ItemName, LicenceId, PersonId, ScenarioId};

/// An approved application of licensed data (应用场景): one purpose, one item list. Source: AO-12.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Scenario {
    /// Which.
    pub id: ScenarioId,
    /// Under which licence.
    pub licence: LicenceId,
    /// What people call it.
    pub title: String,
    /// The stated purpose.
    pub purpose: String,
    /// Who may work on it.
    pub members: Vec<PersonId>,
    /// What may be used, and how.
    pub datasets: Vec<ScenarioDataset>,
}

/// What a scenario may use of one dataset. Source: AO-12.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ScenarioDataset {
    /// Which.
    pub name: DatasetName,
    /// The item list.
    pub items: Wanted,
    /// Items whose raw values may enter approved aggregates.
    #[serde(default)]
    pub aggregate: Vec<ItemName>,
    /// Row policy: a predicate over the dataset's items, in SQL.
    pub rows: Option<String>,
    /// The row policy as canonical bytes of the plan language, in hexadecimal: what is enforced.
    #[serde(default)]
    pub rows_plan: Option<String>,
    /// Whether row-level results may be shown.
    #[serde(default)]
    pub show_rows: bool,
}

/// An item list. Written `["*"]` or as names.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wanted {
    /// Every item the grade and the licence allow.
    All,
    /// These items.
    Named(Vec<ItemName>),
}

impl Wanted {
    /// Whether the list names the item.
    #[must_use]
    pub fn includes(&self, item: &ItemName) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.contains(item),
        }
    }
}

/// How identifying the rows are that a scenario would show. Measured, never stated.
///
/// Over all visible items but tokens: the classes of equal rows, and the subjects in them.
///
/// Units: people, rounded down to multiples of k, so that fewer than k are 0: what is measured follows from
/// the row policy that somebody wrote, and an exact count would answer it. Entries of earlier versions may
/// hold exact counts.
/// Source: design, "Rows".
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RowRisk {
    /// Of which dataset.
    pub dataset: DatasetName,
    /// Of which snapshot.
    pub snapshot: u32,
    /// Distinct subjects.
    pub subjects: u64,
    /// Subjects with a row no other subject has.
    pub subjects_unique: u64,
    /// Subjects with a row that fewer than k subjects have.
    pub subjects_below_k: u64,
    /// The k used, in subjects.
    pub k: u32,
}

impl RowRisk {
    /// The same in multiples of k.
    #[must_use]
    pub fn coarse(self) -> Self {
        Self {
            subjects: self.coarsened(self.subjects),
            subjects_unique: self.coarsened(self.subjects_unique),
            subjects_below_k: self.coarsened(self.subjects_below_k),
            ..self
        }
    }

    /// A count as people are told it: a multiple of k, or that there are fewer than k.
    #[must_use]
    pub fn told(&self, subjects: u64) -> String {
        match self.coarsened(subjects) {
            0 => format!("< {}", self.k),
            coarse => coarse.to_string(),
        }
    }

    fn coarsened(&self, subjects: u64) -> u64 {
        let over = subjects.checked_rem(self.k.into());
        subjects - over.unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
