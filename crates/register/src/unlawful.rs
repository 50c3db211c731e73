use terms::Told;

/// A command that the rules do not allow: which rule, where, by which clause, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {place}: {what} ({clause})")]
pub struct Unlawful {
    /// The stable code.
    pub code: &'static str,
    /// Of what: ``dataset `gjj.account`, item `手机号` ``.
    pub place: String,
    /// What is wrong and what would be right.
    pub what: String,
    /// The clause.
    pub clause: &'static str,
}

impl Unlawful {
    pub(crate) fn new(
        code: &'static str,
        place: impl Into<String>,
        what: impl Into<String>,
        clause: &'static str,
    ) -> Self {
        Self {
            code,
            place: place.into(),
            what: what.into(),
            clause,
        }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// What the caller hears beside the place.
    #[must_use]
    pub const fn told(&self) -> Told {
        Told::new(
            "the rules do not allow this step.",
            "按规定不允许执行此步骤。",
        )
    }
}
