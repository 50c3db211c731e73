use crate::scope::ScanId;
use std::collections::BTreeSet;
use terms::{DatasetName, Grade, IdentifierDomain, ItemName};

/// What is known of a visible column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Label {
    /// What may be done with it.
    pub class: Class,
    /// The bare item it is, while it is one.
    pub base: Option<Base>,
    /// The items it is computed from.
    pub sources: BTreeSet<Source>,
}

/// What may be done with a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Class {
    /// Anything.
    Open,
    /// Shown, counted, grouped, and joined within its domain; if join-only, nothing but joined.
    Token {
        domain: IdentifierDomain,
        join_only: bool,
    },
    /// Nothing but bare projections and approved aggregates.
    Suppressed,
    /// A value computed over raw per subject: the bare argument of an outer approved aggregate, and
    /// nothing else. A count contributes nothing where it is 0. Source: design, "Approved aggregates".
    Held { counted: bool },
}

/// A bare item of one scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base {
    pub scan: ScanId,
    pub item: ItemName,
}

/// An item an output column is computed from, and in which way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// Of which dataset.
    pub dataset: DatasetName,
    /// Which item.
    pub item: ItemName,
    /// Its grade.
    pub grade: Grade,
    /// `plain`, the mask's word, or `raw-aggregate`.
    pub way: String,
}

impl Label {
    /// A column that comes from no item.
    pub(crate) fn constant() -> Self {
        Self {
            class: Class::Open,
            base: None,
            sources: BTreeSet::new(),
        }
    }

    /// A column computed from several.
    pub(crate) fn computed<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Self {
        let sources = parts
            .into_iter()
            .flat_map(|part| part.sources.iter().cloned())
            .collect();
        Self {
            class: Class::Open,
            base: None,
            sources,
        }
    }
}
