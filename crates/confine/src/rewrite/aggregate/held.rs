//! Values held per subject: a SUM or COUNT of a bare measure, grouped by its subject, may be the bare
//! argument of an outer SUM, AVG or COUNT. A sum over subjects of sums over rows is the sum over those
//! rows; so each held value brings the set of its rows along, and the outer cell stands in the disclosure
//! register as what it is, the sum over all of them, beside the direct sums of the same item.
//!
//! Source: design, "Approved aggregates", "Thresholds".

use super::{
    Grouping, Measure, Reported,
    measure::pool_name,
    tied_to,
    witnesses::{both, contributed, nothing, owed, there, witness},
};
use crate::{
    Cause, Unconfinable,
    label::{Base, Class, Label},
    relation::{Contribution, position},
    rewrite::Rewrite,
    scope::ScanId,
};
use plan::{AggregateCall, AggregateFunction, Check, Expr, Function, Literal};
use std::collections::BTreeSet;

/// A raw value per subject.
#[derive(Debug, Clone)]
pub(crate) struct HeldValue {
    /// Whose rows it is made of.
    scan: ScanId,
    /// Whether it is a count, to which nothing is contributed where it is 0.
    counted: bool,
    /// Scans of the same subject in every one of its rows.
    tied: BTreeSet<ScanId>,
    /// Whether each subject has one at most.
    alone: bool,
}

impl Rewrite<'_> {
    /// Holds a raw aggregate per subject. Every protected dataset that stands here row by row must be
    /// grouped by its subject, so that the outer aggregate can count them all; and no row of the measure
    /// may be here twice.
    pub(super) fn hold(
        &mut self,
        grouping: &mut Grouping,
        call: &AggregateCall,
        measure: &Measure,
    ) -> Result<Label, Unconfinable> {
        let counted = match call.function {
            AggregateFunction::Sum if !call.distinct => Some(false),
            AggregateFunction::Count if !call.distinct => Some(true),
            _ => None,
        };
        let mut standing = grouping.relation.subjects.keys();
        let whole = standing.all(|scan| grouping.by_subject.contains(scan))
            && grouping.by_subject.contains(&measure.scan)
            && grouping.relation.once.contains(&measure.scan);
        let (Some(counted), true, None) = (counted, whole, measure.held) else {
            return Err(self.about(Cause::HeldValue, &measure.label));
        };
        let number = position(self.held.len())?;
        let tied = tied_to(&grouping.relation, measure.scan);
        let alone = self.is_alone(grouping, &tied)?;
        let filter = there(call, &measure.raw);
        for (scan, subject) in grouping.standing() {
            let dataset = self.scope.of_scan(scan)?;
            let (row, by_subject) = grouping.row(scan, subject, dataset);
            let rows = [Expr::Column(subject), row, nothing()];
            let at = grouping.push(witness(rows, Some(filter.clone())))?;
            let contribution = Contribution { at, by_subject };
            grouping.contributions.insert((number, scan), contribution);
        }
        self.held.push(HeldValue {
            scan: measure.scan,
            counted,
            tied,
            alone,
        });
        Ok(Label {
            class: Class::Held { number },
            base: Some(Base {
                scan: measure.scan,
                item: measure.item.clone(),
            }),
            ..measure.label.clone()
        })
    }

    /// What an outer aggregate over held values owes. The register hears of all rows beneath; and of the
    /// subjects too where it tells how many there are, by itself or by what it divides by.
    pub(super) fn held_witnesses(
        &mut self,
        grouping: &mut Grouping,
        call: &AggregateCall,
        (measure, number): (&Measure, u32),
    ) -> Result<(), Unconfinable> {
        let place = usize::try_from(number).ok();
        let held = place.and_then(|place| self.held.get(place)).cloned();
        let held = held.ok_or(Cause::IllTyped)?;
        let relation = &grouping.relation;
        // INVARIANT (a measure enters once): what was joined to a held value has not doubled it.
        if !relation.once.contains(&held.scan) || !relation.subjects.contains_key(&held.scan) {
            return Err(Cause::NoRule.into());
        }
        let divides = call.function != AggregateFunction::Sum;
        if divides && !self.is_one_each(grouping, &held)? {
            return Err(self.about(Cause::HeldValue, &measure.label));
        }
        let counted = there(call, &measure.raw);
        let contributing = if held.counted {
            let none = Expr::Literal(Literal::Int(0));
            let some = Expr::call(Function::Greater, [measure.raw.clone(), none]);
            both(Some(counted.clone()), some)
        } else {
            counted.clone()
        };
        let value = contributed(call, &measure.raw);
        let measured = self.scope.of_scan(held.scan)?;
        let name = pool_name(measured, &measure.item);
        let shown = grouping.push(call.clone())?;
        for (scan, subject) in grouping.standing() {
            let dataset = self.scope.of_scan(scan)?;
            let (row, by_subject) = grouping.row(scan, subject, dataset);
            let values = [Expr::Column(subject), row, value.clone()];
            let owing = witness(values, Some(contributing.clone()));
            let at = grouping.witness(owing, owed(call, dataset))?;
            let rows = grouping
                .relation
                .contributions
                .get(&(number, scan))
                .copied();
            let (at, by_subject) = match rows {
                None => (at, by_subject),
                Some(rows) => {
                    let all = united(rows.at, Some(contributing.clone()));
                    let at = grouping.witness(all, Check::of(dataset.k))?;
                    (at, rows.by_subject)
                }
            };
            let reported = Reported::of(dataset, Some(name.clone()), by_subject);
            self.report_held(grouping, (at, shown), reported);
            if divides {
                let subject = Expr::Column(subject);
                let each = [subject.clone(), subject, nothing()];
                let each = witness(each, Some(counted.clone()));
                let at = grouping.witness(each, Check::of(dataset.k))?;
                let reported = Reported::of(dataset, None, !dataset.subject_unique);
                self.report_held(grouping, (at, shown), reported);
            }
        }
        Ok(())
    }

    /// Reports a witness of what a column shows. A union of rows does not say what each subject
    /// contributes, so that noise would have no measure: such a cell leaves as it is, or not at all.
    fn report_held(&mut self, grouping: &mut Grouping, (at, shown): (u32, u32), told: Reported) {
        grouping.shows.entry(at).or_default().insert(shown);
        self.report(grouping, at, (told, None));
    }

    /// Whether each subject has at most one held value in each group.
    fn is_one_each(&self, grouping: &Grouping, held: &HeldValue) -> Result<bool, Unconfinable> {
        if held.alone {
            return Ok(true);
        }
        self.one_each(grouping, &held.tied)
    }

    /// Whether a column has one value for each subject of these scans: the subject itself, or an item of
    /// a dataset in which each subject has one row.
    pub(super) fn is_of_subject(
        &self,
        scans: &BTreeSet<ScanId>,
        label: &Label,
    ) -> Result<bool, Unconfinable> {
        let Some(base) = label
            .base
            .as_ref()
            .filter(|base| scans.contains(&base.scan))
        else {
            return Ok(false);
        };
        let held = matches!(label.class, Class::Held { .. });
        Ok(!held && (self.is_subject(label) || self.scope.of_scan(base.scan)?.subject_unique))
    }
}

/// Whether an outer aggregate may see held values.
pub(super) const fn is_approved(call: &AggregateCall) -> bool {
    let function = matches!(
        call.function,
        AggregateFunction::Sum | AggregateFunction::Avg | AggregateFunction::Count
    );
    function && !call.distinct
}

/// All rows of several witnesses.
pub(super) fn united(at: u32, filter: Option<Expr>) -> AggregateCall {
    AggregateCall {
        function: AggregateFunction::WitnessUnion,
        arguments: vec![Expr::Column(at)],
        distinct: false,
        filter,
    }
}
