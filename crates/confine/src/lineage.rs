//! Where each output column comes from, derived from the plan that runs: not from what was asked.
//!
//! Values flow directly, changed or not; conditions, keys and order have a say without being shown.
//! Source: OpenLineage, column lineage facet 1-2-0.

use plan::{AggregateCall, Expr, JoinKind, Node, Scan, View, WindowCall};
use std::collections::BTreeSet;
use terms::{DatasetName, Flow, ItemName, Mask};

/// An item with a part in something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Part {
    pub dataset: DatasetName,
    pub item: ItemName,
    /// The mask's word, `raw-aggregate`, or `row-policy`.
    pub way: String,
    pub flow: Flow,
}

type Parts = BTreeSet<Part>;

/// What is known of a node's output.
#[derive(Debug, Default, Clone)]
pub(crate) struct Lineage {
    /// Of each column.
    pub columns: Vec<Parts>,
    /// Of all of it.
    pub whole: Parts,
}

/// Walks a confined plan.
#[expect(
    clippy::too_many_lines,
    reason = "one arm for each case: a table reads best in one place"
)]
pub(crate) fn lineage(node: &Node) -> Lineage {
    match node {
        Node::Scan(scan) => scanned(scan),
        Node::Values { types, .. } => Lineage {
            columns: vec![Parts::new(); types.len()],
            whole: Parts::new(),
        },
        Node::Project { input, exprs } => {
            let mut found = lineage(input);
            let columns = exprs.iter().map(|expr| of(expr, &mut found)).collect();
            Lineage { columns, ..found }
        }
        Node::Filter { input, predicate } => {
            let mut found = lineage(input);
            found.decides(predicate, Flow::Filter);
            found
        }
        Node::Join {
            kind,
            left,
            right,
            on,
            filter,
            ..
        } => joined(*kind, lineage(left), lineage(right), (on, filter.as_ref())),
        Node::Aggregate {
            input,
            keys,
            aggregates,
        } => {
            let mut found = lineage(input);
            let mut columns: Vec<Parts> = keys.iter().map(|key| of(key, &mut found)).collect();
            for key in keys {
                found.decides(key, Flow::GroupBy);
            }
            for call in aggregates {
                columns.push(aggregated(call, &mut found));
            }
            Lineage { columns, ..found }
        }
        Node::Window { input, calls } => {
            let mut found = lineage(input);
            let windows: Vec<Parts> = calls
                .iter()
                .map(|call| windowed(call, &mut found))
                .collect();
            found.columns.extend(windows);
            found
        }
        Node::Sort { input, keys, .. } => {
            let mut found = lineage(input);
            for key in keys {
                found.decides(&key.expr, Flow::Sort);
            }
            found
        }
        Node::Limit { input, .. } | Node::Withhold { input, .. } => lineage(input),
        Node::Distinct { input } => {
            let mut found = lineage(input);
            let keys = indirect(found.columns.iter().flatten(), Flow::GroupBy);
            found.whole.extend(keys);
            found
        }
        Node::Union { inputs } => {
            let mut inputs = inputs.iter().map(lineage);
            let mut united = inputs.next().unwrap_or_default();
            for other in inputs {
                for (column, parts) in united.columns.iter_mut().zip(other.columns) {
                    column.extend(parts);
                }
                united.whole.extend(other.whole);
            }
            united
        }
    }
}

fn scanned(scan: &Scan) -> Lineage {
    let part = |item: &ItemName, way: String, flow| Part {
        dataset: scan.dataset.clone(),
        item: item.clone(),
        way,
        flow,
    };
    let column = |column: &plan::ScanColumn| {
        let way = match &column.view {
            View::Masked(mask, _) => Mask::from(*mask).to_string(),
            View::Raw => "raw-aggregate".to_owned(),
            // Numbers say who is the same, and reach no result.
            View::Catalogue | View::Row | View::Subject => return Parts::new(),
        };
        Parts::from([part(&column.item, way, Flow::Identity)])
    };
    let policy = scan.rows.iter().flat_map(|rows| &rows.items);
    let row_policy = || "row-policy".to_owned();
    Lineage {
        columns: scan.columns.iter().map(column).collect(),
        whole: policy
            .map(|(item, _)| part(item, row_policy(), Flow::Filter))
            .collect(),
    }
}

fn joined(
    kind: JoinKind,
    left: Lineage,
    right: Lineage,
    (on, filter): (&[(Expr, Expr)], Option<&Expr>),
) -> Lineage {
    let width = left.columns.len();
    let (mut left, mut right) = (left, right);
    for (ours, theirs) in on {
        left.decides(ours, Flow::Join);
        right.decides(theirs, Flow::Join);
    }
    left.columns.extend(right.columns);
    left.whole.extend(right.whole);
    let mut both = left;
    if let Some(filter) = filter {
        both.decides(filter, Flow::Join);
    }
    match kind {
        JoinKind::Inner | JoinKind::Left | JoinKind::Right | JoinKind::Full => {}
        JoinKind::Semi | JoinKind::Anti => both.columns.truncate(width),
        JoinKind::Mark => {
            both.columns.truncate(width);
            let decided = both.whole.iter().filter(|part| part.flow == Flow::Join);
            let mark = indirect(decided, Flow::Conditional);
            both.columns.push(mark);
        }
    }
    both
}

fn aggregated(call: &AggregateCall, input: &mut Lineage) -> Parts {
    // What a confined form adds behind the value are numbers and constants.
    let value = call.arguments.first();
    let value = value.map_or_else(Parts::new, |value| of(value, input));
    let mut parts: Parts = stepped(value, Flow::Aggregation);
    if let Some(filter) = &call.filter {
        let filter = of(filter, input);
        parts.extend(indirect(&filter, Flow::Conditional));
    }
    parts
}

fn windowed(call: &WindowCall, input: &mut Lineage) -> Parts {
    let mut parts = Parts::new();
    for argument in &call.arguments {
        parts.extend(stepped(of(argument, input), Flow::Transformation));
    }
    let order = call.order.iter().map(|key| &key.expr);
    for expr in call.partition.iter().chain(order) {
        let looked_at = of(expr, input);
        parts.extend(indirect(&looked_at, Flow::Window));
    }
    parts
}

impl Lineage {
    /// Notes that an expression has a say in all of the output.
    fn decides(&mut self, expr: &Expr, flow: Flow) {
        let parts = of(expr, self);
        self.whole.extend(indirect(&parts, flow));
    }
}

/// The parts of an expression's value; what a subquery depends on is noted for the whole.
fn of(expr: &Expr, input: &mut Lineage) -> Parts {
    match expr {
        Expr::Column(at) => {
            let index = usize::try_from(*at).ok();
            let found = index.and_then(|index| input.columns.get(index));
            found.cloned().unwrap_or_default()
        }
        Expr::Case {
            branches,
            otherwise,
        } => {
            let mut parts = Parts::new();
            for (condition, value) in branches {
                let condition = of(condition, input);
                parts.extend(indirect(&condition, Flow::Conditional));
                parts.extend(stepped(of(value, input), Flow::Transformation));
            }
            if let Some(value) = otherwise {
                parts.extend(stepped(of(value, input), Flow::Transformation));
            }
            parts
        }
        Expr::Scalar(node) => {
            let inside = lineage(node);
            input.whole.extend(inside.whole);
            stepped(
                inside.columns.into_iter().flatten().collect(),
                Flow::Transformation,
            )
        }
        Expr::Literal(_)
        | Expr::Parameter(..)
        | Expr::Call(..)
        | Expr::Cast { .. }
        | Expr::InList { .. } => {
            let mut parts = Parts::new();
            for child in expr.children() {
                parts.extend(stepped(of(child, input), Flow::Transformation));
            }
            parts
        }
    }
}

fn stepped(parts: Parts, step: Flow) -> Parts {
    let step = |part: Part| Part {
        flow: part.flow.then(step),
        ..part
    };
    parts.into_iter().map(step).collect()
}

fn indirect<'p>(parts: impl IntoIterator<Item = &'p Part>, flow: Flow) -> Parts {
    let parts = parts.into_iter().map(|part| Part {
        flow,
        ..part.clone()
    });
    parts.collect()
}
