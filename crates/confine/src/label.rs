use crate::scope::ScanId;
use std::collections::BTreeSet;
use terms::{DatasetName, Grade, IdentifierDomain, ItemName, Made, Type};

/// What is known of a visible column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Label {
    /// What may be done with it.
    pub class: Class,
    /// The bare item it is, while it is one.
    pub base: Option<Base>,
    /// The items it is computed from.
    pub sources: BTreeSet<Source>,
    /// What a sum of it could single out.
    pub shape: Shape,
    /// Its type, where it is known.
    pub own_type: Option<Type>,
    /// Whether arithmetic may have made it, in which whole numbers wrap around: what is linear then is no
    /// longer so in another type.
    pub wraps: bool,
}

/// How a value is computed of its row. A sum of what is linear tells no more than sums of its items;
/// anything else can stand for a condition that few rows meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    /// The same in every row.
    Constant,
    /// A sum of items with constant factors.
    Linear {
        /// Whether any item is of a protected dataset.
        personal: bool,
    },
    /// A product of two of those, of which at most one is personal.
    Product,
    /// Anything.
    Free,
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
    /// A value computed over raw per subject: the bare argument of an outer SUM, AVG or COUNT, and
    /// nothing else; its number among those of the statement. Source: design, "Approved aggregates".
    Held { number: u32 },
}

/// A bare item of one scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base {
    pub scan: ScanId,
    pub item: ItemName,
}

/// An item an output column is computed from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Source {
    /// Of which dataset.
    pub dataset: DatasetName,
    /// Which item.
    pub item: ItemName,
    /// Its grade.
    pub grade: Grade,
}

impl Label {
    /// A column that comes from no item.
    pub(crate) fn constant() -> Self {
        Self {
            class: Class::Open,
            base: None,
            sources: BTreeSet::new(),
            shape: Shape::Constant,
            own_type: None,
            wraps: false,
        }
    }

    /// A column computed from several, in any way.
    pub(crate) fn computed<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Self {
        let sources = parts
            .into_iter()
            .flat_map(|part| part.sources.iter().cloned())
            .collect();
        Self {
            class: Class::Open,
            base: None,
            sources,
            shape: Shape::Free,
            own_type: None,
            wraps: true,
        }
    }
}

impl Shape {
    /// The shape of a kept column.
    pub(crate) const fn made(made: Made) -> Self {
        match made {
            Made::Constant => Self::Constant,
            Made::Linear => Self::Linear { personal: false },
            Made::LinearPersonal => Self::Linear { personal: true },
            Made::Product => Self::Product,
            Made::Freely => Self::Free,
        }
    }

    /// As it stands in a kept column.
    pub(crate) const fn to_made(self) -> Made {
        match self {
            Self::Constant => Made::Constant,
            Self::Linear { personal: false } => Made::Linear,
            Self::Linear { personal: true } => Made::LinearPersonal,
            Self::Product => Made::Product,
            Self::Free => Made::Freely,
        }
    }

    /// The shape of a sum or difference.
    pub(crate) const fn plus(self, other: Self) -> Self {
        let personal = self.is_personal() || other.is_personal();
        match (self, other) {
            (Self::Free, _) | (_, Self::Free) => Self::Free,
            (Self::Constant, Self::Constant) => Self::Constant,
            (Self::Product, _) | (_, Self::Product) => Self::Product,
            (Self::Linear { .. }, _) | (_, Self::Linear { .. }) => Self::Linear { personal },
        }
    }

    /// The shape of a product.
    pub(crate) const fn times(self, other: Self) -> Self {
        match (self, other) {
            (Self::Constant, shape) | (shape, Self::Constant) => shape,
            (Self::Linear { personal: ours }, Self::Linear { personal: theirs })
                if !(ours && theirs) =>
            {
                Self::Product
            }
            _ => Self::Free,
        }
    }

    const fn is_personal(self) -> bool {
        matches!(self, Self::Linear { personal: true })
    }
}
