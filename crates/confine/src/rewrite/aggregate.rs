mod held; // raw values per subject, for an outer aggregate

pub(crate) use self::held::HeldValue;

use super::{Rewrite, noise, scan::is_measure};
use crate::{
    Cause, Unconfinable,
    expression::column,
    label::{Class, Label, Shape},
    relation::{Column, Contribution, Relation, Witness, position},
    scope::ScanId,
};
use plan::{
    AggregateCall, AggregateFunction, Cell, Check, Dominance, Expr, Function, Literal, Node,
    Noised, Report, Statistic,
};
use policy::{PermittedDataset, Release};
use std::collections::{BTreeMap, BTreeSet};
use terms::{DatasetName, ItemName, Mask, Type};

/// What a grouping needs beside what the draft asked for.
struct Grouping {
    relation: Relation,
    keys: Vec<Expr>,
    calls: Vec<AggregateCall>,
    columns: Vec<Column>,
    witnesses: Vec<Witness>,
    /// Scans whose subject is among the keys: their rows still stand one subject by one.
    by_subject: BTreeSet<ScanId>,
    /// The draft's columns that are keys as they are.
    bare_keys: BTreeSet<usize>,
    /// The rows that go into the values held here.
    contributions: BTreeMap<(u32, ScanId), Contribution>,
    /// Where the subject numbers of those stand, after grouping.
    subjects: BTreeMap<ScanId, u32>,
    reports: Vec<Report>,
    /// The columns that show something of the rows a witness counts, by where the witness stands.
    shows: BTreeMap<u32, BTreeSet<u32>>,
}

/// An approved aggregate's measure.
struct Measure {
    scan: ScanId,
    item: ItemName,
    /// The raw value itself.
    raw: Expr,
    /// The raw value, with the draft's widening cast.
    value: Expr,
    /// The number of the held value it is, if it is one.
    held: Option<u32>,
    label: Label,
}

/// A thresholded cell that the disclosure register hears of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// The protected dataset whose rows, or subjects, contribute.
    pub dataset: DatasetName,
    /// The item whose raw values are combined, or the first of the items it is derived with; none where
    /// rows are only counted or shown masked.
    pub measure: Option<(DatasetName, ItemName)>,
    /// Whether what is reported are numbers of subjects, not of rows.
    pub by_subject: bool,
    /// The threshold of the dataset.
    pub k: u32,
    /// The largest share of one subject's value that all sums together may explain, in percent.
    pub explained_percent: u8,
    /// How the dataset's cells are released.
    pub release: Release,
    /// Whether all that shows these rows can take noise.
    pub perturbable: bool,
}

impl Reported {
    fn of(
        dataset: &PermittedDataset,
        measure: Option<(DatasetName, ItemName)>,
        by_subject: bool,
    ) -> Self {
        Self {
            dataset: dataset.name.clone(),
            measure,
            by_subject,
            k: dataset.k,
            explained_percent: dataset.disclosure.explained_percent,
            release: dataset.disclosure.release,
            perturbable: false,
        }
    }
}

impl Rewrite<'_> {
    /// Groups. Approved aggregates over a bare item see its raw value and owe the threshold right here;
    /// masked-only groups carry a count of subjects up to the result.
    pub(super) fn aggregate(
        &mut self,
        input: &Node,
        (keys, aggregates): (&[Expr], &[AggregateCall]),
        last: bool,
    ) -> Result<Relation, Unconfinable> {
        let relation = self.relation(input, false)?;
        let mut grouping = self.grouped(relation, keys)?;
        grouping.keep_subjects()?;
        let mut asked = Vec::with_capacity(aggregates.len());
        for call in aggregates {
            asked.push(self.asked(&grouping, call)?);
        }
        for (call, label, measure) in &asked {
            let at = grouping.push(call.clone())?;
            let mut label = label.clone();
            if let Some(measure) = measure.as_ref().filter(|_| grouping.is_by_subject()) {
                label = self.hold(&mut grouping, call, measure)?;
            }
            grouping.columns.push(Column {
                at: Some(at),
                label,
            });
        }
        for (call, _, measure) in &asked {
            if let Some(measure) = measure.as_ref().filter(|_| !grouping.is_by_subject()) {
                match measure.held {
                    None => self.raw_witnesses(&mut grouping, call, measure)?,
                    Some(number) => self.held_witnesses(&mut grouping, call, (measure, number))?,
                }
            }
        }
        let masked: Vec<&AggregateCall> = asked
            .iter()
            .filter(|(_, _, m)| m.is_none())
            .map(|(call, _, _)| call)
            .collect();
        self.masked_witnesses(&mut grouping, &masked)?;
        if last {
            grouping.withhold_here();
        }
        grouping.earlier_witnesses()?;
        Ok(self.finish(grouping))
    }

    /// Each row once: groups by every column.
    pub(super) fn distinct(&mut self, input: &Node) -> Result<Relation, Unconfinable> {
        let relation = self.relation(input, false)?;
        let ordinals = 0..position(relation.columns.len())?;
        let keys: Vec<Expr> = ordinals.map(Expr::Column).collect();
        self.grouped_by(relation, &keys)
    }

    /// The groups of a relation by these keys, and who is in each.
    pub(super) fn grouped_by(
        &mut self,
        relation: Relation,
        keys: &[Expr],
    ) -> Result<Relation, Unconfinable> {
        let mut grouping = self.grouped(relation, keys)?;
        grouping.keep_subjects()?;
        self.masked_witnesses(&mut grouping, &[])?;
        grouping.earlier_witnesses()?;
        Ok(self.finish(grouping))
    }

    fn grouped(&mut self, relation: Relation, keys: &[Expr]) -> Result<Grouping, Unconfinable> {
        let mut columns = Vec::with_capacity(keys.len());
        let mut confined = Vec::with_capacity(keys.len());
        let mut by_subject = BTreeSet::new();
        for key in keys {
            let (expr, label) = self.key(key, &relation.columns)?;
            if let Some(base) = label.base.as_ref().filter(|_| self.is_subject(&label))
                && relation.subjects.contains_key(&base.scan)
            {
                by_subject.insert(base.scan);
                by_subject.extend(tied_to(&relation, base.scan));
            }
            columns.push(Column {
                at: Some(position(confined.len())?),
                label,
            });
            confined.push(expr);
        }
        let bare_key = |key: &Expr| match key {
            Expr::Column(ordinal) => usize::try_from(*ordinal).ok(),
            _ => None,
        };
        let bare_keys = keys.iter().filter_map(bare_key).collect();
        let witnesses = Vec::new();
        Ok(Grouping {
            relation,
            keys: confined,
            calls: vec![],
            columns,
            witnesses,
            by_subject,
            bare_keys,
            contributions: BTreeMap::new(),
            subjects: BTreeMap::new(),
            reports: Vec::new(),
            shows: BTreeMap::new(),
        })
    }

    /// The call as it will run, what is known of its value, and its measure if it sees raw values.
    fn asked(
        &mut self,
        grouping: &Grouping,
        call: &AggregateCall,
    ) -> Result<(AggregateCall, Label, Option<Measure>), Unconfinable> {
        let relation = &grouping.relation;
        if call.function.is_confined() {
            return Err(Cause::IllTyped.into());
        }
        let filter = match &call.filter {
            None => None,
            Some(filter) => Some(self.open(filter, &relation.columns)?.0),
        };
        if let Some(argument) = call.arguments.first()
            && let Some(measure) = self.measure(relation, call, argument)?
        {
            let label = measure.label.clone();
            let call = match self.order_statistic(relation, call, &measure)? {
                Some((function, arguments)) => AggregateCall {
                    function,
                    arguments,
                    distinct: false,
                    filter,
                },
                None => AggregateCall {
                    arguments: vec![measure.value.clone()],
                    filter,
                    ..call.clone()
                },
            };
            return Ok((call, label, Some(measure)));
        }
        let owing = self.owing(grouping)?;
        let mut labels = Vec::new();
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            let counted = call.function == AggregateFunction::Count;
            let (expr, label) = if counted {
                self.key(argument, &relation.columns)?
            } else {
                self.open(argument, &relation.columns)?
            };
            arguments.push(expr);
            labels.push(label);
        }
        let mut label = Label::computed(&labels);
        if grouping.is_by_subject() {
            label.shape = shape_by_subject(call, &labels);
        }
        let mut confined = AggregateCall {
            arguments,
            filter,
            ..call.clone()
        };
        if !owing.is_empty() {
            self.names_no_row(relation, &owing, call, &mut confined)?;
        }
        Ok((confined, label, None))
    }

    /// The scans whose rows may not show and go into these groups.
    fn owing(&self, grouping: &Grouping) -> Result<Vec<(ScanId, u32)>, Unconfinable> {
        let mut owing = Vec::new();
        for (scan, subject) in grouping.standing() {
            if !grouping.by_subject.contains(&scan) && self.scope.owes(scan)? {
                owing.push((scan, subject));
            }
        }
        Ok(owing)
    }

    /// Gives an aggregate over the masked view, where rows may not show, a form in which no few rows
    /// decide its value: what is summed is linear in its row or chosen by conditions that each owe the
    /// threshold, and an extreme is a value that k subjects share.
    fn names_no_row(
        &mut self,
        relation: &Relation,
        owing: &[(ScanId, u32)],
        call: &AggregateCall,
        confined: &mut AggregateCall,
    ) -> Result<(), Unconfinable> {
        let Some(argument) = call.arguments.first() else {
            return Ok(());
        };
        let about = |this: &Self, label: &Label| Err(this.about(Cause::SingledOut, label));
        match call.function {
            AggregateFunction::Count if !call.distinct => Ok(()),
            AggregateFunction::Count => {
                let (_, label) = self.expression(argument, &relation.columns)?;
                match label.base.is_some() || label.shape != Shape::Free {
                    true => Ok(()),
                    false => about(self, &label),
                }
            }
            AggregateFunction::Min | AggregateFunction::Max => {
                let [(scan, subject)] = owing else {
                    return Err(Cause::NoRule.into());
                };
                let k = Literal::Int(i64::from(self.scope.of_scan(*scan)?.k));
                confined.function = match call.function {
                    AggregateFunction::Min => AggregateFunction::SharedMin,
                    _ => AggregateFunction::SharedMax,
                };
                confined.distinct = false;
                let beside = [Expr::Column(*subject), Expr::Literal(k)];
                confined.arguments.extend(beside);
                Ok(())
            }
            AggregateFunction::Median | AggregateFunction::Percentile => {
                self.shared_quantile(relation, owing, call, confined)
            }
            AggregateFunction::Sum
            | AggregateFunction::Avg
            | AggregateFunction::StddevSample
            | AggregateFunction::StddevPopulation
            | AggregateFunction::VarianceSample
            | AggregateFunction::VariancePopulation => {
                for value in chosen(argument) {
                    let (_, label) = self.expression(value, &relation.columns)?;
                    if label.shape == Shape::Free || call.distinct {
                        return about(self, &label);
                    }
                }
                Ok(())
            }
            AggregateFunction::Witness
            | AggregateFunction::WitnessUnion
            | AggregateFunction::SafeQuantile
            | AggregateFunction::SafeMin
            | AggregateFunction::SafeMax
            | AggregateFunction::SharedMin
            | AggregateFunction::SharedMax => Err(Cause::IllTyped.into()),
        }
    }

    /// A percentile of a banded item, with k subjects on each side.
    fn shared_quantile(
        &mut self,
        relation: &Relation,
        owing: &[(ScanId, u32)],
        call: &AggregateCall,
        confined: &mut AggregateCall,
    ) -> Result<(), Unconfinable> {
        let [value, share @ ..] = call.arguments.as_slice() else {
            return Err(Cause::IllTyped.into());
        };
        let (_, label) = self.expression(strip(value), &relation.columns)?;
        let refusal = || self.about(Cause::SingledOut, &label);
        let base = label.base.as_ref().ok_or_else(refusal)?;
        let dataset = self.scope.of_scan(base.scan)?;
        let item = dataset.items.iter().find(|item| item.name == base.item);
        let Some(Mask::Band(band)) = item.map(|item| item.mask) else {
            return Err(refusal());
        };
        let [(scan, subject)] = owing else {
            return Err(Cause::NoRule.into());
        };
        let float = |value: f64| Expr::Literal(Literal::Float(value.to_bits()));
        let share = match share {
            [] => float(0.5),
            [share @ Expr::Literal(_)] => share.clone(),
            _ => return Err(refusal()),
        };
        let k = i64::from(self.scope.of_scan(*scan)?.k);
        confined.function = AggregateFunction::SafeQuantile;
        confined.distinct = false;
        confined.arguments.truncate(1);
        confined.arguments.extend([
            Expr::Column(*subject),
            share,
            Expr::Literal(Literal::Int(k)),
            float(band),
        ]);
        Ok(())
    }

    /// The form in which an order statistic over raw values is approved: a percentile with k subjects
    /// on each side, or the k-th subject from an end, rounded down to the item's band.
    fn order_statistic(
        &self,
        relation: &Relation,
        call: &AggregateCall,
        measure: &Measure,
    ) -> Result<Option<(AggregateFunction, Vec<Expr>)>, Unconfinable> {
        let function = match call.function {
            AggregateFunction::Median | AggregateFunction::Percentile => {
                AggregateFunction::SafeQuantile
            }
            AggregateFunction::Min => AggregateFunction::SafeMin,
            AggregateFunction::Max => AggregateFunction::SafeMax,
            _ => return Ok(None),
        };
        let refusal = || self.about(Cause::NotApprovedAggregate, &measure.label);
        let dataset = self.scope.of_scan(measure.scan)?;
        let found = dataset.items.iter().find(|item| item.name == measure.item);
        let band = found.and_then(|item| item.band).ok_or_else(refusal)?;
        let subject = relation.subjects.get(&measure.scan).ok_or_else(refusal)?;
        let float = |value: f64| Expr::Literal(Literal::Float(value.to_bits()));
        let value = Expr::Cast {
            value: Box::new(measure.raw.clone()),
            to: Type::Float,
            lenient: false,
        };
        let mut arguments = vec![value, Expr::Column(*subject)];
        match (call.function, call.arguments.as_slice()) {
            (AggregateFunction::Median, [_]) => arguments.push(float(0.5)),
            (AggregateFunction::Percentile, [_, share @ Expr::Literal(_)]) => {
                arguments.push(share.clone());
            }
            (AggregateFunction::Min | AggregateFunction::Max, [_]) => {}
            _ => return Err(refusal()),
        }
        // A percentile moves by one value at a time: that none can be told takes k in every dataset.
        arguments.push(Expr::Literal(Literal::Int(i64::from(dataset.k))));
        arguments.push(float(band));
        Ok(Some((function, arguments)))
    }

    /// The measure of an approved aggregate, if the argument is a bare item that has one.
    ///
    /// Source: design, "Approved aggregates".
    fn measure(
        &self,
        relation: &Relation,
        call: &AggregateCall,
        argument: &Expr,
    ) -> Result<Option<Measure>, Unconfinable> {
        let Some(ordinal) = bare(argument) else {
            return Ok(None);
        };
        let shown = column(&relation.columns, ordinal)?;
        let Some(base) = &shown.label.base else {
            return Ok(None);
        };
        if let Class::Held { number } = shown.label.class {
            let at = shown.at.ok_or(Cause::IllTyped)?;
            if !held::is_approved(call) {
                return Err(self.about(Cause::NotApprovedAggregate, &shown.label));
            }
            return Ok(Some(Measure {
                scan: base.scan,
                item: base.item.clone(),
                raw: Expr::Column(at),
                value: replaced(argument, at),
                held: Some(number),
                label: computed_of(&shown.label),
            }));
        }
        let dataset = self.scope.of_scan(base.scan)?;
        let found = dataset.items.iter().find(|item| item.name == base.item);
        let item = found.ok_or(Cause::IllTyped)?;
        let suppressed = shown.label.class == Class::Suppressed;
        let at = relation.raws.get(&(base.scan, base.item.clone()));
        let (Some(at), true) = (at, is_measure(item)) else {
            let refusal = || self.about(Cause::NotApprovedAggregate, &shown.label);
            return if suppressed { Err(refusal()) } else { Ok(None) };
        };
        let counted = call.function == AggregateFunction::Count;
        let number = item.data_type.is_number() && !item.kind.is_identifier();
        let ordered = suppressed && item.band.is_some() && is_ordered(call);
        if !(counted || number && (is_approved(call) || ordered)) {
            let refusal = || self.about(Cause::NotApprovedAggregate, &shown.label);
            return if suppressed { Err(refusal()) } else { Ok(None) };
        }
        Ok(Some(Measure {
            scan: base.scan,
            item: base.item.clone(),
            raw: Expr::Column(*at),
            value: replaced(argument, *at),
            held: None,
            label: computed_of(&shown.label),
        }))
    }

    /// One witness for each protected dataset whose rows stand here.
    fn raw_witnesses(
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
            let at = grouping.witness(witness, check, true, false)?;
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
    fn report(
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
    fn masked_witnesses(
        &mut self,
        grouping: &mut Grouping,
        calls: &[&AggregateCall],
    ) -> Result<(), Unconfinable> {
        for (scan, subject) in grouping.standing() {
            if grouping.by_subject.contains(&scan) || !self.scope.owes(scan)? {
                continue;
            }
            let dataset = self.scope.of_scan(scan)?;
            let (row, by_subject) = grouping.row(scan, subject, dataset);
            for (filter, calls) in parts(calls) {
                let witness = witness([Expr::Column(subject), row.clone(), nothing()], filter);
                let reported = Reported::of(dataset, None, by_subject);
                let at = grouping.witness(witness, Check::of(dataset.k), true, true)?;
                self.report(grouping, at, (reported, None));
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

    /// The aggregate node, and above it what is withheld here.
    fn finish(&mut self, grouping: Grouping) -> Relation {
        let Grouping {
            mut relation,
            keys,
            calls,
            columns,
            witnesses,
            by_subject,
            bare_keys: _,
            contributions,
            subjects,
            reports,
            shows,
        } = grouping;
        let width = keys.len() + calls.len();
        relation.subjects = subjects;
        relation.tied.clear();
        // A group by subject is a row of its own from here on.
        relation.once = by_subject;
        relation.rows.clear();
        relation.raws.clear();
        relation.contributions = contributions;
        relation.keys = vec![(0..keys.len()).collect()];
        relation.columns = columns;
        relation.width = u32::try_from(width).unwrap_or(u32::MAX);
        let right_here: Vec<&Witness> = witnesses
            .iter()
            .filter(|witness| witness.full && witness.withheld)
            .collect();
        let cells: Vec<Cell> = right_here.iter().map(|witness| witness.cell()).collect();
        let (mut now, mut later): (Vec<Report>, Vec<Report>) = reports
            .into_iter()
            .partition(|report| right_here.iter().any(|w| w.at == report.witness));
        let here = |at: &u32| now.iter().any(|report| report.witness == *at);
        let showing = shows.iter().filter(|(at, _)| here(at));
        let owing = showing.flat_map(|(_, columns)| columns).copied().collect();
        noise::settle(&mut now, &mut self.reported, &owing);
        // Its columns need not stand where it is made.
        later.iter_mut().for_each(|report| report.noised.clear());
        relation.witnesses = witnesses;
        relation.reports = later;
        let relation = relation.wrap(|input| Node::Aggregate {
            input,
            keys,
            aggregates: calls,
        });
        if cells.is_empty() {
            relation
        } else {
            relation.wrap(|input| Node::Withhold {
                input,
                cells,
                reports: now,
            })
        }
    }
}

impl Grouping {
    /// Adds a call, or finds the same one, and says where its value stands.
    fn push(&mut self, call: AggregateCall) -> Result<u32, Unconfinable> {
        let found = self.calls.iter().position(|other| other == &call);
        let at = match found {
            Some(at) => at,
            None => {
                self.calls.push(call);
                self.calls.len() - 1
            }
        };
        position(self.keys.len() + at)
    }

    /// Adds a witness that rows must meet, and says where it stands. What is not pending is withheld
    /// right above.
    fn witness(
        &mut self,
        call: AggregateCall,
        check: Check,
        full: bool,
        pending: bool,
    ) -> Result<u32, Unconfinable> {
        let at = self.push(call)?;
        let found = self.witnesses.iter_mut().find(|witness| witness.at == at);
        match found {
            Some(witness) => {
                witness.check = stricter(witness.check, check);
                witness.withheld |= !pending;
            }
            None => self.witnesses.push(Witness {
                at,
                check,
                full,
                withheld: !pending,
            }),
        }
        Ok(at)
    }

    /// The subjects that stand here one by one.
    fn standing(&self) -> Vec<(ScanId, u32)> {
        let subjects = self.relation.subjects.iter();
        subjects.map(|(scan, at)| (*scan, *at)).collect()
    }

    fn is_by_subject(&self) -> bool {
        !self.by_subject.is_empty()
    }

    /// What tells contributions apart, and whether it is the subject's number and not the row's: where
    /// rows are grouped by it. Where each subject has one row the two are the same, and one pool.
    fn row(&self, scan: ScanId, subject: u32, dataset: &PermittedDataset) -> (Expr, bool) {
        match self.relation.rows.get(&scan) {
            Some(at) => (Expr::Column(*at), false),
            None => (Expr::Column(subject), !dataset.subject_unique),
        }
    }

    /// Where rows are grouped by their subject, its number stays with each group.
    fn keep_subjects(&mut self) -> Result<(), Unconfinable> {
        for (scan, subject) in self.standing() {
            if self.by_subject.contains(&scan) {
                let call = AggregateCall {
                    function: AggregateFunction::Min,
                    arguments: vec![Expr::Column(subject)],
                    distinct: false,
                    filter: None,
                };
                let at = self.push(call)?;
                self.subjects.insert(scan, at);
            }
        }
        Ok(())
    }

    /// Withholds right above the grouping whatever owes: nothing but the result is made of its groups.
    fn withhold_here(&mut self) {
        let full = self.witnesses.iter_mut().filter(|witness| witness.full);
        full.for_each(|witness| witness.withheld = true);
    }

    /// Groups of groups: the fewest subjects of any must do; all of them are reported.
    fn earlier_witnesses(&mut self) -> Result<(), Unconfinable> {
        for witness in self.relation.witnesses.clone() {
            let call = AggregateCall {
                function: AggregateFunction::Min,
                arguments: vec![witness.subjects()],
                distinct: false,
                filter: None,
            };
            let check = Check::of(witness.check.k);
            let at = self.push(call)?;
            // Of no groups at all there is one row, which shows none of them.
            let withheld = witness.withheld && !self.keys.is_empty();
            self.witnesses.push(Witness {
                at,
                check,
                full: false,
                withheld,
            });
        }
        for report in self.relation.reports.clone() {
            let call = AggregateCall {
                function: AggregateFunction::WitnessUnion,
                arguments: vec![Expr::Column(report.witness)],
                distinct: false,
                filter: None,
            };
            let witness = self.push(call)?;
            self.reports.push(Report {
                witness,
                noised: vec![],
                ..report
            });
        }
        Ok(())
    }
}

/// Scans whose subjects equal this one's in every row.
fn tied_to(relation: &Relation, scan: ScanId) -> BTreeSet<ScanId> {
    let mut found = BTreeSet::from([scan]);
    for _ in &relation.tied {
        for (one, other) in &relation.tied {
            if found.contains(one) || found.contains(other) {
                found.extend([*one, *other]);
            }
        }
    }
    found.retain(|scan| relation.subjects.contains_key(scan));
    found
}

/// A value computed of one, and no item of its own.
fn computed_of(label: &Label) -> Label {
    Label::computed([label])
}

/// In whose name the register holds sums of an item against each other: derived items and their parts
/// tell of each other.
fn pool_name(dataset: &PermittedDataset, name: &ItemName) -> (DatasetName, ItemName) {
    let item = dataset.items.iter().find(|item| &item.name == name);
    let pooled = item.map_or(name, |item| &item.pooled);
    (dataset.name.clone(), pooled.clone())
}

/// The rows that a raw value enters a cell with.
fn there(call: &AggregateCall, raw: &Expr) -> Expr {
    let there = Expr::call(Function::IsNotNull, [raw.clone()]);
    both(call.filter.clone(), there)
}

/// What a row contributes to a cell that can be dominated: order statistics hide the largest by their
/// form, counts have none.
fn contributed(call: &AggregateCall, raw: &Expr) -> Expr {
    if is_summed(call) {
        as_float(raw.clone())
    } else {
        nothing()
    }
}

fn nothing() -> Expr {
    Expr::Literal(Literal::Null(Type::Float))
}

/// Counts the subjects and rows, and adds up what they contribute.
fn witness(arguments: [Expr; 3], filter: Option<Expr>) -> AggregateCall {
    AggregateCall {
        function: AggregateFunction::Witness,
        arguments: arguments.into(),
        distinct: false,
        filter,
    }
}

/// What a cell over raw values of a dataset owes.
fn owed(call: &AggregateCall, dataset: &PermittedDataset) -> Check {
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
const fn is_summed(call: &AggregateCall) -> bool {
    is_approved(call) && !matches!(call.function, AggregateFunction::Count)
}

/// Both of two checks.
fn stricter(one: Check, other: Check) -> Check {
    Check {
        k: one.k.max(other.k),
        dominance: one.dominance.or(other.dominance),
        once: one.once || other.once,
        spread: one.spread || other.spread,
        freedom: one.freedom.max(other.freedom),
    }
}

/// Whether degrees of freedom count.
const fn is_deviation(function: AggregateFunction) -> bool {
    matches!(
        function,
        AggregateFunction::StddevSample
            | AggregateFunction::StddevPopulation
            | AggregateFunction::VarianceSample
            | AggregateFunction::VariancePopulation
    )
}

/// The column under widening casts.
fn bare(expr: &Expr) -> Option<u32> {
    match expr {
        Expr::Column(ordinal) => Some(*ordinal),
        Expr::Cast {
            value,
            to,
            lenient: false,
        } if to.is_number() => bare(value),
        Expr::Cast { .. }
        | Expr::Literal(_)
        | Expr::Parameter(..)
        | Expr::Call(..)
        | Expr::Case { .. }
        | Expr::InList { .. }
        | Expr::Scalar(_) => None,
    }
}

/// The same expression over another column.
fn replaced(expr: &Expr, at: u32) -> Expr {
    let mut expr = expr.clone();
    expr.shift_columns(&mut |_| at);
    expr
}

/// Whether an aggregate is an order statistic, approved in its banded form.
const fn is_ordered(call: &AggregateCall) -> bool {
    matches!(
        call.function,
        AggregateFunction::Min
            | AggregateFunction::Max
            | AggregateFunction::Median
            | AggregateFunction::Percentile
    )
}

/// Whether an aggregate may see raw numbers.
const fn is_approved(call: &AggregateCall) -> bool {
    match call.function {
        AggregateFunction::Count => true,
        AggregateFunction::Sum
        | AggregateFunction::Avg
        | AggregateFunction::StddevSample
        | AggregateFunction::StddevPopulation
        | AggregateFunction::VarianceSample
        | AggregateFunction::VariancePopulation => !call.distinct,
        AggregateFunction::Min
        | AggregateFunction::Max
        | AggregateFunction::Median
        | AggregateFunction::Percentile
        | AggregateFunction::Witness
        | AggregateFunction::WitnessUnion
        | AggregateFunction::SafeQuantile
        | AggregateFunction::SafeMin
        | AggregateFunction::SafeMax
        | AggregateFunction::SharedMin
        | AggregateFunction::SharedMax => false,
    }
}

/// The groups of rows that aggregates over the masked view look at, and which of them look at each: the
/// first is all rows.
fn parts<'c>(calls: &[&'c AggregateCall]) -> Vec<(Option<Expr>, Vec<&'c AggregateCall>)> {
    let mut parts: Vec<(Option<Expr>, Vec<&AggregateCall>)> = vec![(None, vec![])];
    for call in calls {
        for filter in looked_at(call) {
            match parts.iter_mut().find(|(known, _)| known == &filter) {
                Some((_, calls)) => calls.push(call),
                None => parts.push((filter, vec![call])),
            }
        }
    }
    parts
}

/// The groups of rows an aggregate looks at: those of its FILTER that have a value, and of a choice
/// those of each branch that adds anything.
fn looked_at(call: &AggregateCall) -> Vec<Option<Expr>> {
    let filter = call.filter.clone();
    let there = |rows: Option<Expr>, value: &Expr| match value.columns().is_empty() {
        true => rows,
        false => Some(both(rows, Expr::call(Function::IsNotNull, [value.clone()]))),
    };
    match (call.function, call.arguments.as_slice()) {
        (AggregateFunction::Count, [value]) => vec![there(filter, value)],
        (_, [value])
            if let Expr::Case {
                branches,
                otherwise,
            } = strip(value) =>
        {
            let mut parts = vec![filter.clone()];
            let mut rest = filter;
            for (condition, value) in branches {
                let met = Expr::call(Function::IsTrue, [condition.clone()]);
                if adds(value) {
                    parts.push(there(Some(both(rest.clone(), met.clone())), value));
                }
                rest = Some(both(rest, Expr::call(Function::Not, [met])));
            }
            if let Some(value) = otherwise.as_deref().filter(|value| adds(value)) {
                parts.push(there(rest, value));
            }
            parts
        }
        (_, [value, ..]) => vec![there(filter, value)],
        (_, []) => vec![filter],
    }
}

/// Whether a branch's value changes a sum.
fn adds(value: &Expr) -> bool {
    if let Expr::Cast { value, .. } = value {
        return adds(value);
    }
    !matches!(
        value,
        Expr::Literal(
            Literal::Null(_)
                | Literal::Int(0)
                | Literal::Float(0)
                | Literal::Decimal { unscaled: 0, .. }
        )
    )
}

/// The values that a choice right inside an aggregate is among; else the value itself.
fn chosen(argument: &Expr) -> Vec<&Expr> {
    match strip(argument) {
        Expr::Case {
            branches,
            otherwise,
        } => {
            let values = branches.iter().map(|(_, value)| value);
            values.chain(otherwise.as_deref()).collect()
        }
        _ => vec![argument],
    }
}

/// An expression without the casts to a float around it.
fn strip(expr: &Expr) -> &Expr {
    match expr {
        Expr::Cast {
            value,
            to: Type::Float,
            ..
        } => strip(value),
        other => other,
    }
}

/// What a sum of a value per subject could single out: a FILTER, or a count of values, can stand for a
/// condition.
fn shape_by_subject(call: &AggregateCall, labels: &[Label]) -> Shape {
    let plain = call.filter.is_none();
    match (call.function, labels) {
        (AggregateFunction::Count, []) if plain => Shape::Linear { personal: true },
        (_, [value]) if plain && matches!(value.shape, Shape::Linear { .. }) => {
            Shape::Linear { personal: true }
        }
        _ => Shape::Free,
    }
}

fn as_float(value: Expr) -> Expr {
    Expr::Cast {
        value: Box::new(value),
        to: Type::Float,
        lenient: false,
    }
}

fn both(filter: Option<Expr>, other: Expr) -> Expr {
    match filter {
        None => other,
        Some(filter) => Expr::call(Function::And, [filter, other]),
    }
}
