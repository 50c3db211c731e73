use super::{Rewrite, scan::is_measure};
use crate::{
    Cause, Unconfinable,
    expression::column,
    label::{Class, Label, Source},
    relation::{Column, Relation, Witness, position},
    scope::ScanId,
};
use plan::{AggregateCall, AggregateFunction, Cell, Check, Expr, Function, Literal, Node};
use std::collections::BTreeSet;
use terms::{ItemName, Type};

/// What a grouping needs beside what the draft asked for.
struct Grouping {
    relation: Relation,
    keys: Vec<Expr>,
    calls: Vec<AggregateCall>,
    columns: Vec<Column>,
    witnesses: Vec<Witness>,
    /// Scans whose subject is among the keys: their rows still stand one subject by one.
    by_subject: BTreeSet<ScanId>,
}

/// An approved aggregate's measure.
struct Measure {
    scan: ScanId,
    item: ItemName,
    /// The raw value, with the draft's widening cast.
    value: Expr,
    label: Label,
}

impl Rewrite<'_> {
    /// Groups. Approved aggregates over a bare item see its raw value and owe the threshold right here;
    /// masked-only groups carry a count of subjects up to the result.
    pub(super) fn aggregate(
        &mut self,
        input: &Node,
        keys: &[Expr],
        aggregates: &[AggregateCall],
    ) -> Result<Relation, Unconfinable> {
        let relation = self.relation(input, false)?;
        let mut grouping = self.grouped(relation, keys)?;
        let mut asked = Vec::with_capacity(aggregates.len());
        for call in aggregates {
            asked.push(self.asked(&grouping.relation, call)?);
        }
        for (call, label, _) in &asked {
            let at = grouping.push(call.clone())?;
            grouping.columns.push(Column {
                at: Some(at),
                label: label.clone(),
            });
        }
        for (call, _, measure) in &asked {
            if let Some(measure) = measure {
                self.raw_witnesses(&mut grouping, call, measure)?;
            }
        }
        let masked: Vec<&AggregateCall> = asked
            .iter()
            .filter(|(_, _, m)| m.is_none())
            .map(|(call, _, _)| call)
            .collect();
        self.masked_witnesses(&mut grouping, &masked)?;
        grouping.earlier_witnesses()?;
        Ok(grouping.finish())
    }

    /// Each row once: groups by every column.
    pub(super) fn distinct(&mut self, input: &Node) -> Result<Relation, Unconfinable> {
        let relation = self.relation(input, false)?;
        let ordinals = 0..position(relation.columns.len())?;
        let keys: Vec<Expr> = ordinals.map(Expr::Column).collect();
        let mut grouping = self.grouped(relation, &keys)?;
        self.masked_witnesses(&mut grouping, &[])?;
        grouping.earlier_witnesses()?;
        Ok(grouping.finish())
    }

    fn grouped(&mut self, relation: Relation, keys: &[Expr]) -> Result<Grouping, Unconfinable> {
        let mut columns = Vec::with_capacity(keys.len());
        let mut confined = Vec::with_capacity(keys.len());
        let mut by_subject = BTreeSet::new();
        for key in keys {
            let (expr, label) = self.key(key, &relation.columns)?;
            if let Some(base) = label
                .base
                .as_ref()
                .filter(|_| self.is_subject(&label, None))
                && relation.subjects.contains_key(&base.scan)
            {
                by_subject.insert(base.scan);
            }
            columns.push(Column {
                at: Some(position(confined.len())?),
                label,
            });
            confined.push(expr);
        }
        let witnesses = Vec::new();
        Ok(Grouping {
            relation,
            keys: confined,
            calls: vec![],
            columns,
            witnesses,
            by_subject,
        })
    }

    /// The call as it will run, what is known of its value, and its measure if it sees raw values.
    fn asked(
        &mut self,
        relation: &Relation,
        call: &AggregateCall,
    ) -> Result<(AggregateCall, Label, Option<Measure>), Unconfinable> {
        if call.function == AggregateFunction::Witness {
            return Err(Cause::IllTyped.into());
        }
        let filter = match &call.filter {
            None => None,
            Some(filter) => Some(self.open(filter, &relation.columns)?.0),
        };
        if let [argument] = call.arguments.as_slice()
            && let Some(measure) = self.measure(relation, call, argument)?
        {
            let arguments = vec![measure.value.clone()];
            let label = measure.label.clone();
            let call = AggregateCall {
                arguments,
                filter,
                ..call.clone()
            };
            return Ok((call, label, Some(measure)));
        }
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
        let label = Label::computed(&labels);
        Ok((
            AggregateCall {
                arguments,
                filter,
                ..call.clone()
            },
            label,
            None,
        ))
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
        if !(counted || number && is_approved(call)) {
            let refusal = || self.about(Cause::NotApprovedAggregate, &shown.label);
            return if suppressed { Err(refusal()) } else { Ok(None) };
        }
        let sources = shown.label.sources.iter().cloned();
        let sources = sources
            .map(|s| Source {
                way: "raw-aggregate".to_owned(),
                ..s
            })
            .collect();
        Ok(Some(Measure {
            scan: base.scan,
            item: base.item.clone(),
            value: replaced(argument, *at),
            label: Label {
                class: Class::Open,
                base: None,
                sources,
            },
        }))
    }

    /// One witness for each protected dataset whose rows stand here.
    fn raw_witnesses(
        &self,
        grouping: &mut Grouping,
        call: &AggregateCall,
        measure: &Measure,
    ) -> Result<(), Unconfinable> {
        if !grouping.by_subject.is_empty() {
            return Err(self.about(Cause::HeldValue, &measure.label));
        }
        let raw = grouping
            .relation
            .raws
            .get(&(measure.scan, measure.item.clone()));
        let raw = Expr::Column(*raw.ok_or(Cause::IllTyped)?);
        let dominance = call.function != AggregateFunction::Count;
        let value = if dominance {
            Expr::Cast {
                value: Box::new(raw.clone()),
                to: Type::Float,
                lenient: false,
            }
        } else {
            Expr::Literal(Literal::Null(Type::Float))
        };
        let filter = both(call.filter.clone(), Expr::call(Function::IsNotNull, [raw]));
        let once = !grouping.relation.once.contains(&measure.scan);
        let subjects: Vec<(ScanId, u32)> = grouping
            .relation
            .subjects
            .iter()
            .map(|(scan, at)| (*scan, *at))
            .collect();
        for (scan, subject) in subjects {
            let k = self.scope.of_scan(scan)?.k;
            let once = once && scan == measure.scan;
            let row = match grouping.relation.rows.get(&scan).filter(|_| once) {
                Some(at) => Expr::Column(*at),
                None => Expr::Literal(Literal::Null(Type::Int)),
            };
            let arguments = vec![Expr::Column(subject), row, value.clone()];
            let check = Check { k, dominance, once };
            let witness = AggregateCall {
                function: AggregateFunction::Witness,
                arguments,
                distinct: false,
                filter: Some(filter.clone()),
            };
            grouping.witness(witness, check, true)?;
        }
        // INVARIANT (a measure enters once): without its own subject there is no witness to show it.
        if once && !grouping.relation.subjects.contains_key(&measure.scan) {
            let protected = self.scope.of_scan(measure.scan)?.protected;
            if protected {
                return Err(Cause::NoRule.into());
            }
        }
        Ok(())
    }

    /// For each protected dataset that owes: a count of subjects for the group, and one for each part
    /// of it that an aggregate looks at.
    fn masked_witnesses(
        &self,
        grouping: &mut Grouping,
        calls: &[&AggregateCall],
    ) -> Result<(), Unconfinable> {
        let subjects: Vec<(ScanId, u32)> = grouping
            .relation
            .subjects
            .iter()
            .map(|(scan, at)| (*scan, *at))
            .collect();
        for (scan, subject) in subjects {
            if grouping.by_subject.contains(&scan) || !self.scope.owes(scan)? {
                continue;
            }
            let k = self.scope.of_scan(scan)?.k;
            let mut parts: BTreeSet<usize> = BTreeSet::new();
            let mut filters: Vec<Option<Expr>> = vec![None];
            for call in calls {
                filters.push(looked_at(call));
            }
            for (at, filter) in filters.iter().enumerate() {
                if filters.iter().position(|other| other == filter) == Some(at) {
                    parts.insert(at);
                }
            }
            for filter in parts.into_iter().filter_map(|at| filters.get(at)) {
                let witness = AggregateCall {
                    function: AggregateFunction::Count,
                    arguments: vec![Expr::Column(subject)],
                    distinct: true,
                    filter: filter.clone(),
                };
                let check = Check {
                    k,
                    dominance: false,
                    once: false,
                };
                grouping.witness(witness, check, false)?;
            }
        }
        Ok(())
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

    /// Adds a witness that rows must meet. A witness struct is withheld right above.
    fn witness(
        &mut self,
        call: AggregateCall,
        check: Check,
        full: bool,
    ) -> Result<(), Unconfinable> {
        let at = self.push(call)?;
        let found = self.witnesses.iter_mut().find(|witness| witness.at == at);
        match found {
            Some(witness) => witness.check.k = witness.check.k.max(check.k),
            None => self.witnesses.push(Witness {
                at,
                check,
                full,
                withheld: false,
            }),
        }
        Ok(())
    }

    /// Groups of groups: the fewest subjects of any.
    fn earlier_witnesses(&mut self) -> Result<(), Unconfinable> {
        for witness in self.relation.witnesses.clone() {
            let call = AggregateCall {
                function: AggregateFunction::Min,
                arguments: vec![witness.subjects()],
                distinct: false,
                filter: None,
            };
            let check = Check {
                dominance: false,
                once: false,
                ..witness.check
            };
            let at = self.push(call)?;
            let withheld = witness.withheld;
            self.witnesses.push(Witness {
                at,
                check,
                full: false,
                withheld,
            });
        }
        Ok(())
    }

    /// The aggregate node, and above it what is withheld here.
    fn finish(self) -> Relation {
        let Self {
            mut relation,
            keys,
            calls,
            columns,
            mut witnesses,
            by_subject,
        } = self;
        let width = keys.len() + calls.len();
        let key_columns: BTreeSet<usize> = (0..keys.len()).collect();
        relation.subjects = subjects_in_keys(&columns, &keys, &by_subject);
        relation.once = BTreeSet::new();
        relation.rows.clear();
        relation.raws.clear();
        relation.keys = vec![key_columns];
        relation.columns = columns;
        relation.width = u32::try_from(width).unwrap_or(u32::MAX);
        let mut cells = Vec::new();
        for witness in witnesses.iter_mut().filter(|witness| witness.full) {
            witness.withheld = true;
            let Check { k, dominance, once } = witness.check;
            cells.push(Cell {
                witness: witness.at,
                k,
                dominance,
                once,
            });
        }
        relation.witnesses = witnesses;
        let relation = relation.wrap(|input| Node::Aggregate {
            input,
            keys,
            aggregates: calls,
        });
        if cells.is_empty() {
            relation
        } else {
            relation.wrap(|input| Node::Withhold { input, cells })
        }
    }
}

/// Where the subjects of scans grouped by subject now stand: in the key itself.
fn subjects_in_keys(
    columns: &[Column],
    keys: &[Expr],
    by_subject: &BTreeSet<ScanId>,
) -> std::collections::BTreeMap<ScanId, u32> {
    let keyed = columns.iter().take(keys.len()).filter_map(|column| {
        let base = column.label.base.as_ref()?;
        let token = matches!(column.label.class, Class::Token { .. });
        (token && by_subject.contains(&base.scan)).then_some((base.scan, column.at?))
    });
    keyed.collect()
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
        AggregateFunction::Min | AggregateFunction::Max | AggregateFunction::Witness => false,
    }
}

/// The rows an aggregate looks at: its FILTER, and those with a value.
fn looked_at(call: &AggregateCall) -> Option<Expr> {
    let filter = call.filter.clone();
    match call.arguments.as_slice() {
        [value] if !value.columns().is_empty() => Some(both(
            filter,
            Expr::call(Function::IsNotNull, [value.clone()]),
        )),
        _ => filter,
    }
}

fn both(filter: Option<Expr>, other: Expr) -> Expr {
    match filter {
        None => other,
        Some(filter) => Expr::call(Function::And, [filter, other]),
    }
}
