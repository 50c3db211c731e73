mod grouping; // what a grouping needs beside what was asked for
mod measure; // bare items whose raw values an approved aggregate sees
mod no_row; // forms in which no few rows decide a value
mod parts; // the rows that each aggregate looks at
mod witnesses; // who is in each cell, and what it owes
mod held; // raw values per subject, for an outer aggregate
mod reported; // the cells that the disclosure register hears of

pub use self::reported::Reported;

pub(crate) use self::held::HeldValue;

pub(super) use self::grouping::tied_to;

use self::{grouping::Grouping, measure::Measure, no_row::shape_by_subject};
use super::{Rewrite, noise};
use crate::{
    Cause, Unconfinable,
    label::Label,
    relation::{Column, Relation, Witness, position},
};
use plan::{AggregateCall, AggregateFunction, Cell, Expr, Node, Report};
use std::collections::{BTreeMap, BTreeSet};

impl Rewrite<'_> {
    /// Groups. Approved aggregates over a bare item see its raw value and owe the threshold right here;
    /// masked-only groups carry a count of subjects up to the result, or to what is next made of them.
    ///
    /// INVARIANT (groups that fall short say nothing): of groups that still owe a threshold nothing is made
    /// before those that fall short are withheld. A group of groups that would itself be withheld for one
    /// of them would say that somebody is there, by not being there.
    pub(super) fn aggregate(
        &mut self,
        input: &Node,
        (keys, aggregates): (&[Expr], &[AggregateCall]),
        last: bool,
    ) -> Result<Relation, Unconfinable> {
        let relation = self.relation(input, false)?.withhold();
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
        let relation = self.relation(input, false)?.withhold();
        let ordinals = 0..position(relation.columns.len())?;
        let keys: Vec<Expr> = ordinals.map(Expr::Column).collect();
        self.grouped_by(relation, &keys)
    }

    /// The groups of a relation, of which nothing is to be withheld any more, by these keys, and who is
    /// in each.
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
            by_subject.extend(self.one_subject_each(&relation, &label));
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
