//! Columns nobody reads go, from the root down to the scans, so that a runner gets the keys of exactly
//! what the plan needs. Nothing else changes: keys of groups, conditions and witnesses that rows must
//! meet are read by definition.

mod columns; // which are read, and where those that are left now stand

use self::columns::{
    Moved, Read, at_least_one, call_columns, cheapest, columns, identity, keep, ranks,
};
use plan::{AggregateCall, Expr, JoinKind, Node, Plan};

/// The plan without columns nobody reads; none if it is malformed.
pub(crate) fn pruned(plan: Plan) -> Option<Plan> {
    let width = u32::try_from(plan.names.len() + plan.checks.len()).ok()?;
    let (root, _) = node(plan.root, &(0..width).collect())?;
    Some(Plan { root, ..plan })
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each case: a table reads best in one place"
)]
fn node(root: Node, read: &Read) -> Option<(Node, Moved)> {
    match root {
        Node::Scan(mut scan) => {
            let kept = at_least_one(read, cheapest(&scan.columns)?);
            let (columns, moved) = keep(scan.columns, &kept)?;
            scan.columns = columns;
            Some((Node::Scan(scan), moved))
        }
        Node::Values { types, rows } => {
            let moved = identity(u32::try_from(types.len()).ok()?);
            Some((Node::Values { types, rows }, moved))
        }
        Node::Project { input, exprs } => {
            let kept = at_least_one(read, 0);
            let (exprs, moved) = keep(exprs, &kept)?;
            let (input, below) = node(*input, &columns(&exprs))?;
            let exprs = remapped(exprs, &below)?;
            Some((
                Node::Project {
                    input: Box::new(input),
                    exprs,
                },
                moved,
            ))
        }
        Node::Filter { input, predicate } => {
            let mut needed = read.clone();
            needed.extend(predicate.columns());
            let (input, moved) = node(*input, &needed)?;
            let predicate = remap(predicate, &moved)?;
            Some((
                Node::Filter {
                    input: Box::new(input),
                    predicate,
                },
                moved,
            ))
        }
        join @ Node::Join { .. } => pruned_join(join, read),
        aggregate @ Node::Aggregate { .. } => pruned_aggregate(aggregate, read),
        window @ Node::Window { .. } => pruned_window(window, read),
        Node::Sort {
            input,
            mut keys,
            fetch,
        } => {
            let mut needed = read.clone();
            needed.extend(keys.iter().flat_map(|key| key.expr.columns()));
            let (input, moved) = node(*input, &needed)?;
            for key in &mut keys {
                key.expr = remap(key.expr.clone(), &moved)?;
            }
            Some((
                Node::Sort {
                    input: Box::new(input),
                    keys,
                    fetch,
                },
                moved,
            ))
        }
        Node::Limit { input, skip, fetch } => {
            let (input, moved) = node(*input, read)?;
            Some((
                Node::Limit {
                    input: Box::new(input),
                    skip,
                    fetch,
                },
                moved,
            ))
        }
        Node::Distinct { input } => {
            let width = u32::try_from(input.fields().ok()?.len()).ok()?;
            let (input, _) = exactly(*input, &(0..width).collect())?;
            Some((
                Node::Distinct {
                    input: Box::new(input),
                },
                identity(width),
            ))
        }
        Node::Union { inputs } => {
            let kept = at_least_one(read, 0);
            let inputs = inputs
                .into_iter()
                .map(|input| Some(exactly(input, &kept)?.0));
            let inputs = inputs.collect::<Option<Vec<_>>>()?;
            Some((Node::Union { inputs }, ranks(&kept)?))
        }
        Node::Withhold {
            input,
            mut cells,
            mut reports,
        } => {
            let mut needed = read.clone();
            needed.extend(cells.iter().map(|cell| cell.witness));
            needed.extend(reports.iter().map(|report| report.witness));
            let (input, moved) = node(*input, &needed)?;
            for cell in &mut cells {
                cell.witness = *moved.get(&cell.witness)?;
            }
            for report in &mut reports {
                report.witness = *moved.get(&report.witness)?;
                // What nobody reads needs no noise.
                report.noised.retain_mut(|noised| {
                    let place = moved.get(&noised.column);
                    noised.column = place.copied().unwrap_or(noised.column);
                    place.is_some()
                });
            }
            Some((
                Node::Withhold {
                    input: Box::new(input),
                    cells,
                    reports,
                },
                moved,
            ))
        }
    }
}

/// A node pruned to exactly these columns, in order.
fn exactly(root: Node, read: &Read) -> Option<(Node, Moved)> {
    let (input, moved) = node(root, read)?;
    let width = input.fields().ok()?.len();
    let ranked = ranks(read)?;
    if width == read.len() && read.iter().all(|at| moved.get(at) == ranked.get(at)) {
        return Some((input, ranked));
    }
    let exprs = read
        .iter()
        .map(|at| moved.get(at).copied().map(Expr::Column));
    let exprs = exprs.collect::<Option<Vec<_>>>()?;
    Some((
        Node::Project {
            input: Box::new(input),
            exprs,
        },
        ranked,
    ))
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each case: a table reads best in one place"
)]
fn pruned_join(root: Node, read: &Read) -> Option<(Node, Moved)> {
    let Node::Join {
        kind,
        left,
        right,
        on,
        filter,
        null_equal,
    } = root
    else {
        return None;
    };
    let width = u32::try_from(left.fields().ok()?.len()).ok()?;
    let shows_right = match kind {
        JoinKind::Inner | JoinKind::Left | JoinKind::Right | JoinKind::Full => true,
        JoinKind::Semi | JoinKind::Anti | JoinKind::Mark => false,
    };
    let (mut ours, mut theirs) = (Read::new(), Read::new());
    for at in read
        .iter()
        .copied()
        .chain(filter.iter().flat_map(Expr::columns))
    {
        if at < width {
            ours.insert(at);
        } else {
            theirs.insert(at - width);
        }
    }
    if !shows_right {
        theirs = filter
            .iter()
            .flat_map(Expr::columns)
            .filter_map(|at| at.checked_sub(width))
            .collect();
    }
    for (left, right) in &on {
        ours.extend(left.columns());
        theirs.extend(right.columns());
    }
    let (left, moved_left) = node(*left, &ours)?;
    let (right, moved_right) = node(*right, &theirs)?;
    let now = u32::try_from(left.fields().ok()?.len()).ok()?;
    let mut both = moved_left.clone();
    both.extend(
        moved_right
            .iter()
            .map(|(from, to)| (from + width, to + now)),
    );
    let on = on
        .into_iter()
        .map(|(left, right)| Some((remap(left, &moved_left)?, remap(right, &moved_right)?)));
    let on = on.collect::<Option<Vec<_>>>()?;
    let filter = match filter {
        None => None,
        Some(filter) => Some(remap(filter, &both)?),
    };
    let moved = match kind {
        JoinKind::Inner | JoinKind::Left | JoinKind::Right | JoinKind::Full => both,
        JoinKind::Semi | JoinKind::Anti => moved_left,
        JoinKind::Mark => {
            let mut moved = moved_left;
            moved.insert(width, now);
            moved
        }
    };
    let (left, right) = (Box::new(left), Box::new(right));
    Some((
        Node::Join {
            kind,
            left,
            right,
            on,
            filter,
            null_equal,
        },
        moved,
    ))
}

fn pruned_aggregate(root: Node, read: &Read) -> Option<(Node, Moved)> {
    let Node::Aggregate {
        input,
        keys,
        aggregates,
    } = root
    else {
        return None;
    };
    let offset = u32::try_from(keys.len()).ok()?;
    let mut kept: Read = read
        .iter()
        .filter_map(|at| at.checked_sub(offset))
        .collect();
    if keys.is_empty() && kept.is_empty() {
        kept.insert(0);
    }
    let (aggregates, moved_calls) = keep(aggregates, &kept)?;
    let mut needed = columns(&keys);
    needed.extend(aggregates.iter().flat_map(call_columns));
    let (input, below) = node(*input, &needed)?;
    let keys = remapped(keys, &below)?;
    let calls = aggregates.into_iter().map(|call| {
        let filter = match call.filter {
            None => None,
            Some(filter) => Some(remap(filter, &below)?),
        };
        let arguments = remapped(call.arguments, &below)?;
        Some(AggregateCall {
            arguments,
            filter,
            ..call
        })
    });
    let aggregates = calls.collect::<Option<Vec<_>>>()?;
    let mut moved = identity(offset);
    moved.extend(
        moved_calls
            .iter()
            .map(|(from, to)| (from + offset, to + offset)),
    );
    Some((
        Node::Aggregate {
            input: Box::new(input),
            keys,
            aggregates,
        },
        moved,
    ))
}

fn pruned_window(root: Node, read: &Read) -> Option<(Node, Moved)> {
    let Node::Window { input, calls } = root else {
        return None;
    };
    let width = u32::try_from(input.fields().ok()?.len()).ok()?;
    let (mut needed, kept): (Read, Read) = read.iter().partition(|at| **at < width);
    let kept = at_least_one(&kept.iter().map(|at| at - width).collect(), 0);
    let (calls, moved_calls) = keep(calls, &kept)?;
    for call in &calls {
        needed.extend(columns(&call.arguments));
        needed.extend(columns(&call.partition));
        needed.extend(call.order.iter().flat_map(|key| key.expr.columns()));
    }
    let (input, mut moved) = node(*input, &needed)?;
    let now = u32::try_from(input.fields().ok()?.len()).ok()?;
    let mut window = Node::Window {
        input: Box::new(input),
        calls,
    };
    for expr in window.exprs_mut() {
        *expr = remap(expr.clone(), &moved)?;
    }
    moved.extend(
        moved_calls
            .iter()
            .map(|(from, to)| (from + width, to + now)),
    );
    Some((window, moved))
}

fn remapped(exprs: Vec<Expr>, moved: &Moved) -> Option<Vec<Expr>> {
    exprs.into_iter().map(|expr| remap(expr, moved)).collect()
}

/// An expression over moved columns; subqueries in it are pruned to their one column.
fn remap(mut expr: Expr, moved: &Moved) -> Option<Expr> {
    match &mut expr {
        Expr::Column(ordinal) => *ordinal = *moved.get(ordinal)?,
        Expr::Scalar(inside) => {
            let subquery = std::mem::replace(
                &mut **inside,
                Node::Values {
                    types: vec![],
                    rows: vec![],
                },
            );
            **inside = exactly(subquery, &Read::from([0]))?.0;
        }
        Expr::Literal(_)
        | Expr::Parameter(..)
        | Expr::Call(..)
        | Expr::Cast { .. }
        | Expr::Case { .. }
        | Expr::InList { .. } => {
            for inside in expr.children_mut() {
                *inside = remap(inside.clone(), moved)?;
            }
        }
    }
    Some(expr)
}
