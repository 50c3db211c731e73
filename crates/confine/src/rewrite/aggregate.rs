mod grouping; // what a grouping needs beside what was asked for
mod measure; // bare items whose raw values an approved aggregate sees
mod no_row; // forms in which no few rows decide a value
mod parts; // the rows that each aggregate looks at
mod single; // each row of somebody once, and which they were
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
use plan::{AggregateCall, AggregateFunction, Cell, Expr, Node};
use std::collections::{BTreeMap, BTreeSet};
use terms::Type;

impl Rewrite<'_> {
    /// Groups. Approved aggregates over a bare item see its raw value. Whatever is grouped owes its
    /// threshold, and is held against what was released, right here.
    ///
    /// INVARIANT (groups that fall short say nothing): nothing is made of groups, filtered, joined or grouped
    /// again, before those that fall short are withheld. What would be withheld for one of them above would
    /// say that somebody is there, by not being there; and what only compares two groups that nobody heard
    /// of would tell them apart.
    pub(super) fn aggregate(
        &mut self,
        input: &Node,
        (keys, aggregates): (&[Expr], &[AggregateCall]),
    ) -> Result<Relation, Unconfinable> {
        let relation = self.relation(input, false)?;
        let mut grouping = self.grouped(relation, keys)?;
        self.keep_subjects(&mut grouping)?;
        let mut asked = Vec::with_capacity(aggregates.len());
        for call in aggregates {
            asked.push(self.asked(&grouping, call)?);
        }
        // What is held per subject has rules of its own for what could repeat it.
        let counting = asked.iter().filter(|(_, _, measure)| {
            measure
                .as_ref()
                .is_none_or(|measure| measure.held.is_none())
        });
        self.counts_each_once(&grouping, counting.map(|(call, _, _)| call))?;
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
        let of = |raw: bool| {
            let asked = asked.iter().filter(move |(_, _, m)| m.is_some() == raw);
            asked
                .map(|(call, _, _)| call)
                .collect::<Vec<&AggregateCall>>()
        };
        self.masked_witnesses(&mut grouping, &of(false))?;
        self.chosen_witnesses(&mut grouping, &of(true))?;
        grouping.earlier_witnesses()?;
        self.finish(grouping)
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
        self.keep_subjects(&mut grouping)?;
        self.masked_witnesses(&mut grouping, &[])?;
        grouping.earlier_witnesses()?;
        self.finish(grouping)
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
            (label.shape, label.wraps) = shape_by_subject(call, &labels);
            label.own_type = match (call.function, labels.as_slice()) {
                (AggregateFunction::Count, _) => Some(Type::Int),
                (AggregateFunction::Sum, [value]) => value
                    .own_type
                    .filter(|of| matches!(of, Type::Int | Type::Float)),
                _ => None,
            };
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
    fn finish(&mut self, grouping: Grouping) -> Result<Relation, Unconfinable> {
        let single = self.is_single(&grouping)?;
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
            mut reports,
            shows,
        } = grouping;
        let width = keys.len() + calls.len();
        relation.subjects = subjects;
        relation.tied.clear();
        // A group by subject is a row of its own from here on.
        relation.once = by_subject;
        relation.single = single;
        relation.rows.clear();
        relation.raws.clear();
        relation.contributions = contributions;
        relation.keys = vec![(0..keys.len()).collect()];
        relation.columns = columns;
        relation.width = u32::try_from(width).unwrap_or(u32::MAX);
        let right_here = witnesses.iter().filter(|witness| witness.full);
        let cells: Vec<Cell> = right_here.map(Witness::cell).collect();
        let owing = shows.into_values().flatten().collect();
        noise::settle(&mut reports, &mut self.reported, &owing);
        relation.witnesses = witnesses;
        let relation = relation.wrap(|input| Node::Aggregate {
            input,
            keys,
            aggregates: calls,
        });
        if cells.is_empty() {
            return Ok(relation);
        }
        Ok(relation.wrap(|input| Node::Withhold {
            input,
            cells,
            reports,
        }))
    }
}
