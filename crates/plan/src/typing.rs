use crate::{Expr, Node};
use terms::Type;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its type.
    pub data_type: Type,
    /// Whether it may have no value.
    pub nullable: bool,
}

/// An expression or node that has no type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("ill-typed plan: {0}")]
pub struct IllTyped(String);

impl IllTyped {
    /// Says what does not fit.
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl Expr {
    /// The type and nullability over these input columns.
    ///
    /// # Errors
    /// The first part that has no type.
    pub fn field(&self, _input: &[Field]) -> Result<Field, IllTyped> {
        Err(IllTyped::new("not derived"))
    }
}

impl Node {
    /// The types of the output columns.
    ///
    /// # Errors
    /// The first part that has no type.
    pub fn fields(&self) -> Result<Vec<Field>, IllTyped> {
        Err(IllTyped::new("not derived"))
    }
}
