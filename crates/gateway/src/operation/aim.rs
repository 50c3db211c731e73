use terms::Action;

/// What the result of a statement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// The decision alone.
    Explain,
    /// An answer inside the domain.
    Query,
    /// A result that is kept inside.
    Keep,
    /// A package that leaves it.
    Export,
    /// What a product would release, looked at by the domain alone: decided like an export, and nothing
    /// leaves.
    Trial,
}

impl Aim {
    /// The action on record.
    pub(super) const fn recorded(self) -> Action {
        match self {
            Self::Explain => Action::Explain,
            Self::Query | Self::Trial => Action::Query,
            Self::Keep => Action::Materialise,
            Self::Export => Action::Export,
        }
    }

    /// The action that has to be permitted.
    pub(super) const fn permitted(self) -> Action {
        match self {
            Self::Explain => Action::Explain,
            Self::Query => Action::Query,
            Self::Keep => Action::Materialise,
            Self::Export | Self::Trial => Action::Export,
        }
    }
}
