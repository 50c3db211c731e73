use terms::{Action, DatasetName, ItemName, Reference};

/// The ways of a reference that do not show a masked value.
const RAW: &str = "raw-aggregate";
const UNSHOWN: [&str; 3] = [RAW, "subject", "row-policy"];

/// What other policies decide otherwise.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// Whether the scenario can be entered: `allowed`, or the code of the refusal.
    Entry {
        /// Now.
        from: String,
        /// By the proposed policies.
        to: String,
    },
    /// How an item is shown: `plain`, its mask, or `absent`.
    Shown {
        /// Of which dataset.
        dataset: DatasetName,
        /// Which item.
        item: ItemName,
        /// Now.
        from: String,
        /// By the proposed policies.
        to: String,
    },
    /// Whether approved aggregates see its raw values.
    Aggregated {
        /// Of which dataset.
        dataset: DatasetName,
        /// Which item.
        item: ItemName,
        /// By the proposed policies.
        allowed: bool,
    },
    /// Whether what is computed from it may leave.
    Exported {
        /// Of which dataset.
        dataset: DatasetName,
        /// Which item.
        item: ItemName,
        /// By the proposed policies.
        allowed: bool,
    },
    /// The fewest subjects of a released cell.
    Threshold {
        /// Of which dataset.
        dataset: DatasetName,
        /// Now.
        from: u32,
        /// By the proposed policies.
        to: u32,
    },
    /// What a released cell owes beside its threshold.
    Owed {
        /// Of which dataset.
        dataset: DatasetName,
        /// Now.
        from: String,
        /// By the proposed policies.
        to: String,
    },
    /// What a licence may spend, the caps on a result, and the noise of perturbed cells.
    Caps {
        /// Now.
        from: String,
        /// By the proposed policies.
        to: String,
    },
    /// Whether a management step may be taken.
    Step {
        /// Which.
        action: String,
        /// By the proposed policies.
        allowed: bool,
    },
}

impl Change {
    /// The word that groups it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Entry { .. } => "entry",
            Self::Shown { .. } => "shown",
            Self::Aggregated { .. } => "aggregated",
            Self::Exported { .. } => "exported",
            Self::Threshold { .. } => "threshold",
            Self::Owed { .. } => "owed",
            Self::Caps { .. } => "caps",
            Self::Step { .. } => "step",
        }
    }

    /// Whether it concerns an operation that was granted with these references.
    pub(super) fn concerns(&self, references: &[Reference], action: Action) -> bool {
        let any = |concerned: &dyn Fn(&Reference) -> bool| references.iter().any(concerned);
        match self {
            Self::Entry { .. } | Self::Step { .. } => false,
            Self::Shown { dataset, item, .. } => any(&|reference| {
                reference.dataset == *dataset
                    && reference.item == *item
                    && !UNSHOWN.contains(&reference.way.as_str())
            }),
            Self::Aggregated { dataset, item, .. } => any(&|reference| {
                reference.dataset == *dataset && reference.item == *item && reference.way == RAW
            }),
            Self::Exported { dataset, item, .. } => {
                action == Action::Export
                    && any(&|reference| reference.dataset == *dataset && reference.item == *item)
            }
            Self::Threshold { dataset, .. } | Self::Owed { dataset, .. } => {
                any(&|reference| reference.dataset == *dataset)
            }
            Self::Caps { .. } => true,
        }
    }
}

/// Whether a reference shows a masked value, in the way it names.
pub(super) fn is_shown(reference: &Reference) -> bool {
    !UNSHOWN.contains(&reference.way.as_str())
}

/// Whether a reference sees raw values in an approved aggregate.
pub(super) fn is_raw(reference: &Reference) -> bool {
    reference.way == RAW
}
