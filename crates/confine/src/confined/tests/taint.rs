use super::super::Confined;
use plan::{AggregateCall, AggregateFunction as F, Expr, Function, Node, Plan, View};
use std::collections::BTreeSet;

/// What a column carries.
#[derive(Debug, Clone, PartialEq)]
enum Taint {
    Clean,
    /// A literal: clean, and in a union what one input puts where another carries something.
    Filler,
    /// A raw value.
    Raw,
    /// A row's or subject's number.
    Number,
    /// A witness or a count of subjects.
    Witness,
    /// An aggregate over raw values, clean once any of these witnesses was met; held until then.
    Owed(BTreeSet<usize>),
}

impl Taint {
    fn is_clean(&self) -> bool {
        matches!(self, Self::Clean | Self::Filler)
    }
}

/// Panics where a raw value, a number or an owed aggregate reaches anything but its one right use.
pub(super) fn assert_clean(plan: &Plan) {
    let columns = taints(&plan.root);
    let (shown, owed) = columns.split_at(plan.names.len());
    assert!(
        shown.iter().all(Taint::is_clean),
        "{columns:?}\n{}",
        plan.print()
    );
    assert!(
        owed.iter().all(|t| *t == Taint::Witness),
        "{columns:?}\n{}",
        plan.print()
    );
}

/// The same for rows that are kept: so many numbers stand last, and nobody is given them.
pub(super) fn assert_kept(plan: &Plan, hidden: usize) {
    let columns = taints(&plan.root);
    assert!(plan.checks.is_empty(), "{}", plan.print());
    let (shown, numbers) = columns.split_at(plan.names.len() - hidden);
    let is_kept = shown.iter().all(Taint::is_clean) && numbers.iter().all(|t| *t == Taint::Number);
    assert!(is_kept, "{columns:?}\n{}", plan.print());
}

/// Panics where rows are off and a result over protected data has nothing to verify.
pub(super) fn assert_owed(confined: &Confined) {
    let mut nodes = vec![&confined.plan().root];
    let mut protected = false;
    while let Some(node) = nodes.pop() {
        if let Node::Scan(scan) = node {
            protected |= scan
                .columns
                .iter()
                .any(|column| column.view == View::Subject);
        }
        nodes.extend(node.inputs());
    }
    let owes = !confined.plan().checks.is_empty() || super::withholds(confined) > 0;
    assert!(!protected || owes, "{}", confined.plan().print());
}

fn clean(expr: &Expr, input: &[Taint]) {
    for at in expr.columns() {
        assert!(input[at as usize].is_clean(), "{expr:?} over {input:?}");
    }
    let mut inside = vec![expr];
    while let Some(expr) = inside.pop() {
        if let Expr::Scalar(node) = expr {
            assert!(
                taints(node).iter().all(Taint::is_clean),
                "a subquery shows {node:?}"
            );
        }
        inside.extend(expr.children());
    }
}

fn bare(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Column(at) => Some(*at as usize),
        Expr::Cast { value, .. } => bare(value),
        _ => None,
    }
}

fn projected(expr: &Expr, input: &[Taint]) -> Taint {
    if let Expr::Column(at) = expr {
        return input[*at as usize].clone();
    }
    if let Expr::Call(Function::WitnessSubjects, inside) = expr {
        assert_eq!(input[bare(&inside[0]).unwrap()], Taint::Witness);
        return Taint::Witness;
    }
    if let Expr::Call(Function::Coalesce, inside) = expr
        && matches!(inside.as_slice(), [_, Expr::Literal(_)])
        && projected(&inside[0], input) == Taint::Witness
    {
        return Taint::Witness;
    }
    clean(expr, input);
    Taint::Clean
}

/// The raw columns a witness' filter asks for, the rest of it being clean.
fn guarded(filter: &Expr, input: &[Taint], found: &mut BTreeSet<usize>) {
    match filter {
        Expr::Call(Function::And, sides) => sides.iter().for_each(|s| guarded(s, input, found)),
        Expr::Call(Function::IsNotNull | Function::Greater, sides)
            if bare(&sides[0]).is_some_and(|at| !input[at].is_clean()) =>
        {
            found.insert(bare(&sides[0]).unwrap());
        }
        other => clean(other, input),
    }
}

fn aggregated(calls: &[AggregateCall], keys: usize, input: &[Taint]) -> Vec<Taint> {
    let sensitive = |expr: &Expr| {
        let at = bare(expr)?;
        matches!(input[at], Taint::Raw | Taint::Owed(_)).then_some(at)
    };
    let witnesses: Vec<(usize, BTreeSet<usize>)> = (keys..)
        .zip(calls)
        .filter(|(_, call)| call.function == F::Witness)
        .map(|(at, call)| {
            let mut over = BTreeSet::new();
            if let Some(filter) = &call.filter {
                guarded(filter, input, &mut over);
            }
            assert_eq!(input[bare(&call.arguments[0]).unwrap()], Taint::Number);
            (at, over)
        })
        .collect();
    let one = |call: &AggregateCall| match call.function {
        F::Witness => Taint::Witness,
        F::WitnessUnion => {
            assert_eq!(input[bare(&call.arguments[0]).unwrap()], Taint::Witness);
            Taint::Witness
        }
        F::Min if projected_safely(&call.arguments[0], input) == Some(Taint::Number) => {
            Taint::Number
        }
        F::Min if projected_safely(&call.arguments[0], input) == Some(Taint::Witness) => {
            Taint::Witness
        }
        F::SharedMin | F::SharedMax | F::SafeQuantile
            if call.arguments.first().and_then(sensitive).is_none() =>
        {
            call.filter.iter().for_each(|filter| clean(filter, input));
            clean(&call.arguments[0], input);
            assert_eq!(input[bare(&call.arguments[1]).unwrap()], Taint::Number);
            let literal = |argument: &Expr| matches!(argument, Expr::Literal(_));
            assert!(call.arguments[2..].iter().all(literal));
            Taint::Clean
        }
        _ => {
            call.filter.iter().for_each(|filter| clean(filter, input));
            match call.arguments.first().and_then(sensitive) {
                None => {
                    call.arguments
                        .iter()
                        .for_each(|argument| clean(argument, input));
                    Taint::Clean
                }
                Some(raw) => {
                    assert!(!matches!(
                        call.function,
                        F::Min | F::Max | F::Median | F::Percentile
                    ));
                    let over = witnesses.iter().filter(|(_, over)| over.contains(&raw));
                    Taint::Owed(over.map(|(at, _)| *at).collect())
                }
            }
        }
    };
    calls.iter().map(one).collect()
}

fn projected_safely(expr: &Expr, input: &[Taint]) -> Option<Taint> {
    let at = expr.columns().into_iter().next()? as usize;
    matches!(input[at], Taint::Number | Taint::Witness).then(|| projected(expr, input))
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each case: a table reads best in one place"
)]
fn taints(node: &Node) -> Vec<Taint> {
    match node {
        Node::Scan(scan) => scan
            .columns
            .iter()
            .map(|column| match column.view {
                View::Catalogue => panic!("a catalogue view is left"),
                View::Masked(..) => Taint::Clean,
                View::Raw => Taint::Raw,
                View::Row | View::Subject => Taint::Number,
            })
            .collect(),
        Node::Values { types, .. } => vec![Taint::Clean; types.len()],
        Node::Project { input, exprs } => {
            let input = taints(input);
            exprs
                .iter()
                .map(|expr| match expr {
                    Expr::Literal(_) => Taint::Filler,
                    expr => projected(expr, &input),
                })
                .collect()
        }
        Node::Filter { input, predicate } => {
            let input = taints(input);
            clean(predicate, &input);
            input
        }
        Node::Join {
            kind,
            left,
            right,
            on,
            filter,
            ..
        } => {
            let (mut left, right) = (taints(left), taints(right));
            for (ours, theirs) in on {
                clean(ours, &left);
                clean(theirs, &right);
            }
            let both = [left.clone(), right.clone()].concat();
            filter.iter().for_each(|filter| clean(filter, &both));
            match kind {
                plan::JoinKind::Semi | plan::JoinKind::Anti => left,
                plan::JoinKind::Mark => {
                    left.push(Taint::Clean);
                    left
                }
                _ => both,
            }
        }
        Node::Aggregate {
            input,
            keys,
            aggregates,
        } => {
            let input = taints(input);
            keys.iter().for_each(|key| clean(key, &input));
            let mut columns = vec![Taint::Clean; keys.len()];
            columns.extend(aggregated(aggregates, keys.len(), &input));
            columns
        }
        Node::Window { input, calls } => {
            let mut columns = taints(input);
            for call in calls {
                call.arguments
                    .iter()
                    .chain(&call.partition)
                    .for_each(|expr| clean(expr, &columns));
                call.order.iter().for_each(|key| clean(&key.expr, &columns));
            }
            columns.extend(vec![Taint::Clean; calls.len()]);
            columns
        }
        Node::Sort { input, keys, .. } => {
            let columns = taints(input);
            keys.iter().for_each(|key| clean(&key.expr, &columns));
            columns
        }
        Node::Limit { input, .. } => taints(input),
        Node::Distinct { input } => {
            let columns = taints(input);
            assert!(columns.iter().all(Taint::is_clean));
            columns
        }
        Node::Union { inputs } => {
            let all: Vec<Vec<Taint>> = inputs.iter().map(taints).collect();
            let united = |at: usize| {
                let kinds = all.iter().map(|columns| columns[at].clone());
                kinds.reduce(|one, other| match (one, other) {
                    (Taint::Filler, other) => other,
                    (one, Taint::Filler) => one,
                    (one, other) => {
                        assert_eq!(one, other);
                        one
                    }
                })
            };
            (0..all[0].len()).map(|at| united(at).unwrap()).collect()
        }
        Node::Withhold {
            input,
            cells,
            reports,
        } => {
            let mut columns = taints(input);
            let met: BTreeSet<usize> = cells.iter().map(|cell| cell.witness as usize).collect();
            for at in met
                .iter()
                .copied()
                .chain(reports.iter().map(|r| r.witness as usize))
            {
                assert_eq!(columns[at], Taint::Witness);
            }
            for column in &mut columns {
                if let Taint::Owed(witnesses) = column
                    && !witnesses.is_empty()
                    && witnesses.is_subset(&met)
                {
                    *column = Taint::Clean;
                }
            }
            columns
        }
    }
}
