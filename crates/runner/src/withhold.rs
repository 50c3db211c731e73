//! Cells that fall short are dropped and counted, from a finished intermediate result.

use crate::Failed;
use arrow::{
    array::{Array, AsArray, BooleanArray, RecordBatch, StructArray},
    compute::filter_record_batch,
    datatypes::{Float64Type, Int64Type},
};
use plan::Cell;
use std::collections::HashSet;

/// What was withheld in a job, for security staff and for the notice.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Withheld {
    /// Groups.
    pub groups: u64,
    /// Whether together they hold at least k subjects, so that saying so tells of nobody.
    pub holds_k: bool,
}

/// Drops the rows of which any cell falls short.
pub(crate) fn withhold(
    batches: Vec<RecordBatch>,
    cells: &[Cell],
    withheld: &mut Withheld,
) -> Result<Vec<RecordBatch>, Failed> {
    let mut kept = Vec::with_capacity(batches.len());
    let mut some: HashSet<Vec<u8>> = HashSet::new();
    let k = cells.iter().map(|cell| cell.k).max().unwrap_or(u32::MAX);
    for batch in batches {
        let mut keep = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            let mut met = true;
            for cell in cells {
                met &= meets(&batch, row, cell)?;
            }
            if !met {
                withheld.groups += 1;
                withheld.holds_k |= holds(&batch, row, cells, &mut some);
            }
            keep.push(met);
        }
        kept.push(
            filter_record_batch(&batch, &BooleanArray::from(keep)).map_err(|_| Failed::Internal)?,
        );
    }
    withheld.holds_k |= some.len() >= usize::try_from(k).unwrap_or(usize::MAX);
    Ok(kept)
}

/// Whether a row meets one cell. What cannot be read does not.
fn meets(batch: &RecordBatch, row: usize, cell: &Cell) -> Result<bool, Failed> {
    let at = usize::try_from(cell.witness).map_err(|_| Failed::Job)?;
    let column = batch.columns().get(at).ok_or(Failed::Job)?;
    if column.is_null(row) {
        return Ok(false);
    }
    let k = i64::from(cell.k);
    if let Some(subjects) = column.as_primitive_opt::<Int64Type>() {
        return Ok(!cell.dominance && !cell.once && subjects.value(row) >= k);
    }
    let tally = column.as_struct_opt().ok_or(Failed::Schema)?;
    let subjects = whole(tally, "subjects", row)?;
    let once = !cell.once || whole(tally, "rows", row)? == whole(tally, "rows_distinct", row)?;
    let (x1, x2) = (float(tally, "x1", row)?, float(tally, "x2", row)?);
    let total = float(tally, "total", row)?;
    Ok(subjects >= k && once && !(cell.dominance && dominated(x1, x2, total)))
}

/// Two subjects hold nine tenths, or the rest cannot hide the largest. Source: design, "Thresholds".
fn dominated(x1: f64, x2: f64, total: f64) -> bool {
    if !total.is_finite() {
        return true;
    }
    total > 0.0 && (x1 + x2 >= 0.9 * total || total - x1 - x2 < 0.1 * x1)
}

/// Whether a withheld row's subjects, with those before it, are enough to be spoken of.
fn holds(batch: &RecordBatch, row: usize, cells: &[Cell], some: &mut HashSet<Vec<u8>>) -> bool {
    let mut holds = false;
    for cell in cells {
        let column = usize::try_from(cell.witness)
            .ok()
            .and_then(|at| batch.columns().get(at));
        let Some(tally) = column.and_then(|column| column.as_struct_opt()) else {
            continue;
        };
        holds |= whole(tally, "subjects", row).is_ok_and(|count| count >= i64::from(cell.k));
        let ids = tally
            .column_by_name("ids")
            .and_then(|ids| ids.as_binary_opt::<i32>());
        if let Some(ids) = ids.filter(|ids| ids.is_valid(row)) {
            some.extend(ids.value(row).chunks(32).map(<[u8]>::to_vec));
        }
    }
    holds
}

fn whole(tally: &StructArray, name: &str, row: usize) -> Result<i64, Failed> {
    let column = tally
        .column_by_name(name)
        .and_then(|column| column.as_primitive_opt::<Int64Type>());
    column
        .filter(|c| c.is_valid(row))
        .map(|c| c.value(row))
        .ok_or(Failed::Schema)
}

fn float(tally: &StructArray, name: &str, row: usize) -> Result<f64, Failed> {
    let column = tally
        .column_by_name(name)
        .and_then(|column| column.as_primitive_opt::<Float64Type>());
    column
        .filter(|c| c.is_valid(row))
        .map(|c| c.value(row))
        .ok_or(Failed::Schema)
}
