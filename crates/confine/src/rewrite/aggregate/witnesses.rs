//! Who is in each cell: what an aggregate owes, what the disclosure register hears of it.

use super::{
    Grouping, Measure, Reported,
    held::united,
    measure::{is_approved, pool_name},
    parts::parts,
    single::ROWS,
};
use crate::{
    Cause, Unconfinable,
    rewrite::{Rewrite, noise},
    scope::ScanId,
};
use plan::{
    AggregateCall, AggregateFunction, Check, Dominance, Expr, Function, Literal, Noised, Report,
    Statistic,
};
use policy::PermittedDataset;
use terms::Type;

impl Rewrite<'_> {
    /// One witness for each protected dataset whose rows stand here.
    pub(super) fn raw_witnesses(
        &mut self,
        grouping: &mut Grouping,
        call: &AggregateCall,
        measure: &Measure,
    ) -> Result<(), Unconfinable> {
        let value = contributed(call, &measure.raw);
        let filter = there(call, &measure.raw);
        let proved = grouping.relation.once.contains(&measure.scan);
        let measured = self.scope.of_scan(measure.scan)?;
        let name = pool_name(measured, &measure.item);
        let shown = grouping.push(call.clone())?;
        let noised = noise::statistic(call).map(|statistic| Noised {
            column: shown,
            statistic,
        });
        let subjects: Vec<(ScanId, u32)> = grouping.standing();
        for (scan, subject) in subjects {
            let dataset = self.scope.of_scan(scan)?;
            let once = !proved && scan == measure.scan;
            let (row, by_subject) = grouping.row(scan, subject, dataset);
            // INVARIANT (a measure enters once): without row numbers there is nothing to show it by.
            if once && by_subject {
                return Err(Cause::NoRule.into());
            }
            let check = Check {
                once,
                ..owed(call, dataset)
            };
            let filter = Some(filter.clone());
            let witness = witness([Expr::Column(subject), row, value.clone()], filter);
            let reported = Reported::of(dataset, Some(name.clone()), by_subject);
            let at = grouping.witness(witness, check)?;
            grouping.shows.entry(at).or_default().insert(shown);
            self.report(grouping, at, (reported, noised));
        }
        if !proved && !grouping.relation.subjects.contains_key(&measure.scan) && measured.protected
        {
            return Err(Cause::NoRule.into());
        }
        Ok(())
    }

    /// Notes that the disclosure register hears of a witness, once, and which column takes its noise.
    pub(super) fn report(
        &mut self,
        grouping: &mut Grouping,
        at: u32,
        (reported, noised): (Reported, Option<Noised>),
    ) {
        // One witness may stand in two pools: of a measure, and of how many there are.
        let pool = |number: u32| {
            let known = usize::try_from(number).ok();
            let known = known.and_then(|number| self.reported.get(number));
            known.is_some_and(|known| known == &reported)
        };
        let mut known = grouping.reports.iter_mut();
        if let Some(report) = known.find(|known| known.witness == at && pool(known.number)) {
            noise::add(report, noised);
            return;
        }
        let number = u32::try_from(self.reported.len()).unwrap_or(u32::MAX);
        let by_subject = reported.by_subject;
        self.reported.push(reported);
        grouping.reports.push(Report {
            witness: at,
            number,
            by_subject,
            noised: noised.into_iter().collect(),
        });
    }

    /// For each protected dataset that owes: who is in the group, and in each part of it that an
    /// aggregate looks at.
    pub(super) fn masked_witnesses(
        &mut self,
        grouping: &mut Grouping,
        calls: &[&AggregateCall],
    ) -> Result<(), Unconfinable> {
        for (scan, subject) in self.owing(grouping)? {
            for (filter, calls) in parts(calls) {
                let at = self.counted(grouping, (scan, subject), filter)?;
                for call in calls {
                    let column = grouping.push(call.clone())?;
                    grouping.shows.entry(at).or_default().insert(column);
                    // A sum over the masked view has no contributions that noise could be measured by.
                    let counted = noise::statistic(call).filter(|of| *of == Statistic::Count);
                    let noised = counted.map(|statistic| Noised { column, statistic });
                    let report = grouping.reports.iter_mut().find(|r| r.witness == at);
                    report
                        .into_iter()
                        .for_each(|report| noise::add(report, noised));
                }
            }
        }
        Ok(())
    }

    /// For each protected dataset that owes: whom the FILTER of an aggregate over raw values chooses,
    /// whether they have a value or not. How many there are is told by such an aggregate too, and held
    /// against what the masked view counts.
    pub(super) fn chosen_witnesses(
        &mut self,
        grouping: &mut Grouping,
        calls: &[&AggregateCall],
    ) -> Result<(), Unconfinable> {
        for owing in self.owing(grouping)? {
            for call in calls.iter().filter(|call| call.filter.is_some()) {
                let at = self.counted(grouping, owing, call.filter.clone())?;
                let shown = grouping.push((*call).clone())?;
                grouping.shows.entry(at).or_default().insert(shown);
            }
        }
        Ok(())
    }

    /// Where the witness stands of the rows of a dataset that a filter leaves, which the register hears of as
    /// how many there are. Of groups by subject it also hears of the rows that they were made of.
    fn counted(
        &mut self,
        grouping: &mut Grouping,
        (scan, subject): (ScanId, u32),
        filter: Option<Expr>,
    ) -> Result<u32, Unconfinable> {
        let dataset = self.scope.of_scan(scan)?;
        if let Some(rows) = grouping.relation.contributions.get(&(ROWS, scan)) {
            let all = united(rows.at, filter.clone());
            let at = grouping.witness(all, Check::of(dataset.k))?;
            self.report(grouping, at, (Reported::of(dataset, None, false), None));
        }
        let (row, by_subject) = grouping.row(scan, subject, dataset);
        let rows = witness([Expr::Column(subject), row, nothing()], filter);
        let at = grouping.witness(rows, Check::of(dataset.k))?;
        let reported = Reported::of(dataset, None, by_subject);
        self.report(grouping, at, (reported, None));
        Ok(at)
    }
}

/// The rows that a raw value enters a cell with.
pub(super) fn there(call: &AggregateCall, raw: &Expr) -> Expr {
    let there = Expr::call(Function::IsNotNull, [raw.clone()]);
    both(call.filter.clone(), there)
}

/// What a row contributes to a cell that can be dominated: order statistics hide the largest by their
/// form, counts have none.
pub(super) fn contributed(call: &AggregateCall, raw: &Expr) -> Expr {
    if is_summed(call) {
        as_float(raw.clone())
    } else {
        nothing()
    }
}

pub(super) fn nothing() -> Expr {
    Expr::Literal(Literal::Null(Type::Float))
}

/// Counts the subjects and rows, and adds up what they contribute.
pub(super) fn witness(arguments: [Expr; 3], filter: Option<Expr>) -> AggregateCall {
    AggregateCall {
        function: AggregateFunction::Witness,
        arguments: arguments.into(),
        distinct: false,
        filter,
    }
}

/// What a cell over raw values of a dataset owes.
pub(super) fn owed(call: &AggregateCall, dataset: &PermittedDataset) -> Check {
    let (rules, summed) = (dataset.disclosure, is_summed(call));
    let deviation = is_deviation(call.function);
    Check {
        k: dataset.k,
        dominance: summed.then_some(Dominance {
            share_percent: rules.share_percent,
            rest_percent: rules.rest_percent,
        }),
        once: false,
        spread: summed && rules.spread,
        freedom: if deviation { rules.freedom } else { 0 },
    }
}

/// Whether one contribution can make up most of a cell.
pub(super) const fn is_summed(call: &AggregateCall) -> bool {
    is_approved(call) && !matches!(call.function, AggregateFunction::Count)
}

/// Both of two checks.
pub(super) fn stricter(one: Check, other: Check) -> Check {
    Check {
        k: one.k.max(other.k),
        dominance: one.dominance.or(other.dominance),
        once: one.once || other.once,
        spread: one.spread || other.spread,
        freedom: one.freedom.max(other.freedom),
    }
}

/// Whether degrees of freedom count.
pub(super) const fn is_deviation(function: AggregateFunction) -> bool {
    matches!(
        function,
        AggregateFunction::StddevSample
            | AggregateFunction::StddevPopulation
            | AggregateFunction::VarianceSample
            | AggregateFunction::VariancePopulation
    )
}

pub(super) fn as_float(value: Expr) -> Expr {
    Expr::Cast {
        value: Box::new(value),
        to: Type::Float,
        lenient: false,
    }
}

pub(super) fn both(filter: Option<Expr>, other: Expr) -> Expr {
    match filter {
        None => other,
        Some(filter) => Expr::call(Function::And, [filter, other]),
    }
}
