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

/// What a cell must meet to be released: a withhold node drops what does not, and egress verifies it
/// once more on the result itself, by other code. All but `k` need a witness; a plain count says less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Check {
    /// The fewest subjects, in people. 1 ≤ k.
    pub k: u32,
    /// How much the largest contributors may hold: for sums, means and deviations.
    pub dominance: Option<Dominance>,
    /// Whether every row must have entered once: rows = distinct rows.
    pub once: bool,
    /// Whether subjects must differ in what they contribute: a class of which all are alike is
    /// disclosed by its mean. Source: SACRO, class disclosure.
    pub spread: bool,
    /// The fewest degrees of freedom, distinct rows less one, for deviations. Source: SACRO.
    pub freedom: u32,
}

/// The dominance rule's two limits, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dominance {
    /// The two largest contributors must hold less than this of the total: (2, n)-dominance.
    pub share_percent: u8,
    /// What is left without the two largest must be at least this of the largest: p-ratio.
    pub rest_percent: u8,
}

impl Check {
    /// A threshold alone.
    #[must_use]
    pub const fn of(k: u32) -> Self {
        Self {
            k,
            dominance: None,
            once: false,
            spread: false,
            freedom: 0,
        }
    }

    /// Whether a count of subjects is enough to tell whether it is met.
    #[must_use]
    pub const fn is_count(&self) -> bool {
        self.dominance.is_none() && !self.once && !self.spread && self.freedom == 0
    }
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

#[cfg(test)]
mod tests;
