use super::{no_row::strip, witnesses::both};
use plan::{AggregateCall, AggregateFunction, Expr, Function, Literal};

/// The groups of rows that aggregates over the masked view look at, and which of them look at each: the
/// first is all rows.
pub(super) fn parts<'c>(
    calls: &[&'c AggregateCall],
) -> Vec<(Option<Expr>, Vec<&'c AggregateCall>)> {
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
pub(super) fn looked_at(call: &AggregateCall) -> Vec<Option<Expr>> {
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
            let values = branches.iter().map(|(_, value)| value);
            let adds = owing(call.function, values.chain(otherwise.as_deref()));
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

/// Which branches' values change what an aggregate gives. Nothing never does. A nought changes no sum to
/// which another branch adds; alone it says, by not being there, that no row is, and wherever rows are
/// counted, as by a mean, it counts.
fn owing<'v>(
    function: AggregateFunction,
    mut values: impl Iterator<Item = &'v Expr>,
) -> impl Fn(&Expr) -> bool {
    let is_nought = |value: &Expr| {
        matches!(
            written(value),
            Some(Literal::Int(0) | Literal::Float(0) | Literal::Decimal { unscaled: 0, .. })
        )
    };
    let is_nothing = |value: &Expr| matches!(written(value), Some(Literal::Null(_)));
    let is_added_to = values.any(|value| !is_nought(value) && !is_nothing(value));
    let passes = function == AggregateFunction::Sum && is_added_to;
    move |value: &Expr| !(is_nothing(value) || passes && is_nought(value))
}

/// A literal, whatever it is cast to.
fn written(value: &Expr) -> Option<&Literal> {
    match value {
        Expr::Literal(literal) => Some(literal),
        Expr::Cast { value, .. } => written(value),
        _ => None,
    }
}
