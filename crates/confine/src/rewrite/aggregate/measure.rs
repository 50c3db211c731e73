//! The measures of approved aggregates: bare items whose raw values may be seen here.
//!
//! Source: design, "Approved aggregates".

use super::held;
use crate::{
    Cause, Unconfinable,
    expression::column,
    label::{Class, Label},
    relation::Relation,
    rewrite::{Rewrite, scan::is_measure},
    scope::ScanId,
};
use plan::{AggregateCall, AggregateFunction, Expr, Literal};
use policy::PermittedDataset;
use terms::{DatasetName, ItemName, Type};

/// An approved aggregate's measure.
pub(super) struct Measure {
    pub(super) scan: ScanId,
    pub(super) item: ItemName,
    /// The raw value itself.
    pub(super) raw: Expr,
    /// The raw value, with the draft's cast to a float.
    pub(super) value: Expr,
    /// The number of the held value it is, if it is one.
    pub(super) held: Option<u32>,
    pub(super) label: Label,
}

impl Rewrite<'_> {
    /// The measure of an approved aggregate, if the argument is a bare item that has one.
    ///
    /// Source: design, "Approved aggregates".
    pub(super) fn measure(
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

    /// The form in which an order statistic over raw values is approved: a percentile with k subjects
    /// on each side, or the k-th subject from an end, rounded down to the item's band.
    pub(super) fn order_statistic(
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
}

/// A value computed of one, and no item of its own.
pub(super) fn computed_of(label: &Label) -> Label {
    Label::computed([label])
}

/// In whose name the register holds sums of an item against each other: derived items and their parts
/// tell of each other.
pub(super) fn pool_name(dataset: &PermittedDataset, name: &ItemName) -> (DatasetName, ItemName) {
    let item = dataset.items.iter().find(|item| &item.name == name);
    let pooled = item.map_or(name, |item| &item.pooled);
    (dataset.name.clone(), pooled.clone())
}

/// The column under casts to a float, which every number has: a narrower type would leave out whoever has
/// more, and what is counted for them would not.
pub(super) fn bare(expr: &Expr) -> Option<u32> {
    match expr {
        Expr::Column(ordinal) => Some(*ordinal),
        Expr::Cast {
            value,
            to,
            lenient: false,
        } if *to == Type::Float => bare(value),
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
pub(super) fn replaced(expr: &Expr, at: u32) -> Expr {
    let mut expr = expr.clone();
    expr.shift_columns(&mut |_| at);
    expr
}

/// Whether an aggregate is an order statistic, approved in its banded form.
pub(super) const fn is_ordered(call: &AggregateCall) -> bool {
    matches!(
        call.function,
        AggregateFunction::Min
            | AggregateFunction::Max
            | AggregateFunction::Median
            | AggregateFunction::Percentile
    )
}

/// Whether an aggregate may see raw numbers.
pub(super) const fn is_approved(call: &AggregateCall) -> bool {
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
