/// Why a statement has no plan. What crosses to the front is the code and a word from a closed list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unplannable {
    /// The text is too long, too deep or holds characters that hide something.
    #[error("guard: {0}")]
    Guarded(&'static str),
    /// It is no SQL.
    #[error("syntax")]
    Syntax,
    /// More than one statement, or none.
    #[error("several statements")]
    SeveralStatements,
    /// A statement that is no query.
    #[error("not a query")]
    NotAQuery,
    /// A table or column that the catalogue does not have.
    #[error("unknown name")]
    UnknownName(String),
    /// A function that is not on the reviewed list.
    #[error("unknown function")]
    UnknownFunction,
    /// A construct the plan language does not have.
    #[error("unsupported: {0}")]
    Unsupported(&'static str),
    /// Types that do not fit.
    #[error("ill typed")]
    IllTyped,
    /// A parameter whose type cannot be told.
    #[error("parameter untyped")]
    ParameterUntyped,
}

impl Unplannable {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Guarded(_) => "planner.guarded",
            Self::Syntax => "planner.syntax",
            Self::SeveralStatements => "planner.several-statements",
            Self::NotAQuery => "planner.not-a-query",
            Self::UnknownName(_) => "planner.unknown-name",
            Self::UnknownFunction => "planner.unknown-function",
            Self::Unsupported(_) => "planner.unsupported",
            Self::IllTyped => "planner.ill-typed",
            Self::ParameterUntyped => "planner.parameter-untyped",
        }
    }

    /// The construct's word, from a closed list; or the name that the caller wrote.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Guarded(what) | Self::Unsupported(what) => what,
            Self::UnknownName(written) => written,
            Self::Syntax
            | Self::SeveralStatements
            | Self::NotAQuery
            | Self::UnknownFunction
            | Self::IllTyped
            | Self::ParameterUntyped => "",
        }
    }
}
