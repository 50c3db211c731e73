use super::{
    Conflict,
    combination::{Column, Vector},
};
use crate::field::{invert, multiply, negate};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Whether some vector of the space depends on fewer than k subjects.
///
/// A vector with the fewest subjects can be taken to be 0 on as many atoms as the space has dimensions
/// but one; so that setting atoms to 0 one after another, in every way, finds it. Where there are too
/// many ways, the answer is a conflict.
///
/// # Errors
/// [`Conflict::Isolates`].
pub(super) fn within(
    space: Vec<Vector>,
    k: usize,
    small: &HashMap<u32, HashSet<u32>>,
    steps_left: &mut u64,
) -> Result<(), Conflict> {
    let mut search = Search {
        k,
        small,
        steps_left,
    };
    for block in blocks(space) {
        search.narrow(&block, None)?;
    }
    Ok(())
}

struct Search<'a> {
    k: usize,
    small: &'a HashMap<u32, HashSet<u32>>,
    steps_left: &'a mut u64,
}

impl Search<'_> {
    /// Sets atoms after `last` to 0 until one vector is left.
    fn narrow(&mut self, block: &[Vector], last: Option<Column>) -> Result<(), Conflict> {
        for vector in block {
            self.judge(vector)?;
        }
        if block.len() < 2 {
            return Ok(());
        }
        let columns: BTreeSet<Column> = block.iter().flat_map(|v| v.0.keys().copied()).collect();
        for column in columns.into_iter().filter(|column| Some(*column) > last) {
            let rest = without(block, column);
            let cost: usize = block.iter().map(Vector::len).sum();
            let cost = u64::try_from(cost).unwrap_or(u64::MAX);
            let left = self.steps_left.checked_sub(cost);
            *self.steps_left = left.ok_or(Conflict::Isolates { subjects: 0 })?;
            self.narrow(&rest, Some(column))?;
        }
        Ok(())
    }

    fn judge(&self, vector: &Vector) -> Result<(), Conflict> {
        let mut subjects: HashSet<u32> = HashSet::new();
        for column in vector.0.keys() {
            if let Column::Small(atom) = column {
                subjects.extend(self.small.get(atom).into_iter().flatten());
            }
            if subjects.len() >= self.k {
                return Ok(());
            }
        }
        Err(Conflict::Isolates {
            subjects: subjects.len(),
        })
    }
}

/// A basis of the vectors of a space that are 0 at a column.
fn without(block: &[Vector], column: Column) -> Vec<Vector> {
    let Some(pivot) = block.iter().position(|vector| vector.at(column) != 0) else {
        return block.to_vec();
    };
    let Some(pivot_row) = block.get(pivot) else {
        return block.to_vec();
    };
    let inverse = invert(pivot_row.at(column));
    let others = block.iter().enumerate().filter(|(at, _)| *at != pivot);
    let cleared = others.map(|(_, vector)| {
        let mut vector = vector.clone();
        let factor = negate(multiply(vector.at(column), inverse));
        if factor != 0 {
            vector.add_multiple(factor, pivot_row);
        }
        vector
    });
    cleared.filter(|vector| vector.len() > 0).collect()
}

/// The vectors in blocks that share no atom, which can be judged one by one.
fn blocks(space: Vec<Vector>) -> Vec<Vec<Vector>> {
    let mut blocks: Vec<(BTreeSet<Column>, Vec<Vector>)> = Vec::new();
    for vector in space {
        let mut columns: BTreeSet<Column> = vector.0.keys().copied().collect();
        let mut members = vec![vector];
        let (joined, apart): (Vec<_>, Vec<_>) = blocks
            .into_iter()
            .partition(|(others, _)| !others.is_disjoint(&columns));
        blocks = apart;
        for (others, vectors) in joined {
            columns.extend(others);
            members.extend(vectors);
        }
        blocks.push((columns, members));
    }
    blocks.into_iter().map(|(_, members)| members).collect()
}
