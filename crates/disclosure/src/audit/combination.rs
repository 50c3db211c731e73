use crate::field::{add, invert, multiply, negate};
use std::collections::{BTreeMap, HashMap, HashSet};

/// An atom in the order of elimination: large ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Column {
    /// Of at least k subjects.
    Large(u32),
    /// Of fewer.
    Small(u32),
}

/// A linear combination of atoms; what is not named is 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Vector(pub(super) BTreeMap<Column, u64>);

impl Vector {
    /// A cell: the sum of its atoms.
    pub(super) fn sum_of(atoms: Vec<u32>, small: &HashMap<u32, HashSet<u32>>) -> Self {
        let column = |atom| {
            if small.contains_key(&atom) {
                Column::Small(atom)
            } else {
                Column::Large(atom)
            }
        };
        Self(atoms.into_iter().map(|atom| (column(atom), 1)).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn at(&self, column: Column) -> u64 {
        self.0.get(&column).copied().unwrap_or(0)
    }

    /// Adds a multiple of another, so that what cancels is gone.
    pub(super) fn add_multiple(&mut self, factor: u64, other: &Self) {
        for (column, value) in &other.0 {
            let sum = add(self.at(*column), multiply(factor, *value));
            if sum == 0 {
                self.0.remove(column);
            } else {
                self.0.insert(*column, sum);
            }
        }
    }

    fn scale(&mut self, factor: u64) {
        for value in self.0.values_mut() {
            *value = multiply(factor, *value);
        }
    }

    fn leading(&self) -> Option<Column> {
        self.0.keys().next().copied()
    }
}

/// Vectors in echelon form, each scaled to 1 at its leading column.
#[derive(Debug)]
pub(super) struct Echelon {
    rows: BTreeMap<Column, Vector>,
    steps_left: u64,
}

impl Echelon {
    pub(super) const fn new(steps_max: u64) -> Self {
        Self {
            rows: BTreeMap::new(),
            steps_left: steps_max,
        }
    }

    pub(super) const fn steps_left(&self) -> u64 {
        self.steps_left
    }

    /// Adds a vector to the space; none where that took too long.
    pub(super) fn add(&mut self, mut vector: Vector) -> Option<()> {
        // Leading columns only grow, so that this ends after as many turns as there are columns.
        while let Some(leading) = vector.leading() {
            let Some(row) = self.rows.get(&leading) else {
                vector.scale(invert(vector.at(leading)));
                self.rows.insert(leading, vector);
                return Some(());
            };
            let steps = u64::try_from(row.len()).ok()?;
            self.steps_left = self.steps_left.checked_sub(steps)?;
            vector.add_multiple(negate(vector.at(leading)), row);
        }
        Some(())
    }

    /// A basis of all vectors of the space that depend on small atoms alone.
    pub(super) fn after_large(self) -> Vec<Vector> {
        let small = |(leading, row)| matches!(leading, Column::Small(_)).then_some(row);
        self.rows.into_iter().filter_map(small).collect()
    }
}
