use crate::{Field, IllTyped, Node};

/// A whole plan.
///
/// Shape: the root's first `names.len()` columns are the result; in a confined plan the rest are
/// witnesses, one for each check, in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Plan {
    /// The top node.
    pub root: Node,
    /// The result's column names; duplicates allowed. Applied when the result leaves.
    pub names: Vec<String>,
    /// What egress verifies on every row before it strips the witnesses. Empty in a draft.
    pub checks: Vec<Check>,
}

/// What egress verifies of one witness column: the same promise as a withhold node's, checked by
/// different code on the result itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Check {
    /// The fewest subjects, in people.
    pub k: u32,
    /// Whether dominance counts; the column is then a witness, else it may be a plain count.
    pub dominance: bool,
    /// Whether every row must have entered once; the column is then a witness.
    pub once: bool,
}

impl Plan {
    /// The types of all columns of the root, checked throughout.
    ///
    /// # Errors
    /// The first expression or node that has no type.
    pub fn fields(&self) -> Result<Vec<Field>, IllTyped> {
        let fields = self.root.fields()?;
        if fields.len() != self.names.len() + self.checks.len() {
            return Err(IllTyped::new(
                "the root has another number of columns than names and checks",
            ));
        }
        Ok(fields)
    }
}
