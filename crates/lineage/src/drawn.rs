use terms::{DatasetName, ItemName, Origin, Type};

/// Where each column of a result comes from, as its decision says. Kept sealed beside the leaf, since
/// names of columns are the caller's words.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drawn {
    /// The datasets that are read.
    pub inputs: Vec<Input>,
    /// The columns, in order.
    pub columns: Vec<Column>,
    /// The items that decide which rows there are, how they meet, are grouped and ordered.
    pub influences: Vec<Origin>,
}

/// A dataset that is read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Which.
    pub dataset: DatasetName,
    /// Which state of it.
    pub snapshot: u32,
    /// The fewest subjects of a released cell, where the dataset is about people.
    pub k: Option<u32>,
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name; two may share one.
    pub name: String,
    /// Its type.
    pub data_type: Type,
    /// The items its values derive from, or are chosen by.
    pub sources: Vec<Origin>,
}

/// The sealed part of a decision.
#[derive(serde::Serialize, serde::Deserialize)]
struct Sealed {
    lineage: Drawn,
}

impl Drawn {
    /// As the sealed part of a decision.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let sealed = Sealed {
            lineage: self.clone(),
        };
        // Plain values with text keys always have a JSON form.
        serde_json::to_vec(&sealed).unwrap_or_default()
    }

    /// Reads the sealed part of a decision.
    ///
    /// # Errors
    /// It is none.
    pub fn decode(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice::<Sealed>(bytes).map(|sealed| sealed.lineage)
    }

    /// Every item that has a part in a column or in which rows there are, once each.
    pub fn origins(&self) -> impl Iterator<Item = &Origin> {
        let columns = self.columns.iter().flat_map(|column| &column.sources);
        columns.chain(&self.influences)
    }

    /// Whether an item, or any item of a dataset, has a part.
    #[must_use]
    pub fn reads(&self, dataset: &DatasetName, item: Option<&ItemName>) -> bool {
        let inputs = item.is_none() && self.inputs.iter().any(|input| &input.dataset == dataset);
        let mut origins = self.origins();
        inputs
            || origins.any(|origin| {
                &origin.dataset == dataset && item.is_none_or(|item| item == &origin.item)
            })
    }
}
