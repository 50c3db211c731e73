//! What becomes of the rows whose cells were reported: they stay as they are, take noise, or are dropped.
//!
//! The noise is drawn by the front, by who is in a cell; here it is brought to the column's scale.
//! Source: the cell-key method of official statistics.

use crate::{
    Failed,
    withhold::{float, tally, whole},
};
use arrow::{
    array::{
        Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Float64Array, Int64Array,
        RecordBatch,
    },
    compute::filter_record_batch,
    datatypes::{DataType, Decimal128Type, Float64Type, Int64Type},
};
use plan::{Report, Statistic};
use std::{collections::BTreeMap, sync::Arc};
use wire::job::{Fate, Noise, Verdict};

/// What noise amounts to in one column of one row.
#[derive(Debug, Clone, Copy, Default)]
struct Change {
    /// More rows, or fewer.
    count: f64,
    /// A larger sum, or a smaller one.
    sum: f64,
    /// How many rows there are.
    rows: f64,
}

/// The rows of a question as the verdict leaves them, and how many it withheld.
///
/// # Errors
/// [`Failed::Job`] if the verdict is about other rows.
pub(crate) fn carried_out(
    batches: Vec<RecordBatch>,
    reports: &[Report],
    verdict: &Verdict,
) -> Result<(Vec<RecordBatch>, u64), Failed> {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let perturbed = verdict
        .fates
        .iter()
        .filter(|fate| **fate == Fate::Perturbed);
    if verdict.fates.len() != rows || verdict.noise.len() != perturbed.count() * reports.len() {
        return Err(Failed::Job);
    }
    let (mut fates, mut noise) = (verdict.fates.as_slice(), verdict.noise.as_slice());
    let mut kept = Vec::with_capacity(batches.len());
    let mut withheld = 0;
    for batch in batches {
        let (of_batch, rest) = fates
            .split_at_checked(batch.num_rows())
            .ok_or(Failed::Job)?;
        fates = rest;
        let noisy = of_batch.iter().filter(|fate| **fate == Fate::Perturbed);
        let drawn = noisy.count() * reports.len();
        let (of_noise, rest) = noise.split_at_checked(drawn).ok_or(Failed::Job)?;
        noise = rest;
        let batch = if of_noise.is_empty() {
            batch
        } else {
            perturbed_batch(&batch, reports, (of_batch, of_noise))?
        };
        let stays = |fate: &Fate| Some(*fate != Fate::Withheld);
        let keep: BooleanArray = of_batch.iter().map(stays).collect();
        withheld += (keep.len() - keep.true_count()) as u64;
        kept.push(filter_record_batch(&batch, &keep).map_err(|_| Failed::Internal)?);
    }
    Ok((kept, withheld))
}

fn perturbed_batch(
    batch: &RecordBatch,
    reports: &[Report],
    (fates, noise): (&[Fate], &[Noise]),
) -> Result<RecordBatch, Failed> {
    let mut changes: BTreeMap<(usize, Statistic), BTreeMap<usize, Change>> = BTreeMap::new();
    let rows = fates.iter().enumerate();
    let rows = rows.filter(|(_, fate)| **fate == Fate::Perturbed);
    for ((row, _), drawn) in rows.zip(noise.chunks(reports.len())) {
        for (report, noise) in reports.iter().zip(drawn) {
            let Some((largest, rows)) = contributions(batch, report.witness, row)? else {
                continue;
            };
            for noised in &report.noised {
                let column = usize::try_from(noised.column).map_err(|_| Failed::Job)?;
                let of_column = changes.entry((column, noised.statistic)).or_default();
                let change = of_column.entry(row).or_default();
                change.count += f64::from(noise.count);
                change.sum += noise.sum * largest;
                change.rows = rows;
            }
        }
    }
    let mut columns = batch.columns().to_vec();
    for ((column, statistic), changes) in changes {
        let column = columns.get_mut(column).ok_or(Failed::Job)?;
        *column = changed(column, statistic, &changes)?;
    }
    RecordBatch::try_new(batch.schema(), columns).map_err(|_| Failed::Schema)
}

/// The largest contribution to a row's cell and how many rows it has; none where it reports nothing.
fn contributions(batch: &RecordBatch, at: u32, row: usize) -> Result<Option<(f64, f64)>, Failed> {
    let tally = tally(batch, at)?;
    if tally.is_null(row) {
        return Ok(None);
    }
    #[expect(clippy::cast_precision_loss, reason = "rows are numbered in 32 bits")]
    let rows = whole(tally, "rows", row)? as f64;
    Ok(Some((float(tally, "x1", row)?, rows)))
}

/// A column with noise in some rows. What was null stays null.
fn changed(
    column: &ArrayRef,
    statistic: Statistic,
    changes: &BTreeMap<usize, Change>,
) -> Result<ArrayRef, Failed> {
    match column.data_type() {
        DataType::Int64 => {
            let values = column.as_primitive::<Int64Type>();
            let value = |(row, value): (usize, Option<i64>)| {
                let change = changes.get(&row);
                change.map_or(value, |change| Some(nearest(value?, change, statistic)))
            };
            let values: Int64Array = values.iter().enumerate().map(value).collect();
            Ok(Arc::new(values))
        }
        DataType::Float64 => {
            let values = column.as_primitive::<Float64Type>();
            let value = |(row, value): (usize, Option<f64>)| {
                let change = changes.get(&row);
                change.map_or(value, |change| Some(applied(value?, change, statistic)))
            };
            let values: Float64Array = values.iter().enumerate().map(value).collect();
            Ok(Arc::new(values))
        }
        DataType::Decimal128(precision, scale) => {
            let values = column.as_primitive::<Decimal128Type>();
            let unit = 10f64.powi(i32::from(*scale));
            let most = 10i128.pow(u32::from(*precision)) - 1;
            let value = |(row, value): (usize, Option<i128>)| {
                let Some((value, change)) = value.zip(changes.get(&row)) else {
                    return value;
                };
                let added = difference(value, change, statistic, unit);
                Some(value.saturating_add(added).clamp(-most, most))
            };
            let values: Decimal128Array = values.iter().enumerate().map(value).collect();
            let values = values.with_precision_and_scale(*precision, *scale);
            Ok(Arc::new(values.map_err(|_| Failed::Schema)?))
        }
        _ => Err(Failed::Schema),
    }
}

/// A statistic with noise.
fn applied(value: f64, change: &Change, statistic: Statistic) -> f64 {
    match statistic {
        Statistic::Count => (value + change.count).max(0.0),
        Statistic::Sum => value + change.sum,
        Statistic::Mean => {
            let rows = (change.rows + change.count).max(1.0);
            (value * change.rows + change.sum) / rows
        }
    }
}

fn nearest(value: i64, change: &Change, statistic: Statistic) -> i64 {
    let added = difference(i128::from(value), change, statistic, 1.0);
    i64::try_from(i128::from(value).saturating_add(added)).unwrap_or(value)
}

/// What noise adds to a number of so many units to one, in units.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "only the noise is computed in floats; a cast from a float saturates"
)]
fn difference(value: i128, change: &Change, statistic: Statistic, unit: f64) -> i128 {
    let of_one = value as f64 / unit;
    let added = match statistic {
        Statistic::Sum => change.sum,
        Statistic::Count | Statistic::Mean => applied(of_one, change, statistic) - of_one,
    };
    (added * unit).round() as i128
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGE: Change = Change {
        count: -2.0,
        sum: 25.0,
        rows: 12.0,
    };

    fn change(column: ArrayRef, statistic: Statistic) -> ArrayRef {
        changed(&column, statistic, &BTreeMap::from([(1, CHANGE)])).unwrap()
    }

    #[test]
    fn counts_sums_and_means_take_noise_in_their_own_type_and_only_where_asked() {
        let counts: ArrayRef = Arc::new(Int64Array::from(vec![Some(12), Some(12), None]));
        let counted = change(Arc::clone(&counts), Statistic::Count);
        let expect: ArrayRef = Arc::new(Int64Array::from(vec![Some(12), Some(10), None]));
        assert_eq!(&counted, &expect);
        let summed = change(counts, Statistic::Sum);
        let expect: ArrayRef = Arc::new(Int64Array::from(vec![Some(12), Some(37), None]));
        assert_eq!(&summed, &expect);

        let means: ArrayRef = Arc::new(Float64Array::from(vec![5.0, 5.0]));
        let expect: ArrayRef = Arc::new(Float64Array::from(vec![5.0, (60.0 + 25.0) / 10.0]));
        assert_eq!(&change(means, Statistic::Mean), &expect);

        let decimal = |values: Vec<Option<i128>>| -> ArrayRef {
            let values = Decimal128Array::from(values);
            Arc::new(values.with_precision_and_scale(6, 2).unwrap())
        };
        let sums = decimal(vec![Some(100), Some(100), None]);
        assert_eq!(
            &change(sums, Statistic::Sum),
            &decimal(vec![Some(100), Some(2600), None])
        );
        let largest = decimal(vec![Some(100), Some(999_999)]);
        assert_eq!(
            &change(largest, Statistic::Sum),
            &decimal(vec![Some(100), Some(999_999)]),
            "no more than the type holds"
        );
    }

    #[test]
    fn a_perturbed_mean_is_the_perturbed_sum_by_the_perturbed_count() {
        let (count, sum) = (12.0, 60.0);
        let mean = applied(sum / count, &CHANGE, Statistic::Mean);
        let of = |value, statistic| applied(value, &CHANGE, statistic);
        let quotient = of(sum, Statistic::Sum) / of(count, Statistic::Count);
        assert!((mean - quotient).abs() < 1e-12, "{mean} {quotient}");
    }

    #[test]
    fn a_verdict_about_other_rows_is_not_carried_out() {
        let schema = arrow::datatypes::Schema::empty();
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(2));
        let batch = RecordBatch::try_new_with_options(Arc::new(schema), vec![], &options).unwrap();
        let check = |fates: Vec<Fate>, noise: usize| {
            let noise = vec![Noise::default(); noise];
            let verdict = Verdict { fates, noise };
            carried_out(vec![batch.clone()], &[], &verdict).map(|(_, withheld)| withheld)
        };
        assert_eq!(check(vec![Fate::Exact, Fate::Withheld], 0).unwrap(), 1);
        assert!(check(vec![Fate::Exact], 0).is_err());
        assert!(check(vec![Fate::Exact; 3], 0).is_err());
        assert!(check(vec![Fate::Exact; 2], 1).is_err());
    }
}
