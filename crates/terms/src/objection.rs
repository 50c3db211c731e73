use crate::{DatasetName, ItemName, LicenceId, ObjectionId, PersonId};
use chrono::NaiveDate;

/// An objection (异议), tracked to its answer; what it says is in the sealed part.
///
/// Source: AO-9 (during the public notice), AO-13, PD-26.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Objection {
    /// Which.
    pub id: ObjectionId,
    /// Against what.
    pub against: Against,
    /// Who put it on record; for somebody outside, who took it in.
    pub lodged_by: PersonId,
    /// When.
    pub lodged: NaiveDate,
    /// The last day for the answer. Source: PD-24.
    pub due: NaiveDate,
    /// The answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

/// What an objection is against.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    /// Data that is wrong or incomplete.
    Item {
        /// Of which dataset.
        dataset: DatasetName,
        /// Which item.
        item: ItemName,
    },
    /// A licence under public notice.
    Licence {
        /// Which.
        licence: LicenceId,
    },
}

/// How an objection was answered.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Answer {
    /// Who.
    pub by: PersonId,
    /// When.
    pub on: NaiveDate,
    /// Whether it was right, so that what it is against is corrected or refused.
    pub upheld: bool,
}
