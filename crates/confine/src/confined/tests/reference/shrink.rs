//! Smaller drafts that still fail: a node gives way to its input, or loses a part.

use plan::{Expr, Node};

/// Drafts one step smaller, the smallest first.
pub(super) fn smaller(node: &Node) -> Vec<Node> {
    let mut found: Vec<Node> = node.inputs().cloned().collect();
    let mut without = |change: &dyn Fn(&mut Node)| {
        let mut copy = node.clone();
        change(&mut copy);
        if copy != *node {
            found.push(copy);
        }
    };
    for at in 0..8 {
        without(&|copy| match copy {
            Node::Project { exprs, .. } if exprs.len() > 1 => drop_at(exprs, at),
            Node::Scan(scan) => drop_at(&mut scan.columns, at),
            Node::Aggregate { aggregates, .. } => drop_at(aggregates, at),
            Node::Join { on, .. } => drop_at(on, at),
            _ => {}
        });
        without(&|copy| match copy {
            Node::Aggregate { keys, .. } => drop_at(keys, at),
            Node::Join { filter, .. } => *filter = None,
            _ => {}
        });
        without(&|copy| {
            if let Node::Aggregate { aggregates, .. } = copy
                && let Some(call) = aggregates.get_mut(at)
            {
                call.filter = None;
            }
        });
        without(&|copy| {
            if let Some(expr) = copy.exprs_mut().nth(at)
                && let Expr::Call(_, arguments) = expr
                && let Some(first) = arguments.pop()
            {
                *expr = first;
            }
        });
    }
    for at in 0..node.inputs().count() {
        for less in node.inputs().nth(at).map(smaller).unwrap_or_default() {
            let mut copy = node.clone();
            copy.inputs_mut()
                .skip(at)
                .take(1)
                .for_each(|place| *place = less.clone());
            found.push(copy);
        }
    }
    found
}

fn drop_at<T>(list: &mut Vec<T>, at: usize) {
    if at < list.len() {
        list.remove(at);
    }
}
