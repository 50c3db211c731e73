//! Aggregates over the masked view, where rows may not show: in no form do few rows decide their value.

use super::Grouping;
use crate::{
    Cause, Unconfinable,
    label::{Label, Shape},
    relation::Relation,
    rewrite::Rewrite,
    scope::ScanId,
};
use plan::{AggregateCall, AggregateFunction, Expr, Literal};
use terms::{Mask, Type};

impl Rewrite<'_> {
    /// The scans whose rows may not show and go into these groups.
    pub(super) fn owing(&self, grouping: &Grouping) -> Result<Vec<(ScanId, u32)>, Unconfinable> {
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
    pub(super) fn names_no_row(
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
                // Of other items a value that one row has is one more: group by it, and count the groups.
                match self.is_subject(&label) {
                    true => Ok(()),
                    false => about(self, &label),
                }
            }
            AggregateFunction::Min | AggregateFunction::Max => {
                let [(scan, subject)] = owing else {
                    return Err(Cause::NoRule.into());
                };
                let (_, label) = self.expression(argument, &relation.columns)?;
                if label.base.is_none() {
                    return about(self, &label);
                }
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
                let cast = matches!(argument, Expr::Cast { .. });
                for value in chosen(argument) {
                    let (_, label) = self.expression(value, &relation.columns)?;
                    let wrapped = cast && label.wraps && label.shape != Shape::Constant;
                    if label.shape == Shape::Free || wrapped || call.distinct {
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
    pub(super) fn shared_quantile(
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
}

/// The values that a choice right inside an aggregate is among; else the value itself.
pub(super) fn chosen(argument: &Expr) -> Vec<&Expr> {
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
pub(super) fn strip(expr: &Expr) -> &Expr {
    match expr {
        Expr::Cast {
            value,
            to: Type::Float,
            ..
        } => strip(value),
        other => other,
    }
}

/// What a sum of a value per subject could single out, and whether arithmetic may have wrapped it around: a
/// FILTER, or a count of values, can stand for a condition.
pub(super) fn shape_by_subject(call: &AggregateCall, labels: &[Label]) -> (Shape, bool) {
    let plain = call.filter.is_none();
    let personal = Shape::Linear { personal: true };
    match (call.function, labels) {
        (AggregateFunction::Count, []) if plain => (personal, false),
        (_, [value]) if plain && matches!(value.shape, Shape::Linear { .. }) => {
            (personal, value.wraps)
        }
        _ => (Shape::Free, true),
    }
}
