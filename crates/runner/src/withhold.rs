//! Cells that fall short are dropped and counted, from a finished intermediate result; who is in the
//! others is reported for the disclosure register.

use crate::Failed;
use arrow::{
    array::{Array, AsArray, BooleanArray, RecordBatch, StructArray},
    compute::filter_record_batch,
    datatypes::{Float64Type, Int64Type},
};
use bytes::Bytes;
use plan::{Cell, Check, Dominance, Report};
use wire::job::Cells;

/// Drops the rows of which any cell falls short, counted for security staff.
pub(crate) fn withhold(
    batches: Vec<RecordBatch>,
    cells: &[Cell],
    withheld: &mut u64,
) -> Result<Vec<RecordBatch>, Failed> {
    let mut kept = Vec::with_capacity(batches.len());
    for batch in batches {
        let mut keep = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            let mut met = true;
            for cell in cells {
                met &= meets(&batch, row, cell)?;
            }
            *withheld += u64::from(!met);
            keep.push(met);
        }
        let keep = BooleanArray::from(keep);
        kept.push(filter_record_batch(&batch, &keep).map_err(|_| Failed::Internal)?);
    }
    Ok(kept)
}

/// Who is in the cells that were kept, row by row; where a column is null, nobody.
pub(crate) fn reported(batches: &[RecordBatch], reports: &[Report]) -> Result<Vec<Cells>, Failed> {
    let mut told = Vec::with_capacity(reports.len());
    for report in reports {
        let number = report.number;
        let mut sets = Vec::new();
        for batch in batches {
            let whole = tally(batch, report.witness)?;
            let found = whole
                .column_by_name("row_set")
                .and_then(|c| c.as_binary_opt::<i32>());
            let found = found.ok_or(Failed::Schema)?;
            sets.extend((0..whole.len()).map(|row| {
                let there = whole.is_valid(row) && found.is_valid(row);
                let bytes = if there { found.value(row) } else { &[] };
                Bytes::copy_from_slice(bytes)
            }));
        }
        told.push(Cells { number, sets });
    }
    Ok(told)
}

/// Whether a row meets one cell. What cannot be read does not.
fn meets(batch: &RecordBatch, row: usize, cell: &Cell) -> Result<bool, Failed> {
    let at = usize::try_from(cell.witness).map_err(|_| Failed::Job)?;
    let column = batch.columns().get(at).ok_or(Failed::Job)?;
    if column.is_null(row) {
        return Ok(false);
    }
    let Check {
        k,
        dominance,
        once,
        spread,
        freedom,
    } = cell.check;
    if let Some(subjects) = column.as_primitive_opt::<Int64Type>() {
        return Ok(cell.check.is_count() && subjects.value(row) >= i64::from(k));
    }
    let tally = column.as_struct_opt().ok_or(Failed::Schema)?;
    let distinct = whole(tally, "rows_distinct", row)?;
    let enough = whole(tally, "subjects", row)? >= i64::from(k);
    let single = !once || whole(tally, "rows", row)? == distinct;
    let free = freedom == 0 || distinct > i64::from(freedom);
    let sums = ["x1", "x2", "total", "low", "high"].map(|name| float(tally, name, row));
    let [x1, x2, total, low, high] = sums;
    let (x1, x2, total, low, high) = (x1?, x2?, total?, low?, high?);
    // Sums that are no numbers are not spread: comparisons with them are false.
    let spread = !spread || low < high;
    let dominated = dominance.is_some_and(|rule| dominated(rule, x1, x2, total));
    Ok(enough && single && free && spread && !dominated)
}

/// Two subjects hold nearly all, or the rest cannot hide the largest. Source: design, "Thresholds".
fn dominated(rule: Dominance, x1: f64, x2: f64, total: f64) -> bool {
    if !total.is_finite() {
        return true;
    }
    let share = f64::from(rule.share_percent) / 100.0;
    let rest = f64::from(rule.rest_percent) / 100.0;
    total > 0.0 && (x1 + x2 >= share * total || total - x1 - x2 < rest * x1)
}

pub(crate) fn tally(batch: &RecordBatch, at: u32) -> Result<&StructArray, Failed> {
    let at = usize::try_from(at).map_err(|_| Failed::Job)?;
    let column = batch.columns().get(at).ok_or(Failed::Job)?;
    column.as_struct_opt().ok_or(Failed::Schema)
}

pub(crate) fn whole(tally: &StructArray, name: &str, row: usize) -> Result<i64, Failed> {
    let column = tally
        .column_by_name(name)
        .and_then(|column| column.as_primitive_opt::<Int64Type>());
    column
        .filter(|c| c.is_valid(row))
        .map(|c| c.value(row))
        .ok_or(Failed::Schema)
}

pub(crate) fn float(tally: &StructArray, name: &str, row: usize) -> Result<f64, Failed> {
    let column = tally
        .column_by_name(name)
        .and_then(|column| column.as_primitive_opt::<Float64Type>());
    column
        .filter(|c| c.is_valid(row))
        .map(|c| c.value(row))
        .ok_or(Failed::Schema)
}
