//! A result that is kept inside the domain, as a dataset of the scenario that made it.

use crate::{
    DatasetName, DerivedName, Digest, Grade, IdentifierDomain, ItemName, LicenceId, QueryId,
    ScenarioId, Type,
};
use chrono::NaiveDate;

/// A result that is kept inside. Source: design, "Derived data"; CG-6.2.
///
/// How many rows it has stands nowhere: where its rows are people's, their number is an answer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Derived {
    /// What statements call it, without the schema.
    pub name: DerivedName,
    /// Its number, which no other ever has.
    pub number: u32,
    /// Whose it is; no other scenario sees it.
    pub scenario: ScenarioId,
    /// Whose room it takes.
    pub licence: LicenceId,
    /// By which operation it was made.
    pub query: QueryId,
    /// What its rows are.
    pub rows: KeptRows,
    /// Whether operator-supplied rows went into it.
    pub external: bool,
    /// Its columns, in the order of the file.
    pub columns: Vec<DerivedColumn>,
    /// What it was made of.
    pub sources: Vec<DerivedSource>,
    /// The digest of how its sources could be seen when it was made; while they are seen otherwise, it
    /// is not there.
    pub view: Digest,
    /// The rows that it is charged with: for rows of people those of their dataset, however many it has.
    pub rows_charged: u64,
    /// The last day it is kept, inclusive.
    pub until: NaiveDate,
    /// SHA-256 of the encrypted file.
    pub digest: Digest,
}

/// What the rows of a kept result are.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeptRows {
    /// Each is made of one row of a protected dataset, and keeps its number and its subject's: what is
    /// computed of it owes what the same statement over that dataset would.
    People {
        /// Of which dataset.
        dataset: DatasetName,
        /// Of which state of it.
        snapshot: u32,
    },
    /// Values that its maker was, or could have been, answered.
    Answers,
}

/// A column of a kept result.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DerivedColumn {
    /// Its name.
    pub name: ItemName,
    /// The type of its values.
    pub data_type: Type,
    /// The highest grade of the items it is computed from. Source: CG-6.2.
    pub grade: Grade,
    /// What its tokens identify, where its values are tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<IdentifierDomain>,
    /// Whether it is a bare item.
    #[serde(default)]
    pub bare: bool,
    /// Whether it is the token of the rows' subject.
    #[serde(default)]
    pub subject: bool,
    /// Whether no two rows agree in it.
    #[serde(default)]
    pub unique: bool,
    /// Whether its type was known when it was computed.
    #[serde(default)]
    pub typed: bool,
    /// How it is computed of its row.
    pub made: Made,
}

/// How a value is computed of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Made {
    /// The same in every row.
    Constant,
    /// A sum of items with constant factors, none of a protected dataset.
    Linear,
    /// The same, of a protected dataset.
    LinearPersonal,
    /// A product of two of those.
    Product,
    /// In any other way.
    Freely,
}

/// What a kept result was made of: items of one state of a catalogued dataset.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DerivedSource {
    /// Which dataset.
    pub dataset: DatasetName,
    /// Which state of it.
    pub snapshot: u32,
    /// The items that were read, in whichever way.
    pub items: Vec<ItemName>,
}

/// Why a kept result is there no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DerivedEnd {
    /// A member of its scenario dropped it.
    Dropped,
    /// Its time is over.
    Expired,
    /// Its scenario or licence ended.
    ScenarioEnded,
    /// What it was made of is destroyed.
    SourceDestroyed,
}

impl Derived {
    /// What statements call it.
    #[must_use]
    pub fn seen_as(&self) -> DatasetName {
        self.name.seen_as()
    }

    /// What the domain calls it.
    #[must_use]
    pub fn stored_as(&self) -> DatasetName {
        self.name.stored_as(self.number)
    }

    /// The grade of the whole: the highest of its columns. Source: CG-6.2.
    #[must_use]
    pub fn grade(&self) -> Grade {
        let grades = self.columns.iter().map(|column| column.grade);
        grades.max().unwrap_or(Grade::Four)
    }

    /// Whether it was made of this state of a dataset.
    #[must_use]
    pub fn is_of(&self, dataset: &DatasetName, snapshot: u32) -> bool {
        let mut sources = self.sources.iter();
        sources.any(|source| source.dataset == *dataset && source.snapshot == snapshot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_kept_results_are_called_the_same_by_the_domain() {
        let name = |text: &str| text.parse::<DerivedName>().unwrap();
        assert_eq!(name("a").seen_as().as_str(), "work.a");
        assert_eq!(name("a").stored_as(17).as_str(), "work.a_17");
        assert_ne!(name("a").stored_as(17), name("a_1").stored_as(7));
        assert_ne!(name("a_17").stored_as(1), name("a").stored_as(17));
        for wrong in ["", "__row", "a b", "a.b", &"n".repeat(49)] {
            assert!(wrong.parse::<DerivedName>().is_err(), "{wrong}");
        }
        let longest = name(&"n".repeat(48)).stored_as(u32::MAX).to_string();
        assert!(longest.parse::<DatasetName>().is_ok(), "{longest}");
    }
}
