use policy::{PermittedDataset, Release};
use terms::{DatasetName, ItemName};

/// A thresholded cell that the disclosure register hears of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// The protected dataset whose rows, or subjects, contribute: for kept rows that which they are of, so
    /// that their cells are held against its own.
    pub dataset: DatasetName,
    /// The item whose raw values are combined, or the first of the items it is derived with; none where
    /// rows are only counted or shown masked.
    pub measure: Option<(DatasetName, ItemName)>,
    /// Whether what is reported are numbers of subjects, not of rows.
    pub by_subject: bool,
    /// The threshold of the dataset.
    pub k: u32,
    /// The largest share of one subject's value that all sums together may explain, in percent.
    pub explained_percent: u8,
    /// How the dataset's cells are released.
    pub release: Release,
    /// Whether all that shows these rows can take noise.
    pub perturbable: bool,
}

impl Reported {
    pub(super) fn of(
        dataset: &PermittedDataset,
        measure: Option<(DatasetName, ItemName)>,
        by_subject: bool,
    ) -> Self {
        Self {
            dataset: dataset.counted_as().clone(),
            measure,
            by_subject,
            k: dataset.k,
            explained_percent: dataset.disclosure.explained_percent,
            release: dataset.disclosure.release,
            perturbable: false,
        }
    }
}
