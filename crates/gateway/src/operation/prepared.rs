use crate::leash::{Leash, Leashed};
use arrow::datatypes::SchemaRef;
use plan::{Literal, Plan};
use std::sync::Arc;
use terms::Type;

/// A planned statement, kept unbound for a prepared handle.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub(super) draft: Plan,
    pub(super) sql: String,
    pub(super) parameters: Vec<Type>,
    pub(super) values: Vec<Literal>,
    pub(super) schema: SchemaRef,
    pub(super) leash: Arc<Leash>,
}

impl Leashed for Prepared {
    fn leash(&self) -> &Arc<Leash> {
        &self.leash
    }
}

impl Prepared {
    /// The schema of its result.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The values bound so far.
    pub(crate) fn bound_values(&self) -> Vec<Literal> {
        self.values.clone()
    }

    /// The same statement with values bound.
    pub(crate) fn with_values(mut self, values: Vec<Literal>) -> Self {
        self.values = values;
        self
    }

    /// The types of its parameters.
    #[must_use]
    pub fn parameters(&self) -> &[Type] {
        &self.parameters
    }
}
