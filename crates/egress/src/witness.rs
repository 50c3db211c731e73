//! The thresholds, verified once more on the result itself, by code that shares nothing with the
//! runner's. A row that does not prove what it owes should not exist, so that nothing more leaves.

use arrow::{
    array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, StructArray},
    datatypes::{Float64Type, Int64Type},
};
use plan::{Check, Dominance, WITNESS_FIELDS};

/// Whether every row proves what this check asks.
pub(crate) fn proves(check: &Check, column: &ArrayRef) -> bool {
    if let Some(counts) = column.as_primitive_opt::<Int64Type>() {
        // A plain count says nothing of contributions or repeated rows.
        return check.is_count() && (0..counts.len()).all(|row| enough(check, at(counts, row)));
    }
    let Some(witness) = column.as_struct_opt().and_then(Witness::of) else {
        return false;
    };
    (0..column.len()).all(|row| witness.row_proves(check, row))
}

/// The eight parts of a witness column.
#[derive(Debug)]
struct Witness<'a> {
    whole: &'a StructArray,
    subjects: &'a Int64Array,
    rows: &'a Int64Array,
    rows_distinct: &'a Int64Array,
    x1: &'a Float64Array,
    x2: &'a Float64Array,
    total: &'a Float64Array,
    low: &'a Float64Array,
    high: &'a Float64Array,
}

impl<'a> Witness<'a> {
    fn of(whole: &'a StructArray) -> Option<Self> {
        if whole.column_names() != WITNESS_FIELDS {
            return None;
        }
        let count = |part: usize| whole.columns().get(part)?.as_primitive_opt::<Int64Type>();
        let sum = |part: usize| whole.columns().get(part)?.as_primitive_opt::<Float64Type>();
        Some(Self {
            whole,
            subjects: count(0)?,
            rows: count(1)?,
            rows_distinct: count(2)?,
            x1: sum(3)?,
            x2: sum(4)?,
            total: sum(5)?,
            low: sum(6)?,
            high: sum(7)?,
        })
    }

    fn row_proves(&self, check: &Check, row: usize) -> bool {
        if self.whole.is_null(row) || !enough(check, at(self.subjects, row)) {
            return false;
        }
        if check.once {
            let rows = at(self.rows, row);
            if rows.is_none() || rows != at(self.rows_distinct, row) {
                return false;
            }
        }
        if check.freedom > 0 {
            let distinct = at(self.rows_distinct, row).unwrap_or(0);
            if distinct <= i64::from(check.freedom) {
                return false;
            }
        }
        if check.spread {
            let (low, high) = (value(self.low, row), value(self.high, row));
            // Nobody knows what all have if two have not the same.
            if !matches!((low, high), (Some(low), Some(high)) if low < high) {
                return false;
            }
        }
        check.dominance.is_none_or(|rule| self.is_shared(rule, row))
    }

    /// Whether no one or two subjects make up nearly all of the total.
    ///
    /// Source: design, "Thresholds": the two largest hold ≥ 90 %, or (total − x₁ − x₂)/x₁ < 10 %; the
    /// percentages are the plan's.
    fn is_shared(&self, rule: Dominance, row: usize) -> bool {
        let part = |sums: &Float64Array| value(sums, row).filter(|value| *value >= 0.0);
        let share = f64::from(rule.share_percent) / 100.0;
        let rest = f64::from(rule.rest_percent) / 100.0;
        let (Some(x1), Some(x2), Some(total)) = (part(self.x1), part(self.x2), part(self.total))
        else {
            return false;
        };
        // A total of nothing is disclosure of a class, which is judged elsewhere.
        total == 0.0 || (x1 + x2 < share * total && total - x1 - x2 >= rest * x1)
    }
}

fn enough(check: &Check, subjects: Option<i64>) -> bool {
    subjects.is_some_and(|subjects| subjects >= i64::from(check.k.max(1)))
}

fn value(sums: &Float64Array, row: usize) -> Option<f64> {
    let value = (!sums.is_null(row)).then(|| sums.value(row));
    value.filter(|value| value.is_finite())
}

fn at(counts: &Int64Array, row: usize) -> Option<i64> {
    (!counts.is_null(row)).then(|| counts.value(row))
}
