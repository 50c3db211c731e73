//! Which columns of a grouping can take noise, so that a cell that conflicts with earlier releases may
//! leave perturbed and not only be withheld.
//!
//! Source: design, "Thresholds"; the cell-key method of official statistics.

use super::Reported;
use plan::{AggregateCall, AggregateFunction, Noised, Report, Statistic};
use std::collections::BTreeSet;

/// What noise can be added to an aggregate over the rows of one report; none where there is no form for it.
pub(super) const fn statistic(call: &AggregateCall) -> Option<Statistic> {
    match call.function {
        // A count of distinct values moves by at most one with each contributor.
        AggregateFunction::Count => Some(Statistic::Count),
        AggregateFunction::Sum if !call.distinct => Some(Statistic::Sum),
        AggregateFunction::Avg if !call.distinct => Some(Statistic::Mean),
        AggregateFunction::Sum
        | AggregateFunction::Avg
        | AggregateFunction::Min
        | AggregateFunction::Max
        | AggregateFunction::Median
        | AggregateFunction::Percentile
        | AggregateFunction::StddevSample
        | AggregateFunction::StddevPopulation
        | AggregateFunction::VarianceSample
        | AggregateFunction::VariancePopulation
        | AggregateFunction::Witness
        | AggregateFunction::WitnessUnion
        | AggregateFunction::SafeQuantile
        | AggregateFunction::SafeMin
        | AggregateFunction::SafeMax
        | AggregateFunction::SharedMin
        | AggregateFunction::SharedMax => None,
    }
}

/// Notes on the reports made right above a grouping whether its rows can leave perturbed: every column
/// that shows what is reported takes noise, and at least one does. Where they cannot, none takes any.
///
/// INVARIANT (one cell, one noise): a column takes the noise of one report. Where several protected
/// datasets, or one twice, are joined, the same sum would come with this noise and with that, and what
/// is known of their multiples takes the noise away.
///
/// `owing` are the columns that show something of the reported rows.
pub(super) fn settle(reports: &mut [Report], reported: &mut [Reported], owing: &BTreeSet<u32>) {
    let noised: BTreeSet<u32> = reports
        .iter()
        .flat_map(|report| report.noised.iter().map(|noised| noised.column))
        .collect();
    let drawn: usize = reports.iter().map(|report| report.noised.len()).sum();
    let perturbable = !noised.is_empty() && owing.is_subset(&noised) && drawn == noised.len();
    for report in reports {
        if !perturbable {
            report.noised.clear();
        }
        let number = usize::try_from(report.number).ok();
        if let Some(reported) = number.and_then(|number| reported.get_mut(number)) {
            reported.perturbable = perturbable;
        }
    }
}

/// Adds a column to those that take a report's noise.
pub(super) fn add(report: &mut Report, noised: Option<Noised>) {
    report.noised.extend(noised);
    report.noised.sort_unstable();
    report.noised.dedup();
}
